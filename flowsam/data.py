"""Data: signed examples `z_i = y_i x_i`, the only thing the flow ever sees of a data set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowsam.errors import InputError, InputTypeError
from flowsam.inputs import column_names, keep, real_array, real_example
from flowsam.shapes import Examples, Float, Mask, PerExample, Vector
from flowsam.signatures import public


@dataclass(frozen=True, eq=False)
class Data:
    """Signed examples of a binary classification problem.

    z_i = y_i x_i with y_i in {-1, +1}: margins are `m_i = <beta, z_i>` and labels are gone.
    Data with the same examples are equal, whatever their names.

    Parameters
    ----------
    z : array_like, shape (n, d)
        Signed examples, in the units of the features; no example may be zero.
    name : str
        A word for titles and captions.
    features : sequence of str
        Names of the columns, () for none; by default those that z carries, as a DataFrame does.

    Raises
    ------
    TypeError, ValueError
        For complex or non-finite entries, a wrong shape, or a zero example.

    Examples
    --------
    >>> Data([[1, 2], [2, 1]]).z.shape
    (2, 2)
    """

    z: Examples
    name: str = ""
    features: tuple[str, ...] = ()

    def __init__(
        self,
        z: ArrayLike,
        name: str = "",
        features: Iterable[str] = (),
    ) -> None:
        """Check and freeze the examples."""
        features = feature_names(features) or column_names(z)
        z = np.array(real_table(z, "z", features))
        zero = np.flatnonzero(~z.any(axis=1))
        if zero.size:
            raise InputError(
                f"every example needs a non-zero entry, got zeros in row {zero[0]}; drop it"
            )
        if len(features) not in (0, z.shape[1]):
            raise InputError(
                f"features needs a name for each of {z.shape[1]} columns, got {len(features)}"
            )
        z.flags.writeable = False
        keep(self, z=z, name=str(name), features=features)

    @cached_property
    def sizes(self) -> Vector:
        """The largest |z_ij| of each feature."""
        return np.abs(self.z).max(axis=0)

    @cached_property
    def moving(self) -> Mask:
        """Features that are not 0 in every example: the others never move."""
        return np.any(self.z, axis=0)

    def __eq__(self, other: object) -> bool:
        """Whether the examples are the same numbers in the same order."""
        if not isinstance(other, Data):
            return NotImplemented
        return np.array_equal(self.z, other.z)

    def __hash__(self) -> int:
        """Equal for equal examples, -0.0 and 0.0 among them."""
        return hash((self.z.shape, (self.z + 0.0).tobytes()))

    def __reduce__(self) -> tuple[type[Data], tuple[NDArray, str, tuple[str, ...]]]:
        """Pickle by the arguments, so that what comes back is frozen too."""
        return Data, (self.z, self.name, self.features)

    def __repr__(self) -> str:
        """One line: the name and the shape."""
        return f"Data(name={self.name!r}, n={self.z.shape[0]}, d={self.z.shape[1]})"


def feature_names(features: Iterable[str]) -> tuple[str, ...]:
    """Return names of columns as text, or say that they are no list of names."""
    if isinstance(features, str) or not isinstance(features, Iterable):
        raise InputTypeError(f"features needs a list of names, got {features!r}")
    return tuple(map(str, features))


def real_table(values: ArrayLike, what: str, features: tuple[str, ...]) -> Examples:
    """Return a table as finite float64; a hole is named by its row, from 1, and its column."""

    def place(index: tuple[int, ...]) -> object:
        if len(index) != 2:
            return index
        column = repr(features[index[1]]) if features else index[1] + 1
        return f"row {index[0] + 1}, column {column}"

    table = real_array(values, what, place=place)
    if table.ndim != 2 or not table.size:
        raise InputError(
            f"{what} needs shape (n, d) with n, d >= 1, got {table.shape}; a row each"
        )
    return table


@public
def single_example(
    mu: ArrayLike,
    *,
    name: str = "",
    features: Iterable[str] = (),
) -> Data:
    """Return the data set {(mu, +1)}, the setting of the paper's theorems for one example.

    Parameters
    ----------
    mu : array_like, shape (d,)
        The example; entries of any sign, not all zero.
    name : str
        A word for titles; by default the vector itself, when it is short.
    features : sequence of str
        Names of the coordinates.

    Returns
    -------
    Data
        With `z = mu[None]`.

    Raises
    ------
    TypeError, ValueError
        For complex, non-finite or all-zero entries, or a wrong shape.

    Examples
    --------
    >>> single_example([1, 2])
    Data(name='mu=(1, 2)', n=1, d=2)
    """
    mu = real_example(mu)
    entries = ", ".join(f"{m:g}" for m in mu[:7])
    short = f"mu=({entries})" if mu.size <= 6 else f"mu, d={mu.size}"
    return Data(mu[None], name or short, features)


def from_labels(X: ArrayLike, y: ArrayLike, *, name: str = "") -> Data:
    """Return signed examples from features and two-class labels: the larger label counts as +1.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Features; a DataFrame keeps the names of its columns.
    y : array_like, shape (n,)
        Labels of exactly two classes: numbers, if all of them are, else words.
    name : str
        A word for titles.

    Returns
    -------
    Data
        With `z = y[:, None] * X`, y in {-1, +1}.

    Raises
    ------
    TypeError, ValueError
        For holes, bad entries, shapes that do not fit, or labels other than two classes.

    Examples
    --------
    >>> from_labels([[1.0], [2.0]], ["a", "b"]).z.ravel()
    array([-1.,  2.])
    """
    names = column_names(X)
    X = real_table(X, "X", names)
    return Data(class_signs(X, y)[:, None] * X, name, names)


def class_signs(X: Float[np.ndarray, "..."], y: ArrayLike) -> PerExample:
    """Return +1 for the larger of two labels y and -1 for the smaller, one a row of X."""
    from flowsam.class_labels import class_values, label_column, signs

    shape = label_column(y).shape
    if X.ndim != 2 or shape != X.shape[:1]:
        raise InputError(
            f"y needs one label a row of X, got {shape} for X {X.shape}; check both"
        )
    return signs(class_values(y))


@public
def split_signs(data: Data) -> Data:
    """Return the data with columns `[z, -z]`, so that positive starts reach predictors of any sign.

    With weights all positive `beta >= 0` for ever under gradient flow; on the doubled features
    the predictor of the original ones is `beta_+ - beta_-`, any sign.

    Parameters
    ----------
    data : Data
        n examples in d features.

    Returns
    -------
    Data
        n examples in 2 d features.

    Examples
    --------
    >>> split_signs(single_example([1, 2])).z
    array([[ 1.,  2., -1., -2.]])
    """
    name = f"{data.name}, signs split" if data.name else "signs split"
    mirrored = tuple(f"-{feature}" for feature in data.features)
    z = np.concatenate([data.z, -data.z], axis=1)
    return Data(z, name, data.features + mirrored)


def unsplit(data: Data) -> Data:
    """Return the original of `split_signs`: without columns that mirror the others; else `data`."""
    half = data.z.shape[1] // 2
    if data.z.shape[1] % 2 or not np.array_equal(data.z[:, :half], -data.z[:, half:]):
        return data
    name = data.name.removesuffix("signs split").removesuffix(", ")
    return Data(data.z[:, :half], name, data.features[:half])


@public
def merge_signs(
    data: Data,
    beta: Float[np.ndarray, "*T D"] | ArrayLike,
) -> Float[np.ndarray, "*T d"]:
    """Return `beta_+ - beta_-`, the predictor of the features as they were before `split_signs`.

    Parameters
    ----------
    data : Data
        What `split_signs` gave, or what it was given.
    beta : array_like, shape (..., 2 d)
        Predictors of the doubled features; inf at a blow-up.

    Returns
    -------
    ndarray, shape (..., d)

    Raises
    ------
    ValueError
        For data without mirrored columns, or a predictor of another size.

    Examples
    --------
    >>> merge_signs(split_signs(single_example([1, 2])), [3.0, 0.5, 1.0, 2.0])
    array([ 2. , -1.5])
    """
    try:
        beta = np.asarray(beta, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputTypeError(
            f"merge_signs needs numbers, got {beta!r}; pass a run's beta"
        ) from None
    columns = data.z.shape[1]
    features = unsplit(data).z.shape[1] if beta.shape[-1:] == (columns,) else columns
    if beta.shape[-1:] != (2 * features,):
        raise InputError(
            f"merge_signs needs a predictor of split_signs(data), got {beta.shape} for data with "
            f"{columns} columns; pass the run's data and beta"
        )
    with np.errstate(invalid="ignore"):
        return beta[..., :features] - beta[..., features:]
