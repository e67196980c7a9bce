"""One step along the (tau, A) plane, many starts at once, each with a step of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowsam.exact.l2_spectrum import Spectrum, log_sum
from flowsam.exact.l2_taylor import LONGEST, ORDER, Pieces, expand
from flowsam.shapes import Chosen, Codes, Column, Float

PER_ORDER = 10.0**-0.8  # last term kept, relative to dtau and dA: 1e-16 at order 20
AGREEMENT = 1e4  # of log N between the series and the sum, over that of the last term
HALVINGS = 100


@dataclass(frozen=True, eq=False)
class Front:
    """Where each of some starts has got to."""

    rows: Codes  # which starts of the spectrum
    tau: Column
    a: Column
    exponents: Float[np.ndarray, "N m"]  # of (N/rho)^2 at the point
    log_norm: Column  # log(N/rho)

    def keep(self, kept: Chosen) -> Front:
        """Return the front without the starts that have ended."""
        return Front(*(part[kept] for part in vars(self).values()))


def depart(
    spectrum: Spectrum,
    rows: Codes,
    tau: Column,
    a: Column,
) -> Front:
    """Return the front of some starts at given points, N > 0 in each."""
    exponents = spectrum.exponents(rows, tau, a)
    return Front(rows, tau, a, exponents, log_sum(exponents) / 2)


def _lengths(pieces: Pieces, tau: Column, fastest: float) -> Column:
    """Steps of the clock at which the last terms kept are as small as the tolerance."""
    order = pieces.y.shape[0]
    tolerance = PER_ORDER**order
    # dtau need not be finer than a rounding of tau, nor dA than one of every exponent
    tau_floor = tolerance * pieces.unit * tau
    a_floor = tolerance * (pieces.unit / fastest) ** 2
    length = np.full(tau.shape, LONGEST)
    with np.errstate(divide="ignore", invalid="ignore"):
        for k in (order - 2, order - 1):
            size = np.abs(pieces.y[k])
            for first, floor in ((pieces.y[0], tau_floor), (pieces.z, a_floor)):
                relative = (tolerance * first / size) ** (1 / k)
                absolute = (floor / size) ** (1 / (k + 1))
                length = np.fmin(length, np.fmax(relative, absolute))
            bend = (AGREEMENT / 10 * tolerance / np.abs(pieces.g[k + 1])) ** (
                1 / (k + 1)
            )
            length = np.fmin(length, bend)
    return length


def step(
    spectrum: Spectrum,
    front: Front,
    *,
    order: int = ORDER,
) -> tuple[Pieces, Column, Front]:
    """Expand and take one step, halved until the sum at its end agrees with the series."""
    pieces = expand(spectrum, front.exponents, order=order)
    length = _lengths(pieces, front.tau, np.abs(spectrum.nu).max())
    pending = np.arange(front.rows.size)
    tau = front.tau.copy()
    a = front.a.copy()
    log_norm = front.log_norm.copy()
    exponents = np.empty_like(front.exponents)
    for _ in range(HALVINGS):
        part = pieces.select(pending)
        dtau, da = part.advance(length[pending])
        there = depart(
            spectrum,
            front.rows[pending],
            front.tau[pending] + dtau,
            front.a[pending] + da,
        )
        tau[pending] = there.tau
        a[pending] = there.a
        exponents[pending] = there.exponents
        log_norm[pending] = there.log_norm
        expected = front.log_norm[pending] + part.log_norm_gain(length[pending])
        rounding = np.abs(expected) + part.unit * (there.tau + part.unit * there.a)
        off = (
            np.abs(there.log_norm - expected)
            > AGREEMENT * PER_ORDER**order + 1e-14 * rounding
        )
        pending = pending[off]
        if not pending.size:
            break
        length[pending] /= 2
    return pieces, length, Front(front.rows, tau, a, exponents, log_norm)
