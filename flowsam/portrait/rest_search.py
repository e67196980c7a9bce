"""Where a planar field rests, and how: off the axes, on them, where l_inf slides, in the origin.

Where the field jumps it may rest in finite time along a direction: an infinite eigenvalue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowsam.engines.two_sides import upper_share
from flowsam.errors import InputError
from flowsam.portrait.area_shares import corners
from flowsam.portrait.plane_fields import STEP, PlaneField
from flowsam.shapes import Axis, Bool, Complex, Float, Point
from flowsam.signatures import public

ZERO = 1e-6  # of the field over the window: an eigenvalue that is none
RING = 180  # directions in which the neighbourhood of a point is looked at
RADIUS = 1e-3  # of the window: the ring whose turning names a point


CELLS = 64  # a side of the lattice on which roots are looked for
_FASTEST = 1e150
NEAR = 1e-9  # of the window: distance to an axis at which one side's field is read


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """A rest point of a planar field.

    Parameters
    ----------
    point : ndarray, shape (2,)
        Where, in the plane's parameters.
    kind : str
        "saddle", "stable node", "unstable node", "stable focus", "unstable focus", "centre";
        "degenerate ..." where an eigenvalue is 0, named by its index (saddle -1, saddle-node 0,
        node +1); "... pseudo-..." where the field is not smooth.
    eigenvalues : ndarray of complex, shape (2,)
        In rescaled time, ascending by real part; -inf: reached in finite time.
    directions : ndarray, shape (2, 2)
        Rows are unit eigenvectors in that order; nan where they are complex or all are.

    Examples
    --------
    >>> Equilibrium(np.zeros(2), "saddle", np.array([-1.0, 1.0]), np.eye(2)).stable.tolist()
    [[1.0, 0.0]]
    """

    point: Point
    kind: str
    eigenvalues: Point | Complex[np.ndarray, "2"]
    directions: Float[np.ndarray, "2 2"]

    @property
    def stable(self) -> Float[np.ndarray, "k 2"]:
        """Directions along which the point attracts."""
        return self.directions[self.eigenvalues.real < 0]


def rests(field: PlaneField, point: Point) -> bool:
    """Tell whether 0 is among Filippov's velocities: no open half-plane holds them all."""
    velocity = _ring(field, point, 1e-6)
    wider = _ring(field, point, 1e-5)
    if np.abs(velocity).max() < 0.2 * np.abs(wider).max():
        return True
    angle = np.sort(np.arctan2(velocity[:, 1], velocity[:, 0]))
    gaps = np.diff(angle, append=angle[0] + 2 * np.pi)
    return bool(gaps.max() <= np.pi)


def classified(field: PlaneField, point: Point) -> Equilibrium:
    """Return a rest point, named by its eigenvalues, or by turning where they are 0 or infinite."""
    slopes = [field.slopes(point, step=STEP / shrink) for shrink in (1, 8, 64)]
    # the largest speed on a coarse lattice of the window, by its side, is the unit of slopes
    least = ZERO * (np.abs(field.grid(8)[2]).max() / field.span)
    first, _, last = (np.abs(slope.diagonal()) for slope in slopes)
    steep = last > 2 * np.maximum(first, least)
    slope = _extrapolated(slopes)
    if steep.any():
        infinite = np.copysign(np.inf, slopes[-1].diagonal())
        values = np.where(steep, infinite, slope.diagonal())
        vectors = np.eye(2)
    else:
        values, columns = np.linalg.eig(slope)
        vectors = np.full((2, 2), np.nan) if np.iscomplexobj(values) else columns.T
    values = np.where(np.abs(values) < least, 0.0, values)
    values.real[np.abs(values.real) < least] = 0.0
    values = values if values.imag.any() else values.real
    order = np.argsort(values.real)
    name = _name(field, point, values[order])
    return Equilibrium(point, name, values[order], vectors[order])


def _extrapolated(slopes: list[np.ndarray]) -> Float[np.ndarray, "2 2"]:
    """Slopes at step 0 from h, h/8, h/64, by Aitken's rule where |w|^(q-1) leaves a power of h."""
    first, second, third = slopes
    last = third - second
    bend = third - 2 * second + first
    left = np.abs(second - first) > 1e-7 * np.abs(slopes).max()
    step = np.divide(last * last, bend, where=left & (bend != 0), out=np.zeros((2, 2)))
    return np.where(left, third - step, first)


def _name(field: PlaneField, point: Point, values: np.ndarray) -> str:
    """Return the kind of a rest point with eigenvalues in ascending order."""
    low, high = values.real
    side = "stable " if high < 0 else "unstable " if low > 0 else ""
    if values.imag.any():
        return f"{side}focus" if low else "centre"
    finite = np.isfinite(values).all()
    if finite and values.all():
        return "saddle" if low < 0 < high else f"{side}node"
    word = _word_by_turning(field, point)
    side = side if word == "node" else ""
    zero = "" if values.all() else "degenerate "
    return f"{zero}{side}{'' if finite else 'pseudo-'}{word}"


def _word_by_turning(field: PlaneField, point: Point) -> str:
    """Return "saddle", "saddle-node" or "node" for the turns the field makes around a point."""
    velocity = _ring(field, point, RADIUS)
    angle = np.arctan2(velocity[:, 1], velocity[:, 0])
    angle = np.unwrap([*angle, angle[0]])
    index = round(float(angle[-1] - angle[0]) / (2 * np.pi))
    known = {-1: "saddle", 0: "saddle-node", 1: "node"}
    return known.get(index, f"point of index {index}")


def _ring(
    field: PlaneField,
    point: Point,
    radius: float,
) -> Float[np.ndarray, "r 2"]:
    """The velocities around a point, off the axes."""
    angle = 2 * np.pi * (np.arange(RING) + 0.37) / RING
    outward = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return field.velocity(point + radius * field.span * outward)


@public
def equilibria(field: PlaneField) -> tuple[Equilibrium, ...]:
    """Return the rest points of a planar field in its window, classified.

    Roots of `PlaneField.gate` off the axes from a lattice of 64 x 64 cells, roots of the sliding
    or invariant velocity along each axis, and the origin: closer pairs than a cell may be missed.

    Parameters
    ----------
    field : PlaneField
        Any rule but l_1; l_inf with one example.

    Returns
    -------
    tuple of Equilibrium
        From left to right, then upwards. Error of points about 1e-12, of eigenvalues 1e-9.

    Raises
    ------
    ValueError
        For rules that jump off the axes, see `checked_rule`, or a flow that leaves the plane.

    Notes
    -----
    Derivations: derivations/linf_two_layer.py, derivations/l2_critical_scale.py,
    derivations/l2_deep.py.

    Examples
    --------
    >>> from flowsam import Flow, layer_plane, linf, single_example
    >>> field = PlaneField(Flow(single_example([2.0]), linf(1)), layer_plane, (-3, 3), (-3, 3))
    >>> for point in equilibria(field):
    ...     print(point.point.round(9).tolist(), point.kind, point.eigenvalues.round(9).tolist())
    [-1.0, -1.0] saddle [-2.0, 2.0]
    [0.0, 0.0] stable pseudo-node [-inf, -inf]
    [1.0, 1.0] saddle [-2.0, 2.0]
    """
    checked_rule(field)
    places = [*_off_axes(field), *_on_axis(field, 0), *_on_axis(field, 1)]
    origin = np.zeros(2)
    if field.inside(origin) and rests(field, origin):
        places.append(origin)
    apart: list[np.ndarray] = []
    for place in sorted(places, key=tuple):
        if all(np.abs(place - other).max() > 1e-6 * field.span for other in apart):
            apart.append(place)
    return tuple(classified(field, place) for place in apart)


def checked_rule(field: PlaneField) -> None:
    """Refuse rules that jump elsewhere than on the axes: l_1, and l_inf with several examples."""
    flow = field.flow
    if not field.case.regime.smooth_off_axes:
        raise InputError(
            f"equilibria and nullclines need a field that jumps on the axes only, got "
            f"{flow.describe()}; take 1 < p < inf, or l_inf with one example"
        )
    corners = field.velocity(np.stack(np.meshgrid(field.x, field.y), axis=-1))
    if np.abs(corners).max() > _FASTEST:
        raise InputError(
            f"equilibria and nullclines need velocities up to {_FASTEST:g}, whose squares are "
            "doubles; take a smaller window, or scale the data down"
        )


def across(
    field: PlaneField,
    axis: int,
    along: Axis,
) -> tuple[Float[np.ndarray, "2 n 2"], Axis, Bool[np.ndarray, " n"]]:
    """Return what the field does on a line `coordinate[axis] = 0`."""
    sides = field.velocity(_beside(field, axis, along))
    above, below = sides[..., axis]
    slides = (above < 0) & (below > 0)
    share = upper_share(above, below, where=slides, other=0.5)
    return sides, share, slides


def _beside(field: PlaneField, axis: int, along: Axis) -> Float[np.ndarray, "2 n 2"]:
    """Points just above and just below an axis."""
    points = np.zeros((2, along.size, 2))
    points[..., 1 - axis] = along
    points[..., axis] = NEAR * field.span * np.array([[1.0], [-1.0]])
    return points


def _off_axes(field: PlaneField) -> Iterator[np.ndarray]:
    """Roots of the gate inside the quadrants, one search a cell whose corners change sign."""
    from scipy.optimize import root

    tiny = 1e-7 * field.span
    low, high = np.array([field.x, field.y]).T
    edges = np.linspace(low, high, CELLS + 1)
    edges = np.where(np.abs(edges) < tiny, tiny, edges)
    size = edges[1] - edges[0]
    ends = corners(field.gate(np.stack(np.meshgrid(*edges.T), axis=-1)))
    open_ = ((ends.min(axis=0) <= 0) & (ends.max(axis=0) >= 0)).all(axis=-1)
    for row, column in np.argwhere(open_):
        middle = edges[[column, row], [0, 1]] + size / 2
        place = root(field.gate, middle, options={"xtol": 1e-14}).x
        near = np.abs(place - middle) <= 1.5 * size
        off = np.abs(place) > 1e-6 * field.span
        least = 1e-9 * np.abs(ends[:, row, column]).max()
        rests = np.abs(field.gate(place)).max() <= least
        if near.all() and off.all() and rests and field.inside(place):
            yield place


def _on_axis(field: PlaneField, axis: int) -> Iterator[np.ndarray]:
    """Roots of the velocity along an axis, where it slides or never leaves the axis."""
    from scipy.optimize import brentq

    low, high = (field.x, field.y)[1 - axis]
    if not field.meets(axis):
        return
    along = low + (np.arange(8 * CELLS) + 0.37) * (high - low) / (8 * CELLS)

    def tangent(place: Any) -> Axis:
        place = np.atleast_1d(place)
        _, share, _ = across(field, axis, place)
        above, below = field.gate(_beside(field, axis, place))[..., 1 - axis]
        return share * above + (1 - share) * below

    sides, _, slides = across(field, axis, along)
    fast = np.abs(sides).max()
    still = slides | (np.abs(sides[..., axis]) < 1e-6 * fast).all(axis=0)
    speed = tangent(along)
    turns = still[1:] & still[:-1] & (speed[1:] * speed[:-1] < 0)
    for k in np.flatnonzero(turns):
        ends = (along[k], along[k + 1])
        place = brentq(lambda s: tangent(s)[0], *ends, xtol=1e-14)
        jumps = np.abs(tangent(place)[0]) > 1e-6 * np.abs(speed).max()
        if not jumps and abs(place) > 1e-6 * field.span:
            yield np.insert(np.array([place]), axis, 0.0)
