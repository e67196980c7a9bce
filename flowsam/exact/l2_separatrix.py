"""The separatrix of l_2-SAM at L = 2 as a curve, in the two planes where it is one.

It is the stable manifold of the saddle `w = (rho/2^(1/2)) e_1`, e_1 the smallest |mu|.
(derivations/l2_critical_scale.py)
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.integrate import odeint

from flowsam.exact.l2_outcome import lone_scale

__all__ = ["balanced_separatrix", "lone_separatrix"]

NEARLY_EQUAL = 2e-5  # m - 1 below which a step in m - 1 is nearer than steps of an integrator


def lone_separatrix(
    ratio: ArrayLike | float | int, *, rho: float | int
) -> Float[np.ndarray, "*batch 2"]:
    """Return the separatrix of one coordinate in its plane (u, v), as a curve.

    `s = 2^(1/2) rho R_F(1, 1 + i k, 1 - i k)`, `e = k s`; the other branch is its mirror image
    (-u, -v). Far out `|u^2 - v^2| -> rho^2 Gamma(1/4)^4 / (8 pi)`.

    Parameters
    ----------
    ratio : array_like, shape (...)
        k = (u - v)/(u + v), any real number.
    rho : float
        Perturbation radius, positive.

    Returns
    -------
    ndarray, shape (..., 2)
        Points (u, v) with u + v > 0, the same for every mu > 0. Error: a few roundings.

    Notes
    -----
    Derivation: derivations/l2_critical_scale.py. Not in arXiv:2603.08290.

    Examples
    --------
    >>> lone_separatrix([0.0, 1.0], rho=1.0).round(6)
    array([[0.707107, 0.707107],
           [1.311029, 0.      ]])
    """
    ratio = np.asarray(ratio, dtype=np.float64)
    s = lone_scale(np.ones_like(ratio), ratio, rho=rho)
    return np.stack([s * (1 + ratio), s * (1 - ratio)], axis=-1) / 2


def balanced_separatrix(
    mu: ArrayLike, *, rho: float | int, points: int = 401
) -> Float[np.ndarray, "points 2"]:
    """Return the separatrix of balanced starts (alpha_1, alpha_2), d = 2, as a curve.

    On it `log(alpha_2/alpha_1)` falls all the way to the saddle of the smaller mu, so it is a
    graph over that ratio: one integration backwards from the saddle, where it is attracting.

    Parameters
    ----------
    mu : array_like, shape (2,)
        Non-zero; of negative entries the size counts (aligned starts).
    rho : float
        Perturbation radius, positive.
    points : int
        How many, at least 3.

    Returns
    -------
    ndarray, shape (points, 2)
        From `(rho/2^(1/2), 0)` to `(0, rho/2^(1/2))`. Relative error about 1e-9.

    Notes
    -----
    Derivation: derivations/l2_critical_scale.py. Not in arXiv:2603.08290.

    Examples
    --------
    >>> curve = balanced_separatrix([1.0, 2.0], rho=1.0, points=3)
    >>> curve.round(6)  # in the middle alpha_1 = alpha_2 = 0.521321
    array([[0.707107, 0.      ],
           [0.521321, 0.521321],
           [0.      , 0.707107]])
    """
    sizes = np.abs(np.asarray(mu, dtype=np.float64))
    if sizes.shape != (2,) or not (sizes > 0).all():
        raise ValueError(f"balanced_separatrix needs two non-zero mu, got {mu}; use critical_scale")
    corner, angle = rho / np.sqrt(2), np.linspace(0, np.pi / 2, points)
    if sizes[0] == sizes[1]:
        return corner * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    low, high = np.sort(sizes)
    m = high / low
    ratio = np.log(np.tan(angle[1:-1]))  # of the coordinate with the larger mu to the other
    start = min(ratio[0], -np.log(m)) - 10

    def slope(q: float, x: np.ndarray) -> float:
        pull = math.exp(-x[0]) / math.hypot(1, m * math.exp(q))  # rho low / N, x = log w_1/corner
        return (1 - pull) / ((m - 1) * (1 - (1 + m) * pull))

    if m - 1 < NEARLY_EQUAL:  # on its slow manifold, pull = 1, to (m - 1)^2
        square = (m * np.exp(ratio)) ** 2
        path = m * (m - 1) * square / (1 + square) - np.log1p(square) / 2
    else:
        bend = -(m**2) / (2 * (2 * (m - 1) * m + 1))  # the stable direction at the saddle
        first, at = np.log1p(bend * np.exp(2 * start)), np.concatenate([[start], ratio])
        # LSODA as a loop of its own: ten times as fast as solve_ivp's, a step of Python each
        path = odeint(slope, first, at, tfirst=True, rtol=1e-10, atol=1e-12, mxstep=10**6)[1:, 0]
    curve = np.empty((points, 2))
    curve[0], curve[-1] = (corner, 0), (0, corner)
    curve[1:-1, 0] = corner * np.exp(path)
    curve[1:-1, 1] = curve[1:-1, 0] * np.exp(ratio)
    return curve if sizes[0] < sizes[1] else curve[::-1, ::-1]
