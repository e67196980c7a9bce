"""How a plane of starts is worked through: blocks of rows, scattered points, limits and times."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.inputs import real_axis
from flowsam.labels import Label
from flowsam.outcomes import limits
from flowsam.portrait.own_plane import as_plane
from flowsam.portrait.planes import BalancedPlane, Plane, Start, Starts
from flowsam.portrait.theory_curves import boundaries
from flowsam.regimes import Case, case_of
from flowsam.shapes import Axis, Codes, Column, Curves, Float, Int, LabelGrid

ROWS = 2**14  # rows decided at once where a few cells of each decide all
WRITTEN = 2**19  # cells of such rows that are written out at once
# the most cells worked on at once: the arrays of a block stay in the cache
BLOCK = 2**17
FIRST = 2**7  # cells in the first piece, where they go side by side
SECONDS = 1.0  # of work between two reports, where one cell takes less


@dataclass(frozen=True, eq=False)
class Grid:
    """A plane of starts at a grid of its parameters, and the flow that moves them."""

    flow: Flow
    plane: Plane
    x: Axis
    y: Axis

    @cached_property
    def depth(self) -> int:
        """The layers of the starts, which are checked here."""
        return self.flow.checked(self.plane.starts(self.x, self.y[:1])).shape[-2]

    @property
    def case(self) -> Case:
        """The row of the table for the flow and these starts."""
        return case_of(self.flow, self.depth)

    def rows(self, first: int, last: int | None = None) -> Grid:
        """Return the grid of some rows."""
        return replace(self, y=self.y[first:last])

    @property
    def starts(self) -> Starts:
        """The starts of all points."""
        return self.plane.starts(self.x, self.y)

    @property
    def ratios(self) -> bool:
        """Whether only theta / rho counts, so that all rows have the labels of one flow."""
        radius = self.plane.kind == "radius" and (self.y > 0).all()
        return bool(radius and self.case.regime.scale_free)

    @property
    def together(self) -> bool:
        """Whether many starts go side by side; those of several examples are run one by one."""
        return len(self.flow.data.z) == 1

    @property
    def theory(self) -> Curves:
        """The curves between regions that a theorem gives."""
        return boundaries(self.case, self.plane, self.x, self.y)


def grid_of(
    flow: Flow,
    axes: tuple[ArrayLike, ArrayLike],
    start: Start | None,
    depth: int,
) -> Grid:
    """Return a plane at a grid, by default that of balanced starts, or say what does not fit."""
    x, y = (real_axis(values, name) for values, name in zip(axes, "xy", strict=True))
    d = flow.data.z.shape[1]
    if start is None and d != 2:
        raise InputError(
            f"the default plane needs d = 2, got d = {d}; pass start= (layer_plane for d = 1)"
        )
    plane = BalancedPlane(depth) if start is None else as_plane(start)
    grid = Grid(flow, plane, x, y)
    if depth not in (2, grid.depth):
        raise InputError(
            f"depth is for the default plane, got {depth} and a start of {grid.depth} layers; "
            "leave it out"
        )
    return grid


def labels_by_rows(
    grid: Grid, progress: Callable[[int], object]
) -> tuple[LabelGrid, int]:
    """Return the labels of a plane, and how many rows were finished before an interrupt."""
    labels = np.empty((grid.y.size, grid.x.size), np.int16)
    cells = labels.ravel()
    done = 0
    try:
        for found in labelled_pieces(grid):
            cells[done : done + found.size] = found
            done += found.size
            progress(found.size)
    except KeyboardInterrupt:
        labels[done // grid.x.size :] = Label.UNDECIDED
    return labels, done // grid.x.size


def labelled_pieces(grid: Grid) -> Iterator[Int[np.ndarray, " _"]]:
    """Yield the labels of all cells piece by piece, int16, each piece about `SECONDS`."""
    width = grid.x.size
    decided = grid.case.on("rows", grid.plane.kind)
    if decided:
        few = max(1, WRITTEN // width)
        for row in range(0, grid.y.size, ROWS):
            some = grid.rows(row, row + ROWS)
            write = decided(some)
            for first in range(0, some.y.size, few):
                yield write(slice(first, first + few)).ravel().astype("<i2", copy=False)
        return
    size = min(FIRST, BLOCK) if grid.together else 1
    row = 0
    while row < grid.y.size:
        flow, starts = _block(grid.rows(row, row + max(1, size // width)))
        row += len(starts)
        cells = starts.reshape(-1, *starts.shape[-2:])
        while len(cells):
            begun = time.perf_counter()
            found = limits(flow, cells[:size]).astype("<i2")
            spent = time.perf_counter() - begun
            yield found
            cells = cells[size:]
            growth = min(8.0, SECONDS / max(spent, 1e-9))
            size = int(min(max(1, growth * found.size), BLOCK))


def _block(grid: Grid) -> tuple[Flow, Starts]:
    """Return the flow and the starts that have the labels of the first rows, one at least."""
    if grid.ratios:
        return grid.plane.flow_at(grid.flow, 1.0), grid.starts / grid.y[
            :, None, None, None
        ]
    some = grid.rows(0, 1) if grid.plane.varies else grid
    return grid.plane.flow_at(grid.flow, float(grid.y[0])), some.starts


def labels_at(flow: Flow, start: Plane, x: Column, y: Column) -> Codes:
    """Return the labels of scattered points of a plane."""
    if Grid(flow, start, x, y).ratios:
        return limits(start.flow_at(flow, 1.0), start.at(x, y)[0] / y[:, None, None])
    if not start.varies:
        return limits(flow, start.at(x, y)[0])
    found = np.empty(x.size, dtype=np.int64)
    for value in np.unique(y):
        row = np.flatnonzero(y == value)
        starts = start.starts(x[row], np.array([value]))[0]
        found[row] = limits(start.flow_at(flow, float(value)), starts)
    return found


def settled_rows(grid: Grid) -> Float[np.ndarray, "ny nx"]:
    """Return the rescaled time of collapse or blow-up over a plane."""
    rows = 1 if grid.plane.varies else max(1, BLOCK // grid.x.size)
    found = []
    for first in range(0, grid.y.size, rows):
        some = grid.rows(first, first + rows)
        here = grid.plane.flow_at(grid.flow, float(some.y[0]))
        found.append(settling(here, some.starts))
    return np.concatenate(found)


def settling(flow: Flow, block: Starts) -> Float[np.ndarray, "ny nx"]:
    """Return the first blow-up, or without one the time at which the last coordinate rests."""
    starts = block.reshape(-1, *block.shape[-2:])
    case = case_of(flow, starts.shape[1])
    found = np.empty(len(starts))
    for form, mine in case.split(starts):
        some = starts[mine]
        if form is None:
            found[mine] = case.ask("settled")(some)
        else:
            open_ = case.labels(some) == Label.UNDECIDED
            found[mine] = np.where(open_, np.nan, form.time(flow, some))
    return found.reshape(block.shape[:2])
