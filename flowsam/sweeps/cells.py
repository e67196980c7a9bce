"""The names a sweep knows, the grid of cells its axes span, and what makes each of them."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from flowsam.data import Data
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.inputs import real_array, real_axis, whole_number
from flowsam.losses import LOSSES
from flowsam.parameters import SOURCES, STARTS, TABLE, Parameters, Setup
from flowsam.shapes import Shaped, Theta
from flowsam.solver import solve
from flowsam.trajectory import Trajectory

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
_PLACE = re.compile(r"(alpha|mu)_([1-9]\d*)")


def check_names(names: Iterable[object], known: Iterable[str], what: str) -> None:
    """Refuse names that are not known, each with the one it may stand for."""
    known = tuple(known)
    for name in names:
        if name not in known:
            hint = f"known are {', '.join(known)}"
            for near in difflib.get_close_matches(str(name), known, 1, 0.5):
                hint = f"did you mean {near!r}?"
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
    values = real_axis(given, f"axis {name}")
    kind = np.asarray([*given]).dtype.kind
    return values.astype({"b": bool, "i": int, "u": int}.get(kind, float))


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
    needs = f"the range of {name} needs whole points"
    points = whole_number(given["points"], needs)
    spacing = given.get("spacing", "linear")
    if not 1 <= points <= POINTS:
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
        edges = zip(block, self.block, strict=True)
        return tuple(slice(k * size, (k + 1) * size) for k, size in edges)

    def at(self, place: Block) -> dict[str, Any]:
        """Return the value of every axis at one cell, as plain numbers and words."""
        entries = zip(self.axes.items(), place, strict=True)
        return {name: values[k].item() for (name, values), k in entries}

    def spread(self, number: int) -> Iterator[Block]:
        """Yield places spread evenly over the grid, the first cell and the last among them."""
        chosen = np.linspace(0, self.cells - 1, min(number, self.cells)).round()
        places = np.unravel_index(chosen.astype(int), self.shape)
        yield from zip(*(axis.tolist() for axis in places), strict=True)

    def cut(self, cells: int) -> Grid:
        """Return the grid in blocks of at most `cells` cells, long in the last axes."""
        block = []
        left = max(1, cells)
        for n in reversed(self.shape):
            block.append(min(n, left))
            left = max(1, left // n)
        return Grid(self.names, self.values, tuple(reversed(block)))


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell of a sweep: what its parameters make."""

    # flow and start; no start for a case that only asks for a plane of them
    setup: Setup
    parameters: Parameters  # all of them by name

    @property
    def flow(self) -> Flow:
        """Data, rule and loss."""
        return self.setup.flow

    @property
    def start(self) -> Theta:
        """The start, or a ValueError that says how to give one."""
        if self.setup.theta0 is None:
            raise InputError(
                f"a case needs a start, got none of {', '.join(STARTS)}; e.g. alpha=1"
            )
        return self.setup.theta0

    @cached_property
    def run(self) -> Trajectory:
        """The run to the end that the case names: its first and its last row."""
        given = {k: self.parameters[k] for k in RUN if k in self.parameters}
        return solve(self.flow, self.start, save_at=2, **given)


def loaded(parameters: Mapping[str, Any]) -> Parameters:
    """Return the parameters of a case with its data read, once and not in every cell."""
    check_names(parameters, CASE, "a case")
    found = Parameters(parameters)
    if isinstance(found.get("data"), Data):
        found["z"] = found.pop("data")
    if "csv" not in found:
        return found
    found.check_source()
    data = found.data
    kept = {k: v for k, v in found.items() if k not in ("csv", *TABLE)}
    return Parameters({"split_signs": len(data.z) > 1} | kept, z=data)


def cell(parameters: Mapping[str, Any], changes: Mapping[str, Any]) -> Cell:
    """Return the cell in which some parameters of a case are changed."""
    found = Parameters(parameters)
    for name, value in changes.items():
        _change(found, name, value)
    if changes.get("norm") == "none":  # the other norms of the axis have a radius
        found.pop("rho", None)
    if changes.get("norm", "asam") != "asam":  # and a p is ASAM's alone
        found.pop("p", None)
    check_names([found.get("loss", "logistic")], LOSSES, "the list of losses")
    found.check()
    return Cell(found.setup, found)


def _change(parameters: dict[str, Any], name: str, value: object) -> None:
    """Set one parameter, or one entry of a list."""
    place = _PLACE.fullmatch(name)
    if not place:
        check_names(
            [name],
            VARIABLE,
            "an axis (one of a case's numbers and words, alpha_J, mu_J)",
        )
        parameters[name] = value
        return
    whole = place[1]
    j = int(place[2])
    entries = parameters.get(whole)
    if isinstance(entries, np.ndarray):
        entries = entries.tolist()
    if not isinstance(entries, (list, tuple)) or j > len(entries):
        raise InputError(
            f"axis {name} needs a list {whole} of at least {j}, got {entries}"
        )
    parameters[whole] = [*entries[: j - 1], value, *entries[j:]]
