"""Planes of initialisations: frozen functions of x (1, nx) and y (ny, 1), each naming its axes.

So may any function be; these take scattered points too, and `flow_at(flow, y)` gives a row a flow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError, InputTypeError
from flowsam.flow import Flow
from flowsam.inputs import keep, real_array, shown, whole_number
from flowsam.network import balanced
from flowsam.shapes import Axis, Column, Float, Theta, Vector

Row = Float[np.ndarray, "1 nx"]
Rows = Float[np.ndarray, "ny _"]
Starts = Float[np.ndarray, "ny nx L d"]
Start = Callable[..., Starts]  # a plane, or any function of the user's


class Plane:
    """A plane whose formula broadcasts, so that scattered points need no grid.

    `kind` names the planes that theorems know: "balanced", "layers", "pair" (two layers of a
    coordinate), "radius", else "".
    """

    axes: tuple[str, str] = ("x", "y")
    radius_axis: bool = False  # whether y is the radius of each row's rule
    varies: bool = False  # whether each row has a flow of its own
    affine: bool = False  # whether weights are affine in x and y

    @property
    def kind(self) -> str:
        """What theorems call it."""
        return ""

    def __call__(self, x: Row, y: Rows) -> Starts:
        """Return the starts of a block of rows."""
        raise NotImplementedError

    def at(self, x: Column, y: Column) -> Starts:
        """Return starts (1, N, L, d)."""
        return self(x[None], y[None])

    def beyond(self, x: Column, y: Column) -> Starts:
        """Return starts (1, N, L, d) also where the plane itself ends, as a field is continued."""
        return self.at(x, y)

    def starts(self, x: Axis, y: Axis) -> Starts:
        """Return the starts of a block of rows, or say what else the function returned."""
        starts = np.asarray(self(x[None], y[:, None]))
        if starts.ndim != 4 or starts.shape[:2] != (y.size, x.size):
            raise InputError(
                f"start needs to return (ny, nx, L, d) = ({y.size}, {x.size}, L, d) for x "
                f"(1, {x.size}) and y ({y.size}, 1), got {starts.shape}; broadcast x against y"
            )
        return starts

    def flow_at(self, flow: Flow, y: float) -> Flow:
        """Return the flow of a row."""
        return flow

    def name(self, x: Axis, y: Axis) -> str:
        """Return class and parameters with a digest of their bits, which printed arrays lack."""
        made_of = {name: value for name, value in vars(self).items() if name != "axes"}
        digest = hashlib.sha256()
        for value in map(np.asarray, made_of.values()):
            digest.update(f"{value.dtype} {value.shape} ".encode() + value.tobytes())
        shown = ", ".join(f"{name}={value!r}" for name, value in made_of.items())
        words = " ".join(shown.split())
        return f"{type(self).__name__}({words}), fields {digest.hexdigest()[:16]}"


@dataclass(frozen=True)
class BalancedPlane(Plane):
    """Balanced starts of two coordinates: x = alpha_1, y = alpha_2.

    Parameters
    ----------
    depth : int
        Number of layers.

    Examples
    --------
    >>> BalancedPlane(3)(np.array([[1.0, 2.0]]), np.array([[5.0]])).shape
    (1, 2, 3, 2)
    """

    affine = True
    depth: int
    axes: tuple[str, str] = ("initial weight alpha_1", "initial weight alpha_2")
    kind = "balanced"

    def __post_init__(self) -> None:
        """Check the depth."""
        depth = whole_number(self.depth, "BalancedPlane needs a whole depth")
        if depth < 1:
            raise InputError(f"BalancedPlane needs depth >= 1, got {depth}")
        keep(self, depth=depth)

    def __call__(self, x: Row, y: Rows) -> Starts:
        """Return the starts of a block of rows."""
        alpha = np.stack(np.broadcast_arrays(x, y), axis=-1)
        return balanced(alpha, self.depth)

    def beyond(self, x: Column, y: Column) -> Starts:
        """Return equal layers of any sign."""
        return np.repeat(np.stack([x, y], axis=-1)[None, :, None], self.depth, axis=2)


@dataclass(frozen=True, eq=False)
class WeightPlane(Plane):
    """Two weights of one start, the others as they are: x = the first, y = the second.

    Parameters
    ----------
    theta : array_like, shape (L, d)
        The start that gives all other weights.
    first, second : tuple of int
        (layer, coordinate) of the two, counted from 0.

    Examples
    --------
    >>> plane = WeightPlane([[1, 2], [3, 4]], (0, 0), (1, 0))
    >>> plane(np.array([[7.0]]), np.array([[8.0]]))[0, 0].tolist(), plane.axes[1]
    ([[7.0, 2.0], [8.0, 4.0]], 'weight w_1 of layer 2')
    """

    affine = True
    theta: Theta | ArrayLike
    first: tuple[int, int]
    second: tuple[int, int]
    axes: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        """Check the places; name the axes after them."""
        theta = _start(self.theta, "theta")
        places = (_place(self.first, "first"), _place(self.second, "second"))
        inside = (np.array(places) >= 0) & (np.array(places) < theta.shape)
        if not inside.all() or self.first == self.second:
            raise InputError(
                f"WeightPlane needs two places (layer, coordinate) in a start {theta.shape}, got "
                f"{self.first} and {self.second}; they count from 0"
            )
        names = tuple(f"weight w_{j + 1} of layer {layer + 1}" for layer, j in places)
        keep(self, theta=theta, axes=self.axes if any(self.axes) else names)

    @property
    def kind(self) -> str:
        """Whether both weights are of one coordinate."""
        return "pair" if self.first[1] == self.second[1] else ""

    def __call__(self, x: Row, y: Rows) -> Starts:
        """Return the starts of a block of rows."""
        theta = np.asarray(self.theta)
        starts = np.empty(np.broadcast_shapes(x.shape, y.shape) + theta.shape)
        starts[...] = theta
        starts[..., *self.first] = x
        starts[..., *self.second] = y
        return starts


@dataclass(frozen=True, eq=False)
class ImbalancePlane(Plane):
    """Unequal layers with the same product: x = scale, y = imbalance.

    w_j^(l) = x profile_j e^(y t_l), where t falls evenly from 1 in the first layer to -1 in the
    last: beta does not depend on y.

    Parameters
    ----------
    profile : array_like, shape (d,)
        Sizes of the coordinates at scale 1.
    depth : int
        Number of layers, at least 2.

    Examples
    --------
    >>> ImbalancePlane([1, 2], 2)(np.array([[3.0]]), np.array([[0.0]]))[0, 0].tolist()
    [[3.0, 6.0], [3.0, 6.0]]
    """

    profile: Vector | ArrayLike
    depth: int
    axes: tuple[str, str] = ("scale alpha", "layer imbalance kappa")

    def __post_init__(self) -> None:
        """Check profile and depth."""
        profile = real_array(self.profile, "profile")
        whole_number(self.depth, "ImbalancePlane needs a whole depth")
        if profile.ndim != 1 or self.depth < 2:
            raise InputError(
                f"ImbalancePlane needs a profile (d,) and depth >= 2, got {profile.shape} and "
                f"{self.depth}; one layer has no other"
            )
        keep(self, profile=profile)

    def __call__(self, x: Row, y: Rows) -> Starts:
        """Return the starts of a block of rows."""
        tilt = np.linspace(1.0, -1.0, self.depth)
        return (x[..., None] * np.exp(y[..., None] * tilt))[..., None] * self.profile


@dataclass(frozen=True, eq=False)
class SegmentPlane(Plane):
    """A segment between two starts, and its scale: `y ((1 - x) first + x last)`.

    Parameters
    ----------
    first, last : array_like, shape (L, d)
        The starts at x = 0 and x = 1, at scale y = 1.

    Examples
    --------
    >>> SegmentPlane([[0.0]] * 2, [[1.0]] * 2)(np.array([[0.5]]), np.array([[3.0]])).ravel()
    array([1.5, 1.5])
    """

    first: Theta | ArrayLike
    last: Theta | ArrayLike
    axes: tuple[str, str] = ("place between the starts", "scale")

    def __post_init__(self) -> None:
        """Check the two ends."""
        first = _start(self.first, "first")
        last = _start(self.last, "last")
        if first.shape != last.shape:
            raise InputError(
                f"SegmentPlane needs starts of one shape (L, d), got {first.shape}, {last.shape}"
            )
        keep(self, first=first, last=last)

    def __call__(self, x: Row, y: Rows) -> Starts:
        """Return the starts of a block of rows."""
        x = x[..., None, None]
        y = y[..., None, None]
        return y * ((1 - x) * self.first + x * self.last)


@dataclass(frozen=True, eq=False)
class RadiusPlane(Plane):
    """One start, scaled, against the radius: x = scale, y = rho, so that each row has its flow.

    Parameters
    ----------
    theta : array_like, shape (L, d)
        The start at scale 1.

    Examples
    --------
    >>> from flowsam import linf, single_example
    >>> plane = RadiusPlane([[1.0], [1.0]])
    >>> plane.flow_at(Flow(single_example([1.0]), linf(1.0)), 0.5).perturbation.rho
    0.5
    """

    kind = "radius"
    radius_axis = True
    varies = True
    theta: Theta | ArrayLike
    axes: tuple[str, str] = ("scale of the start", "radius rho")

    def __post_init__(self) -> None:
        """Check the start."""
        keep(self, theta=_start(self.theta, "theta"))

    def __call__(self, x: Row, y: Rows) -> Starts:
        """Return the starts of a block of rows, the same in each."""
        row = x[..., None, None] * self.theta
        return np.broadcast_to(row, (y.shape[0], *row.shape[1:]))

    def flow_at(self, flow: Flow, y: float) -> Flow:
        """Return the flow of a row: the same rule with radius y."""
        return replace(flow, perturbation=flow.perturbation.with_radius(y))


def _place(place: object, name: str) -> tuple[int, ...]:
    """Return a place (layer, coordinate), or say what it is."""
    if not isinstance(place, tuple | list) or len(place) != 2:
        raise InputTypeError(
            f"WeightPlane needs {name} as (layer, coordinate), got {shown(place)}"
        )
    return tuple(whole_number(k, f"{name} needs whole numbers") for k in place)


def _start(theta: ArrayLike, name: str) -> Theta:
    """Return one start as float64, or say what it is."""
    theta = real_array(theta, name)
    if theta.ndim != 2:
        raise InputError(
            f"{name} needs one start (L, d), got {theta.shape}; pass its layers"
        )
    return theta


class _LayerPlane(WeightPlane):
    """Both weights of the one coordinate at L = 2."""

    kind = "layers"


layer_plane = _LayerPlane(
    np.zeros((2, 1)), (0, 0), (1, 0), ("first layer u", "second layer v")
)
