"""The course of N under l_2-SAM at L = 2, one example: its pattern, and who grows fastest when.

d log|beta_j|/dtau = 2 |mu_j| (1 - |mu_j| rho/N) from a balanced aligned start: neighbours hand over
at N = rho (|mu_j| + |mu_k|). (derivations/l2_amplification_in_time.py)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from flowsam.amplification.critical import checked, checked_one
from flowsam.amplification.succession import Leaders
from flowsam.errors import InputError
from flowsam.exact.l2_march import trace
from flowsam.exact.l2_outcome import outcome
from flowsam.labels import Fate
from flowsam.shapes import Int8, Vectors
from flowsam.signatures import public


@public
def pattern(
    theta0: ArrayLike,
    mu: ArrayLike,
    *,
    rho: float,
) -> Int8[np.ndarray, "*batch"]:
    """Return which way N goes along the flow: there are three ways only.

    Parameters
    ----------
    theta0 : array_like, shape (..., 2, d)
        Any real weights.
    mu : array_like, shape (d,)
        Any real example.
    rho : float
        Perturbation radius, positive.

    Returns
    -------
    ndarray of int8, shape (...)
        1: rises (escape). -1: falls (collapse, or towards the saddle). 0: falls, then rises
        (escape). On the separatrix to within 1e-12 of the start's scale, where `limit` says
        separatrix, it is -1.

    Raises
    ------
    TypeError, ValueError
        For bad entries, other depths, or rho <= 0.

    Notes
    -----
    Derivation: derivations/l2_patterns.py. Not in arXiv:2603.08290.

    Examples
    --------
    >>> pattern(np.array([0.3, 0.55, 0.7])[:, None, None] * np.ones((2, 2)), [1, 2], rho=1.0)
    array([-1,  0,  1], dtype=int8)
    """
    theta0, mu, rho = checked(theta0, mu, rho)
    escapes = outcome(theta0, mu, rho=rho) == Fate.ESCAPE
    turn = trace(theta0, mu, rho=rho).turning_time()
    return np.select([~escapes, turn == 0], [-1, 1], 0).astype(np.int8)


@public
def collapse_exponents(
    theta0: ArrayLike,
    mu: ArrayLike,
    *,
    rho: float,
) -> Vectors:
    """Return p_j with `u_j, v_j ~ (tau_c - tau)^p_j` as the flow comes to rest at tau_c.

    `p_j = mu_j^2/m^2`, m the smallest |mu_j| among the active coordinates that are not at 0: the
    minor coordinate survives longest.

    Parameters
    ----------
    theta0 : array_like, shape (..., 2, d)
        Any real weights.
    mu : array_like, shape (d,)
        Any real example.
    rho : float
        Perturbation radius, positive: it decides whether a start collapses, not how.

    Returns
    -------
    ndarray, shape (..., d)
        0 for idle coordinates, inf for active ones at 0 from the start; nan for all coordinates of
        a start that does not collapse.

    Raises
    ------
    TypeError, ValueError
        For bad entries, other depths, or rho <= 0.

    Notes
    -----
    Derivation: derivations/l2_amplification_in_time.py. Not in arXiv:2603.08290.

    Examples
    --------
    >>> collapse_exponents([[0.3, 0.3, 0.0], [0.3, 0.3, 0.0]], [1, 2, 3], rho=1.0)
    array([ 1.,  4., inf])
    """
    theta0, mu, rho = checked(theta0, mu, rho)
    here = (theta0 != 0).any(axis=-2)
    least = np.where(here & (mu != 0), np.abs(mu), np.inf).min(axis=-1, keepdims=True)
    exponents = np.where(here | (mu == 0), (mu / least) ** 2, np.inf)
    collapses = outcome(theta0, mu, rho=rho) == Fate.COLLAPSE
    return np.where(collapses[..., None], exponents, np.nan)


@public
def fastest(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Leaders:
    """Return the coordinates of largest growth rate in order, and when they hand over.

    Parameters
    ----------
    theta0 : array_like, shape (2, d)
        Balanced and aligned, `u_j = sign(mu_j) v_j`, sizes of their own; not all 0 where mu is not.
    mu : array_like, shape (d,)
        Any real example; idle coordinates and those at 0 never lead.
    rho : float
        Perturbation radius, positive.

    Returns
    -------
    Leaders
        Times to 1e-12, times the flow's own amplification. Of equal |mu_j| the first.

    Raises
    ------
    TypeError, ValueError
        For bad entries, other shapes, rho <= 0, and starts that are not balanced and aligned.

    Notes
    -----
    Derivation: derivations/l2_amplification_in_time.py. Not in arXiv:2603.08290.

    Examples
    --------
    >>> run = fastest([[0.467] * 3] * 2, [1.0, 1.5, 6.0], rho=1.0)
    >>> run.order, run.times.round(6)
    ((2, 1, 2, 3), array([0.127281, 3.08987 , 4.449241]))
    """
    theta0, mu, rho = checked_one(theta0, mu, rho, verb="fastest")
    moving = np.flatnonzero((mu != 0) & theta0.any(axis=0))
    if not moving.size or (theta0[0] != np.sign(mu) * theta0[1])[moving].any():
        raise InputError(
            "fastest needs u_j = sign(mu_j) v_j, not all 0; rates of other starts pass infinity "
            "where beta_j changes sign"
        )
    sizes, first = np.unique(np.abs(mu[moving]), return_index=True)
    path = trace(theta0, mu, rho=rho)
    places = moving[first] + 1
    turn = float(path.turning_time())
    end = float(path.collapse_time)
    levels = np.log(sizes[:-1] + sizes[1:])

    def norm(tau: float) -> float:
        return float(path.log_norm_at(tau))

    stop = min(turn, end * (1 - 1e-12))
    # 0 at a collapse, below all at a saddle
    low = norm(turn) if np.isfinite(turn) else -np.inf
    falls = np.flatnonzero((levels < norm(0.0)) & (levels > low))[::-1]
    rises = np.flatnonzero(levels > low) if np.isfinite(turn) else falls[:0]
    times = [_crossing(norm, levels[k], (0.0, stop)) for k in falls]
    times += [_crossing(norm, levels[k], (turn, np.inf)) for k in rises]
    start = int(np.searchsorted(levels, norm(0.0)))
    order = [start, *falls, *(rises + 1)]
    return Leaders(np.array(times), tuple(int(places[k]) for k in order))


def _crossing(
    norm: Callable[[float], float],
    level: float,
    stretch: tuple[float, float],
) -> float:
    """Where log N, monotone on a stretch that may have no end, passes a level."""
    low, high = stretch
    before = norm(low) > level
    step = 1.0
    while np.isinf(stretch[1]) and (norm(low + step) > level) == before:
        step *= 2
    high = low + step if np.isinf(high) else high
    return float(brentq(lambda tau: norm(tau) - level, low, high, xtol=1e-15))
