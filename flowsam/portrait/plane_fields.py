"""The velocity on a plane of starts that the flow never leaves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError, InputTypeError
from flowsam.flow import Flow
from flowsam.inputs import checked_grid, keep, real_array, shown
from flowsam.portrait.own_plane import as_plane
from flowsam.portrait.planes import Plane, Start
from flowsam.regimes import Case, case_of
from flowsam.shapes import Float, Point, Thetas, Which

Points = Float[np.ndarray, "*batch 2"]
STEP = 1e-4  # of differences, as a share of the window: fourth order leaves about 1e-11
CHART = 5e-6  # of differences of a plane that is not affine: second order leaves about 1e-11
LEAVES = 1e-6  # a share of the velocity off the plane that is no rounding


@dataclass(frozen=True, eq=False)
class PlaneField:
    """The rescaled velocity (x', y') on a plane, and the window it is looked at through.

    The flow has to stay on the plane: balanced starts do, for every rule, and so do the two
    weights of one coordinate at L = 2. Balanced and weight planes reach beyond the window and to
    negative parameters; others are differentiated numerically.

    Parameters
    ----------
    flow : Flow
        Data, rule and loss.
    start : callable
        The plane, as for `phase_portrait`.
    x, y : tuple of float
        The window, (low, high) each.

    Raises
    ------
    ValueError
        For a window without area, or a plane whose rows have rules of their own.

    Examples
    --------
    >>> from flowsam import layer_plane, linf, single_example
    >>> field = PlaneField(Flow(single_example([1.0]), linf(1)), layer_plane, (-3, 3), (-3, 3))
    >>> field.velocity([[2.0, 1.5], [1.0, 1.0]]).tolist()  # (v - rho, u - rho); the saddle
    [[0.5, 1.0], [0.0, 0.0]]
    """

    flow: Flow
    start: Start
    x: tuple[float, float]
    y: tuple[float, float]

    def __post_init__(self) -> None:
        """Check window and plane."""
        if not isinstance(self.flow, Flow) or not callable(self.start):
            raise InputTypeError(
                f"PlaneField needs a Flow and a plane of starts, got {shown(self.flow)} and "
                f"{shown(self.start)}"
            )
        ends = real_array([self.x, self.y], "window")
        if not (ends[:, 1] > ends[:, 0]).all():
            raise InputError(
                f"a window needs low < high, got {self.x} and {self.y}; swap the ends"
            )
        x, y = map(tuple, ends.tolist())
        keep(self, x=x, y=y)
        if self.plane.varies:
            raise InputError(
                f"{type(self.start).__name__} gives each row a rule of its own, so that no one "
                "field fits it; take a plane of starts"
            )

    @cached_property
    def plane(self) -> Plane:
        """The plane of the starts, a function of the user's as one."""
        return as_plane(self.start)

    @cached_property
    def case(self) -> Case:
        """The row of the table for the starts of the plane."""
        return case_of(self.flow, self.lift(np.zeros(2)).shape[-2])

    @property
    def span(self) -> float:
        """The longer side of the window."""
        return max(self.x[1] - self.x[0], self.y[1] - self.y[0])

    def inside(self, points: Points) -> Which:
        """Return which points the window holds, its edge included, shape (...)."""
        low, high = np.array([self.x, self.y]).T
        slack = 1e-9 * self.span
        within = (points >= low - slack) & (points <= high + slack)
        return np.asarray(within.all(axis=-1))

    def meets(self, axis: int) -> bool:
        """Whether the line `coordinate[axis] = 0` is in the window."""
        low, high = (self.x, self.y)[axis]
        return low <= 0 <= high

    def lift(self, points: ArrayLike) -> Thetas:
        """Return the starts of points (..., 2), shape (..., L, d)."""
        points = real_array(points, "points")
        x = points[..., 0]
        y = points[..., 1]
        flat = self.plane.beyond(x.ravel(), y.ravel())[0]
        return flat.reshape(*points.shape[:-1], *flat.shape[-2:])

    def _tangents(self, points: Points) -> Float[np.ndarray, "*batch 2 k"]:
        """Derivatives of `lift` by x and y, the weights in one row: exact for affine planes."""
        h = 0.5 if self.plane.affine else CHART * self.span
        steps = h * np.eye(2)
        points = points[..., None, :]
        moved = (self.lift(points + steps) - self.lift(points - steps)) / (2 * h)
        return moved.reshape(*moved.shape[:-2], -1)

    @cached_property
    def _chart(self) -> tuple[Float[np.ndarray, "2 k"], Float[np.ndarray, "k 2"]]:
        """The tangents of an affine plane and their pseudo-inverse, the same everywhere."""
        tangents = self._tangents(np.zeros(2))
        return tangents, np.linalg.pinv(tangents)

    def coordinates(self, points: Points, vectors: Thetas) -> Points:
        """Return vectors (..., L, d) at points in the plane's parameters.

        Raises ValueError where they have a part off the plane.
        """
        flat = vectors.reshape(*vectors.shape[:-2], -1)
        if self.plane.affine:
            tangents, inverse = self._chart
        else:  # where a parameter moves nothing, as at scale 0, its velocity is 0
            tangents = self._tangents(points)
            inverse = np.linalg.pinv(tangents)
        found = (flat[..., None, :] @ inverse)[..., 0, :]
        rest = np.abs(flat - (found[..., None, :] @ tangents)[..., 0, :]).max(axis=-1)
        off = rest > LEAVES * np.abs(flat).max(axis=-1)
        if off.any():
            place = points[off].reshape(-1, 2)[0].tolist()
            raise InputError(
                f"the flow leaves this plane at {place}, so it has no velocity there; balanced "
                "starts, and the two weights of one coordinate at L = 2, keep theirs"
            )
        return found

    def velocity(self, points: ArrayLike) -> Points:
        """Return (x', y') at points (..., 2), in rescaled time.

        On a switching surface of l_inf it is that of `Flow.field`; see `equilibria` for the
        sliding there. Raises ValueError where the flow leaves the plane.
        """
        points = real_array(points, "points")
        velocity = self.flow.field(self.lift(points))
        if not np.isfinite(velocity).all():
            raise InputError(
                "velocities leave the range of doubles on this plane; take a smaller window, or "
                "scale the data down"
            )
        return self.coordinates(points, velocity)

    def gate(self, points: ArrayLike) -> Points:
        """Return functions of points (..., 2) whose zeros are the nullclines, without multiplicity.

        Balanced starts, one example: `x' = mu_1 w_hat_1^(L-1)`, so w_hat; else the velocity.
        """
        if self.plane.kind == "balanced" and len(self.flow.data.z) == 1:
            return self.flow.perturbed(self.lift(points))[..., 0, :]
        return self.velocity(points)

    def slopes(self, point: Point, *, step: float = STEP) -> Float[np.ndarray, "2 2"]:
        """Return the Jacobian d(x', y')/d(x, y) at a point, shape (2, 2).

        Differences of fourth order, error about 1e-11 of the field where it is smooth.
        """
        h = step * self.span
        moves = h * np.array([-2, -1, 1, 2.0])[:, None, None] * np.eye(2)
        weights = np.array([1, -8, 8, -1.0]) / (12 * h)
        return np.einsum("s,skf->fk", weights, self.velocity(point + moves))

    def grid(
        self, columns: int
    ) -> tuple[
        Float[np.ndarray, " n"], Float[np.ndarray, " n"], Float[np.ndarray, "n n 2"]
    ]:
        """Return x (n,), y (n,) at the centres of n x n cells, and the velocity on them.

        Cell centres of an even n avoid the middle of the window, where surfaces often lie.
        """
        if columns < 1:
            raise InputError(f"a field needs columns >= 1, got {columns}")
        checked_grid(columns, columns, "pass fewer columns")
        share = (np.arange(columns) + 0.5) / columns
        x, y = (low + share * (high - low) for low, high in (self.x, self.y))
        return x, y, self.velocity(np.stack(np.meshgrid(x, y), axis=-1))
