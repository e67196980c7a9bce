"""Curves that theory gives on a known plane of starts: boundaries of regions, sliding segments."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from flowsam.exact import linf_two_layer
from flowsam.exact.l2_separatrix import balanced_separatrix, lone_separatrix
from flowsam.flow import Flow
from flowsam.portrait.planes import BalancedPlane, layer_plane

__all__ = ["boundaries", "sliding_segments"]

Axis = Float[np.ndarray, " _"]
Curves = tuple[tuple[str, Float[np.ndarray, "_ 2"]], ...]


def boundaries(
    flow: Flow, start: Callable[..., Float[np.ndarray, "ny nx L d"]], x: Axis, y: Axis
) -> Curves:
    """Return the curves between regions that a theorem gives for a known plane.

    Balanced l_inf and GD: `alpha_j = rho`, and `mu_1 (alpha_1 - rho)^(L-2) = mu_2 (alpha_2 -
    rho)^(L-2)` at L >= 3. Balanced l_2: the separatrix at L = 2, the order that l_2 preserves,
    `mu_1 alpha_1^(L-2) = mu_2 alpha_2^(L-2)`, at L >= 3 (from the unstable equilibrium where even
    L collapses). The layer plane: the separatrix, a conic for l_inf.

    Parameters
    ----------
    flow : Flow
        Data, rule and loss.
    start : callable
        The plane.
    x, y : ndarray
        Its parameters; curves reach to the largest.

    Returns
    -------
    tuple of (str, ndarray of shape (m, 2))
        Empty where theory gives none.

    Examples
    --------
    >>> from flowsam import l2, single_example
    >>> axis = np.array([0.0, 1.0])
    >>> [(name, curve)] = boundaries(Flow(single_example([1]), l2(1)), layer_plane, axis, axis)[:1]
    >>> name, curve[200].round(6)
    ('separatrix', array([0.707107, 0.707107]))
    """
    rule = flow.perturbation
    if flow.data.z.shape[0] > 1 or not rule.normalised:
        return ()
    reach = (float(np.abs(x).max()), float(np.abs(y).max()))
    if isinstance(start, BalancedPlane) and start.depth > 1:
        if math.isinf(rule.p):
            return _balanced_boundaries(flow.mu, rule.rho, start.depth, reach)
        if rule.p == 2 and (flow.mu > 0).all():
            return _euclidean_boundaries(flow.mu, rule.rho, start.depth, reach)
    if start is layer_plane:
        sign = 1 if flow.mu[0] > 0 else -1
        if math.isinf(rule.p):
            curves = linf_two_layer.separatrix(rule.rho, extent=max(reach), sign=sign)
            return tuple(("separatrix", curve) for curve in curves)
        if rule.p == 2:
            return _lone_boundaries(rule.rho, max(reach), sign)
    return ()


def sliding_segments(flow: Flow, start: Callable[..., object]) -> Curves:
    """Return the segments along which l_inf-SAM slides in the layer plane: |v| <= rho on u = 0.

    Parameters
    ----------
    flow : Flow
        One example, d = 1.
    start : callable
        The plane; only the layer plane has them drawn.

    Returns
    -------
    tuple of (str, ndarray of shape (2, 2))
        The two segments that cross in the origin, or none.

    Notes
    -----
    Derivation: derivations/linf_two_layer.py.

    Examples
    --------
    >>> from flowsam import linf, single_example
    >>> sliding_segments(Flow(single_example([1]), linf(2)), layer_plane)[0][1].tolist()
    [[-2.0, 0.0], [2.0, 0.0]]
    """
    rule = flow.perturbation
    if start is not layer_plane or not (rule.rho and rule.normalised and math.isinf(rule.p)):
        return ()
    ends = rule.rho * np.array([[-1.0, 0.0], [1.0, 0.0]])
    return (("sliding", ends), ("sliding", ends[:, ::-1].copy()))


def _euclidean_boundaries(
    mu: Float[np.ndarray, "2"], rho: float, depth: int, reach: tuple[float, float]
) -> Curves:
    """Return the curves of l_2 on a balanced plane."""
    if depth == 2:
        return (("separatrix", balanced_separatrix(mu, rho=rho)),)
    ray = mu ** (-1.0 / (depth - 2))
    last = ray * min(reach[0] / ray[0], reach[1] / ray[1])
    first = rho * ray / np.sqrt(depth * (ray @ ray)) if depth % 2 == 0 else np.zeros(2)
    return (("equal scores", np.array([first, last])),) if (last > first).all() else ()


def _lone_boundaries(rho: float, extent: float, sign: int) -> Curves:
    """Return both branches of the separatrix of one coordinate under l_2."""
    ratio = np.sinh(np.linspace(-1, 1, 401) * np.arcsinh(1 + (extent / rho) ** 2))
    branch = lone_separatrix(ratio, rho=rho)
    return tuple(("separatrix", side * branch * [sign, 1]) for side in (1, -1))


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
