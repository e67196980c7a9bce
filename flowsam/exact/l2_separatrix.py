"""The separatrix of l_2-SAM at L = 2 as a curve, in the two planes where it is one.

It is the stable manifold of the saddle `w = (rho/2^(1/2)) e_1`, e_1 the smallest |mu|.
(derivations/l2_critical_scale.py)
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import odeint
from scipy.interpolate import CubicHermiteSpline

from flowsam.errors import InputError
from flowsam.exact.l2_outcome import lone_scale
from flowsam.shapes import Float, Numbers

# m - 1 below which a step in m - 1 is nearer than steps of an integrator
NEARLY_EQUAL = 2e-5
_STEEPEST = 1e280  # m beyond which doubles see no bend
STEEP = 1e5  # m beyond which the curve is the limit's to 1 / m^2
# of knots: log w_high from -NEAR/m to -FAR - log m, by 1 %
NEAR = 1e-13
FAR = 12.0
SPACING = 0.01


def lone_separatrix(ratio: ArrayLike, *, rho: float) -> Float[np.ndarray, "*batch 2"]:
    """Return the separatrix of one coordinate in its plane (u, v); the other branch mirrors it.

    s = 2^(1/2) rho R_F(1, 1 + i k, 1 - i k),  e = k s;  |s e| -> rho^2 Gamma(1/4)^4 / (8 pi)
    """
    ratio = np.asarray(ratio, dtype=np.float64)
    s = lone_scale(np.ones_like(ratio), ratio, rho=rho)
    return np.stack([s * (1 + ratio), s * (1 - ratio)], axis=-1) / 2


def balanced_separatrix(
    mu: ArrayLike,
    *,
    rho: float,
    points: int = 401,
) -> Float[np.ndarray, "points 2"]:
    """Return the separatrix of balanced starts (alpha_1, alpha_2), d = 2, as a curve.

    `log(alpha_2/alpha_1)` falls along it: a graph, integrated backwards from the saddle of the
    smaller mu, where it is attracting.
    """
    sizes = _sizes(mu)
    corner = rho / np.sqrt(2)
    angle = np.linspace(0, np.pi / 2, points)[1:-1]
    low, high = np.sort(sizes)
    ratio = np.log(np.tan(angle))
    curve = np.empty((points, 2))
    curve[0] = (corner, 0)
    curve[-1] = (0, corner)
    curve[1:-1, 0] = corner * np.exp(_log_low(high / low)(ratio))
    curve[1:-1, 1] = curve[1:-1, 0] * np.exp(ratio)
    return curve if sizes[0] < sizes[1] else curve[::-1, ::-1]


def balanced_excess(
    mu: ArrayLike, *, rho: float
) -> Callable[[Float[np.ndarray, "*batch 2"]], Numbers]:
    """Return the function that tells on which side of the separatrix balanced starts are."""
    sizes = _sizes(mu)
    low, high = np.argsort(sizes, kind="stable")
    path = _log_low(min(float(sizes[high] / sizes[low]), _STEEPEST))
    corner = rho / np.sqrt(2)

    def excess(alpha: Float[np.ndarray, "*batch 2"]) -> Numbers:
        # log 0 where one of them is alone
        with np.errstate(divide="ignore", invalid="ignore"):
            small, large = (np.log(alpha[..., k] / corner) for k in (low, high))
            return np.where(np.isfinite(small), small - path(large - small), large)

    return excess


def _sizes(mu: ArrayLike) -> Float[np.ndarray, " 2"]:
    """Check mu and return the sizes of its entries."""
    sizes = np.abs(np.asarray(mu, dtype=np.float64))
    if sizes.shape != (2,) or not (sizes > 0).all():
        raise InputError(
            f"the separatrix needs two non-zero mu, got {mu!s}; use critical_scale"
        )
    return sizes


@lru_cache(maxsize=1)  # asked for the labels of a plane, and for the curve on it
def _log_low(m: float) -> Callable[[np.ndarray], np.ndarray]:
    """The log of w_low on the separatrix, in corners, over that of w_high / w_low.

    `(1 + 1/m) q = y - log(e^-y - 1)/m`, y = log w_high, q the argument, to 1/m^2: a bend as narrow
    as 1/m, m the ratio of mu, where the knots are dense. (proved in tests/test_critical_scale.py)
    """
    y = -np.exp(np.arange(np.log(FAR + np.log(m)), np.log(NEAR / m), -SPACING))
    ratio = (y - np.log(np.expm1(-y)) / m) / (1 + 1 / m)
    behind = np.arange(ratio[-1] + SPACING, FAR, SPACING)
    y = np.append(y, np.zeros_like(behind))
    ratio = np.append(ratio, behind)
    if m - 1 < NEARLY_EQUAL:  # on its slow manifold, pull = 1, to (m - 1)^2
        square = (m * np.exp(ratio)) ** 2
        path = m * (m - 1) * square / (1 + square) - np.log1p(square) / 2
        bends = (2 * m * (m - 1) / (1 + square) - 1) * square / (1 + square)
    elif m > STEEP:
        path = y - ratio
        bends = -1 / (m * np.expm1(-y) + np.exp(-y))
    else:
        path = _integrated(m, ratio)
        bends = _slope(m, np.exp(-path) / np.hypot(1, m * np.exp(ratio)))
    spline = CubicHermiteSpline(ratio, path, bends)

    def log_low(
        q: np.ndarray,
    ) -> np.ndarray:  # beyond the last knot w_high is the corner's
        return spline(np.clip(q, ratio[0], ratio[-1])) - np.maximum(q - ratio[-1], 0)

    return log_low


def _slope(m: float, pull: Any) -> Any:
    """d log w_low / d log(w_high / w_low); pull = rho low / N."""
    return (1 - pull) / ((m - 1) * (1 - (1 + m) * pull))


def _integrated(m: float, ratio: Float[np.ndarray, " r"]) -> Float[np.ndarray, " r"]:
    """Integrate from the saddle on, along its stable direction."""
    start = ratio[0] - 10
    bend = -(m**2) / (2 * (2 * (m - 1) * m + 1))
    first = np.log1p(bend * np.exp(2 * start))
    at = np.concatenate([[start], ratio])

    def slope(q: float, x: np.ndarray) -> float:
        return _slope(m, math.exp(-x[0]) / math.hypot(1, m * math.exp(q)))

    # LSODA as a loop of its own: ten times as fast as solve_ivp's, a step of Python each
    return odeint(slope, first, at, tfirst=True, rtol=1e-10, atol=1e-12, mxstep=10**6)[
        1:, 0
    ]
