"""The names a sweep knows, its axes, and the grid of cells they span, cut into blocks."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowsam.errors import InputError
from flowsam.inputs import real_array, real_axis, whole_number
from flowsam.parameters import SOURCES, STARTS, TABLE
from flowsam.shapes import Shaped

Block = tuple[int, ...]  # place of a block, or of a cell
Values = Shaped[np.ndarray, " _"]
RANGE = ("start", "stop", "points", "spacing")
POINTS = 2**20  # of one axis: each value makes a flow before any work
CHUNKS = 2**20  # files of one array, and tuples in memory
START = (*STARTS, "seed", "scale", "aligned", "split_signs")
RUN = ("tau_end", "log_t_end", "method", "rtol", "atol")
_RULE = ("norm", "p", "rho", "loss", "depth")
# Names an axis may vary; alpha_J and mu_J are entries of the lists alpha and mu.
VARIABLE = (*_RULE, "data", "alpha", "scale", "seed", "aligned", *RUN)
CASE = (
    *(*SOURCES, *TABLE, *_RULE, *START, *RUN),
    *("measure", "switches", "plane", "folder"),
)


def check_names(names: Iterable[object], known: Iterable[str], what: str) -> None:
    """Refuse names that are not known, each with the one it may stand for."""
    known = tuple(known)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1, 0.5)
            hint = (
                f"did you mean {near[0]!r}?"
                if near
                else f"known are {', '.join(known)}"
            )
            raise InputError(f"{what} has no {name!r}; {hint}")


def axis_values(name: str, given: object) -> Values:
    """Return the values of an axis from a list, or from a range."""
    values = _spread(name, given) if isinstance(given, dict) else _listed(name, given)
    if np.unique(values).size < values.size:
        raise InputError(
            f"axis {name} needs different values, got one of them twice; remove it"
        )
    return values


def _listed(name: str, given: object) -> Values:
    """Numbers, or words."""
    if not isinstance(given, (list, tuple, np.ndarray)) or not len(given):
        raise InputError(
            f"axis {name} needs a list or a range, got {given!r}; e.g. [0.5, 1.0]"
        )
    if any(isinstance(value, str) for value in given):
        return np.array([str(value) for value in given])
    whole = np.asarray(given, dtype=object)  # takes ragged lists too
    values = real_axis(given, f"axis {name}")
    if all(isinstance(value, (bool, np.bool_)) for value in whole.flat):
        return values.astype(bool)
    if all(isinstance(value, (int, np.integer)) for value in whole.flat):
        return values.astype(np.int64)
    return values


def _spread(name: str, given: dict[str, Any]) -> Values:
    """Equal steps, or equal ratios."""
    check_names(given, RANGE, f"the range of {name}")
    missing = [key for key in RANGE[:3] if key not in given]
    if missing:
        raise InputError(
            f"the range of {name} needs start, stop and points, got no {missing[0]}"
        )
    ends = real_array([given["start"], given["stop"]], f"start and stop of {name}")
    if ends.shape != (2,):
        raise InputError(
            f"the range of {name} needs two numbers as start and stop, got {given}"
        )
    start, stop = ends.tolist()
    points = given["points"]
    spacing = given.get("spacing", "linear")
    if (
        not 1
        <= whole_number(points, f"the range of {name} needs whole points")
        <= POINTS
    ):
        raise InputError(
            f"the range of {name} needs 1 to {POINTS} points, got {points}"
        )
    check_names([spacing], ("linear", "log"), f"the spacing of {name}")
    if spacing == "log" and not min(start, stop) > 0:
        raise InputError(
            f"a log range of {name} needs positive ends, got {start:g} to {stop:g}"
        )
    return (np.geomspace if spacing == "log" else np.linspace)(start, stop, points)


@dataclass(frozen=True, eq=False)
class Grid:
    """All combinations of the values of axes, in blocks that are worked on as one."""

    names: tuple[str, ...]  # axes, the slowest first
    values: tuple[Values, ...]
    block: Block = ()  # shape of a block, one entry an axis

    @property
    def axes(self) -> dict[str, Values]:
        """Values by name, the slowest axis first."""
        return dict(zip(self.names, self.values, strict=True))

    @property
    def shape(self) -> Block:
        """Number of values of each axis."""
        return tuple(v.size for v in self.values)

    @property
    def cells(self) -> int:
        """Number of cells."""
        return math.prod(self.shape)

    @property
    def chunks(self) -> int:
        """Number of blocks."""
        return math.prod(self._counts)

    @property
    def blocks(self) -> list[Block]:
        """Places of the blocks, in the order of the work."""
        return list(np.ndindex(self._counts))

    @property
    def _counts(self) -> Block:
        """Number of blocks along each axis."""
        pairs = zip(self.shape, self.block, strict=True)
        return tuple(-(-n // size) for n, size in pairs)

    def region(self, block: Block) -> tuple[slice, ...]:
        """Return the cells of a block as slices."""
        edges = zip(block, self.block, self.shape, strict=True)
        return tuple(slice(k * size, min((k + 1) * size, n)) for k, size, n in edges)

    def at(self, place: Block) -> dict[str, Any]:
        """Return the value of every axis at one cell, as plain numbers and words."""
        entries = zip(self.axes.items(), place, strict=True)
        return {name: values[k].item() for (name, values), k in entries}

    def spread(self, number: int) -> Iterator[Block]:
        """Yield places spread evenly over the grid, the first cell and the last among them."""
        chosen = np.unique(
            np.linspace(0, self.cells - 1, min(number, self.cells)).round()
        )
        for k in chosen.astype(int):
            yield tuple(int(i) for i in np.unravel_index(k, self.shape))

    def cut(self, cells: int) -> Grid:
        """Return the grid in blocks of at most `cells` cells, long in the last axes."""
        block = []
        left = max(1, cells)
        for n in reversed(self.shape):
            block.append(min(n, left))
            left = max(1, left // n)
        return Grid(self.names, self.values, tuple(reversed(block)))
