"""The critical scale of a start of l_2-SAM at L = 2: times c it escapes exactly for c > c*.

The separatrix is the stable manifold of the saddle `w = (rho/2^(1/2)) e_1`, where N = rho mu_1.
(derivations/l2_critical_scale.py)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowsam.exact.l2_outcome import (
    MARGIN,
    QUICK,
    TRUST,
    grow_and_shrink,
    lone_scale,
    race,
)
from flowsam.exact.l2_spectrum import Spectrum, spectrum_of
from flowsam.exact.l2_step import Front
from flowsam.exact.l2_taylor import ORDER
from flowsam.exact.l2_verdicts import GOING, Verdict, certificates, log_gate
from flowsam.labels import Fate
from flowsam.shapes import Codes, Float, Vector

EXIT = 0.1  # |N/(rho mu_1) - 1| at which a run has left the saddle
EVEN = np.linspace(0, 1, 18)[1:-1]  # candidates spread over the bracket,
CROWD = 10.0 ** -np.arange(1.5, 12, 1.5)  # and about the predicted scale, on each side
ROUNDS = 60
ROUNDING = 2e-15  # of the scale, from the tolerance of the path and the sum behind N


Roots = Float[np.ndarray, " m"]


@dataclass(frozen=True)
class CriticalScale:
    """A critical scale c* with its error: half the last bracket plus the roundings of the path."""

    value: float
    error: float


def _left_saddle(spectrum: Spectrum) -> Verdict:
    """Verdict by a certificate once N is well away from its value at the saddle."""
    gate = log_gate(spectrum)
    proved = certificates(spectrum)

    def verdict(front: Front) -> Codes:
        away = np.abs(np.expm1(front.log_norm - gate[front.rows])) > EXIT
        return np.where(away, proved(front), GOING)

    return verdict


def _narrow(
    spectrum: Spectrum,
    bracket: Float[np.ndarray, " 2"],
    candidates: Float[np.ndarray, " n"],
    order: int,
) -> tuple[Float[np.ndarray, " 2"], float]:
    """Smaller bracket of the log scale, and where its root is expected."""
    candidates = np.unique(
        candidates[(candidates > bracket[0]) & (candidates < bracket[1])]
    )
    if not candidates.size:
        return bracket, float(bracket.mean())
    many = Spectrum(
        spectrum.nu, np.repeat(spectrum.log_weight, candidates.size, axis=0)
    )
    codes, (tau, _, log_norm) = race(many, candidates, _left_saddle, order=order)
    # N/(rho mu_1) - 1 grows like e^{mu_1 tau} at the saddle: its value there is smooth in c
    gate = log_gate(spectrum)[0]
    miss = np.abs(np.expm1(log_norm - gate)) * np.exp(-np.exp(gate) * tau)
    over = np.where(codes == Fate.ESCAPE, miss, -miss)
    points = candidates[:, None]
    low, high, expected = narrowed(bracket[:1], bracket[1:], points, over[:, None])
    return np.concatenate([low, high]), expected.item()


def narrowed(
    low: Roots, high: Roots, x: Float[np.ndarray, "n m"], over: Float[np.ndarray, "n m"]
) -> tuple[Roots, Roots, Roots]:
    """Return smaller brackets of roots by values at points in them, and where to expect roots."""
    beyond = np.full((1, low.size), np.inf)
    ends = np.concatenate([low[None], x, high[None]])
    known = np.concatenate([-beyond, over, beyond])
    first = np.argmax(known > 0, axis=0)
    columns = np.arange(low.size)
    low = ends[first - 1, columns]
    high = ends[first, columns]
    below = known[first - 1, columns]
    above = known[first, columns]
    with np.errstate(invalid="ignore"):
        share = np.where(np.isfinite(above - below), -below / (above - below), 0.5)
    return low, high, low + np.clip(share, 0, 1) * (high - low)


def crowd(
    low: Float[np.ndarray, "*m"] | float,
    high: Float[np.ndarray, "*m"] | float,
    expected: Float[np.ndarray, "*m"] | float,
) -> Float[np.ndarray, "n *m"]:
    """Return candidates for roots in brackets, some spread evenly, some about the expected."""
    low, high, expected = np.broadcast_arrays(low, high, expected)
    below = expected - np.multiply.outer(CROWD, expected - low)
    even = low + np.multiply.outer(EVEN, high - low)
    above = expected + np.multiply.outer(CROWD, high - expected)
    return np.sort(np.concatenate([below, even, above]), axis=0)


def critical_scale_of(
    theta: Float[np.ndarray, "2 d"],
    mu: Vector,
    *,
    rho: float,
) -> CriticalScale:
    """Return the scale c* at which `c theta` lies on the separatrix, with its error bound.

    Both certificates are raced on batches of scales, first between `rho min mu / N_0` and the
    smallest critical scale of one coordinate, then where the distances from the saddle point.
    """
    half = theta[None] / 2  # whose sums are doubles
    grow, shrink = grow_and_shrink(half, mu)
    unit = float(max(grow.max(initial=0.0), shrink.max(initial=0.0)))
    if not grow.any():
        return CriticalScale(np.inf, 0.0)
    alone = lone_scale(grow / unit, shrink / unit, rho=1.0).min()
    if np.unique(np.abs(mu[mu != 0])).size == 1:
        parts = (np.sqrt(((x / unit) ** 2).sum()) for x in (grow, shrink))
        value = float(lone_scale(*parts, rho=1.0)) * rho / unit / 2
        return CriticalScale(value, 4e-15 * value)
    # in units of its own largest amplitude, of rho and of mu: scaling laws hold to a rounding
    spectrum = spectrum_of(half / unit, mu / np.abs(mu).max(), 1.0)
    norm = spectrum.log_norm(np.zeros(1, dtype=np.int64), *np.zeros((2, 1)))[0]
    bracket = np.array([log_gate(spectrum)[0] - norm - TRUST, np.log(alone) + TRUST])
    candidates = np.linspace(bracket[0], bracket[1], 32)[1:-1]
    finest = 8 * np.finfo(float).eps * max(1.0, abs(bracket[0]))
    for _ in range(ROUNDS):
        width = np.ptp(bracket)
        quick = width > 10 * MARGIN
        bracket, expected = _narrow(
            spectrum, bracket, candidates, QUICK if quick else ORDER
        )
        if np.ptp(bracket) <= finest or (width < 1e-13 and np.ptp(bracket) > width / 2):
            break  # what is left is rounding
        if quick:  # a verdict within the error of such a path is not one
            bracket = bracket + MARGIN * np.array([-1, 1])
        candidates = crowd(bracket[0], bracket[1], expected)
    value = float(np.exp(bracket.mean())) * rho / unit / 2
    return CriticalScale(value, value * (float(np.ptp(bracket)) / 2 + ROUNDING))
