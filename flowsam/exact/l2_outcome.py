"""What a start of l_2-SAM at L = 2 ends in: escape, collapse, or the separatrix between.

N(tau) increases with every |s_j(0)| and |e_j(0)|: every ray from the origin crosses the separatrix
once, and a start can be squeezed between two others. (derivations/l2_critical_scale.py)
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import elliprf

from flowsam.exact.l2_march import Verdict, blocks, certificates, march
from flowsam.exact.l2_spectrum import ORDER, Spectrum, checked_start, spectrum_of
from flowsam.labels import Fate
from flowsam.shapes import Codes, Float, Int, Int8, Pairs, Points, Vector

TRUST = 1e-12  # a start whose critical scale is nearer to 1 counts as on the separatrix
QUICK = 10  # order of the first paths,
MARGIN = 1e-5  # and a scale well above their error


def lone_scale(
    s: ArrayLike,
    e: ArrayLike,
    *,
    rho: float,
) -> Float[np.ndarray, "..."]:
    """Return `c* = 2^(1/2) rho R_F(s^2, s^2 + i s e, s^2 - i s e)` of one coordinate, any mu."""
    s, e = np.broadcast_arrays(np.abs(s), np.abs(e))
    # homogeneous of degree -1: put the larger of s and the geometric mean of s and e to 1
    unit = np.where(s >= e, s, np.sqrt(s) * np.sqrt(e))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        x = (s / unit) ** 2
        y = np.minimum(e / s, 1.0)
        value = np.sqrt(2) * rho / unit * elliprf(x, x + 1j * y, x - 1j * y).real
    return np.where(s == 0, np.inf, value)


def grow_and_shrink(
    theta0: Pairs, mu: Vector
) -> tuple[Float[np.ndarray, "N active"], Float[np.ndarray, "N active"]]:
    """|s| and |e| of the active coordinates, exchanged where mu < 0."""
    active = mu != 0
    total, difference = (
        np.abs(theta0[:, 0] + k * theta0[:, 1])[:, active] for k in (1, -1)
    )
    positive = mu[active] > 0
    return np.where(positive, total, difference), np.where(positive, difference, total)


def race(
    spectrum: Spectrum,
    shift: float | Points,
    verdict: Verdict,
    *,
    order: int = ORDER,
) -> tuple[Int[np.ndarray, " starts"], Float[np.ndarray, "3 starts"]]:
    """Verdicts, and the ends, of the starts scaled by e^shift, or of one start by each."""
    scaled = Spectrum(spectrum.nu, spectrum.log_weight + 2 * np.reshape(shift, (-1, 1)))
    return march(scaled, verdict, order=order)


def _squeeze(
    spectrum: Spectrum,
    margin: float,
    order: int,
) -> Int[np.ndarray, " starts"]:
    """Codes proved for starts a relative margin away, N rising with the scale; else SADDLE."""
    codes = race(spectrum, margin, certificates, order=order)[0]
    open_ = np.flatnonzero(codes != Fate.COLLAPSE)
    part = Spectrum(spectrum.nu, spectrum.log_weight[open_])
    below = race(part, -margin, certificates, order=order)[0]
    codes[open_] = np.where(below == Fate.ESCAPE, Fate.ESCAPE, Fate.SADDLE)
    return codes


def _decide(theta0: Pairs, mu: Vector, rho: float) -> Codes:
    """Codes of a block of starts."""
    grow, shrink = grow_and_shrink(theta0, mu)
    sizes = np.unique(np.abs(mu[mu != 0]))
    if sizes.size == 1:  # one coordinate in effect
        own = lone_scale(
            *(np.sqrt((x**2).sum(axis=1)) for x in (grow, shrink)), rho=rho
        )
        return np.select(
            [own > 1 + TRUST, own < 1 - TRUST],
            [Fate.COLLAPSE, Fate.ESCAPE],
            Fate.SADDLE,
        )
    spectrum = spectrum_of(theta0, mu, rho)
    codes = _squeeze(spectrum, MARGIN, QUICK)
    near = np.flatnonzero(codes == Fate.SADDLE)
    codes[near] = _squeeze(
        Spectrum(spectrum.nu, spectrum.log_weight[near]), TRUST, ORDER
    )
    return codes


def outcome(
    theta0: ArrayLike,
    mu: ArrayLike,
    *,
    rho: float,
) -> Int8[np.ndarray, "*batch"]:
    """Return whether each start escapes, collapses or lies on the separatrix, as a `Fate`.

    `N' > 0` and `N < rho min {mu_j : s_j(0) != 0}` decide; since a numerical path may leave the
    saddle on the wrong side, the starts a relative 1e-12 smaller and larger must agree: SADDLE,
    on the separatrix to 1e-12 of its scale, is exactly what no certificate decides.
    """
    theta0, mu, rho = checked_start(theta0, mu, rho)
    flat = theta0.reshape(-1, 2, mu.size)
    code = np.empty(flat.shape[0], dtype=np.int8)
    for block in blocks(len(flat), 2 * mu.size):
        code[block] = _decide(flat[block], mu, rho)
    return code.reshape(theta0.shape[:-2])
