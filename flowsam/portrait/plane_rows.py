"""How a plane of starts is worked through: blocks of rows, scattered points, limits and times."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.outcomes import limits
from flowsam.portrait.own_plane import as_plane
from flowsam.portrait.planes import BalancedPlane, Plane, Starts
from flowsam.regimes import Case, case_of
from flowsam.shapes import Axis, Bool, Codes, Column, Float, Int, LabelGrid

ROWS = 2**14  # rows decided at once where a few cells of each decide all
WRITTEN = 2**19  # cells of such rows that are written out at once
# the most cells worked on at once: the arrays of a block stay in the cache
BLOCK = 2**17
SECONDS = 1.0  # of work between two reports, where one cell takes less


def plane_of(flow: Flow, start: Callable[..., Any] | None, depth: int) -> Plane:
    """Return a plane of starts, by default that of balanced ones, or say why there is none."""
    if start is not None:
        return as_plane(start)
    d = flow.data.z.shape[1]
    if d != 2:
        raise InputError(
            f"the default plane needs d = 2, got d = {d}; pass start= (layer_plane for d = 1)"
        )
    return BalancedPlane(depth)


def checked_depth(flow: Flow, start: Plane, axes: tuple[Axis, Axis], depth: int) -> int:
    """Return the layers of a plane of starts, or say what is wrong with it or with `depth`."""
    x, y = axes
    layers = flow.checked(start.starts(x, y[:1])).shape[-2]
    if depth not in (2, layers):
        raise InputError(
            f"depth is for the default plane, got {depth} and a start of {layers} layers; leave "
            "it out"
        )
    return layers


def at_boundary(labels: LabelGrid) -> Bool[np.ndarray, "ny nx"]:
    """Return which cells have a neighbour of another label."""
    edge = np.zeros(labels.shape, dtype=bool)
    across = labels[:, 1:] != labels[:, :-1]
    along = labels[1:] != labels[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= along
    edge[:-1] |= along
    return edge


def labels_by_rows(
    case: Case,
    start: Plane,
    axes: tuple[Axis, Axis],
    progress: Callable[[int], object],
) -> tuple[LabelGrid, int]:
    """Return the labels of a plane, and how many rows were finished before an interrupt."""
    labels = np.empty((axes[1].size, axes[0].size), np.int16)
    finished = 0
    cells = labels.ravel()
    try:
        for first, found in labelled_pieces(case, start, axes):
            cells[first : first + found.size] = found
            finished = (first + found.size) // axes[0].size
            progress(found.size)
    except KeyboardInterrupt:
        labels[finished:] = Label.UNDECIDED
    return labels, finished


def labelled_pieces(
    case: Case,
    start: Plane,
    axes: tuple[Axis, Axis],
) -> Iterator[tuple[int, Int[np.ndarray, " _"]]]:
    """Yield the number of a piece's first cell and its labels, int16, each about `SECONDS`."""
    x, y = axes
    flow = case.flow
    decided = case.on("rows", start.kind)
    if decided:
        yield from _decided_pieces(decided, flow, start, axes)
        return
    size = 1 if flow.data.z.shape[0] > 1 else min(x.size, BLOCK)
    row = 0
    while row < y.size:
        rows = y[row : row + max(1, size // x.size)]
        here, starts = _block(flow, start, x, rows)
        cells = starts.reshape(-1, *starts.shape[-2:])
        first = row * x.size
        while len(cells):
            begun = time.perf_counter()
            found = limits(here, cells[:size]).astype("<i2")
            spent = time.perf_counter() - begun
            yield first, found
            first = first + found.size
            cells = cells[size:]
            growth = min(8.0, SECONDS / max(spent, 1e-9))
            size = int(min(max(1, growth * found.size), BLOCK))
        row = first // x.size


def _decided_pieces(
    decided: Callable[..., Any],
    flow: Flow,
    start: Plane,
    axes: tuple[Axis, Axis],
) -> Iterator[tuple[int, Int[np.ndarray, " _"]]]:
    """Decide many rows together; write them out a few at a time."""
    x, y = axes
    few = max(1, WRITTEN // x.size)
    for row in range(0, y.size, ROWS):
        write = decided(flow, start, x, y[row : row + ROWS])
        for first in range(row, min(row + ROWS, y.size), few):
            found = write(slice(first - row, first - row + few))
            yield first * x.size, found.ravel().astype("<i2", copy=False)


def _block(flow: Flow, start: Plane, x: Axis, y: Axis) -> tuple[Flow, Starts]:
    """Return the flow and the starts that have the labels of the first rows, one at least."""
    if _only_ratio_counts(flow, start, y):
        return start.flow_at(flow, 1.0), start.starts(x, y) / y[:, None, None, None]
    some = y[:1] if start.varies else y
    return start.flow_at(flow, float(y[0])), start.starts(x, some)


def _only_ratio_counts(flow: Flow, start: Plane, radii: Axis) -> bool:
    """Whether the limits of a plane over radii depend on theta / rho alone."""
    if start.kind != "radius" or not (radii > 0).all():
        return False
    layers = start.starts(np.ones(1), np.ones(1)).shape[-2]
    return case_of(flow, layers).regime.scale_free


def labels_at(flow: Flow, start: Plane, x: Column, y: Column) -> Codes:
    """Return the labels of scattered points of a plane."""
    if _only_ratio_counts(flow, start, y):
        return limits(start.flow_at(flow, 1.0), start.at(x, y)[0] / y[:, None, None])
    if not start.varies:
        return limits(flow, start.at(x, y)[0])
    found = np.empty(x.size, dtype=np.int64)
    for value in np.unique(y):
        row = np.flatnonzero(y == value)
        here = start.flow_at(flow, float(value))
        found[row] = limits(here, start.starts(x[row], np.array([value]))[0])
    return found


def settled_rows(
    flow: Flow,
    plane: Plane,
    axes: tuple[Axis, Axis],
) -> Float[np.ndarray, "ny nx"]:
    """Return the rescaled time of collapse or blow-up over a plane."""
    x, y = axes
    rows = 1 if plane.varies else max(1, BLOCK // x.size)
    found = []
    for first in range(0, y.size, rows):
        some = y[first : first + rows]
        here = plane.flow_at(flow, float(some[0]))
        found.append(settling(here, plane.starts(x, some)))
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
