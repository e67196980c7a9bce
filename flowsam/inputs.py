"""What a caller passes, turned into float64 or refused in one line."""

import sys
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import numpy as np

from flowsam.errors import InputError, InputTypeError
from flowsam.shapes import Axis, Float, Shaped, Vector

CELLS = 2**28  # more cells than this do not fit in memory with their labels and copies


Place = Callable[[tuple[int, ...]], object]


def real_array(
    values: object,
    name: str,
    *,
    place: Place = lambda index: index,
) -> Float[np.ndarray, "..."]:
    """Return `values` as finite float64, or say in one line what is wrong with them.

    Parameters
    ----------
    values : array_like
        Anything NumPy turns into numbers: lists and integer arrays are welcome.
    name : str
        The word for it in the message.
    place : callable
        Names an entry by its index, for the message.

    Returns
    -------
    ndarray
        A float64 array of the same shape (a copy where the type changes).

    Raises
    ------
    TypeError
        For complex or non-numeric entries.
    ValueError
        For rows of different lengths, and for masked or non-finite entries: the first one and its
        place.

    Examples
    --------
    >>> real_array([1, 2], "mu")
    array([1., 2.])
    """
    array = _array(values, name)
    if array.dtype.kind == "O" and array.size:
        array = _numbers(array, name, place)
    if array.dtype.kind not in "biuf":
        raise InputTypeError(
            f"{name} needs real numbers, got {array.dtype}; pass floats"
        )
    array = array.astype(np.float64, copy=False)
    masked = has_holes(values)
    good = ~np.ma.getmaskarray(np.ma.asarray(values)) if masked else np.isfinite(array)
    if not good.all():
        index = tuple(int(i) for i in np.argwhere(~good)[0])
        shown = "a masked entry" if masked else array[index]
        raise InputError(
            f"{name} needs finite numbers, got {shown} at {place(index)}; remove or impute it"
        )
    return array


def has_holes(values: object) -> bool:
    """Tell whether an array is masked somewhere; who has none has not loaded masked arrays."""
    return "numpy.ma" in sys.modules and np.ma.is_masked(values)


def _array(values: object, name: str, dtype: type | None = None) -> np.ndarray:
    """An array, or a refusal of what makes none, whatever its own conversion raises."""
    try:
        return np.asarray(values, dtype=dtype)
    except ValueError:
        raise InputError(
            f"{name} needs rows of one length; pass a rectangular array"
        ) from None
    except Exception:
        raise InputTypeError(
            f"{name} needs real numbers, got {shown(values)}; pass floats"
        ) from None


def _numbers(array: Shaped[np.ndarray, "..."], name: str, place: Place) -> np.ndarray:
    """Objects as floats, or the first that is no real number, with its place."""
    for index, entry in np.ndenumerate(array):
        if not isinstance(entry, Real):
            raise InputTypeError(
                f"{name} needs real numbers, got {shown(entry)} at {place(index)}; pass floats"
            )
    try:
        return array.astype(np.float64)
    except OverflowError:
        raise InputError(
            f"{name} needs numbers in the range of doubles, got a larger integer"
        ) from None


def column_names(table: object) -> tuple[str, ...]:
    """Return the names a table has for its columns, such as those of a DataFrame; () for none."""
    return tuple(" ".join(str(name).split()) for name in getattr(table, "columns", ()))


def real_axis(values: object, name: str) -> Axis:
    """Return the values of one axis of a plane as finite float64."""
    array = np.atleast_1d(real_array(values, name))
    if array.ndim != 1 or not array.size:
        raise InputError(
            f"{name} needs shape (n,) with n >= 1, got {array.shape}; pass a flat list"
        )
    return array


def real_example(mu: object) -> Vector:
    """Return one example as finite float64.

    Parameters
    ----------
    mu : array_like, shape (d,)
        Not all zeros.

    Returns
    -------
    ndarray, shape (d,)

    Raises
    ------
    TypeError, ValueError
        As for `real_axis`, and where nothing would move.

    Examples
    --------
    >>> real_example([1, 0])
    array([1., 0.])
    """
    array = real_axis(mu, "mu")
    if not array.any():
        raise InputError("mu needs a non-zero entry, got all zeros; nothing would move")
    return array


def checked_grid(rows: int, columns: int, instead: str) -> None:
    """Refuse a plane too large for memory."""
    if rows * columns > CELLS:
        raise InputError(
            f"a grid may have {CELLS} cells, got {rows} x {columns}, which need about "
            f"{rows * columns * 16 / 2**30:.0f} GiB; {instead}"
        )


def whole_number(value: Any, name: str) -> int:
    """Return a whole number as an int."""
    whole = isinstance(value, int | np.integer)
    if not whole or isinstance(value, bool | np.timedelta64):
        raise InputTypeError(f"{name}, got {shown(value)}; pass an int")
    if abs(int(value)) >= 2**63:
        raise InputError(f"{name} below 2^63, got a larger one")
    return int(value)


def yes_or_no(value: object, name: str) -> bool:
    """Return True or False."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise InputTypeError(f"{name} needs True or False, got {shown(value)}")


def real_number(value: object, name: str) -> float:
    """Return one real number as a float, inf and nan included."""
    array = _array(value, name, object)  # takes ragged lists too
    array = _array(value, name) if array.shape == () else array
    if array.shape != () or array.dtype.kind not in "iuf" or has_holes(value):
        raise InputTypeError(f"{name} needs one real number, got {shown(value)}")
    return float(array)


def check_rtol(rtol: float) -> None:
    """Refuse a relative tolerance that doubles cannot meet."""
    if not 1e-13 <= rtol < 1:
        raise InputError(
            f"needs a number in [1e-13, 1), got {rtol:g}; doubles end near 2e-16",
            of="rtol",
        )


def listed(
    values: Sequence[Any] | np.ndarray,
    most: int = 12,
    shown: Callable[[Any], str] = str,
) -> str:
    """Return the first few values as words, and whether there are more."""
    words = [shown(value) for value in values[:most]]
    return ", ".join(words) + (", ..." if len(values) > most else "")


def keep(noun: object, **checked: Any) -> None:
    """Set fields of a frozen noun, once they are checked."""
    for name, value in checked.items():
        object.__setattr__(noun, name, value)


def shown(value: object) -> str:
    """Return an object for a message: itself where that is short, else its kind."""
    try:
        text = repr(value)
    except Exception:  # such as of an integer of thousands of digits
        text = ""
    short = 0 < len(text) <= 60 and "\n" not in text
    return text if short else f"a {type(value).__name__}"
