"""When a path of l_2-SAM at L = 2 has shown what it does: the two certificates, and the ends."""

from collections.abc import Callable

import numpy as np

from flowsam.exact.l2_spectrum import Spectrum, log_sum
from flowsam.exact.l2_step import Front
from flowsam.labels import Fate
from flowsam.shapes import Codes, Column, Float

GOING = -1
SETTLED = -39.0  # log of what is left of tau, or of A, relative, where a curve ends
SMALLEST = -744.0  # log of the least positive double
LINGER = 100.0  # times 1/mu_1

Verdict = Callable[[Front], np.ndarray]


def slope(spectrum: Spectrum, front: Front) -> Column:
    """Return d log N / dtau, the mean of `nu (1 - rho nu / N)` over the measure."""
    weight = np.exp(front.exponents - 2 * front.log_norm[:, None])
    with np.errstate(over="ignore"):
        inverse = np.exp(-front.log_norm)
    return weight @ spectrum.nu - inverse * (weight @ spectrum.nu**2)


def log_gate(spectrum: Spectrum) -> Float[np.ndarray, " starts"]:
    """Return `log min {mu_j : s_j != 0}`, log(N/rho) at the saddle; inf without s."""
    grows = (spectrum.nu > 0) & np.isfinite(spectrum.log_weight)
    return np.log(np.where(grows, spectrum.nu, np.inf).min(axis=1))


def certificates(spectrum: Spectrum) -> Verdict:
    """Return the verdict on a front by what is proved there.

    `N' > 0` proves escape, log N being convex where it turns; `N <= rho min {mu_j : s_j != 0}`
    proves collapse, for then every exponential of N^2 falls.
    """
    gate = log_gate(spectrum)

    def verdict(front: Front) -> Codes:
        collapses = front.log_norm <= gate[front.rows]
        escapes = slope(spectrum, front) > 0
        return np.select([collapses, escapes], [Fate.COLLAPSE, Fate.ESCAPE], GOING)

    return verdict


def settled(spectrum: Spectrum, tau_end: float) -> Verdict:
    """Return the verdict of a curve: over where neither tau nor A has anything left to gain."""
    gate = log_gate(spectrum)
    log_rates = np.log(np.abs(spectrum.nu))

    def verdict(front: Front) -> Codes:
        growth = slope(spectrum, front)
        # what is left of tau is at most twice sum_k weight_k^(1/2) / nu_k^2
        left = front.exponents / 2 - 2 * log_rates
        with np.errstate(divide="ignore", invalid="ignore"):
            rested = log_sum(left) < np.maximum(np.log(front.tau) + SETTLED, SMALLEST)
            # what is left of A, times the square of the largest rate
            frozen = -np.log(growth) - front.log_norm + 2 * log_rates.max()
        rested &= front.log_norm < gate[front.rows] - 1
        frozen = (front.tau > 0) & (growth > 0) & (frozen < SETTLED)
        # roundings grow like e^{mu_1 tau}: still at the saddle after this long, it is on it
        away = np.abs(front.log_norm - gate[front.rows])
        stands = (away < 1e-10) & (front.tau > LINGER * np.exp(-gate[front.rows]))
        code = np.where(stands, Fate.SADDLE, GOING)
        code[front.tau >= tau_end] = Fate.UNKNOWN
        code[frozen] = Fate.ESCAPE
        code[rested] = Fate.COLLAPSE
        return code

    return verdict


def falling(spectrum: Spectrum, tau_end: float) -> Verdict:
    """Return the verdict of a curve of which the collapse is asked: over where there is none."""
    rest = settled(spectrum, tau_end)

    def verdict(front: Front) -> Codes:
        code = rest(front)
        code[(code == GOING) & (slope(spectrum, front) > 0)] = Fate.ESCAPE
        return code

    return verdict
