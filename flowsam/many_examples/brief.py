"""Runs in rescaled time, to a `tau_end` near enough that explicit steps get there and nothing ends.

The right-hand side has no clock: T = log(1 + t) is a quadrature along the path, made when asked
for. Whatever else may happen, the runs in T take over.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np

from flowsam.endings import Ending
from flowsam.engines.equal_layers import Upright
from flowsam.engines.lean_field import single_field
from flowsam.engines.path import Turn
from flowsam.engines.run import Request, Run
from flowsam.engines.stepping import ONE_STEP, Tolerances, march
from flowsam.flow import Flow
from flowsam.many_examples.log_clock import LogClock
from flowsam.shapes import Float, Theta

State = Float[np.ndarray, " m"]
# steps before progress is judged, and how many are worth while
_FIRST = 20
_MOST = 400


class _Brief(LogClock):
    """A flow in rescaled time, as the stepper wants it, which leaves off where it is not calm."""

    def weights(self, state: State) -> Theta:
        """Return the weights of a state, which has no time of its own."""
        return self.layers.whole(state)

    @cached_property
    def upright(self) -> Upright | None:
        """The side of 0 on which equal layers start."""
        return Upright.of(self.theta0, self.moving)

    def rhs(self, mode: Any) -> Callable[[float, State], State]:
        """Return the rescaled velocity of flat states."""
        field = single_field(self.flow)
        layers = self.layers
        return lambda tau, state: layers.flat(field(layers.whole(state)))

    def calm(self, tau: float, state: State, mode: Any) -> bool:
        """Tell whether rest, rounding and a collapse are far."""
        theta = self.weights(state)
        if self.upright is not None and self.upright.beyond(theta):
            return False  # the step went through 0, where no gradient is left
        return self.lively(theta)

    def signals(self, tau: float, state: State, mode: Any) -> Float[np.ndarray, " 1"]:
        """Return -1 where it is not calm."""
        return np.array([1.0 if self.calm(tau, state, mode) else -1.0])

    def transition(self, tau: float, state: State, mode: Any) -> Turn:
        """Leave off."""
        return Turn(state, mode, (), Ending.FAILED)


def brief_run(flow: Flow, theta0: Theta, asked: Request) -> Run | None:
    """Return a run to `tau_end`, or None where another engine has to follow the flow."""
    end = asked.end
    method = "DOP853" if asked.method == "auto" else asked.method
    system = _Brief(flow, theta0)
    steps = count(1)
    state = system.layers.flat(theta0)
    if method not in ONE_STEP or not system.calm(0.0, state, None):
        return None

    def crawls(left: float, right: float, dense: Any) -> float | None:
        taken = next(steps)
        return right if taken >= _FIRST and right * _MOST < taken * end else None

    care = Tolerances(method, asked.rtol, asked.atol)
    found = march(system, Turn(state, None), end=end, tolerances=care, stop=crawls)
    path = found.path
    if found.status != Ending.FINISHED or path.edges[-1] < end:
        return None

    def states(tau: Float[np.ndarray, " k"]) -> Float[np.ndarray, "k L d"]:
        return system.layers.whole(path(tau))

    work = found.method, found.steps, found.nfev
    pace = lambda tau: -flow.log_lambda(states(tau))  # noqa: E731
    return Run(states, pace, path.edges, path.breaks, (), found.status, end, *work)
