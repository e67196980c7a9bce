"""Whether a line separates the data, with the vector that proves the answer either way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import linprog

from flowsam.data import Data
from flowsam.errors import InputError
from flowsam.margin.vertices import equilibrated, simplex
from flowsam.shapes import Examples, Float, PerExample
from flowsam.signatures import public

_LARGE = 1e290  # entries of z


@dataclass(frozen=True, eq=False)
class Separability:
    """The answer of `separability`, with its proof.

    Parameters
    ----------
    separable : bool
        Whether some `beta` has every margin positive.
    vector : ndarray
        Where separable: such a `beta`, shape (d,). Otherwise weights `q >= 0`, shape (n,), of
        sum one, with `sum_i q_i z_i = 0` (Farkas): no beta can make all margins positive.
    residual : float
        Where separable: the least margin over its own rounding error (above 1: proven in
        floating point). Otherwise the largest `|sum_i q_i z_ij|` relative to `sum_i q_i |z_ij|`.
    message : str
        One sentence saying so.

    Examples
    --------
    >>> Separability(True, np.ones(2), 1e15, "separable").separable
    True
    """

    separable: bool
    vector: Float[np.ndarray, " k"]
    residual: float
    message: str

    def __post_init__(self) -> None:
        """Freeze the vector: answers are kept."""
        self.vector.flags.writeable = False


@public
@lru_cache(maxsize=4)  # asked of the same data all along a verdict
def separability(data: Data) -> Separability:
    """Return whether the data are linearly separable through the origin, and why.

    The largest t with <gamma, z_i> >= t for all i and |gamma_j| <= 1, on equilibrated data: a
    positive t gives the separating vector; at t = 0 its dual weights are Farkas's.

    The flow runs on data that do not separate too, but its loss stays away from 0 and no theorem
    on directions applies.

    Parameters
    ----------
    data : Data
        n signed examples in d features. A bias is a constant column of the features.

    Returns
    -------
    Separability
        The verdict, the vector and how well it proves the verdict.

    Raises
    ------
    ValueError
        Where the linear program fails.

    Examples
    --------
    >>> from flowsam.data import Data
    >>> separability(Data([[1, 2], [2, 1]])).separable
    True
    >>> separability(Data([[1, 2], [-2, -4]])).vector.round(3)
    array([0.667, 0.333])
    """
    z = data.z
    n, d = z.shape
    scaled, row, column = equilibrated(z)
    bounds = [(-1.0, 1.0)] * d + [(0.0, None)]
    above = np.hstack([scaled, -np.ones((n, 1))])
    found = simplex(np.append(np.zeros(d), -1.0), above, np.zeros(n), bounds)
    if found.x is None:
        raise InputError(
            f"separability met a failing simplex method ({found.message}); rescale z"
        )
    beta = column / column.max() * found.x[:d]
    spare = 40 * bool(
        np.abs(z).max() > _LARGE
    )  # bits that a sum of large entries needs
    z = np.ldexp(z, -spare)
    rounding = (d + 2) * np.finfo(float).eps * (np.abs(z) @ np.abs(beta))
    surplus = float(np.min((z @ beta) / np.where(rounding > 0, rounding, 1.0)))
    if surplus > 1.0:
        least = float(np.ldexp((z @ beta).min() / np.linalg.norm(beta), spare))
        message = (
            f"linearly separable: a vector of length 1 has least margin {least:.3g}"
        )
        return Separability(True, beta / np.linalg.norm(beta), surplus, message)
    weights = np.maximum(-found.ineqlin.marginals, 0.0) * row
    weights /= weights.sum()
    size = weights @ np.abs(z)
    residual = float(np.max(np.abs(weights @ z) / np.where(size > 0, size, 1.0)))
    count = int(np.count_nonzero(weights))
    message = (
        f"not linearly separable: {count} of {n} examples cancel to {residual:.1g} under positive "
        "weights; add features or a constant column, or drop mislabelled examples"
    )
    return Separability(False, weights, residual, message)


def balancing_weights(z: Examples) -> PerExample | None:
    """Return weights q > 0 under which the examples cancel, or None where none are proven.

    sum_i q_i z_i = 0  iff every v that moves a margin lowers one (Stiemke): a minimum exists
    """
    n, d = z.shape
    scaled, row, _ = equilibrated(z)
    equal = np.vstack(
        [np.hstack([scaled.T, np.zeros((d, 1))]), np.append(np.ones(n), 0.0)]
    )
    least = np.hstack([-np.eye(n), np.ones((n, 1))])
    target = np.append(np.zeros(d), 1.0)
    cost = np.append(np.zeros(n), -1.0)
    found = linprog(cost, least, np.zeros(n), equal, target, (0, None), method="highs")
    if found.x is None:
        return None
    weights = found.x[:n]
    for _ in range(2):
        off = np.linalg.lstsq(scaled.T, scaled.T @ weights)[0]
        weights = weights - off
    if not (weights > 2 * np.abs(off) + 1e-9).all():
        return None
    weights = weights * row
    return np.asarray(weights / weights.sum())
