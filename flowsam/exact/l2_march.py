"""Whole curves of l_2-SAM at L = 2: steps, many starts at once, until each has its verdict.

A path has shown what it does by one of two certificates, or where nothing is left to gain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from flowsam.exact.l2_curve import Curve
from flowsam.exact.l2_spectrum import (
    ORDER,
    Front,
    Pieces,
    Spectrum,
    expand,
    log_sum,
    spectrum_of,
)
from flowsam.labels import Fate
from flowsam.shapes import Codes, Float, Vector

PER_ORDER = 10.0**-0.8  # of dtau and dA, the last term kept; 1e-16 from order 20 on
AGREEMENT = 1e4  # of log N between the series and the sum, over that of the last term
HALVINGS = 100
GOING = -1
SETTLED = -39.0  # log of what is left of tau, or of A, relative, where a curve ends
SMALLEST = -744.0  # log of the least positive double
LINGER = 100.0  # times 1/mu_1
STEPS = 1000  # a start one rounding off the saddle leaves it in about 120
ENTRIES = 2_000_000  # numbers in a block of starts


def _tolerance(order: int) -> float:
    """Return the size of the last terms kept; orders above ORDER take longer steps instead."""
    return PER_ORDER ** min(order, ORDER)


def _shorten(pieces: Pieces, fastest: float) -> None:
    """Shorten steps of the clock until the last terms kept are as small as the tolerance."""
    order = pieces.y.shape[0]
    tolerance = _tolerance(order)
    # dtau need not be finer than a rounding of tau, nor dA than one of every exponent
    tau_floor = tolerance * pieces.unit * pieces.tau
    a_floor = tolerance * (pieces.unit / fastest) ** 2
    length = pieces.length
    with np.errstate(divide="ignore", invalid="ignore"):
        for k in (order - 2, order - 1):
            size = np.abs(pieces.y[k])
            for first, floor in ((pieces.y[0], tau_floor), (pieces.z, a_floor)):
                relative = (tolerance * first / size) ** (1 / k)
                absolute = (floor / size) ** (1 / (k + 1))
                np.fmin(length, np.fmax(relative, absolute), out=length)
            bend = AGREEMENT / 10 * tolerance / np.abs(pieces.g[k + 1])
            np.fmin(length, bend ** (1 / (k + 1)), out=length)


def step(
    front: Front, *, order: int = ORDER, back: bool = False
) -> tuple[Pieces, Front]:
    """Expand and take one step, halved until the sum at its end agrees with the series.

    Backwards a series adds up the roundings of its terms, and paths approach each other: steps are
    shorter as the start comes nearer, where roundings stay.
    """
    spectrum = front.spectrum
    pieces = expand(front, order=order)
    _shorten(pieces, np.abs(spectrum.nu).max())
    if back:
        clock = pieces.unit * (np.abs(pieces.tau) + pieces.unit * np.abs(pieces.a))
        pieces.length[:] = -np.minimum(pieces.length, 0.5 + clock / 4)
    pending = np.arange(front.rows.size)
    tau = front.tau.copy()
    a = front.a.copy()
    for _ in range(HALVINGS):
        part = pieces.select(pending)
        tau[pending], a[pending] = part.at(part.length)
        there = Front(spectrum, front.rows[pending], tau[pending], a[pending])
        expected = front.log_norm[pending] + part.log_norm_gain(part.length)
        rounding = np.abs(expected) + part.unit * (there.tau + part.unit * there.a)
        bound = AGREEMENT * _tolerance(order) + 1e-14 * rounding
        off = np.abs(there.log_norm - expected) > bound
        if not off.any():
            break
        pending = pending[off]
        pieces.length[pending] /= 2
    whole = pending.size == tau.size
    return pieces, there if whole else Front(spectrum, front.rows, tau, a)


Verdict = Callable[[Front], np.ndarray]
Record = list[tuple[np.ndarray, Pieces]]


def certificates(front: Front) -> Codes:
    """Return the verdict by what is proved at a front.

    `N' > 0` proves escape, log N being convex where it turns; `N <= rho min {mu_j : s_j != 0}`
    proves collapse, for then every exponential of N^2 falls.
    """
    collapses = front.log_norm <= front.log_gate
    sure = [collapses, front.slope > 0]
    return np.select(sure, [Fate.COLLAPSE, Fate.ESCAPE], GOING)


def settled(front: Front, tau_end: float) -> Codes:
    """Return the verdict of a curve: over where neither tau nor A has anything left to gain."""
    log_rates = np.log(np.abs(front.spectrum.nu))
    gate = front.log_gate
    growth = front.slope
    # what is left of tau is at most twice sum_k weight_k^(1/2) / nu_k^2
    left = front.exponents / 2 - 2 * log_rates
    with np.errstate(divide="ignore", invalid="ignore"):
        rested = log_sum(left) < np.maximum(np.log(front.tau) + SETTLED, SMALLEST)
        # what is left of A, times the square of the largest rate
        frozen = -np.log(growth) - front.log_norm + 2 * log_rates.max()
    rested &= front.log_norm < gate - 1
    frozen = (front.tau > 0) & (growth > 0) & (frozen < SETTLED)
    # roundings grow like e^{mu_1 tau}: still at the saddle after this long, it is on it
    stands = np.abs(front.log_norm - gate) < 1e-10
    stands &= front.tau > LINGER * np.exp(-gate)
    over = [rested, frozen, front.tau >= tau_end, stands]
    fates = [Fate.COLLAPSE, Fate.ESCAPE, Fate.UNKNOWN, Fate.SADDLE]
    return np.select(over, fates, GOING)


def falling(front: Front, tau_end: float) -> Codes:
    """Return the verdict of a curve of which the collapse is asked: over where there is none."""
    code = settled(front, tau_end)
    return np.where((code == GOING) & (front.slope > 0), Fate.ESCAPE, code)


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
    front = Front(spectrum, np.flatnonzero(moving), *np.zeros((2, moving.sum())))
    for _ in range(STEPS):
        end[:, front.rows] = front.tau, front.a, front.log_norm
        code = verdict(front)
        on = code == GOING
        codes[front.rows[~on]] = code[~on]
        if not on.any():
            break
        pieces, front = step(front if on.all() else front.select(on), order=order)
        if record is not None:
            record.append((front.rows, pieces))
    return codes, end


def trace(
    theta: Float[np.ndarray, "*batch 2 d"],
    mu: Vector,
    *,
    rho: float,
    tau_end: float = np.inf,
    until: Callable[..., np.ndarray] = settled,
) -> Curve:
    """Integrate the curves of a batch of starts."""
    shape = theta.shape[:-2]
    spectrum = spectrum_of(theta.reshape(-1, *theta.shape[-2:]), mu, rho)
    record: Record = [(np.arange(0), Pieces.none())]
    verdict = partial(until, tau_end=tau_end)
    codes, end = march(spectrum, verdict, record=record)
    collapse = np.where(codes == Fate.COLLAPSE, end[0], np.inf)
    rows, parts = zip(*record, strict=True)
    row = np.concatenate(rows)
    order = np.argsort(row, kind="stable")
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    pieces = Pieces(*(np.concatenate(column, axis=-1) for column in columns))
    return Curve(
        spectrum,
        np.searchsorted(row[order], np.arange(codes.size + 1)),
        pieces.select(order),
        end,
        codes.astype(np.int8).reshape(shape),
        collapse.reshape(shape),
    )
