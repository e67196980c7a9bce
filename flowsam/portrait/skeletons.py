"""What organises a planar field: trajectories, nullclines, separatrices, sliding segments."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from contourpy import contour_generator
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.portrait.plane_fields import PlaneField
from flowsam.portrait.rest_search import Equilibrium, across, checked_rule, equilibria
from flowsam.portrait.theory_curves import boundaries
from flowsam.shapes import Curve, Curves, Float, Point
from flowsam.signatures import public
from flowsam.solver import solve
from flowsam.trajectory import Trajectory

LATTICE = 129  # points a side of a quadrant, for nullclines
OFF = 1e-6  # of the window: where a manifold leaves its saddle
ROWS = 400  # rows of a drawn path


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A planar field and what organises it, ready to be drawn.

    Parameters
    ----------
    window : tuple of (float, float)
        Ends of x and of y.
    x, y : ndarray, shape (n,)
        Lattice of the arrows.
    velocity : ndarray, shape (n, n, 2)
    equilibria : tuple of Equilibrium
    nullclines, separatrices, sliding : tuple of (str, ndarray of shape (m, 2))
        Names and curves.
    paths : tuple of ndarray, shape (m, 2)
        Trajectories, in order of time.
    """

    window: tuple[tuple[float, float], tuple[float, float]]
    x: Float[np.ndarray, " n"]
    y: Float[np.ndarray, " n"]
    velocity: Float[np.ndarray, "n n 2"]
    equilibria: tuple[Equilibrium, ...]
    nullclines: Curves
    separatrices: Curves
    sliding: Curves
    paths: tuple[Curve, ...]


@public
def skeleton(
    field: PlaneField,
    *,
    starts: ArrayLike = (),
    columns: int = 24,
) -> Skeleton:
    """Return all of it for one field.

    Parameters
    ----------
    field : PlaneField
        Any rule but l_1.
    starts : array_like, shape (k, 2)
        Where trajectories begin.
    columns : int
        Arrows a side.

    Returns
    -------
    Skeleton

    Examples
    --------
    >>> from flowsam import Flow, layer_plane, linf, single_example
    >>> field = PlaneField(Flow(single_example([1.0]), linf(1)), layer_plane, (-3, 3), (-3, 3))
    >>> found = skeleton(field, starts=[[0.5, 0.7]])
    >>> len(found.equilibria), len(found.sliding), [name for name, _ in found.separatrices]
    (3, 2, ['separatrix', 'separatrix'])
    """
    points = equilibria(field)
    x, y, velocity = field.grid(columns)
    runs = paths(field, starts) if np.size(starts) else ()
    lines = (nullclines(field), separatrices(field, points), sliding(field))
    return Skeleton((field.x, field.y), x, y, velocity, points, *lines, runs)


def nullclines(field: PlaneField) -> Curves:
    """Return the level curves "x' = 0", "y' = 0" of `gate`, quadrant by quadrant."""
    checked_rule(field)
    found: list[tuple[str, np.ndarray]] = []
    for x, y in _quadrants(field):
        values = field.gate(np.stack(np.meshgrid(x, y), axis=-1))
        for k, name in enumerate(("x' = 0", "y' = 0")):
            lines: Any = contour_generator(x, y, values[..., k]).lines(0.0)
            found += [(name, line) for line in lines]
    return tuple(found)


def _quadrants(field: PlaneField) -> Iterator[tuple[np.ndarray, ...]]:
    """Lattices that the axes do not cut."""
    tiny = 1e-9 * field.span
    pieces = []
    for low, high in (field.x, field.y):
        middle = [-tiny, tiny] if low < 0 < high else []
        cuts = [low or tiny, *middle, high or -tiny]
        ends = zip(cuts[::2], cuts[1::2], strict=True)
        pieces.append([np.linspace(a, b, LATTICE) for a, b in ends])
    return itertools.product(*pieces)


def separatrices(
    field: PlaneField,
    points: tuple[Equilibrium, ...],
) -> Curves:
    """Return the curves between regions: theory's where there are, else stable manifolds."""
    ends = (np.array(field.x), np.array(field.y))
    known = boundaries(field.case, field.plane, *ends)
    return known or stable_manifolds(field, points)


def stable_manifolds(field: PlaneField, points: tuple[Equilibrium, ...]) -> Curves:
    """Return both branches of the stable manifold of each saddle with two non-zero eigenvalues."""
    branches = (
        _backwards(field, p.point, side * direction)
        for p in points
        if p.kind in ("saddle", "pseudo-saddle")
        for direction in p.stable
        for side in (-1, 1)
    )
    return tuple(("stable manifold", curve) for curve in branches if len(curve) > 2)


def _backwards(field: PlaneField, point: np.ndarray, direction: np.ndarray) -> Curve:
    """Follow the flow back in time by arc length from beside a point to the window's edge."""
    from scipy.integrate import solve_ivp

    first = point + OFF * field.span * direction
    if not field.inside(first):
        return first[None]

    def back(_: float, place: Point) -> Point:
        velocity = field.velocity(place)
        return -velocity / np.hypot(*velocity)

    def leaves(_: float, place: Point) -> float:
        low, high = np.array([field.x, field.y]).T
        return float(np.minimum(place - low, high - place).min() + 1e-3 * field.span)

    def rests(_: float, place: Point) -> float:
        return float(np.abs(field.velocity(place)).max() - slow)

    for ends in (leaves, rests):
        setattr(ends, "terminal", True)  # noqa: B010 - SciPy's way
    slow = np.abs(field.velocity(first)).max() / 4
    how = {"method": "DOP853", "rtol": 1e-9, "atol": 1e-10, "dense_output": True}
    run = solve_ivp(back, (0, 4 * field.span), first, events=(leaves, rests), **how)
    lengths = np.linspace(0, run.t[-1], max(2, round(run.t[-1] / field.span * ROWS)))
    return np.vstack([point, run.sol(lengths).T])


def sliding(field: PlaneField) -> Curves:
    """Return the segments of the axes on which l_inf slides, Filippov's solution staying there."""
    axes = (0, 1) if field.case.regime.slides else ()
    return tuple(
        ("sliding", np.insert(ends[:, None], axis, 0.0, axis=1))
        for axis in axes
        if field.meets(axis)
        for ends in _sliding_ends(field, axis)
    )


def _sliding_ends(field: PlaneField, axis: int) -> Float[np.ndarray, "k 2"]:
    """Ends of the sliding pieces of one axis, by bisection between the points of a lattice."""
    low, high = (field.x, field.y)[1 - axis]
    # an even number: the middle is no point
    along = np.linspace(low, high, 8 * LATTICE)
    slides = across(field, axis, along)[2]
    before = np.flatnonzero(slides[1:] != slides[:-1])
    a = along[before]
    b = along[before + 1]
    for _ in range(30 if before.size else 0):
        middle = (a + b) / 2
        same = across(field, axis, middle)[2] == slides[before]
        a = np.where(same, middle, a)
        b = np.where(same, b, middle)
    first = [low] if slides[0] else []
    last = [high] if slides[-1] else []
    return np.array([*first, *(a + b) / 2, *last]).reshape(-1, 2)


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
    points = np.atleast_2d(points)
    if points.shape[1:] != (2,):
        raise InputError(f"paths begin at points (k, 2), got {points.shape}")
    if not field.plane.affine:
        raise InputError(
            f"paths are read back on balanced and weight planes, got "
            f"{type(field.start).__name__}; "
            "solve follows any start"
        )
    if not field.inside(points).all():
        outside = points[~field.inside(points)][0].tolist()
        raise InputError(
            f"paths begin inside the window, got {outside}; move it or widen x and y"
        )
    return tuple(_path(field, point) for point in points)


def _path(field: PlaneField, point: Point) -> Curve:
    """One trajectory: its end is looked for first, so that its rows lie in the window."""

    def rows(end: float) -> Trajectory:
        return solve(field.flow, field.lift(point), tau_end=end, save_at=ROWS)

    speed = np.abs(field.velocity(point)).max()
    end = 0.25 * field.span / speed if speed > 0 else 1.0
    for _ in range(16):
        run = rows(end)
        curve = _flat(field, run.theta[np.isfinite(run.theta).all(axis=(1, 2))])
        out = ~field.inside(curve)
        moving = np.abs(curve[-1] - curve[-2]).max() > 1e-4 * field.span / ROWS
        if run.status == "escaped" or out.any() or not moving:
            break
        end *= 2
    first = int(out.argmax())
    if (
        first >= ROWS // 2
    ):  # one row beyond the window, so that the line reaches its edge
        curve = curve[: first + 1]
    elif out.any():
        curve = _flat(field, rows(run.tau[first]).theta)
    last = np.flatnonzero(np.abs(curve - curve[-1]).max(axis=1) > 1e-6 * field.span)
    return curve[: last.max(initial=0) + 2]


def _flat(field: PlaneField, theta: Float[np.ndarray, "T L d"]) -> Curve:
    """Return the parameters of states on an affine plane."""
    zeros = np.zeros((len(theta), 2))
    return field.coordinates(zeros, theta - field.lift(zeros))
