"""Whole curves of l_2-SAM at L = 2: steps, many starts at once, until each has its verdict.

A path has shown what it does by one of two certificates, or where nothing is left to gain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowsam.exact.l2_curve import Curve
from flowsam.exact.l2_spectrum import (
    LONGEST,
    ORDER,
    Pieces,
    Spectrum,
    expand,
    log_sum,
    spectrum_of,
)
from flowsam.labels import Fate
from flowsam.shapes import Chosen, Codes, Column, Float, Vector

PER_ORDER = 10.0**-0.8  # last term kept, relative to dtau and dA: 1e-16 at order 20
AGREEMENT = 1e4  # of log N between the series and the sum, over that of the last term
HALVINGS = 100
GOING = -1
SETTLED = -39.0  # log of what is left of tau, or of A, relative, where a curve ends
SMALLEST = -744.0  # log of the least positive double
LINGER = 100.0  # times 1/mu_1
STEPS = 1000  # a start one rounding off the saddle leaves it in about 120
ENTRIES = 2_000_000  # numbers in a block of starts


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


Verdict = Callable[[Front], np.ndarray]
Record = list[tuple[Front, np.ndarray, Pieces]]


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


def blocks(starts: int, numbers: int) -> Iterator[slice]:
    """Yield starts in blocks that memory holds, with so many numbers each, or a path's own."""
    size = max(1, ENTRIES // max(numbers, 900))
    for first in range(0, starts, size):
        yield slice(first, first + size)


def march(
    spectrum: Spectrum,
    verdict: Verdict,
    *,
    order: int = ORDER,
    record: Record | None = None,
) -> tuple[Codes, Float[np.ndarray, "3 N"]]:
    """Step a batch of starts until each has its verdict, and its last tau, A and log(N/rho)."""
    moving = np.isfinite(spectrum.log_weight).any(axis=1)
    codes = np.where(moving, Fate.SADDLE, Fate.COLLAPSE)
    end = np.zeros((3, moving.size))
    end[2] = -np.inf
    front = depart(spectrum, np.flatnonzero(moving), *np.zeros((2, moving.sum())))
    for _ in range(STEPS):
        end[:, front.rows] = front.tau, front.a, front.log_norm
        code = verdict(front)
        on = code == GOING
        codes[front.rows[~on]] = code[~on]
        if not on.any():
            break
        begin = front.keep(on)
        pieces, lengths, front = step(spectrum, begin, order=order)
        if record is not None:
            record.append((begin, lengths, pieces))
    return codes, end


def trace(
    theta: Float[np.ndarray, "*batch 2 d"],
    mu: Vector,
    *,
    rho: float,
    tau_end: float = np.inf,
    until: Callable[[Spectrum, float], Verdict] = settled,
) -> Curve:
    """Integrate the curves of a batch of starts."""
    shape = theta.shape[:-2]
    spectrum = spectrum_of(theta.reshape(-1, *theta.shape[-2:]), mu, rho)
    record: Record = []
    codes, end = march(spectrum, until(spectrum, tau_end), record=record)
    outcome = codes.astype(np.int8).reshape(shape)
    collapse = np.where(codes == Fate.COLLAPSE, end[0], np.inf).reshape(shape)
    first, tau, a, lengths, pieces = _bound(record, codes.size)
    return Curve(
        shape,
        spectrum,
        first,
        tau,
        a,
        lengths,
        pieces,
        end,
        outcome,
        collapse,
    )


def _bound(record: Record, starts: int) -> tuple[Any, ...]:
    """Order the steps by start, then by time: where each begins, tau, A, lengths and pieces."""
    if not record:
        nothing = np.zeros(0)
        return np.zeros(starts + 1, dtype=np.int64), nothing, nothing, nothing, None
    fronts, lengths, pieces = zip(*record, strict=True)
    rows = np.concatenate([front.rows for front in fronts])
    order = np.argsort(rows, kind="stable")
    first = np.searchsorted(rows[order], np.arange(starts + 1))
    tau = np.concatenate([front.tau for front in fronts])[order]
    a = np.concatenate([front.a for front in fronts])[order]
    parts = zip(*(vars(part).values() for part in pieces), strict=True)
    whole = Pieces(*(np.concatenate(part, axis=-1) for part in parts))
    return first, tau, a, np.concatenate(lengths)[order], whole.select(order)
