"""Whole curves of l_2-SAM at L = 2: stepping until a verdict."""

from __future__ import annotations

from collections.abc import Callable

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

Record = list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Pieces]]


def march(
    spectrum: Spectrum,
    front: Front,
    verdict: Verdict,
    *,
    order: int = ORDER,
    record: Record | None = None,
) -> tuple[Int[np.ndarray, " b"], Float[np.ndarray, "3 b"]]:
    """Step a batch of starts until each has its verdict."""
    codes = np.full(front.rows.size, int(Fate.SADDLE))
    end = np.zeros((3, front.rows.size))
    place = np.arange(front.rows.size)
    for _ in range(STEPS):
        end[:, place] = front.tau, front.a, front.log_norm
        code = verdict(front)
        on = code == GOING
        codes[place[~on]] = code[~on]
        if not on.any():
            break
        begin = front.keep(on)
        place = place[on]
        pieces, lengths, front = step(spectrum, begin, order=order)
        if record is not None:
            record.append((begin.rows, begin.tau, begin.a, lengths, pieces))
    return codes, end


def trace(
    theta: Float[np.ndarray, "*batch 2 d"],
    mu: Vector,
    *,
    rho: float | int,
    tau_end: float | int = np.inf,
    until: Callable[[Spectrum, float], Verdict] = settled,
) -> Curve:
    """Integrate the curves of a batch of starts."""
    spectrum = spectrum_of(theta.reshape(-1, *theta.shape[-2:]), mu, rho)
    starts = spectrum.log_weight.shape[0]
    codes = np.full(starts, int(Fate.COLLAPSE))
    end = np.zeros((3, starts))
    end[2] = -np.inf
    moving = np.flatnonzero(np.isfinite(spectrum.log_weight).any(axis=1))
    record: Record = []
    if moving.size:
        front = depart(spectrum, moving, *np.zeros((2, moving.size)))
        verdict = until(spectrum, tau_end)
        codes[moving], end[:, moving] = march(spectrum, front, verdict, record=record)
    return _bind(theta.shape[:-2], spectrum, record, codes, end)


def _bind(
    shape: tuple[int, ...],
    spectrum: Spectrum,
    record: Record,
    codes: Int[np.ndarray, " starts"],
    end: Float[np.ndarray, "3 starts"],
) -> Curve:
    """Order the steps by start, then by time."""
    outcome = codes.astype(np.int8).reshape(shape)
    collapse = np.where(codes == Fate.COLLAPSE, end[0], np.inf).reshape(shape)
    if not record:
        nothing = np.zeros(0)
        first = np.zeros(codes.size + 1, dtype=np.int64)
        none = (nothing, nothing, nothing)
        return Curve(shape, spectrum, first, *none, None, end, outcome, collapse)
    rows, tau, a, lengths = (
        np.concatenate([entry[k] for entry in record]) for k in range(4)
    )
    order = np.argsort(rows, kind="stable")
    first = np.searchsorted(rows[order], np.arange(codes.size + 1))
    pieces = [entry[4] for entry in record]
    unit, z = (
        np.concatenate([getattr(p, name) for p in pieces]) for name in ("unit", "z")
    )
    y, g = (
        np.concatenate([getattr(p, name) for p in pieces], axis=1)
        for name in ("y", "g")
    )
    whole = Pieces(unit, y, z, g).select(order)
    return Curve(
        shape,
        spectrum,
        first,
        tau[order],
        a[order],
        lengths[order],
        whole,
        end,
        outcome,
        collapse,
    )
