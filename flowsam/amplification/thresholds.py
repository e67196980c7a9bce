"""The initialisation scale: exact thresholds of uniform starts under l_2-SAM at L = 2.

Coordinates j and k swap where tau/A = mu_j + mu_k; its minimum over a run says how far down the
leadership goes. (derivations/l2_amplification_in_scale.py)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flowsam.amplification.critical import active
from flowsam.errors import InputError
from flowsam.exact.l2_critical import critical_scale_of
from flowsam.exact.l2_curve import root
from flowsam.exact.l2_march import GOING, certificates, trace
from flowsam.exact.l2_outcome import outcome
from flowsam.exact.l2_spectrum import Front, positive_radius
from flowsam.labels import Fate
from flowsam.shapes import Codes, Column, Float, Vector
from flowsam.signatures import public

ROUNDS = 150
CLOSE = 1e-15  # of the stretch on which the minimum of tau/A is found


@dataclass(frozen=True, eq=False)
class Regimes:
    """Where the behaviour of the uniform start `alpha` changes, as alpha grows.

    Parameters
    ----------
    falling : float
        Up to here every beta_j falls from the start, and the flow collapses.
    critical : float
        alpha*: below the flow collapses, above it escapes.
    thresholds : ndarray, shape (m - 1,)
        a_1 < ... < a_{m-1} of the m distinct |mu|, all above alpha*: from a_k on, leadership
        does not go down to the k smallest any more.
    """

    falling: float
    critical: float
    thresholds: Float[np.ndarray, " m"]

    @property
    def major(self) -> float:
        """From here on the major coordinate leads from the start to the end."""
        return float(self.thresholds[-1]) if self.thresholds.size else 0.0


def _past_lowest(front: Front, tau_end: float) -> Codes:
    """Verdict: ESCAPE where tau/A has begun to rise, at its minimum N/rho; COLLAPSE if certain."""
    code = certificates(front)
    early = (code == Fate.ESCAPE) & (np.exp(front.log_norm) * front.a <= front.tau)
    return np.where(early, GOING, code)


def _lowest_ratio(sizes: Vector, alpha: Column) -> Column:
    """The minimum of tau/A over the runs, at rho = 1; 0 for a collapse."""
    starts = np.broadcast_to(alpha[:, None, None], (alpha.size, 2, sizes.size))
    curve = trace(starts, sizes, rho=1.0, until=_past_lowest)
    # the minimum is on the last piece, where tau/A falls below N
    pieces = curve.pieces.select(curve.first[1:] - 1)
    rows = np.arange(alpha.size)
    norm = np.exp(Front(curve.spectrum, rows, pieces.tau, pieces.a).log_norm)

    def over(sigma: Column) -> tuple[Column, Column]:
        tau, a = pieces.at(sigma)
        pull = norm * np.exp(pieces.log_norm_gain(sigma)) * a
        return pull - tau, pull * pieces.log_norm_slope(sigma)[0]

    length = pieces.length
    tau, a = pieces.at(root(over, length, length / 2, CLOSE))
    start = alpha * np.sqrt(2) * np.linalg.norm(sizes)
    rises = start >= (sizes**4).sum() / (sizes**3).sum()
    return np.where(curve.outcome == Fate.ESCAPE, np.where(rises, start, tau / a), 0.0)


def _roots(
    excess: Callable[[Column], Column],
    low: Column,
    high: Column,
) -> Column:
    """Roots of increasing functions of x, to 2e-15 in e^x: secants and halving in brackets."""
    below = np.full(low.size, -np.inf)
    above = -below
    rising = np.zeros(low.size, dtype=bool)
    for k in range(ROUNDS):
        with np.errstate(invalid="ignore"):
            share = -below / (above - below)
        secant = np.isfinite(above - below) & (k % 3 > 0)
        x = low + np.where(secant, share, 0.5) * (high - low)
        if (np.exp(high) - np.exp(low) < 2e-15).all():
            break
        value = excess(x)
        # the other end stays: it weighs less
        again = np.where((value > 0) == rising, 2, 1)
        rising = value > 0
        low = np.where(rising, low, x)
        high = np.where(rising, x, high)
        below = np.where(rising, below / again, value)
        above = np.where(rising, value, above / again)
    return x


@public
def regimes(mu: ArrayLike, rho: float) -> Regimes:
    """Return the thresholds of the uniform balanced start `alpha 1`, exactly.

    `falling = rho mu_1/(2^(1/2) ||mu||)`; `a_k` is where the minimum of tau/A equals
    `M = mu_k + mu_{k+1}`: in closed form `rho M/(2^(1/2) ||mu||)` where `M >= sum mu^4/sum mu^3`,
    the last one always, else by root finding.

    Parameters
    ----------
    mu : array_like, shape (d,)
        Example; |mu_j| counts (aligned start), zero entries are left out.
    rho : float
        Perturbation radius, positive. Every threshold is proportional to it.

    Returns
    -------
    Regimes
        Relative error about 1e-14.

    Raises
    ------
    TypeError, ValueError
        For bad entries or rho <= 0.

    Notes
    -----
    Derivation: derivations/l2_amplification_in_scale.py. Source: arXiv:2603.08290, Theorem 4.5,
    has the three regimes; the thresholds are not in it.

    Examples
    --------
    >>> found = regimes([1.0, 2.0, 3.0], 1.0)
    >>> round(found.falling, 6), round(found.critical, 6), found.thresholds.round(6)
    (0.188982, 0.436426, array([0.566947, 0.944911]))
    """
    sizes = active(mu)
    rho = positive_radius(rho)
    # no threshold has the units of mu
    sizes = np.ldexp(sizes, -np.frexp(sizes.max())[1])
    levels = np.unique(sizes)
    norm = np.sqrt(2) * np.linalg.norm(sizes)
    critical = critical_scale_of(np.ones((2, sizes.size)), sizes, rho=1.0).value
    # while N rises from the start the minimum of tau/A is N(0)/rho = alpha norm
    thresholds = (levels[:-1] + levels[1:]) / norm
    rising = (sizes**4).sum() / (sizes**3).sum() / norm
    low = np.flatnonzero(thresholds < rising)
    if low.size:

        def excess(x: np.ndarray) -> np.ndarray:
            ratio = _lowest_ratio(sizes, critical * np.exp(np.exp(x)))
            return np.log(ratio / norm / thresholds[low])

        ends = np.log([1e-12, np.log(rising / critical)])
        x = _roots(excess, *np.repeat(ends[:, None], low.size, axis=1))
        thresholds = thresholds.copy()
        thresholds[low] = critical * np.exp(np.exp(x))
    return Regimes(float(rho * levels[0] / norm), rho * critical, rho * thresholds)


@public
def uniform_leaders(
    mu: ArrayLike,
    rho: float,
    alpha: float,
) -> tuple[int, ...]:
    """Return the exact sequence of leaders, by size, of the uniform balanced start `alpha 1`.

    An escaping run's leaders go down one step at a time from the |mu| nearest N(0)/(2 rho) to the
    first k with `alpha < a_k`, then up to the largest; a collapsing run's go down to the smallest.

    Parameters
    ----------
    mu : array_like, shape (d,)
        Example with distinct |mu_j|, zero entries apart; aligned start.
    rho : float
        Perturbation radius, positive.
    alpha : float
        Weight of the start, positive.

    Returns
    -------
    tuple of int
        Places among all d, counted from 1. Within 1e-12 of the critical alpha, where `limit` says
        separatrix, those of a flow that stays at the saddle.

    Raises
    ------
    TypeError, ValueError
        For bad entries, equal |mu_j|, or rho, alpha <= 0.

    Notes
    -----
    Derivation: derivations/l2_amplification_in_scale.py. Not in arXiv:2603.08290.

    Examples
    --------
    >>> uniform_leaders([1.0, 1.5, 6.0], 1.0, 0.467)  # minor first may begin with a descent
    (2, 1, 2, 3)
    """
    sizes = active(mu)
    rho = positive_radius(rho)
    if np.unique(sizes).size < sizes.size:
        raise InputError(
            f"uniform_leaders needs distinct |mu_j|, got {mu!s}; use leaders for ties"
        )
    if not 0 < alpha < np.inf:
        raise InputError(
            f"alpha needs to be finite and > 0, got {alpha}; pass a positive weight"
        )
    places = np.flatnonzero(np.atleast_1d(mu))[np.argsort(sizes)] + 1
    order = np.sort(sizes)
    sums = order[:-1] + order[1:]
    start = np.full((2, order.size), alpha / rho)
    escapes = outcome(start, order, rho=1.0) == Fate.ESCAPE
    first = int(np.searchsorted(sums, start[0, 0] * np.sqrt(2) * np.linalg.norm(order)))
    lowest = _lowest_ratio(order, start[0, :1])[0] if escapes else 0.0
    last = min(first, int(np.searchsorted(sums, lowest, "right")))
    up = range(last + 1, order.size) if escapes else ()
    return tuple(int(places[k]) for k in (*range(first, last - 1, -1), *up))
