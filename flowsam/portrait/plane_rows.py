"""How a plane of starts is worked through: blocks of rows, scattered points, and their limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.outcomes import limits
from flowsam.portrait.planes import BalancedPlane, Plane, RadiusPlane
from flowsam.regimes import Case, case_of
from flowsam.shapes import Bool, Float, Int

__all__ = [
    "at_boundary",
    "case_on",
    "checked_start",
    "default_plane",
    "labelled_pieces",
    "labels_at",
    "labels_by_rows",
    "starts_of",
]

Axis = Float[np.ndarray, " _"]
Starts = Float[np.ndarray, "ny nx L d"]
Start = Callable[..., Starts]
ROWS = 2**14  # rows decided at once where a few cells of each decide all
WRITTEN = 2**19  # cells of such rows that are written out at once
# the most cells worked on at once: the arrays of a block stay in the cache
BLOCK = 2**17
SECONDS = 1.0  # of work between two reports, where one cell takes less


def default_plane(d: int, depth: int) -> BalancedPlane:
    """Return the plane of balanced starts, or say why there is none."""
    if d != 2:
        raise InputError(
            f"the default plane needs d = 2, got d = {d}; pass start= (layer_plane for d = 1)"
        )
    return BalancedPlane(depth)


def checked_start(flow: Flow, start: Start, x: Axis, y: Axis) -> tuple[int, ...]:
    """Return the shape of one row of starts, or say what is wrong with the plane."""
    return flow.checked(starts_of(start, x, y[:1])).shape


def starts_of(start: Start, x: Axis, y: Axis) -> Starts:
    """Return the starts of a block of rows, or say what else the plane's function returned."""
    starts = np.asarray(start(x[None], y[:, None]))
    if starts.ndim != 4 or starts.shape[:2] != (y.size, x.size):
        raise InputError(
            f"start needs to return (ny, nx, L, d) = ({y.size}, {x.size}, L, d) for x "
            f"(1, {x.size}) and y ({y.size}, 1), got {starts.shape}; broadcast x against y"
        )
    return starts


def at_boundary(labels: Int[np.ndarray, "ny nx"]) -> Bool[np.ndarray, "ny nx"]:
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
    flow: Flow, start: Start, axes: tuple[Axis, Axis], progress: Callable[[int], object]
) -> tuple[Int[np.ndarray, "ny nx"], int]:
    """Return the labels of a plane, and how many rows were finished before an interrupt."""
    labels = np.empty((axes[1].size, axes[0].size), np.int16)
    finished = 0
    cells = labels.ravel()
    try:
        for first, found in labelled_pieces(flow, start, axes):
            cells[first : first + found.size] = found
            finished = (first + found.size) // axes[0].size
            progress(found.size)
    except KeyboardInterrupt:
        labels[finished:] = Label.UNDECIDED
    return labels, finished


def labelled_pieces(
    flow: Flow, start: Start, axes: tuple[Axis, Axis]
) -> Iterator[tuple[int, Int[np.ndarray, " _"]]]:
    """Yield the number of a piece's first cell and its labels, int16, each about `SECONDS`."""
    x, y = axes
    decided = case_on(flow, start, x, y).on("rows", start)
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


def case_on(flow: Flow, start: Start, x: Axis, y: Axis) -> Case:
    """Return the row of the table for the starts of a plane."""
    return case_of(flow, starts_of(start, x, y[:1]).shape[-2])


def _decided_pieces(
    decided: Callable[..., Any], flow: Flow, start: Start, axes: tuple[Axis, Axis]
) -> Iterator[tuple[int, Int[np.ndarray, " _"]]]:
    """Decide many rows together; write them out a few at a time."""
    x, y = axes
    few = max(1, WRITTEN // x.size)
    for row in range(0, y.size, ROWS):
        write = decided(flow, start, x, y[row : row + ROWS])
        for first in range(row, min(row + ROWS, y.size), few):
            found = write(slice(first - row, first - row + few))
            yield first * x.size, found.ravel().astype("<i2", copy=False)


def _block(flow: Flow, start: Start, x: Axis, y: Axis) -> tuple[Flow, Starts]:
    """Return the flow and the starts that have the labels of the first rows, one at least."""
    if isinstance(start, RadiusPlane) and _only_ratio_counts(
        flow, len(np.asarray(start.theta)), y
    ):
        return start.flow_at(flow, 1.0), starts_of(start, x, y) / y[:, None, None, None]
    if hasattr(start, "flow_at"):
        return start.flow_at(flow, float(y[0])), starts_of(start, x, y[:1])
    return flow, starts_of(start, x, y)


def _only_ratio_counts(flow: Flow, depth: int, radii: Axis) -> bool:
    """Whether the limit depends on theta / rho alone."""
    return case_of(flow, depth).regime.scale_free and bool((radii > 0).all())


def labels_at(
    flow: Flow, start: Start, x: Float[np.ndarray, " N"], y: Float[np.ndarray, " N"]
) -> Int[np.ndarray, " N"]:
    """Return the labels of scattered points of a plane."""
    if isinstance(start, RadiusPlane) and _only_ratio_counts(
        flow, len(np.asarray(start.theta)), y
    ):
        return limits(start.flow_at(flow, 1.0), start.at(x, y)[0] / y[:, None, None])
    if not hasattr(start, "flow_at"):
        return limits(flow, _scattered(start, x, y))
    found = np.empty(x.size, dtype=np.int64)
    for value in np.unique(y):
        row = np.flatnonzero(y == value)
        here = start.flow_at(flow, float(value))
        found[row] = limits(here, starts_of(start, x[row], np.array([value]))[0])
    return found


def _scattered(
    start: Start, x: Float[np.ndarray, " N"], y: Float[np.ndarray, " N"]
) -> Float[np.ndarray, "N L d"]:
    """Starts of scattered points; a function of the user's gets rows, as in a grid."""
    if isinstance(start, Plane):
        return start.at(x, y)[0]
    order = np.argsort(y, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(y[order])) + 1)
    starts = np.concatenate([starts_of(start, x[row], y[row[:1]])[0] for row in rows])
    return starts[np.argsort(order)]
