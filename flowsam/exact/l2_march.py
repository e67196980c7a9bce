"""Whole curves of l_2-SAM at L = 2: stepping until a verdict."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from flowsam.exact.l2_curve import Curve
from flowsam.exact.l2_spectrum import Spectrum, spectrum_of
from flowsam.exact.l2_step import Front, depart, step
from flowsam.exact.l2_taylor import ORDER, Pieces
from flowsam.exact.l2_verdicts import GOING, Verdict, settled
from flowsam.labels import Fate
from flowsam.shapes import Float, Int, Vector

STEPS = 1000  # a start one rounding off the saddle leaves it in about 120
ENTRIES = 2_000_000  # numbers in a block of starts

Record = list[tuple[Front, np.ndarray, Pieces]]


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
) -> tuple[Int[np.ndarray, " starts"], Float[np.ndarray, "3 starts"]]:
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
