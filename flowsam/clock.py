"""Original time on a path known in rescaled time: `T = log(1 + t)` by quadrature in logs.

`t(tau) = int_0^tau e^{phi(s)} ds` with `phi = -log Lambda(theta_hat)`, the log of dt/dtau. The
integrand grows like e^margin, so panels are halved until phi changes little on each, and only
panels that can still matter next to the largest are kept: log t = 1e5 costs no more than log t = 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

__all__ = ["log_integrals", "log_time", "when"]

Times = Float[np.ndarray, " _"]
LogPace = Callable[[Times], Times]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_NODES, _LOG_WEIGHTS = (_NODES + 1) / 2, np.log(_WEIGHTS / 2)
_SPREAD = 3.0  # largest change of phi on a panel: 16 nodes integrate e^{3x} to 1e-16
_NEGLIGIBLE = 45.0  # e^-45 of the largest panel is below the last bit of the sum
_HALVINGS = 60


def _panel_logs(log_pace: LogPace, left: Times, right: Times) -> tuple[Times, Times]:
    """Return log of the integral and the spread of phi on each panel."""
    tau = left[:, None] + (right - left)[:, None] * _NODES
    phi = log_pace(tau.ravel()).reshape(tau.shape)
    top = phi.max(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = top + np.log(np.exp(phi - top[:, None] + _LOG_WEIGHTS).sum(axis=1))
        logs = logs + np.log(right - left)
    return logs, top - phi.min(axis=1)


def log_integrals(log_pace: LogPace, edges: Times) -> Times:
    """Return log of the integral of e^phi over each interval between consecutive edges.

    Parameters
    ----------
    log_pace : callable
        `tau (m,) -> phi (m,)`, smooth between edges.
    edges : ndarray, shape (K + 1,)
        Increasing rescaled times.

    Returns
    -------
    ndarray, shape (K,)
        Relative error of e^result about 1e-14.

    Examples
    --------
    >>> steep = lambda tau: 1e5 * tau
    >>> float(log_integrals(steep, np.array([0.0, 1.0]))[0].round(9))  # 1e5 - log 1e5
    99988.487074535
    """
    owner = np.arange(edges.size - 1)
    left, right = edges[:-1].copy(), edges[1:].copy()
    total = np.full(edges.size - 1, -np.inf)
    for halving in range(_HALVINGS):
        logs, spread = _panel_logs(log_pace, left, right)
        done = (spread <= _SPREAD) | (halving == _HALVINGS - 1)
        np.logaddexp.at(total, owner[done], logs[done])
        best = total.copy()
        np.maximum.at(best, owner, logs)
        # the outermost node misses 0.5 % of a panel, so logs may be low by that share of spread
        keep = ~done & (logs + 0.05 * spread > best[owner] - _NEGLIGIBLE)
        if not keep.any():
            break
        left, right, owner = left[keep], right[keep], owner[keep]
        middle = (left + right) / 2
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        owner = np.concatenate([owner, owner])
    return total


def log_time(log_pace: LogPace, tau: Times, breaks: Times) -> Times:
    """Return `T = log(1 + t)` at sorted rescaled times.

    T(tau_k) = logaddexp(0, log sum_i int e^phi over the intervals up to tau_k).

    Parameters
    ----------
    log_pace : callable
        `tau (m,) -> phi (m,)`, the log of dt/dtau on the path; smooth between breaks.
    tau : ndarray, shape (T,)
        Sorted rescaled times, from 0; inf is allowed and gives inf.
    breaks : ndarray
        Times where phi or a derivative jumps (events), and any others worth a panel.

    Returns
    -------
    ndarray, shape (T,)
        Relative error about 1e-14 of T plus that of the path.

    Notes
    -----
    Derivation: derivations/rescaled_clock.py. Source: arXiv:2603.08290, equation (2).

    Examples
    --------
    >>> pace = lambda tau: np.full_like(tau, np.log(3.0))
    >>> log_time(pace, np.array([0.0, 2.0]), np.array([])).round(12) == np.log([1.0, 7.0]).round(12)
    array([ True,  True])
    """
    finite = tau[np.isfinite(tau)]
    out = np.full(tau.size, np.inf)
    if not finite.size:
        return out
    inner = breaks[(breaks > 0) & (breaks < finite[-1])]
    edges = np.unique(np.concatenate([[0.0], finite, inner]))
    if edges.size == 1:
        out[: finite.size] = 0.0
        return out
    logs = np.concatenate([[-np.inf], log_integrals(log_pace, edges)])
    log_t = np.logaddexp.accumulate(logs)
    out[: finite.size] = np.logaddexp(0.0, log_t[np.searchsorted(edges, finite)])
    return out


def when(log_pace: LogPace, log_t: Times, left: float, right: float, *, start: float) -> Times:
    """Return the rescaled times at which T reaches given values on one smooth interval.

    Newton on `T(tau) = log_t` with `dT/dtau = exp(phi - T)`, kept inside a bisection bracket.

    Parameters
    ----------
    log_pace : callable
        `tau (m,) -> log dt/dtau`, smooth on [left, right].
    log_t : ndarray, shape (T,)
        Wanted values of T, between T(left) and T(right).
    left, right : float
        The interval.
    start : float
        T(left).

    Returns
    -------
    ndarray, shape (T,)
        Rescaled times; error a few ulp of tau, or of T where T is steep.
    """
    low, high = np.full(log_t.size, left), np.full(log_t.size, right)
    tau = (low + high) / 2
    for _ in range(80):
        edges = np.unique(np.concatenate([[left], tau]))
        logs = np.concatenate([[_log_expm1(start)], log_integrals(log_pace, edges)])
        reached = np.logaddexp(0.0, np.logaddexp.accumulate(logs))
        reached = reached[np.searchsorted(edges, tau)]
        low, high = np.where(reached < log_t, tau, low), np.where(reached < log_t, high, tau)
        newton = tau - (reached - log_t) * np.exp(np.minimum(reached - log_pace(tau), 600.0))
        inside = (newton > low) & (newton < high)
        step = np.where(inside, newton, (low + high) / 2)
        if np.all(np.abs(step - tau) <= 4e-16 * np.abs(right)):
            return step
        tau = step
    return tau


def _log_expm1(x: float) -> float:
    """Return log(e^x - 1), exact at 0 (-inf) and without overflow."""
    with np.errstate(divide="ignore"):
        return float(x + np.log(-np.expm1(-x)))
