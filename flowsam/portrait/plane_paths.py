"""Trajectories on a plane the flow never leaves, as far as a window shows them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.inputs import real_array
from flowsam.portrait.plane_fields import PlaneField
from flowsam.shapes import Float
from flowsam.signatures import public
from flowsam.solver import solve

__all__ = ["ROWS", "paths"]

Curve = Float[np.ndarray, "_ 2"]
ROWS = 400  # rows of a drawn path


@public
def paths(field: PlaneField, points: ArrayLike) -> tuple[Curve, ...]:
    """Return the trajectories from points of a plane, as far as the window.

    Each is solved as `solve` does: exactly where a closed form exists, with Filippov's sliding.

    Parameters
    ----------
    field : PlaneField
        A balanced plane or a plane of two weights, one example.
    points : array_like, shape (k, 2)
        Where they begin, inside the window.

    Returns
    -------
    tuple of ndarray, shape (m, 2)
        In order of time; a path that comes to rest ends there.

    Raises
    ------
    ValueError
        For points outside the window, or another plane.

    Examples
    --------
    >>> from flowsam import Flow, layer_plane, linf, single_example
    >>> field = PlaneField(Flow(single_example([1.0]), linf(1)), layer_plane, (-3, 3), (-3, 3))
    >>> paths(field, [[0.5, 0.7]])[0][-1].tolist()
    [0.0, 0.0]
    """
    points = np.atleast_2d(real_array(points, "points"))
    if points.shape[1:] != (2,):
        raise InputError(f"paths begin at points (k, 2), got {points.shape}")
    if not field.plane.affine:
        raise InputError(
            f"paths are read back on balanced and weight planes, got {field.plane.title}; "
            "solve follows any start"
        )
    if not field.inside(points).all():
        outside = points[~field.inside(points)][0].tolist()
        raise InputError(
            f"paths begin inside the window, got {outside}; move it or widen x and y"
        )
    return tuple(_path(field, point) for point in points)


def _path(field: PlaneField, point: Float[np.ndarray, "2"]) -> Curve:
    """One trajectory: its end is looked for first, so that its rows lie in the window."""
    theta = field.lift(point)
    speed = np.abs(field.velocity(point)).max()
    end = 0.25 * field.span / speed if speed > 0 else 1.0
    curve = point[None]
    for _ in range(16):
        run = solve(field.flow, theta, tau_end=end, save_at=ROWS)
        curve = _flat(field, run.theta[np.isfinite(run.theta).all(axis=(1, 2))])
        out = ~field.inside(curve)
        moving = np.abs(curve[-1] - curve[-2]).max() > 1e-4 * field.span / ROWS
        if run.status == "escaped" or out.any() or not moving:
            break
        end *= 2
    if out.any():  # one row beyond the window, so that the line reaches its edge
        if out.argmax() < ROWS // 2:
            run = solve(field.flow, theta, tau_end=run.tau[out.argmax()], save_at=ROWS)
            curve = _flat(field, run.theta)
        else:
            curve = curve[: out.argmax() + 1]
    last = np.flatnonzero(np.abs(curve - curve[-1]).max(axis=1) > 1e-6 * field.span)
    return curve[: last.max(initial=0) + 2]


def _flat(field: PlaneField, theta: Float[np.ndarray, "T L d"]) -> Curve:
    """Return the parameters of states on an affine plane."""
    zeros = np.zeros((len(theta), 2))
    return field.coordinates(zeros, theta - field.lift(zeros))
