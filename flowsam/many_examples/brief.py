"""Runs in rescaled time, to a `tau_end` near enough that explicit steps get there and nothing ends.

The right-hand side has no clock: T = log(1 + t) is a quadrature along the path, made when asked
for. Whatever else may happen, the runs in T take over.
"""

from itertools import count
from typing import Any

import numpy as np

from flowsam.endings import Ending
from flowsam.engines.equal_layers import Rates, State
from flowsam.engines.lean_field import single_field
from flowsam.engines.path import Turn
from flowsam.engines.run import Request, Run
from flowsam.engines.stepping import ONE_STEP, Tolerances, march
from flowsam.many_examples.fading_clock import FadingClock
from flowsam.many_examples.log_clock import LogClock
from flowsam.regimes import Case
from flowsam.shapes import Float, Starts, Theta

# steps between two looks at the progress, and how many are worth while
_LOOKS = 20
_MOST = 400
_SLOWEST = 600.0  # log Lambda at theta_hat from which a step in T is no double: none takes over,
_LONG = 20_000  # and steps grow once theta_hat is near


class _Brief(LogClock):
    """A flow in rescaled time, as the stepper wants it: whether it was lively is asked later."""

    def rhs(self, mode: Any) -> Rates:
        """Return the rescaled velocity of flat states."""
        return self.layers.rates(single_field(self.flow))

    def calm(self, log_t: float, state: State, mode: Any) -> bool:
        """Tell that nothing happens on the way."""
        return True

    def weights(self, state: State) -> Theta:
        """Return the weights of a state, which has no clock."""
        return self.layers.whole(state)

    @property
    def start(self) -> State:
        """The state at first."""
        return self.layers.flat(self.theta0)

    def stays_lively(self, thetas: Starts) -> bool:
        """Tell whether no step came near rest."""
        return self.lively(thetas.transpose(1, 2, 0))


def brief_run(case: Case, theta0: Theta, asked: Request) -> Run | None:
    """Return a run to `tau_end`, or None where another engine has to follow the flow."""
    end = asked.end
    method = "DOP853" if asked.method == "auto" else asked.method
    if method not in ONE_STEP:
        return None
    flow = case.flow
    low = FadingClock.of(flow, theta0, asked).low if case.regime.fades else 0.0
    system = _Brief(flow, theta0, low=low)
    layers = system.layers
    taken = count(1)

    def stops(left: float, right: float, dense: Any) -> float | None:
        steps = next(taken)
        if steps % _LOOKS:
            return None
        crawls = right * _MOST < steps * end
        if crawls and steps < _LONG:
            crawls = float(flow.log_lambda(theta0)) <= _SLOWEST
        now = layers.whole(dense([right]).T)
        return right if crawls or not system.stays_lively(now) else None

    start = Turn(system.start, None)
    care = Tolerances(method, asked.rtol, asked.atol)
    found = march(system, start, end=end, tolerances=care, stop=stops)
    path = found.path
    if found.status != Ending.FINISHED or path.edges[-1] < end:
        return None
    if not system.stays_lively(layers.whole(np.array(path.nodes))):
        return None

    def states(tau: Float[np.ndarray, " k"]) -> Starts:
        return layers.whole(path(tau))

    work = found.method, found.steps, found.nfev
    pace = lambda tau: -flow.log_lambda(states(tau))  # noqa: E731
    return Run(states, pace, path.edges, path.breaks, (), found.status, end, *work)
