"""The course of N and of the weights under l_2-SAM at L = 2, one example, from any start."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flowsam.amplification.critical import checked
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
