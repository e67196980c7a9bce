"""One-example flows for the stepper: where a run in rescaled time ends, and why.

A normalised rule can drive every active weight to 0 in finite tau (collapse: the gradient is
zero and the rule undefined there); at depth 3 or more a coordinate reaches infinity in finite tau.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from flowsam.filippov import Mode, Switching
from flowsam.flow import Flow
from flowsam.stepping import Tail
from flowsam.trajectory import Event

__all__ = ["OneExample"]

State = Float[np.ndarray, " m"]
Theta = Float[np.ndarray, "L d"]
Points = Float[np.ndarray, " _"]
_RADIUS = 1e6  # in units of the start: the blow-up estimate is then good to 1e-12 of what is left
_LARGEST = 1e300  # margins end here


@dataclass(frozen=True, eq=False)
class OneExample:
    """A flow with one example as the stepper wants it: flat states, events and ends.

    Parameters
    ----------
    flow : Flow
        One example, any rule.
    theta0 : ndarray, shape (L, d)
        The start.
    atol : float
        Absolute tolerance; collapse is read off at 1e3 atol.
    """

    flow: Flow
    theta0: Float[np.ndarray, "L d"]
    atol: float

    @property
    def switching(self) -> Switching | None:
        """The event-driven field, where the rule jumps (l_inf, depth at least 2)."""
        rule = self.flow.perturbation
        jumps = rule.rho and rule.normalised and np.isinf(rule.p) and len(self.theta0) > 1
        return Switching(self.flow) if jumps else None

    @property
    def active(self) -> Float[np.ndarray, " d"]:
        """1 where mu_j is not 0: the others never move."""
        return (self.flow.mu != 0).astype(float)

    @property
    def rate(self) -> float:
        """A rate of the flow, per unit of tau: `max |mu_j| * scale^(L-2)`."""
        scale = max(self.flow.perturbation.rho, float(np.abs(self.theta0 * self.active).max()))
        power = max(len(self.theta0) - 2, 0)
        return float(np.abs(self.flow.mu).max()) * max(scale, 1e-300) ** power

    @property
    def floor(self) -> float:
        """Largest active weight at which a collapse is certain; 0 where none can happen."""
        rule = self.flow.perturbation
        if self.switching or not rule.rho or not rule.normalised or len(self.theta0) == 1:
            return 0.0
        return min(1e3 * self.atol, 1e-3 * float(np.abs(self.theta0 * self.active).max()))

    @property
    def ceiling(self) -> float:
        """Largest weight before the run ends in a blow-up, or leaves the range of doubles."""
        mu, depth = np.abs(self.flow.mu), len(self.theta0)
        range_end = (_LARGEST / max(1.0, float(mu.sum()))) ** (1.0 / depth)
        scale = max(self.flow.perturbation.rho, float(np.abs(self.theta0).max()))
        return min(range_end, _RADIUS * scale) if depth > 2 else range_end

    def start(self) -> tuple[Mode | None, tuple[Event, ...], str]:
        """Return the mode of the start, the events at tau = 0, and a status ("" to go on)."""
        if self.switching:
            return self.switching.start(self.theta0)
        if not (self.flow.field(self.theta0) != 0).any():
            return None, (Event(0.0, "collapse"),), "collapsed"
        return None, (), ""

    def rhs(self, mode: Mode | None) -> Callable[[float, State], State]:
        """Return the right-hand side of one region, on flat states."""
        shape, switching = self.theta0.shape, self.switching
        if switching:
            return lambda tau, state: switching.field(state.reshape(shape), mode).ravel()
        return lambda tau, state: self.flow.field(state.reshape(shape)).ravel()

    def log_pace(self, states: Float[np.ndarray, "k L d"]) -> Points:
        """Return log dt/dtau of states on the path, sliding and rest included."""
        return self.switching.log_pace(states) if self.switching else -self.flow.log_lambda(states)

    def signals(self, tau: float, state: State, mode: Mode | None) -> Float[np.ndarray, " K"]:
        """Return distance to collapse and to the ceiling, then the switching surfaces."""
        theta = state.reshape(self.theta0.shape)
        size = np.abs(theta * self.active).max()
        ends = np.array([size - self.floor if self.floor else np.inf, self.ceiling - size])
        if not self.switching:
            return ends
        return np.concatenate([ends, self.switching.signals(theta, mode)])

    def transition(
        self, tau: float, state: State, mode: Mode | None
    ) -> tuple[State | Tail, Mode | None, tuple[Event, ...], str]:
        """Return state, mode, events and status after the first signal reached 0."""
        theta = state.reshape(self.theta0.shape)
        collapse, escape, *_ = self.signals(tau, state, mode)
        if collapse <= self.floor * 1e-6:
            return self._collapsed(tau, theta)
        if escape <= self.ceiling * 1e-6:  # steep: tau is exact to the last bit, the size is not
            return self._escaped(tau, theta, mode)
        tolerance = 1e-13 * max(self.flow.perturbation.rho, float(np.abs(theta).max()))
        theta, mode, events, status = self.switching.transition(theta, mode, tau, tolerance)
        if not status and mode.resting[self.flow.mu != 0].all():
            events, status = (*events, Event(float(tau), "collapse")), "collapsed"
        return theta.ravel(), mode, events, status

    def _collapsed(self, tau: float, theta: Theta) -> tuple[Tail, None, tuple[Event, ...], str]:
        """Follow the last stretch, along which |w| falls at constant speed, to the origin."""
        speed = self.flow.field(theta)
        place = np.unravel_index(np.argmax(np.abs(theta * self.active)), theta.shape)
        stretch = abs(theta[place] / speed[place])

        def tail(points: Points) -> Float[np.ndarray, "k m"]:
            left = np.maximum(1.0 - (points - tau) / stretch, 0.0)[:, None, None]
            return np.where(self.active > 0, left * theta, theta).reshape(points.size, -1)

        return tail, None, (Event(float(tau + stretch), "collapse"),), "collapsed"

    def _escaped(
        self, tau: float, theta: Theta, mode: Mode | None
    ) -> tuple[Tail | State, Mode | None, tuple[Event, ...], str]:
        """Follow the last stretch of a blow-up: `tau* - tau = z^-(L-2) / ((L-2) |mu_j|)`.

        z^2 is the mean square of the winner's perturbed weights; what is neglected is of
        relative order (imbalance / z)^4. The other coordinates are carried on and freeze.
        """
        depth = len(theta)
        if depth < 3:
            return theta.ravel(), mode, (), "escaped"
        field = self.switching.field(theta, mode) if self.switching else self.flow.field(theta)
        hat = self.flow.perturbed(theta)
        with np.errstate(divide="ignore"):
            remaining = (hat**2).mean(axis=0) ** (1 - depth / 2) / np.abs(self.flow.mu)
        large = np.abs(theta).min(axis=0) > 0.5 * self.ceiling
        remaining = np.where(large, remaining / (depth - 2), np.inf)
        winner = int(np.argmin(remaining))
        stretch, end = remaining[winner], tau + remaining[winner]

        def tail(points: Points) -> Float[np.ndarray, "k m"]:
            left = np.maximum((end - points) / stretch, 0.0)[:, None, None]
            states = theta + (1.0 - left) * stretch * field
            with np.errstate(divide="ignore"):
                growth = left[..., 0] ** (-1 / (depth - 2))
            states[..., winner] = theta[:, winner] + hat[:, winner] * (growth - 1.0)
            return states.reshape(points.size, -1)

        return tail, mode, (Event(float(end), "blow-up", None, winner),), "escaped"
