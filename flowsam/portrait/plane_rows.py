"""How a plane of starts is worked through: blocks of rows, scattered points, and their limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike

from flowsam.flow import Flow
from flowsam.inputs import real_array
from flowsam.labels import Label
from flowsam.outcomes import limits
from flowsam.portrait.planes import BalancedPlane, Plane, RadiusPlane

__all__ = [
    "at_boundary",
    "checked_axis",
    "checked_start",
    "default_plane",
    "labelled_blocks",
    "labels_at",
    "labels_by_rows",
]

Axis = Float[np.ndarray, " _"]
Starts = Float[np.ndarray, "ny nx L d"]
Start = Callable[..., Starts]
BLOCK = 2**17  # cells worked on at once: the arrays of a block stay in the cache
INTEGRATED = 2**15  # the same where paths are followed, and an interrupt loses a block


def default_plane(d: int, depth: int) -> BalancedPlane:
    """Return the plane of balanced starts, or say why there is none."""
    if d != 2:
        raise ValueError(
            f"the default plane needs d = 2, got d = {d}; pass start= (layer_plane for d = 1)"
        )
    return BalancedPlane(depth)


def checked_axis(values: ArrayLike, name: str) -> Float[np.ndarray, " _"]:
    """Return one axis of a plane, or say what is wrong with it."""
    values = real_array(values, name)
    if values.ndim != 1 or not values.size:
        raise ValueError(
            f"{name} needs shape (n,) with n >= 1, got {values.shape}; pass a flat list"
        )
    return values


def checked_start(flow: Flow, start: Start, x: Axis, y: Axis) -> tuple[int, ...]:
    """Return the shape of one row of starts, or say what is wrong with the plane."""
    first = flow.checked(start(x[None, :], y[:1, None]))
    if first.ndim != 4 or first.shape[:2] != (1, x.size):
        raise ValueError(
            f"start needs to return (ny, nx, L, d) = (1, {x.size}, L, d), got {first.shape}"
        )
    return first.shape


def at_boundary(labels: Int[np.ndarray, "ny nx"]) -> Bool[np.ndarray, "ny nx"]:
    """Return which cells have a neighbour of another label.

    Examples
    --------
    >>> at_boundary(np.array([[0, 0, 2, 2]]))
    array([[False,  True,  True, False]])
    """
    edge = np.zeros(labels.shape, dtype=bool)
    across, along = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= along
    edge[:-1] |= along
    return edge


def labels_by_rows(
    flow: Flow, start: Start, axes: tuple[Axis, Axis], progress: Callable[[int], object]
) -> tuple[Int[np.ndarray, "ny nx"], int]:
    """Return the labels of a plane, and how many rows were finished before an interrupt.

    Parameters
    ----------
    flow : Flow
        Data, rule and loss; a plane with `flow_at` changes it from row to row.
    start : callable
        The plane.
    axes : tuple of ndarray
        x (nx,) and y (ny,).
    progress : callable
        Told the number of cells of each finished block.

    Returns
    -------
    labels : ndarray of int16, shape (ny, nx)
        UNDECIDED in unfinished rows.
    finished : int
        Rows finished, from the first: fewer than ny after a KeyboardInterrupt.
    """
    labels, finished = np.full((axes[1].size, axes[0].size), Label.UNDECIDED, np.int16), 0
    try:
        for rows, here, starts in _blocks(flow, start, axes):
            labels[rows] = limits(here, starts)
            finished = rows.stop
            progress(starts.shape[0] * starts.shape[1])
    except KeyboardInterrupt:
        labels[finished:] = Label.UNDECIDED
    return labels, finished


def labelled_blocks(
    flow: Flow, start: Start, axes: tuple[Axis, Axis]
) -> Iterator[Int[np.ndarray, "ny nx"]]:
    """Yield the labels of a plane, int16, block of rows after block of rows."""
    for _, here, starts in _blocks(flow, start, axes):
        yield limits(here, starts).astype("<i2")


def _blocks(
    flow: Flow, start: Start, axes: tuple[Axis, Axis]
) -> Iterator[tuple[slice, Flow, Starts]]:
    """Yield slices of rows with the flow and the starts that have their labels."""
    x, y = axes
    rule = flow.perturbation
    by_radius = isinstance(start, RadiusPlane) and _only_ratio_counts(flow, y)
    rows = max(1, (BLOCK if rule.normalised and math.isinf(rule.p) else INTEGRATED) // x.size)
    for first in range(0, y.size, rows):
        chosen = slice(first, min(first + rows, y.size))
        column = y[chosen, None]
        if by_radius:
            starts = start(x[None], column) / column[..., None, None]
            yield chosen, start.flow_at(flow, 1.0), starts
        elif hasattr(start, "flow_at"):
            for k in range(chosen.start, chosen.stop):
                row = slice(k, k + 1)
                yield row, start.flow_at(flow, float(y[k])), start(x[None], y[row, None])
        else:
            yield chosen, flow, start(x[None], column)


def _only_ratio_counts(flow: Flow, radii: Axis) -> bool:
    """Whether the limit depends on theta / rho alone: one example, a normalised rule."""
    return flow.data.z.shape[0] == 1 and flow.perturbation.normalised and bool((radii > 0).all())


def labels_at(
    flow: Flow, start: Start, x: Float[np.ndarray, " N"], y: Float[np.ndarray, " N"]
) -> Int[np.ndarray, " N"]:
    """Return the labels of scattered points of a plane.

    Parameters
    ----------
    flow : Flow
        Data, rule and loss.
    start : callable
        The plane.
    x, y : ndarray, shape (N,)

    Returns
    -------
    ndarray of int, shape (N,)

    Examples
    --------
    >>> from flowsam import linf, single_example
    >>> flow = Flow(single_example([1, 2]), linf(1))
    >>> labels_at(flow, BalancedPlane(2), np.array([0.5, 1.5]), np.array([0.5, 0.5]))
    array([0, 1])
    """
    if isinstance(start, RadiusPlane) and _only_ratio_counts(flow, y):
        return limits(start.flow_at(flow, 1.0), start.at(x, y)[0] / y[:, None, None])
    if not hasattr(start, "flow_at"):
        return limits(flow, _scattered(start, x, y))
    found = np.empty(x.size, dtype=np.int64)
    for value in np.unique(y):
        row = np.flatnonzero(y == value)
        here = start.flow_at(flow, float(value))
        found[row] = limits(here, start(x[None, row], np.array([[value]]))[0])
    return found


def _scattered(
    start: Start, x: Float[np.ndarray, " N"], y: Float[np.ndarray, " N"]
) -> Float[np.ndarray, "N L d"]:
    """Starts of scattered points; a function of the user's gets rows, as in a grid."""
    if isinstance(start, Plane):
        return start.at(x, y)[0]
    order = np.argsort(y, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(y[order])) + 1)
    starts = np.concatenate([start(x[None, row], y[row[:1], None])[0] for row in rows])
    return starts[np.argsort(order)]
