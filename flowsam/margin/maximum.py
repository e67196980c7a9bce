"""Max-margin directions, the limits that gradient flow and SAM are measured against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flowsam.data import Data
from flowsam.errors import InputError
from flowsam.margin.farkas import separability
from flowsam.margin.least_distance import shortest_separator
from flowsam.margin.vertices import equilibrated, lightest_separator, only_vertex
from flowsam.shapes import PerExample, Shaped, Vector
from flowsam.signatures import public

_TOLERANCE = 1e-10
_PROVEN = 1e-6  # what the dual weights must prove of an l_1 optimum
_FAR = 32  # a power of two of the examples up to which no absolute bound of an engine matters
_UNEQUAL = 1e3  # largest over smallest example or feature that counts as badly scaled


@dataclass(frozen=True, eq=False)
class MarginCertificate:
    """How far a vector is from the largest margin, and the proof.

    Parameters
    ----------
    norm : int
        1 or 2.
    margin : float
        `min_i <beta, z_i> / ||beta||`, in the units of z.
    bound : float
        `||sum_i q_i z_i||_*` with `q = dual / sum(dual)`: no vector has a larger margin.
    gap : float
        `1 - margin / bound`, 0 at the optimum.
    dual : ndarray, shape (n,)
        Optimal weights of the examples, zero off the support.
    kkt_residual : float
        At least margin one, the larger of: mean excess of supporting margins; stationarity
        `sum_i a_i z_i in d(||beta||)`, relative to the size of its terms.
    unique : bool
        Whether the largest margin has one direction only (always, for norm 2).

    Examples
    --------
    >>> MarginCertificate(2, 1.0, 1.0, 0.0, np.ones(1), 0.0, True).gap
    0.0
    """

    norm: int
    margin: float
    bound: float
    gap: float
    dual: PerExample
    kkt_residual: float
    unique: bool


@public
def max_margin(data: Data, norm: int) -> Vector:
    """Return the vector of least norm with every margin at least one: the max-margin direction.

    minimise ||beta|| subject to <beta, z_i> >= 1, for the l_1 or the l_2 norm.

    Depth 1 tends to the l_2 direction under gradient flow and SAM alike, depth 2 under gradient
    flow and l_2-SAM to the l_1 direction (arXiv:2603.08290, Theorems 3.1, 4.1 and 4.2).

    Parameters
    ----------
    data : Data
        Linearly separable signed examples.
    norm : int
        1 (a vertex of the optimal face) or 2.

    Returns
    -------
    ndarray, shape (d,)
        Least margin one; optimality conditions hold to 1e-10 or an error is raised.

    Raises
    ------
    ValueError
        For another norm, data that do not separate, or conditions missed in floating point.

    Examples
    --------
    >>> from flowsam.data import Data
    >>> max_margin(Data([[1, 2]]), 1), max_margin(Data([[1, 2]]), 2)
    (array([0. , 0.5]), array([0.2, 0.4]))
    """
    data, power = _in_units(data)
    beta, dual = _optimum(data, norm)
    margins = _margins(data, beta)
    off_one = abs(float(margins.min()) - 1.0)
    residual = max(off_one, _kkt_residual(data, margins, norm, beta, dual))
    if residual > _TOLERANCE:
        raise InputError(
            f"max_margin missed its optimality conditions by {residual:.1g} (limit 1e-10); "
            + _cause(data)
        )
    proven = _stationarity(data, beta, dual).max() if norm == 1 else 0.0
    if proven > _PROVEN:
        raise InputError(
            f"max_margin can prove this optimum to {proven:.1g} only: doubles do not hold the "
            "dual weights closer; " + _cause(data)
        )
    return np.ldexp(beta, power)


@public
def margin_certificate(
    data: Data,
    norm: int,
    beta: ArrayLike,
) -> MarginCertificate:
    """Return how close `beta` comes to the largest margin, with the dual weights that prove it.

    weak duality: min_i m_i / ||beta|| <= max margin <= ||sum_i q_i z_i||_* for every q >= 0 of
    sum one; the weights are those of `max_margin`, so the gap is the true one.

    Parameters
    ----------
    data : Data
        Linearly separable signed examples.
    norm : int
        1 or 2.
    beta : array_like, shape (d,)
        Any vector of positive margins; only its direction counts.

    Returns
    -------
    MarginCertificate
        Margin, bound, gap, dual, KKT residual and uniqueness.

    Raises
    ------
    ValueError
        For another norm or shape, data that do not separate, or a `beta` that does not.

    Examples
    --------
    >>> from flowsam.data import Data
    >>> round(margin_certificate(Data([[1, 2]]), 2, [0, 1]).gap, 6)
    0.105573
    """
    given = np.asarray(beta)
    if given.shape != data.z.shape[1:]:
        raise InputError(
            f"beta needs shape ({data.z.shape[1]},), got {given.shape}; flatten it"
        )
    vector = np.ldexp(given, -np.frexp(np.abs(given).max())[1])
    data, power = _in_units(data)
    margins = _margins(data, vector)
    least = int(np.argmin(margins))
    if margins[least] <= 0:
        raise InputError(
            f"beta needs positive margins, got {margins[least]:.3g} on example {least}; "
            "it does not separate the data"
        )
    best, dual = _optimum(data, norm)
    order, conjugate = (1, np.inf) if norm == 1 else (2, 2)
    margin = float(margins[least]) / float(np.linalg.norm(vector, order))
    bound = float(np.linalg.norm(dual @ data.z, conjugate)) / float(dual.sum())
    unique = norm == 2 or only_vertex(data.z, best, dual)
    residual = _kkt_residual(data, margins, norm, vector, dual)
    return MarginCertificate(
        norm,
        margin=float(np.ldexp(margin, -power)),
        bound=float(np.ldexp(bound, -power)),
        gap=1.0 - margin / bound,
        dual=np.ldexp(dual, norm * power),
        kkt_residual=residual,
        unique=unique,
    )


def _in_units(data: Data) -> tuple[Data, int]:
    """The data, times the power of two that brings examples far from 1 near it, and that power."""
    _, sizes = np.frexp(np.abs(data.z).max(axis=1))
    power = -(int(sizes.max()) + int(sizes.min())) // 2
    if abs(power) <= _FAR:
        return data, 0
    return Data(np.ldexp(data.z, power), data.name), power


def _optimum(data: Data, norm: int) -> tuple[Vector, PerExample]:
    """Call the engine of the norm; let separability explain a failure."""
    if norm not in (1, 2):
        raise InputError(
            f"max_margin needs norm 1 or 2, got {norm!r}; other norms are not solved"
        )
    engine = lightest_separator if norm == 1 else shortest_separator
    try:
        beta, dual = engine(data.z)
        if dual.any() and (data.z @ beta > 0).all():
            return beta, dual
    except ValueError:
        verdict = separability(data)
        if not verdict.separable:
            message = f"max_margin needs separable data, got data {verdict.message}"
            raise InputError(message) from None
    raise InputError(
        "max_margin lost the optimum of data that do separate to rounding; "
        + _cause(data)
    )


def _kkt_residual(
    data: Data,
    margins: Shaped[np.ndarray, " n"],
    norm: int,
    beta: Vector,
    dual: PerExample,
) -> float:
    """Measure the largest violation of the optimality conditions beyond rounding, without units."""
    terms = dual @ np.abs(data.z)
    least = margins.min()
    excess = float(dual @ (margins / least - 1.0) / dual.sum())
    if norm == 2:
        beta = (beta / least).astype(float)
        error = np.linalg.norm(dual @ data.z - beta)
        error /= np.linalg.norm(beta) + np.linalg.norm(terms)
    else:
        error = np.max(
            _stationarity(data, beta, dual) - 4 * np.finfo(float).eps * terms
        )
    return max(excess, float(error), 0.0)


def _margins(data: Data, beta: Vector) -> Shaped[np.ndarray, " n"]:
    """Return the margins, in extended precision where doubles lose the twelfth digit."""
    margins = (data.z @ beta).astype(np.longdouble)
    rounding = 8 * np.finfo(float).eps * (np.abs(data.z) @ np.abs(beta))
    rough = rounding > 1e-12 * np.abs(margins)
    margins[rough] = data.z[rough].astype(np.longdouble) @ beta.astype(np.longdouble)
    return margins


def _stationarity(data: Data, beta: Vector, dual: PerExample) -> Vector:
    """Return by how much `sum_i y_i z_ij` misses sign(beta_j), or [-1, 1] where beta_j is 0."""
    pull = dual.astype(np.longdouble) @ data.z.astype(np.longdouble)
    outside = np.maximum(np.abs(pull) - 1.0, 0.0)
    return np.where(beta == 0, outside, np.abs(pull - np.sign(beta))).astype(float)


def _cause(data: Data) -> str:
    """Return what makes the data hard, and what to do about it."""
    _, row, column = equilibrated(data.z)
    column = column[data.moving]
    rows = row.max() / row.min()
    columns = column.max() / column.min()
    if rows > _UNEQUAL:
        return f"examples differ in length by a factor {rows:.1g}: drop or rescale the outliers"
    if columns > _UNEQUAL:
        return f"features differ in size by a factor {columns:.1g}: standardise them"
    return "the supporting examples are nearly dependent: standardise the features"
