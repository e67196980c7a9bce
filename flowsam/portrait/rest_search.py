"""Where a planar field rests: off the axes, on the axes, where l_inf slides, and in the origin."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from flowsam.engines.two_sides import upper_share
from flowsam.errors import InputError
from flowsam.portrait.plane_fields import PlaneField
from flowsam.portrait.rest_points import Equilibrium, classified, rests
from flowsam.shapes import Bool, Float
from flowsam.signatures import public

__all__ = ["across", "checked_rule", "equilibria"]

CELLS = 64  # a side of the lattice on which roots are looked for
_FASTEST = 1e150
NEAR = 1e-9  # of the window: distance to an axis at which one side's field is read


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
    places = list(_off_axes(field))
    places += [place for axis in (0, 1) for place in _on_axis(field, axis)]
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
    field: PlaneField, axis: int, along: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, "2 n 2"], Float[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Return what the field does on a line `coordinate[axis] = 0`."""
    points = np.zeros((2, along.size, 2))
    points[..., 1 - axis] = along
    points[..., axis] = NEAR * field.span * np.array([[1.0], [-1.0]])
    sides = field.velocity(points)
    above, below = sides[..., axis]
    slides = (above < 0) & (below > 0)
    share = upper_share(above, below, where=slides, other=0.5)
    return sides, share, slides


def _off_axes(field: PlaneField) -> Iterator[np.ndarray]:
    """Roots of the gate inside the quadrants, one search a cell whose corners change sign."""
    edges = [np.linspace(*ends, CELLS + 1) for ends in (field.x, field.y)]
    tiny = 1e-7 * field.span
    edges = [np.where(np.abs(edge) < tiny, tiny, edge) for edge in edges]
    values = field.gate(np.stack(np.meshgrid(*edges), axis=-1))
    from scipy.optimize import root

    corners = np.stack(
        [values[:-1, :-1], values[1:, :-1], values[:-1, 1:], values[1:, 1:]]
    )
    open_ = ((corners.min(axis=0) <= 0) & (corners.max(axis=0) >= 0)).all(axis=-1)
    size = np.array([edges[0][1] - edges[0][0], edges[1][1] - edges[1][0]])
    for row, column in np.argwhere(open_):
        middle = np.array([edges[0][column], edges[1][row]]) + size / 2
        found = root(field.gate, middle, options={"xtol": 1e-14})
        near = np.abs(found.x - middle) <= 1.5 * size
        off = np.abs(found.x) > 1e-6 * field.span
        small = (
            np.abs(field.gate(found.x)).max()
            <= 1e-9 * np.abs(corners[:, row, column]).max()
        )
        if near.all() and off.all() and small and field.inside(found.x):
            yield found.x


def _on_axis(field: PlaneField, axis: int) -> Iterator[np.ndarray]:
    """Roots of the velocity along an axis, where it slides or never leaves the axis."""
    low, high = (field.x, field.y)[1 - axis]
    if not (field.x, field.y)[axis][0] <= 0 <= (field.x, field.y)[axis][1]:
        return
    along = low + (np.arange(8 * CELLS) + 0.37) * (high - low) / (8 * CELLS)

    def tangent(place: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        _, share, _ = across(field, axis, place)
        points = np.zeros((2, place.size, 2))
        points[..., 1 - axis] = place
        points[..., axis] = NEAR * field.span * np.array([[1.0], [-1.0]])
        above, below = field.gate(points)[..., 1 - axis]
        return share * above + (1 - share) * below

    from scipy.optimize import brentq

    sides, _, slides = across(field, axis, along)
    fast = np.abs(sides).max()
    still = slides | (np.abs(sides[..., axis]) < 1e-6 * fast).all(axis=0)
    speed = tangent(along)
    turns = still[1:] & still[:-1] & (speed[1:] * speed[:-1] < 0)
    for k in np.flatnonzero(turns):
        place = brentq(
            lambda s: tangent(np.array([s]))[0], along[k], along[k + 1], xtol=1e-14
        )
        jumps = np.abs(tangent(np.array([place]))[0]) > 1e-6 * np.abs(speed).max()
        if not jumps and abs(place) > 1e-6 * field.span:
            yield np.insert(np.array([place]), axis, 0.0)
