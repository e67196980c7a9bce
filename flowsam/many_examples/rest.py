"""Where a run has come to rest at a finite loss: data that do not separate, features that died.

The gradient vanishes where the pulls of the examples cancel, far from where weights are 0. There
l_2-SAM arrives in finite time and stays; gradient flow comes closer for ever, and is at rest for
doubles. Steps past that point follow rounding errors, and cost the more the later it gets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from flowsam.flow import Flow
from flowsam.network import other_products

__all__ = ["near_rest", "next_move", "unrest"]

AT_REST = 1e-8  # gradient norm over what it cancels from, and over that after the ascent step
LINEAR = 1e-4  # the first over the second where the path left is a line for sure
SMALL = 1e-5  # gradient norm over what it cancels from, where the next move is worth its price
STILL = 1e-4  # of the largest weight, in the time from t to e t: what moves less is close to rest
ROUNDING = 1e-11  # gradient norm over what it cancels from: five digits of it are left

State = Float[np.ndarray, " m"]


def unrest(
    flow: Flow,
    theta: Float[np.ndarray, "L d"],
    *,
    sizes: Float[np.ndarray, " d"],
    move: Callable[[], float] | None = None,
    unmoved: float = 1e-8,
) -> tuple[float, float]:
    """Return how far off a critical point is at which the pulls cancel, and how far off rounding.

    N <= 1e-8 ||max_i |z_i| P||, P the other layers' products: small by cancellation, not because
    weights are. A normalised rule rests where also the path it has left, rho N(theta) /
    N(theta_hat), is within `unmoved` of the largest weight: its ascent step keeps its length, so N
    falls at a finite rate and reaches 0. Gradient flow and unnormalised SAM rest where the next
    unit of log t moves no weight by that much.

    Parameters
    ----------
    flow : Flow
        Several examples; any rule without switching surfaces.
    theta : ndarray, shape (L, d)
        Weights.
    sizes : ndarray, shape (d,)
        max_i |z_i|.
    move : callable
        `() -> float`, the largest move in the next unit of log t, in units of the largest weight;
        asked only where the gradient is small.
    unmoved : float
        A few of the tolerances that the weights are computed to.

    Returns
    -------
    rest, digits : float
        Shares of a norm or of a weight above their thresholds, positive on the way. The second
        is negative where N has few digits left and the weights still move.

    Notes
    -----
    Along l_2-SAM g' = -H grad Lo(theta + rho u), u = g/|g|, which tends to -rho H^2 u as g -> 0: N
    falls by rho |H u|^2 and the weights move by rho |H u| a unit of time, hence the path left.

    Examples
    --------
    >>> from flowsam import Data, l2
    >>> flow = Flow(Data([[1.0], [-1.0], [2.0], [-2.0]]), l2(0.1))
    >>> [unrest(flow, np.array([[w]]), sizes=np.array([2.0]))[0] > 0 for w in (1e-10, 1e-3)]
    [False, True]
    """
    rule = flow.perturbation
    norm, most = _cancelled(flow, theta, sizes)
    small = AT_REST if _steady(flow) else SMALL
    if not most or norm > small * most:
        return (norm / most - small if most else 1.0), 1.0
    digits = norm / most - ROUNDING
    if _steady(flow):
        path = unmoved * float(np.abs(theta).max()) / rule.rho
        near = float(np.clip(path, AT_REST, LINEAR)) if digits > 0 else LINEAR
        return norm - near * float(np.linalg.norm(flow.field(theta))), digits
    ahead = move()
    return ahead - unmoved, max(digits, STILL - ahead)


def near_rest(flow: Flow, theta: Float[np.ndarray, "L d"], sizes: Float[np.ndarray, " d"]) -> bool:
    """Tell whether a run whose steps shrink to nothing has arrived: N <= 1e-4 N(theta_hat).

    Examples
    --------
    >>> from flowsam import Data, l2
    >>> flow = Flow(Data([[1.0], [-1.0], [2.0], [-2.0]]), l2(0.1))
    >>> [near_rest(flow, np.array([[w]]), np.array([2.0])) for w in (1e-9, 1e-3)]
    [True, False]
    """
    norm, most = _cancelled(flow, theta, sizes)
    close = norm <= LINEAR * float(np.linalg.norm(flow.field(theta)))
    return _steady(flow) and bool(close and norm <= AT_REST * most)


def _steady(flow: Flow) -> bool:
    """Tell whether the ascent step keeps its length."""
    return bool(flow.perturbation.rho and flow.perturbation.normalised)


def _cancelled(
    flow: Flow, theta: Float[np.ndarray, "L d"], sizes: Float[np.ndarray, " d"]
) -> tuple[float, float]:
    """Return the norm N and the norm of what it cancels from."""
    most = np.linalg.norm(sizes * other_products(theta))
    return float(np.linalg.norm(flow.descent(theta)[0])), float(most)


def next_move(system: Any, log_t: float, state: State) -> Float[np.ndarray, " k"]:
    """Return the move of an implicit Euler step of one unit of T, shape (m - 1,), without tau.

    (I - J) move = rates: along a curved direction the distance to its minimum, along a flat one
    the velocity. inf where the matrix is singular.
    """
    matrix = np.eye(state.size - 1) - system.jacobian(log_t, state)[:-1, :-1]
    try:
        return np.linalg.solve(matrix, system.rates(log_t, state)[:-1])
    except np.linalg.LinAlgError:
        return np.full(state.size - 1, np.inf)
