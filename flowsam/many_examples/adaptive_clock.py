"""ASAM of several examples at late times: the clock T with its own exact Jacobian."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowsam.flow import Flow
from flowsam.many_examples.hessian import rescaled_hessian
from flowsam.many_examples.log_clock import LogClock
from flowsam.shapes import Float

__all__ = ["AdaptiveClock", "adaptive_run", "adaptive_slope"]

Theta = Float[np.ndarray, "L d"]
LEAST = 1e-30  # of a share |w g| / N: for p > 2 the slope at 0 is infinite


def adaptive_slope(flow: Flow, theta: Theta) -> Float[np.ndarray, "m m"]:
    """Return `d eps / d theta` of `eps = |w| E(h)`, `h = |w| g`, E the step of l_p-SAM.

    diag(sign(w) E) + diag(|w|) E'(h) (diag(sign(w) g) + diag(|w|) g'),
    E'(h) = rho (q-1)/N (diag(u^(q-2)) - (s u^(q-1)) (s u^(q-1))^T),  u = |h|/N,  s = sign(h)
    """
    rule = flow.perturbation
    power = 1.0 / (rule.p - 1.0)  # q - 1
    w, g = theta.ravel(), -flow.descent(theta)[0].ravel()
    size = np.abs(w)
    sign = np.sign(w)
    h = size * g
    norm = np.linalg.norm(h, 1.0 + power)
    share = np.maximum(np.abs(h) / norm, LEAST)
    unit = np.copysign(share**power, h)
    inner = np.diag(sign * g) - size[:, None] * rescaled_hessian(flow, theta)[0]
    turned = share[:, None] ** (power - 1.0) * inner - np.outer(unit, unit @ inner)
    return rule.rho * (np.diag(sign * unit) + size[:, None] * (power / norm * turned))


@dataclass(frozen=True, eq=False)
class AdaptiveClock(LogClock):
    """A `LogClock` whose ascent step moves with the weights."""

    def slope_of_step(self, theta: Theta) -> Float[np.ndarray, "m m"]:
        """Return d eps / d theta."""
        return adaptive_slope(self.flow, theta)


adaptive_run = AdaptiveClock.run
