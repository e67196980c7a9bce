"""Before a sweep runs: how large it is, and how long it takes by a timed sample."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowsam.cards import text_card
from flowsam.errors import InputError
from flowsam.signatures import public
from flowsam.sweeps.cells import CHUNKS, Grid
from flowsam.sweeps.measures import Found, check_used, split_names
from flowsam.sweeps.problem import Problem, checked

# cells timed, and when to stop timing
SAMPLE = 16
SAMPLE_SECONDS = 2.0
# what a block should take, unless there are few
BLOCK_SECONDS = 1.0
LEAST_BLOCKS = 16


@dataclass(frozen=True)
class Plan:
    """What a sweep would take.

    Parameters
    ----------
    cells, chunks : int
        Cells, and blocks of them that are written as one.
    block : tuple of int
        Shape of a block.
    measured : tuple of str
        Names of the quantities.
    disk_bytes, memory_bytes : int
        Of all quantities before compression, and of one block while it is worked on.
    seconds : float
        Estimated from a timed sample, for one process.
        nan where functions of yours take part: a plan runs none.
    fingerprint : str
        Digest of configuration and version, of what a plan may read.
    """

    cells: int
    chunks: int
    block: tuple[int, ...]
    measured: tuple[str, ...]
    disk_bytes: int
    memory_bytes: int
    seconds: float
    fingerprint: str

    def __repr__(self) -> str:
        """Return the facts, one a line."""
        shape = " x ".join(map(str, self.block))
        known = f"about {self.seconds:.3g} s in one process, from a timed sample"
        last = ("time", known)
        if math.isnan(self.seconds):
            words = "not known: a plan runs no function of yours"
            last = ("time, and their memory", words)
        rows = [
            ("cells", f"{self.cells}"),
            ("chunks", f"{self.chunks} of {shape}"),
            ("measured", ", ".join(self.measured)),
            ("memory", f"{self.memory_bytes / 1e6:.3g} MB a process"),
            ("disk", f"{self.disk_bytes / 1e6:.3g} MB before compression"),
            last,
        ]
        return text_card("Sweep", rows)


def sampled(problem: Problem) -> tuple[Found, float]:
    """Measure a few cells spread over the grid; return one's quantities and seconds a cell."""
    found: list[Found] = []
    spent: list[float] = []
    errors: list[BaseException] = []
    for place in problem.grid.spread(SAMPLE):
        begin = time.perf_counter()
        try:
            found.append(problem.measured(place))
        except (Exception, SystemExit) as error:  # any error of a cell is that cell's
            errors.append(error)
            continue
        spent.append(time.perf_counter() - begin)
        if sum(spent[1:]) > SAMPLE_SECONDS:  # the first one imports and compiles
            break
    if not found:
        raise InputError(
            f"every cell tried fails, the first with: {errors[0]}"
        ) from errors[0]
    return found[0], float(np.mean(spent[1:] or spent))


def cut(grid: Grid, seconds: float, chunk: int | None) -> Grid:
    """Return the grid in blocks: as asked, or about a second of work, few enough to list."""
    if chunk is None:
        few = max(1, grid.cells // LEAST_BLOCKS)
        least = -(-grid.cells // CHUNKS)
        cells = max(least, min(int(BLOCK_SECONDS / max(seconds, 1e-9)), few))
        while grid.cut(cells).chunks > CHUNKS:  # blocks need not fill the last axis
            cells *= 2
        return grid.cut(cells)
    if chunk < 1:
        raise InputError(f"chunk needs a whole number of cells >= 1, got {chunk}")
    made = grid.cut(chunk)
    if made.chunks > CHUNKS:
        raise InputError(
            f"a store may have {CHUNKS} chunks, got {made.chunks}; raise chunk"
        )
    return made


@public
def plan(
    case: Mapping[str, Any],
    axes: Mapping[str, Any],
    *,
    chunk: int | None = None,
) -> Plan:
    """Say how many cells, chunks, bytes and seconds a sweep takes, from a timed sample.

    Parameters
    ----------
    case, axes : mapping
        As for `sweep`.
    chunk : int, optional
        Cells of a chunk.

    Returns
    -------
    Plan

    Raises
    ------
    TypeError, ValueError
        As `sweep`.

    Examples
    --------
    >>> case = {"mu": [1, 2], "alpha": [1.5, 0.6]}
    >>> plan(case, {"rho": [0.5, 1.0], "scale": [0.5, 1.0, 2.0]}, chunk=2).chunks
    4
    """
    known, own = split_names(case)
    check_used(case, axes)
    problem = checked({**case, "measure": known or ["label"]}, axes)
    sample, seconds = sampled(problem) if known else ({}, 0.0)
    grid = cut(problem.grid, seconds, chunk)
    each = sum(value.nbytes for _, value in sample.values()) + 1
    return Plan(
        cells=grid.cells,
        chunks=grid.chunks,
        block=grid.block,
        measured=(*sample, *(name.partition(":")[2] for name in own)),
        disk_bytes=each * grid.cells,
        memory_bytes=each * math.prod(grid.block),
        seconds=math.nan if own else seconds * grid.cells,
        fingerprint=problem.fingerprint,
    )
