"""Second derivatives of the loss: -Lambda H where -grad Lo = Lambda F, without underflow."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from flowsam.flow import Flow
from flowsam.losses import softmax
from flowsam.network import other_products, pair_products
from flowsam.shapes import Float, Theta, Thetas

Matrix = Float[np.ndarray, "k k"]
Shares = Float[np.ndarray, "*b n"]


def rescaled_hessian(
    flow: Flow, theta: Theta
) -> tuple[Matrix, Float[np.ndarray, " k"], float]:
    """Return `H = d(Lambda F)/d theta / Lambda`, the slope of `log Lambda`, and `log Lambda`.

        H = P z^T diag(q s) z P + (sum_i q_i z_i) dP,   s = d log|ell'|/dm,

    P the other layers' products, q the shares. (derivations/sam_gradient.py)
    """
    (depth, d) = theta.shape
    z = flow.data.z
    products = other_products(theta)
    pull, log_scale = flow.pull(theta)
    bend = shares_and_bends(flow, theta)[1]
    hessian = products[..., None, None] * _bent(z, bend, products)
    each = np.arange(d)
    blocks = hessian.reshape(depth, d, depth, d)
    blocks[:, each, :, each] += pull[:, None, None] * pair_products(theta)
    slope = (bend @ z) * products
    return hessian.reshape(depth * d, depth * d), slope.ravel(), float(log_scale)


def pull_slope(flow: Flow, theta: Theta) -> Float[np.ndarray, "d k"]:
    """Return `d(Lambda G)/d theta / Lambda = z^T diag(q s) z P`, G = sum_i q_i z_i."""
    z = flow.data.z
    bend = shares_and_bends(flow, theta)[1]
    return _bent(z, bend, other_products(theta)).reshape(z.shape[1], -1)


def _bent(
    z: Float[np.ndarray, "n d"], bend: Float[np.ndarray, " n"], products: Theta
) -> Float[np.ndarray, "d L d"]:
    """Return `z^T diag(bend) z P`, bend = q s."""
    return (z.T @ (bend[:, None] * z))[:, None] * products


class Turning(NamedTuple):
    """How a step turns with its start: `d eps/d theta = diag(own) - diag(by) H - column row^T`."""

    own: Theta
    by: Theta
    column: Theta
    row: Theta

    def whole(self, hessian: Matrix) -> Matrix:
        """Return the matrix."""
        column = self.column.ravel()
        row = self.row.ravel()
        slope = -self.by.ravel()[:, None] * hessian - np.outer(column, row)
        slope[np.diag_indices(column.size)] += self.own.ravel()
        return slope


Turned = Callable[[Flow, Theta, Callable[[Theta], Theta]], Turning]


# no gradient, no slope
@np.errstate(divide="ignore", over="ignore", invalid="ignore")
def turning(flow: Flow, theta: Theta, curved: Callable[[Theta], Theta]) -> Turning:
    """Return the slope of `eps = a E(h)`, h = a g, g = -F, by v -> H v; 0 for GD and between jumps.

    a is 1, of ASAM |w|: diag(a' E) + diag(a) E'(h) (diag(a' g) - diag(a) H), u = |h|/||h||_q,
    E' = rho (q-1)/||h||_q (diag(u^(q-2)) - (s u^(q-1)) (s u^(q-1))^T), s = sign(h). Unnormalised
    -rho Lambda H. (derivations/dual_norm.py)
    """
    rule = flow.perturbation
    nothing = np.zeros_like(theta)
    if not rule.rho or (rule.normalised and rule.p in (1.0, np.inf)):
        return Turning(nothing, nothing, nothing, nothing)
    if not rule.normalised:
        by = rule.rho * np.exp(flow.pull(theta)[1])
        return Turning(nothing, np.full_like(theta, by), nothing, nothing)
    power = 1.0 / (rule.p - 1.0)  # q - 1
    g = -flow.descent(theta)[0]
    size = np.abs(theta) if rule.adaptive else np.ones_like(theta)
    turn = np.sign(theta) if rule.adaptive else nothing
    h = size * g
    most = np.abs(h).max(initial=0.0)
    # of p near 1 powers of h itself leave the doubles
    norm = most * np.linalg.norm(np.ravel(h / most), 1.0 + power)
    share = np.maximum(np.abs(h) / norm, 1e-30)
    unit = np.copysign(share**power, h)
    reach = rule.rho * power / norm * size
    bent = reach * share ** (power - 1.0)
    row = unit * turn * g - curved(size * unit)
    own = rule.rho * turn * unit + bent * turn * g
    return Turning(own, bent * size, reach * unit, row)


def ascent_slope(flow: Flow, theta: Theta, turned: Turned = turning) -> Matrix:
    """Return `d eps / d theta`."""
    hessian = rescaled_hessian(flow, theta)[0]
    curved = lambda v: (hessian @ v.ravel()).reshape(v.shape)  # noqa: E731
    return turned(flow, theta, curved).whole(hessian)


def shares_and_bends(flow: Flow, theta: Thetas) -> tuple[Shares, Shares]:
    """Return the shares q_i of the examples, and q_i s_i."""
    margins = np.prod(theta, axis=-2) @ flow.data.z.T
    q = softmax(flow.loss.log_slope(margins))
    return q, q * flow.loss.log_slope_derivative(margins)
