"""Planes of initialisations: two parameters to starts, and what theory draws on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from flowsam import exact
from flowsam.exact import linf_two_layer
from flowsam.flow import Flow
from flowsam.network import balanced

__all__ = [
    "BalancedPlane",
    "balanced_plane",
    "boundaries",
    "checked_start",
    "layer_plane",
    "settled",
]

Axis = Float[np.ndarray, " _"]
Starts = Float[np.ndarray, "ny nx L d"]
Curves = tuple[tuple[str, Float[np.ndarray, "_ 2"]], ...]


@dataclass(frozen=True)
class BalancedPlane:
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

    depth: int
    axes: tuple[str, str] = ("initial weight alpha_1", "initial weight alpha_2")

    def __call__(self, x: Float[np.ndarray, "1 nx"], y: Float[np.ndarray, "ny 1"]) -> Starts:
        """Return the starts of a block of rows."""
        alpha = np.stack(np.broadcast_arrays(x, y), axis=-1)
        return balanced(alpha, self.depth)


@dataclass(frozen=True)
class _LayerPlane:
    """Two weights of one coordinate at L = 2: x = u, y = v."""

    axes: tuple[str, str] = ("first layer u", "second layer v")

    def __call__(self, x: Float[np.ndarray, "1 nx"], y: Float[np.ndarray, "ny 1"]) -> Starts:
        """Return the starts of a block of rows."""
        return np.stack(np.broadcast_arrays(x, y), axis=-1)[..., None]


layer_plane = _LayerPlane()


def balanced_plane(d: int, depth: int) -> BalancedPlane:
    """Return the default plane, or say why there is none."""
    if d != 2:
        raise ValueError(
            f"the default plane needs d = 2, got d = {d}; pass start= (layer_plane for d = 1)"
        )
    return BalancedPlane(depth)


def checked_start(flow: Flow, start: Callable[..., Starts], x: Axis, y: Axis) -> tuple[int, ...]:
    """Return the shape of one row of starts, or say what is wrong with the plane."""
    first = flow.checked(start(x[None, :], y[:1, None]))
    if first.ndim != 4 or first.shape[:2] != (1, x.size):
        raise ValueError(
            f"start needs to return (ny, nx, L, d) = (1, {x.size}, L, d), got {first.shape}"
        )
    return first.shape


def boundaries(flow: Flow, start: Callable[..., Starts], x: Axis, y: Axis) -> Curves:
    """Return the curves between regions that a theorem gives for a known plane.

    Balanced l_inf and GD: `alpha_j = rho`, and `mu_1 (alpha_1 - rho)^(L-2) = mu_2 (alpha_2 -
    rho)^(L-2)` at L >= 3; the layer plane: the conic separatrix.
    """
    rule = flow.perturbation
    if flow.data.z.shape[0] > 1 or not (rule.normalised and math.isinf(rule.p)):
        return ()
    if isinstance(start, BalancedPlane) and start.depth > 1:
        return _balanced_boundaries(
            flow.mu, rule.rho, start.depth, (float(x.max()), float(y.max()))
        )
    if isinstance(start, _LayerPlane):
        extent = float(max(np.abs(x).max(), np.abs(y).max()))
        sign = 1 if flow.mu[0] > 0 else -1
        curves = linf_two_layer.separatrix(rule.rho, extent=extent, sign=sign)
        return tuple(("separatrix", curve) for curve in curves)
    return ()


def _balanced_boundaries(
    mu: Float[np.ndarray, "2"], rho: float, depth: int, ends: tuple[float, float]
) -> Curves:
    """Return the boundary segments of a balanced plane whose corner is (rho, rho)."""
    if (mu <= 0).any():  # a coordinate with mu_j < 0 never escapes from a positive start
        return tuple(
            ("alpha_j = rho", _segment(j, rho, (0.0, ends[1 - j]))) for j in (0, 1) if mu[j] > 0
        )
    right, top = ends
    if depth == 2:
        # beyond the major coordinate's gate the minor one's does not matter
        major = int(np.argmax(mu))
        full, half = (0.0, ends[1 - major]), (0.0, rho)
        if mu[0] == mu[1]:
            return tuple(("alpha_j = rho", _segment(j, rho, (0.0, ends[1 - j]))) for j in (0, 1))
        return (
            ("alpha_major = rho", _segment(major, rho, full)),
            ("alpha_minor = rho", _segment(1 - major, rho, half)),
        )
    slope = (mu[0] / mu[1]) ** (1.0 / (depth - 2))
    reach = min(right - rho, (top - rho) / slope)
    curves = [
        ("alpha_1 = rho", _segment(0, rho, (0.0, rho))),
        ("alpha_2 = rho", _segment(1, rho, (0.0, rho))),
    ]
    if reach > 0:
        ray = np.array([[rho, rho], [rho + reach, rho + slope * reach]])
        curves.append(("equal scores", ray))
    return tuple(curves)


def _segment(axis: int, value: float, span: tuple[float, float]) -> Float[np.ndarray, "2 2"]:
    """Return the segment where one coordinate is fixed."""
    points = np.empty((2, 2))
    points[:, axis], points[:, 1 - axis] = value, span
    return points


def settled(flow: Flow, block: Starts) -> Float[np.ndarray, "ny nx"]:
    """Return the rescaled time at which each start's limit is reached, inf where never.

    The first blow-up, or, without one, the time at which the last active coordinate comes to rest.
    """
    case = exact.case_for(flow, block)
    if case is None:
        raise ValueError(f"settled_at needs a closed form, got {flow.describe()}; use solve_many")
    mu, rho = flow.mu, exact.radius_of(flow, block)
    blow_up = case.blow_up_time(block, mu, rho=rho).min(axis=-1)
    rest = case.zero_time(block, mu, rho=rho)
    rest = np.where(mu == 0, 0.0, rest).max(axis=-1)
    return np.minimum(blow_up, rest)
