"""l_p-SAM with 2 < p < inf and several examples in T: weights that are slaves, or die."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowsam.endings import Ending
from flowsam.engines.deaths import Deaths, Roles
from flowsam.engines.equal_layers import EqualLayers, Rates, Slopes
from flowsam.engines.path import Entry, Turn
from flowsam.engines.run import Request
from flowsam.engines.stepping import March
from flowsam.events import Event
from flowsam.flow import Flow
from flowsam.many_examples.feature_blocks import FeatureSlopes
from flowsam.many_examples.log_clock import LogClock
from flowsam.shapes import Jacobian, Signals, State, Theta

_STIFF = (
    "; for 2 < p < inf the ascent step turns at a rate without bound where the pull on a living "
    "feature vanishes, as at a finite minimiser"
)


@dataclass(frozen=True, eq=False)
class FadingClock(LogClock):
    """The flow in the clock T without slaves and dead features; a mode says which those are."""

    # size of u at which a feature that dies is dead, and error of a slave
    floor: float = 1e-12

    @classmethod
    def of(cls, flow: Flow, theta0: Theta, asked: Request) -> LogClock:
        """Return the system of a start."""
        floor = max(asked.atol, 1e-14 * float(np.abs(theta0).max()))
        low = Deaths(flow, floor).low
        return cls(flow, theta0, asked.rtol, low, floor)

    @cached_property
    def deaths(self) -> Deaths:
        """What changes the roles of weights."""
        return Deaths(self.flow, self.floor)

    @cached_property
    def layers(self) -> EqualLayers:
        """Which layers stay equal: all or none, for of two equal ones one may be a slave."""
        even = not np.ptp(np.abs(self.theta0), axis=0).any()
        return EqualLayers.of(self.theta0, apart=not even)

    def begun(self) -> Entry:
        """Return mode, events and status of the start."""
        found = self.deaths.start(self.theta0)
        gone = self.deaths.ended(found.mode)
        return found._replace(status="collapsed" * gone)

    def rhs(self, mode: Roles) -> Rates:
        """Return the velocity of what is integrated."""
        free = self._free(mode)
        return lambda log_t, state: free * self.rates(log_t, self.shown(state, mode))

    def jac(self, mode: Roles) -> Slopes:
        """Return its derivative with the slaves held: they hardly move the others."""
        free = self._free(mode)

        def slope(log_t: float, state: State) -> Jacobian:
            return free[:, None] * self.jacobian(log_t, self.shown(state, mode)) * free

        return slope

    def slopes(self, mode: Roles) -> Callable[[float, State], FeatureSlopes]:
        """Return the same as blocks and a low rank."""
        free = self._free(mode)[:-1].reshape(self.theta0.shape)
        return lambda log_t, state: self.by_features(
            log_t, self.shown(state, mode)
        ).held(free)

    def shown(self, state: State, mode: Roles) -> State:
        """Return a state with the slaves read off their masters."""
        theta = self.deaths.shown(self.weights(state), mode.slaves)
        return np.append(theta.ravel(), state[-1])

    def note(self, found: March) -> str:
        """Return why steps failed."""
        return _STIFF if found.status == "failed" else ""

    def signals(self, log_t: float, state: State, mode: Roles) -> Signals:
        """Return how far off are rest, rounding, new roles and deaths."""
        state = self.shown(state, mode)
        ends = super().signals(log_t, state, mode)[:2]
        return np.append(ends, self.deaths.signals(self.weights(state), mode.slaves))

    def falls(self, before: State, after: State, mode: Roles) -> bool:
        """Tell whether a step went through 0, or through where a weight was to stay."""
        if super().falls(before, after, mode):
            return True
        step = self.weights(before), self.weights(after)
        return bool(self.deaths.catches(*step, mode.slaves))

    def transition(self, log_t: float, state: State, mode: Roles) -> Turn:
        """Return the state after a weight changed its role or a feature died, or at the end."""
        due = self.signals(log_t, state, mode)[2:] <= 0
        state = self.shown(state, mode)
        theta = self.weights(state)
        if self.open and self.open.forks(theta, 10.0 * self.floor):
            return Turn(state, mode, (), Ending.FORKS)
        if not due.any():
            return super().transition(log_t, state, mode)
        tau = float(state[-1])
        theta, roles, events, _ = self.deaths.turn(theta, mode, tau)
        gone = self.deaths.ended(roles)
        events += (Event(tau, "collapse"),) if gone else ()
        return Turn(np.append(theta.ravel(), tau), roles, events, "collapsed" * gone)

    def _free(self, mode: Roles) -> State:
        """Return 1 where an entry of a state is integrated."""
        return np.append(mode.free, True).astype(float)


fading_run = FadingClock.run
