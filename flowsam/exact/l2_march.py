"""Whole curves of l_2-SAM at L = 2: steps, many starts at once, until each has its verdict.

A path has shown what it does by one of two certificates, or where nothing is left to gain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from flowsam.exact.l2_curve import Curve
from flowsam.exact.l2_spectrum import (
    ORDER,
    Front,
    Pieces,
    Spectrum,
    depart,
    expand,
    log_sum,
    spectrum_of,
)
from flowsam.labels import Fate
from flowsam.shapes import Codes, Column, Float, Vector

PER_ORDER = 10.0**-0.8  # last term kept, relative to dtau and dA: 1e-16 at order 20
AGREEMENT = 1e4  # of log N between the series and the sum, over that of the last term
HALVINGS = 100
GOING = -1
SETTLED = -39.0  # log of what is left of tau, or of A, relative, where a curve ends
SMALLEST = -744.0  # log of the least positive double
LINGER = 100.0  # times 1/mu_1
STEPS = 1000  # a start one rounding off the saddle leaves it in about 120
ENTRIES = 2_000_000  # numbers in a block of starts


def _shorten(pieces: Pieces, fastest: float) -> None:
    """Shorten steps of the clock until the last terms kept are as small as the tolerance."""
    order = pieces.y.shape[0]
    tolerance = PER_ORDER**order
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
    spectrum: Spectrum,
    front: Front,
    *,
    order: int = ORDER,
) -> tuple[Pieces, Front]:
    """Expand and take one step, halved until the sum at its end agrees with the series."""
    pieces = expand(spectrum, front, order=order)
    _shorten(pieces, np.abs(spectrum.nu).max())
    pending = np.arange(front.rows.size)
    end = front.select(pending)
    for _ in range(HALVINGS):
        part = pieces.select(pending)
        there = depart(spectrum, front.rows[pending], *part.at(part.length))
        for whole, new in zip(vars(end).values(), vars(there).values(), strict=True):
            whole[pending] = new
        expected = front.log_norm[pending] + part.log_norm_gain(part.length)
        rounding = np.abs(expected) + part.unit * (there.tau + part.unit * there.a)
        bound = AGREEMENT * PER_ORDER**order + 1e-14 * rounding
        pending = pending[np.abs(there.log_norm - expected) > bound]
        if not pending.size:
            break
        pieces.length[pending] /= 2
    return pieces, end


Verdict = Callable[[Front], np.ndarray]
Record = list[tuple[np.ndarray, Pieces]]


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
        pieces, front = step(spectrum, front.select(on), order=order)
        if record is not None:
            record.append((front.rows, pieces))
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
    nobody = np.arange(0)
    none = depart(spectrum, nobody, *np.zeros((2, 0)))
    record: Record = [(nobody, expand(spectrum, none))]
    codes, end = march(spectrum, until(spectrum, tau_end), record=record)
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
