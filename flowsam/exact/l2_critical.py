"""The critical scale of a start of l_2-SAM at L = 2: times c it escapes exactly for c > c*.

The separatrix is the stable manifold of the saddle `w = (rho/2^(1/2)) e_1`, where N = rho mu_1.
(derivations/l2_critical_scale.py)
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from flowsam.exact.l2_march import GOING, certificates
from flowsam.exact.l2_outcome import TRUST, grow_and_shrink, lone_scale, race
from flowsam.exact.l2_spectrum import Front, Spectrum, spectrum_of
from flowsam.labels import Fate
from flowsam.shapes import Codes, Pair, Vector

EXIT = 0.1  # |N/(rho mu_1) - 1| at which a run has left the saddle
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


def _miss(shift: float, spectrum: Spectrum) -> float:
    """Tell how far a log scale is beyond the separatrix.

    N/(rho mu_1) - 1 grows like e^{mu_1 tau} at the saddle: its value there is smooth in c. Its
    arcsinh is too, and does not differ a thousandfold between the two sides far from the root.
    """
    gate = spectrum.log_gate[0]
    code, (tau, _, log_norm) = race(spectrum, shift, _left_saddle, order=LONG)
    size = np.abs(np.expm1(log_norm - gate)) * np.exp(-np.exp(gate) * tau)
    sign = np.where(code == Fate.ESCAPE, 1.0, -1.0)
    return float((sign * np.arcsinh(size / EXIT))[0])


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
    root = brentq(_miss, low, high, (spectrum,), xtol=xtol, rtol=RTOL)
    value = float(np.exp(root)) * rho / unit / 2
    return CriticalScale(value, value * (xtol + RTOL * abs(root) + ROUNDING))
