"""What a caller passes, turned into float64 or refused in one line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from numbers import Real

import numpy as np

from flowsam.errors import InputError, InputTypeError
from flowsam.shapes import Float, Shaped

__all__ = [
    "CELLS",
    "checked_grid",
    "column_names",
    "has_holes",
    "real_array",
    "real_axis",
    "real_example",
    "real_number",
    "shown",
    "whole_number",
]

CELLS = 2**28  # more cells than this do not fit in memory with their labels and copies


Place = Callable[[tuple[int, ...]], object]


def real_array(
    values: object, name: str, *, place: Place = lambda index: index
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
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError(
            f"{name} needs rows of one length; pass a rectangular array"
        ) from None
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


def _numbers(array: Shaped[np.ndarray, "..."], name: str, place: Place) -> np.ndarray:
    """Objects as floats, or the first that is no real number, with its place."""
    for index, entry in np.ndenumerate(array):
        if not isinstance(entry, Real):
            raise InputTypeError(
                f"{name} needs real numbers, got {entry!r} at {place(index)}; pass floats"
            )
    return array.astype(np.float64)


def column_names(table: object) -> tuple[str, ...]:
    """Return the names a table has for its columns, such as those of a DataFrame; () for none."""
    return tuple(" ".join(str(name).split()) for name in getattr(table, "columns", ()))


def real_axis(values: object, name: str) -> Float[np.ndarray, " n"]:
    """Return the values of one axis of a plane as finite float64."""
    array = np.atleast_1d(real_array(values, name))
    if array.ndim != 1 or not array.size:
        raise InputError(
            f"{name} needs shape (n,) with n >= 1, got {array.shape}; pass a flat list"
        )
    return array


def real_example(mu: object) -> Float[np.ndarray, " d"]:
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


def whole_number(value: object, name: str) -> int:
    """Return a whole number as an int."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise InputTypeError(f"{name}, got {shown(value)}; pass an int")
    return int(value)


def real_number(value: object, name: str) -> float:
    """Return one real number as a float, inf and nan included."""
    array = np.asarray(value, dtype=object)  # takes ragged lists too
    array = np.asarray(value) if array.shape == () else array
    if array.shape != () or array.dtype.kind not in "iuf" or has_holes(value):
        raise InputTypeError(f"{name} needs one real number, got {shown(value)}")
    return float(array)


def shown(value: object) -> str:
    """Return an object for a message: itself where that is short, else its kind."""
    text = repr(value)
    return text if len(text) <= 60 and "\n" not in text else f"a {type(value).__name__}"
