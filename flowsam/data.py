"""Data: signed examples `z_i = y_i x_i`, the only thing the flow ever sees of a data set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from flowsam.errors import InputError
from flowsam.inputs import real_array

__all__ = ["Data", "from_labels", "merged_signs", "single_example", "split_signs"]


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

    Raises
    ------
    TypeError, ValueError
        For complex or non-finite entries, a wrong shape, or a zero example.

    Examples
    --------
    >>> Data([[1, 2], [2, 1]]).z.shape
    (2, 2)
    """

    z: Float[np.ndarray, "n d"]
    name: str = ""

    def __init__(self, z: ArrayLike, name: str = "") -> None:
        """Check and freeze the examples."""
        z = np.array(real_array(z, "z"))
        if z.ndim != 2 or 0 in z.shape:
            raise InputError(f"z needs shape (n, d) with n, d >= 1, got {z.shape}; a row each")
        zero = np.flatnonzero(~z.any(axis=1))
        if zero.size:
            raise InputError(
                f"every example needs a non-zero entry, got zeros in row {zero[0]}; drop it"
            )
        z.flags.writeable = False
        object.__setattr__(self, "z", z)
        object.__setattr__(self, "name", str(name))

    def __eq__(self, other: object) -> bool:
        """Whether the examples are the same numbers in the same order."""
        if not isinstance(other, Data):
            return NotImplemented
        return np.array_equal(self.z, other.z)

    def __hash__(self) -> int:
        """Equal for equal examples, -0.0 and 0.0 among them."""
        return hash((self.z.shape, (self.z + 0.0).tobytes()))

    def __reduce__(self) -> tuple[type[Data], tuple[NDArray, str]]:
        """Pickle by the arguments, so that what comes back is frozen too."""
        return Data, (self.z, self.name)

    def __repr__(self) -> str:
        """One line: the name and the shape."""
        return f"Data(name={self.name!r}, n={self.z.shape[0]}, d={self.z.shape[1]})"


def single_example(mu: ArrayLike, *, name: str = "") -> Data:
    """Return the data set {(mu, +1)}, the setting of the paper's theorems for one example.

    Parameters
    ----------
    mu : array_like, shape (d,)
        The example; entries of any sign, not all zero.
    name : str
        A word for titles; by default the vector itself, when it is short.

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
    mu = real_array(mu, "mu")
    if mu.ndim != 1 or not mu.size:
        raise InputError(f"mu needs shape (d,) with d >= 1, got {mu.shape}; pass a flat list")
    if not mu.any():
        raise InputError("mu needs a non-zero entry, got all zeros; nothing would ever move")
    short = "mu=(" + ", ".join(f"{m:g}" for m in mu) + ")" if mu.size <= 6 else f"mu, d={mu.size}"
    return Data(mu[None], name or short)


def from_labels(X: ArrayLike, y: ArrayLike, *, name: str = "") -> Data:
    """Return signed examples from features and two-class labels: the larger label counts as +1.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Features.
    y : array_like, shape (n,)
        Labels of exactly two classes, numbers or strings.
    name : str
        A word for titles.

    Returns
    -------
    Data
        With `z = y[:, None] * X`, y in {-1, +1}.

    Raises
    ------
    TypeError, ValueError
        For bad entries, shapes that do not fit, or labels other than two classes.

    Examples
    --------
    >>> from_labels([[1.0], [2.0]], ["a", "b"]).z.ravel()
    array([-1.,  2.])
    """
    X, y = real_array(X, "X"), np.asarray(y)
    if X.ndim != 2 or y.shape != X.shape[:1]:
        raise InputError(f"y needs one label a row of X, got {y.shape} for X {X.shape}; check both")
    classes = np.unique(y)
    if classes.size != 2:
        shown = ", ".join(str(c) for c in classes[:5])
        raise InputError(
            f"y needs exactly two classes, got {classes.size} ({shown}); select two of them"
        )
    return Data(np.where(y == classes[1], 1.0, -1.0)[:, None] * X, name)


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
    return Data(np.concatenate([data.z, -data.z], axis=1), name)


def merged_signs(data: Data, beta: ArrayLike) -> tuple[Data, Float[np.ndarray, "*T d"]]:
    """Return the original features and `beta_+ - beta_-`, the inverse of `split_signs`.

    Parameters
    ----------
    data : Data
        Of `split_signs`; any other comes back as it is, with its `beta`.
    beta : array_like, shape (..., columns of data)
        Predictors.

    Returns
    -------
    data : Data
    beta : ndarray, shape (..., d)

    Examples
    --------
    >>> merged_signs(split_signs(single_example([1, 2])), [3.0, 0.5, 1.0, 2.0])
    (Data(name='mu=(1, 2)', n=1, d=2), array([ 2. , -1.5]))
    """
    beta, half = np.asarray(beta, dtype=np.float64), data.z.shape[1] // 2  # inf at a blow-up
    if data.z.shape[1] % 2 or not np.array_equal(data.z[:, :half], -data.z[:, half:]):
        return data, beta
    merged = Data(data.z[:, :half], data.name.removesuffix("signs split").removesuffix(", "))
    return merged, beta[..., :half] - beta[..., half:]
