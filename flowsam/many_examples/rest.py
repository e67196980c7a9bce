"""Where a run has come to rest at a finite loss: data that do not separate, features that died.

The gradient vanishes where the pulls cancel, far from weights at 0: l_2-SAM arrives in finite time,
gradient flow for doubles. Steps past that point follow rounding errors.
"""

from collections.abc import Callable

import numpy as np

from flowsam.flow import Flow
from flowsam.many_examples.hessian import rescaled_hessian
from flowsam.network import other_products
from flowsam.shapes import Float, State, Theta

# gradient norm over what it cancels from, and over that after the ascent step
AT_REST = 1e-8
LINEAR = 1e-4  # the first over the second where the ascent step rules
SMALL = 1e-5  # gradient norm over what it cancels from, where the next move is worth its price
LIVELY = 1e-4  # gradient norm over what it cancels from, where rest is steps away
STILL = 1e-4  # of the largest weight, in the time from t to e t: what moves less is close to rest
_ALIVE = 1e-3  # of the largest weight: what is smaller is on its way to 0
_EVEN = 1e-6  # within which layers are equal
_RANK = 1e-8  # least over largest singular value of features that count as independent
ROUNDING = 1e-11  # gradient norm over what it cancels from: five digits of it are left


def unrest(
    flow: Flow,
    theta: Theta,
    *,
    move: Callable[[], float],
    unmoved: float = 1e-8,
) -> tuple[float, float]:
    """Return how far off a critical point is at which the pulls cancel, and how far off rounding.

    N <= 1e-8 ||max_i |z_i| P||, P the other layers' products: small by cancellation. It rests where
    the next unit of T moves no weight by `unmoved` of the largest; a normalised rule, whose N falls
    at rho |H u|^2 (g' = -H grad Lo(theta + rho u), u = g/|g|), where N <= 1e-4 N(theta_hat).
    """
    norm, most = cancelled(flow, theta)
    small = AT_REST if steady(flow) else SMALL
    if not most or norm > small * most:
        return (norm / most - small if most else 1.0), 1.0
    digits = norm / most - ROUNDING
    if steady(flow):
        off = norm - LINEAR * float(np.linalg.norm(flow.field(theta)))
        return off if off > 0 else max(
            off, move() - (unmoved if digits > 0 else STILL)
        ), digits
    ahead = move()
    return ahead - unmoved, max(digits, STILL - ahead)


def isolated(flow: Flow, theta: Theta) -> bool:
    """Return whether no other minimiser is near: one layer, or equal ones, independent features."""
    size = np.abs(theta)
    live = flow.data.moving & (size.max(axis=0) > _ALIVE * size.max())
    if len(theta) == 1 or not live.any():
        return True
    even = np.allclose(size[:, live], size[0, live], rtol=_EVEN, atol=0)
    return even and independent(flow.data.z[:, live])


def independent(columns: Float[np.ndarray, "n k"]) -> bool:
    """Return whether columns, none of them 0, are independent for doubles."""
    values = np.linalg.svd(columns / np.linalg.norm(columns, axis=0), compute_uv=False)
    return len(values) == columns.shape[1] and bool(values[-1] > _RANK * values[0])


def stuck(
    flow: Flow,
    theta: Theta,
    *,
    move: Callable[[], float],
) -> str:
    """Return why the steps of a run shrank to nothing: "at rest", "rounding", else "failed"."""
    norm, most = cancelled(flow, theta)
    if not steady(flow) or norm > AT_REST * most:
        return "failed"
    close = norm <= LINEAR * float(np.linalg.norm(flow.field(theta)))
    return "at rest" if close and move() <= STILL else "rounding"


def steady(flow: Flow) -> bool:
    """Tell whether the ascent step keeps its length."""
    return flow.perturbation.keeps_length


def cancelled(flow: Flow, theta: Theta) -> tuple[float, float]:
    """Return the norm N and the norm of what it cancels from."""
    most = np.linalg.norm(flow.data.sizes * other_products(theta))
    return float(np.linalg.norm(flow.descent(theta)[0])), float(most)


def drift(flow: Flow, theta: Theta, log_t: float) -> float:
    """Return GD's largest move in the next unit of T, by implicit Euler, over the largest |w|."""
    curvature, _, log_scale = rescaled_hessian(flow, theta)
    pace = np.exp(min(log_t + log_scale, 600.0))
    force = pace * flow.descent(theta)[0].ravel()
    move = next_move(pace * curvature, force)
    return float(np.abs(move).max() / max(np.abs(theta).max(), 1.0))


def next_move(
    jacobian: Float[np.ndarray, "k k"], rates: State
) -> Float[np.ndarray, " k"]:
    """Return the move of one unit of T, inf where singular: `(I - J) move = rates`."""
    try:
        return np.linalg.solve(np.eye(rates.size) - jacobian, rates)
    except np.linalg.LinAlgError:
        return np.full(rates.size, np.inf)
