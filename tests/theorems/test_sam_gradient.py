"""SAM's gradient in closed form, any data, depth and norm; and the full derivative beside it."""

import math

import numpy as np

from flowsam.data import Data
from flowsam.flow import Flow
from flowsam.perturbations import gradient_flow, l2, linf, lp
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "sam_gradient"
SOURCE = "definition"
CLEARANCE = 1e-2  # gradients this far from 0: differences must not step over a sign change


def draw(rng, rules):
    """A flow and a point where every gradient component is well away from 0."""
    while True:
        n, d, depth = rng.integers(1, 4, size=3)
        theta = rng.normal(size=(1, depth, d))
        rule = rules[rng.integers(len(rules))](rng.uniform(0.05, 0.5))
        flow = Flow(Data(rng.normal(size=(n, d))), rule)
        if np.abs(flow.velocity(theta)).min() > CLEARANCE < np.abs(flow.descent(theta)[0]).min():
            return flow, theta


def complex_step(flow, theta):
    """The gradient of the logistic loss at theta, one weight at a time."""
    gradient = np.empty(theta.shape)
    for place in np.ndindex(theta.shape):
        moved = theta.astype(complex)
        moved[place] += 1e-30j
        margins = np.prod(moved, axis=-2) @ flow.data.z.T
        gradient[place] = np.mean(np.log1p(np.exp(-margins))).imag / 1e-30
    return gradient


def full_derivative(flow, theta):
    """Central differences of theta -> Lo(theta + eps(theta))."""
    slopes, step = np.empty(theta.shape), 1e-5
    for place in np.ndindex(theta.shape):
        move = np.zeros(theta.shape)
        move[place] = step
        logs = [flow.log_loss(flow.perturbed(theta + sign * move))[0] for sign in (1, -1)]
        slopes[place] = (math.exp(logs[0]) - math.exp(logs[1])) / (2 * step)
    return slopes


def extra_of_l2(flow, theta):
    """(rho/||g||) H (I - f f^T) ghat, the Hessian by differences of the gradient."""
    plain, size = Flow(flow.data, gradient_flow(), flow.loss), theta.size
    moves = 1e-5 * np.eye(size).reshape(size, *theta.shape[1:])
    hessian = -(plain.velocity(theta + moves) - plain.velocity(theta - moves)).reshape(size, size)
    g, g_hat = -plain.velocity(theta).ravel(), -flow.velocity(theta).ravel()
    norm = np.linalg.norm(g)
    f = g / norm
    return flow.perturbation.rho / norm * hessian / 2e-5 @ (g_hat - f * (f @ g_hat))


def compare(found, claimed, flow, theta, rtol):
    """Equal to rtol of the largest entry, or say at which parameters not."""
    error = np.abs(np.ravel(found) - np.ravel(claimed)).max()
    scale = 1e-3 + np.abs(claimed).max()
    assert error <= rtol * scale, (
        f"{flow.describe()}, z={flow.data.z.tolist()}, theta={theta.tolist()}: error {error:.2g}"
    )


def check(rng):
    rules = [linf, l2, lambda rho: lp(rho, p=1.0), lambda rho: lp(rho, p=3.0)]
    flow, theta = draw(rng, rules)
    claimed = -flow.velocity(theta)
    compare(complex_step(flow, flow.perturbed(theta)), claimed, flow, theta, 1e-12)
    flow, theta = draw(rng, [linf])
    compare(full_derivative(flow, theta), -flow.velocity(theta), flow, theta, 1e-6)
    flow, theta = draw(rng, [l2])
    claimed = -flow.velocity(theta).ravel() + extra_of_l2(flow, theta)
    compare(full_derivative(flow, theta), claimed, flow, theta, 1e-6)


def control(rng):
    """For l_2 eps is not piecewise constant: without the extra term the equality is wrong."""
    while True:
        flow, theta = draw(rng, [l2])
        if np.abs(extra_of_l2(flow, theta)).max() > 1e-4:
            break
    compare(full_derivative(flow, theta), -flow.velocity(theta), flow, theta, 1e-6)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
