"""The critical scale of a start of l_2-SAM at L = 2: times c it escapes exactly for c > c*.

The separatrix is the stable manifold of the saddle `w = (rho/2^(1/2)) e_1`, where N = rho mu_1.
(derivations/l2_critical_scale.py)
"""

from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from scipy.optimize import brentq

from flowsam.exact.l2_march import GOING, certificates, step
from flowsam.exact.l2_outcome import (
    MARGIN,
    QUICK,
    TRUST,
    grow_and_shrink,
    lone_scale,
    race,
)
from flowsam.exact.l2_spectrum import Front, Pieces, Spectrum, log_sum, spectrum_of
from flowsam.labels import Fate
from flowsam.shapes import Codes, Pair, Vector

EXIT = 0.1  # |N/(rho mu_1) - 1| at which a run has left the saddle
NEAR = 0.01  # of log scales between which separatrices are followed
SCALES = 24  # of a bracket, whose paths are followed together
FAR = 50.0  # mu_1 tau from where a separatrix is followed back
SHRUNK = 45.0  # log of how far errors there have to shrink, by that long at a saddle
PATH = 300  # steps of one that stays at no saddle of larger rates
ROUNDS = 200  # of Newton's method at most; a few for each rate
CLOSE = 1e-9  # of log N to its value at the saddle, where errors are forgotten
ROUNDING = 2e-15  # of the scale, from the tolerance of the path and the sum behind N
XTOL = 1e-15  # of its log, of which brentq knows
LEAST = np.nextafter(0.0, 1.0)
LONG = 28  # order of the series of one path, whose cost is that of calls: longer steps
RTOL = 4 * float(np.finfo(float).eps)


@dataclass(frozen=True)
class CriticalScale:
    """A critical scale c* with its error: that of its root plus the roundings of the path."""

    value: float
    error: float


def _left_saddle(front: Front) -> Codes:
    """Verdict by a certificate once N is well away from its value at the saddle."""
    away = np.abs(np.expm1(front.log_norm - front.log_gate)) > EXIT
    return np.where(away, certificates(front), GOING)


def _narrowed(
    bracket: tuple[float, float], spectrum: Spectrum, width: float, *, rough: bool
) -> tuple[float, float]:
    """Return log scales near each other, the least that escapes between them, by their paths."""
    low, high = bracket
    verdict = certificates if rough else _left_saddle
    while high - low > width:
        scales = np.linspace(low, high, SCALES)
        codes = race(spectrum, scales[1:-1], verdict, order=QUICK if rough else LONG)[0]
        first = int(np.append(codes == Fate.ESCAPE, True).argmax())
        low = scales[first] - MARGIN * rough
        high = scales[first + 1] + MARGIN * rough
    return low, high


def _foot(shift: float, spectrum: Spectrum) -> tuple[float, float]:
    """Tell how far a log scale is beyond the separatrix, by arcsinh of its A at tau = 0.

    It is followed back from where N = rho mu_1, and errors shrink on the way: d(dA)/dtau = -rho
    N_A/N^2 dA, N_A < 0. Second is the log of how far; nan where it stays long at other saddles.
    """
    scaled = Spectrum(spectrum.nu, spectrum.log_weight + 2 * shift)
    front = _saddle(scaled)
    shrunk = 0.0
    for _ in range(PATH):
        pieces, before = step(front, order=LONG, back=True)
        rates = front.square + before.square
        shrunk += float(rates @ (front.a - np.maximum(before.a, 0.0))) / 2
        if before.tau[0] <= 0:
            return float(np.arcsinh(_end(pieces))), shrunk
        front = before
    return np.nan, 0.0


def _end(pieces: Pieces) -> float:
    """Return A at tau = 0, on one expansion."""

    def tau(sigma: float) -> float:
        return float(pieces.at(np.array([sigma]))[0][0])

    sigma = brentq(tau, pieces.length[0], 0.0, xtol=LEAST, rtol=RTOL)
    return float(pieces.at(np.array([sigma]))[1][0])


def _saddle(spectrum: Spectrum) -> Front:
    """Return where N = rho mu_1 at mu_1 tau = FAR, by Newton's method from larger N."""
    gate = spectrum.log_gate
    slowest = np.exp(gate)
    grows = (spectrum.nu > 0) & (spectrum.nu < slowest * (1 + 1e-12))
    own = log_sum(np.where(grows, spectrum.log_weight, -np.inf)) / 2
    tau = FAR / slowest
    a = (tau + (own - gate) / slowest) / slowest
    front = Front(spectrum, np.array([0]), tau, a)
    for _ in range(ROUNDS):
        if front.log_norm <= gate + CLOSE:
            break
        a = a + (front.log_norm - gate) / front.square
        front = Front(spectrum, np.array([0]), tau, a)
    return front


def _power(size: float) -> float:
    """Return the power of 2 at or below a positive size."""
    return float(np.ldexp(1.0, np.frexp(size)[1] - 1))


def critical_scale_of(
    theta: Pair,
    mu: Vector,
    *,
    rho: float,
    xtol: float = XTOL,
) -> CriticalScale:
    """Return the scale c* at which `c theta` lies on the separatrix, with its error bound.

    It is between `rho min mu / N_0` and the smallest critical scale of one coordinate; `xtol` is
    the error of its log.
    """
    half = theta[None] / 2  # whose sums are doubles
    grow, shrink = grow_and_shrink(half, mu)
    if not grow.any():
        return CriticalScale(np.inf, 0.0)
    unit = _power(max(grow.max(), shrink.max()))
    alone = lone_scale(grow / unit, shrink / unit, rho=1.0).min()
    if np.unique(np.abs(mu[mu != 0])).size == 1:
        parts = (np.sqrt(((x / unit) ** 2).sum()) for x in (grow, shrink))
        value = float(lone_scale(*parts, rho=1.0)) * rho / unit / 2
        return CriticalScale(value, 4e-15 * value)
    # in units of about its own largest amplitude, of rho and of about mu: scaling laws hold to a
    # rounding; by powers of 2, for the sums of weights may cancel
    relative = mu / _power(np.abs(mu).max())
    relative[(relative == 0) & (mu != 0)] = LEAST  # refused, not idle
    spectrum = spectrum_of(half / unit, relative, 1.0)
    start = Front(spectrum, np.array([0]), *np.zeros((2, 1)))
    low = float((start.log_gate - start.log_norm)[0]) - TRUST
    high = float(np.log(alone)) + TRUST
    low, high = _narrowed((low, high), spectrum, NEAR, rough=True)
    feet = cache(partial(_foot, spectrum=spectrum))
    if all(feet(end)[1] > SHRUNK for end in (low, high)):
        root = brentq(lambda x: feet(x)[0], low, high, xtol=xtol, rtol=RTOL)
    else:
        width = xtol + RTOL * abs(low)
        root = float(np.mean(_narrowed((low, high), spectrum, width, rough=False)))
    value = float(np.exp(root)) * rho / unit / 2
    return CriticalScale(value, value * (xtol + RTOL * abs(root) + ROUNDING))
