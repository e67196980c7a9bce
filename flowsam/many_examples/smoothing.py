"""l_inf-SAM with tanh in place of the sign: it converges to Utkin's solution, not to Filippov's.

As width -> 0 the state slides where tanh keeps F_j = 0 (equivalent control, in theta_hat), while
discrete SAM averages the velocities of the two sides: the paths differ by a bounded offset, the
limit direction is the same. (derivations/discrete_to_flow.py)
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from flowsam.engines.path import Turn
from flowsam.engines.run import Request
from flowsam.flow import Flow
from flowsam.many_examples.hessian import Turning
from flowsam.many_examples.late_path import LateRun
from flowsam.many_examples.log_clock import LogClock
from flowsam.many_examples.log_march import marched
from flowsam.perturbations import Perturbation
from flowsam.shapes import Theta, Thetas

_WIDTH = 1e-2  # a smaller one lets the rounding of margins at late times through
_RTOL = 1e-6  # the steps would follow that rounding below it


class Steep(Perturbation):
    """The rule `eps = rho tanh(g / (width |g|))`."""

    def step(self, g: Thetas) -> Thetas:
        """Return the step, one for each start of a batch."""
        norm = np.sqrt(np.add.reduce(g * g, axis=(-2, -1), keepdims=True))
        return self.rho * np.tanh(g / np.maximum(norm * _WIDTH, 1e-300))


def smoothed(flow: Flow) -> Flow:
    """Return the flow with tanh for the sign."""
    return Flow(flow.data, Steep(np.inf, flow.rho), flow.loss)


def turning(flow: Flow, theta: Theta, curved: Callable[[Theta], Theta]) -> Turning:
    """Return d eps / d theta = -(rho/(width |F|)) cosh^-2(u/width) (I - u u^T) H, u = F/|F|."""
    descent = flow.descent(theta)[0]
    norm = max(float(np.linalg.norm(descent)), 1e-300)
    unit = descent / norm
    reach = np.minimum(np.abs(unit) / _WIDTH, 300.0)
    steep = flow.rho / (_WIDTH * norm) / np.cosh(reach) ** 2
    return Turning(np.zeros_like(theta), steep, -steep * unit, curved(unit))


@dataclass(frozen=True, eq=False)
class SmoothedClock(LogClock):
    """A smoothed flow in the clock T, with the slope of its step."""

    turned = staticmethod(turning)


def smoothed_run(flow: Flow, theta0: Theta, asked: Request) -> LateRun:
    """Integrate l_inf-SAM with a steep tanh for the sign, implicitly, width = 1e-2."""
    rtol = max(asked.rtol, _RTOL)
    atol = max(asked.atol, 1e-3 * _RTOL)
    asked = replace(asked, method="Radau", rtol=rtol, atol=atol)
    system = SmoothedClock(smoothed(flow), theta0)
    run = marched(system, Turn(system.start, None), asked)
    run = replace(run, method="tanh for sign (Utkin), Radau")
    return LateRun(run, system.seen)
