"""l_p-SAM with 2 < p < inf and several examples: features die in finite time and stay dead.

With v <= u the two smallest sizes of a feature and R the product of its others, both are braked
while the pull has one sign at theta and theta_hat:

    dv/dtau = |G_hat R_hat| (u - c v^(q-1)),  du/dtau = |G_hat R_hat| (v - c u^(q-1)),
    c = rho (|G R| / ||g||_q)^(q-1),  0 < q - 1 < 1.

Where u^(2-q) < c both fall and reach 0 in finite time. On the way v is the slave of u, read off
where its own brake stops it, v = (u / c)^(p-1), once the error of that, (p v / u)^2 max(u, c
u^(q-1)), is of the size of atol.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from flowsam.endings import Ending
from flowsam.engines.equal_layers import EqualLayers, Rates, Slopes
from flowsam.engines.path import Entry, Turn
from flowsam.engines.run import Request
from flowsam.engines.slaves import enslaved
from flowsam.engines.stepping import March
from flowsam.events import Event
from flowsam.flow import Flow
from flowsam.many_examples.log_clock import LogClock
from flowsam.network import other_products
from flowsam.shapes import (
    Int,
    Jacobian,
    Marks,
    Mask,
    Signals,
    State,
    Theta,
    Vector,
)

_STIFF = (
    "; for 2 < p < inf the ascent step turns at a rate without bound where the pull on a living "
    "feature vanishes, as at a finite minimiser"
)


class Roles(NamedTuple):
    """Which weights are slaves, shape (L, d), and which features are dead, shape (d,)."""

    slaves: Marks
    dead: Mask


class _Pair(NamedTuple):
    """The smallest weight of each feature and the next: layers, sizes, slaved value, brake."""

    layers: Int[np.ndarray, "2 d"]
    v: Vector
    u: Vector
    slaved: Vector
    brake: Vector


@dataclass(frozen=True, eq=False)
class FadingClock(LogClock):
    """The flow in the clock T without slaves and dead features; a mode says which those are."""

    # size of u at which a feature that dies is dead, and error of a slave
    floor: float = 1e-12

    @classmethod
    def of(cls, flow: Flow, theta0: Theta, asked: Request) -> LogClock:
        """Return the system of a start."""
        floor = max(asked.atol, 1e-14 * float(np.abs(theta0).max()))
        return cls(flow, theta0, asked.rtol, floor)

    @cached_property
    def layers(self) -> EqualLayers:
        """Which layers stay equal: all or none, for of two equal ones one may be a slave."""
        even = not np.ptp(np.abs(self.theta0), axis=0).any()
        return EqualLayers.of(self.theta0, apart=not even)

    def begun(self) -> Entry:
        """Return mode, events and status of the start: features with two weights at 0 are dead."""
        dead = np.sort(np.abs(self.theta0), axis=0)[1] == 0
        status = "collapsed" if dead[self.moving].all() else ""
        mode = Roles(np.zeros(self.theta0.shape, bool), dead)
        return Entry(mode, Event.each("zero", 0.0, dead & self.moving), status)

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

    def shown(self, state: State, mode: Roles) -> State:
        """Return a state with the slaves read off their masters."""
        slaved = lambda w: self._pair(w, mode).slaved  # noqa: E731
        theta = enslaved(self.weights(state), mode.slaves, slaved)
        return np.append(theta.ravel(), state[-1])

    @property
    def shown_all(self) -> Callable[[Any, Any], Any]:
        """What gives the weights of states, slaves among them."""

        def shown(states: Any, mode: Roles) -> Any:
            whole = np.array([self.shown(state, mode) for state in states])
            return whole[:, :-1].reshape(-1, *self.theta0.shape)

        return shown

    def note(self, found: March) -> str:
        """Return why steps failed."""
        return _STIFF if found.status == "failed" else ""

    def calm(self, log_t: float, state: State, mode: Roles) -> bool:
        """Tell nothing: weights may die at any time."""
        return False

    def signals(self, log_t: float, state: State, mode: Roles) -> Signals:
        """Return how far off are rest, rounding, new roles (at 10 atol, back at 40) and deaths."""
        state = self.shown(state, mode)
        theta = self.weights(state)
        ends = super().signals(log_t, state, mode)[:2]
        at = self._pair(theta, mode)
        rule = self.flow.perturbation
        still = mode.dead | ~self.moving
        braked = self._braked(theta)
        pulls = np.maximum(at.brake * at.u ** (1.0 / (rule.p - 1.0)), at.u)
        share = np.divide(
            rule.p * at.slaved, at.u, out=np.ones_like(pulls), where=braked
        )
        error = np.where(braked, share**2 * pulls, np.inf)
        off = np.abs(theta[at.layers[0], np.arange(at.u.size)] - at.slaved)
        third = np.sort(np.abs(theta), axis=0)[2:3]
        master = (at.u < 0.99 * third).all(axis=0)  # of two equal masters none is
        bind = np.where(
            master & braked, np.maximum(off, error) - 10.0 * self.floor, np.inf
        )
        role = np.where(mode.slaves.any(axis=0), 40.0 * self.floor - error, bind)
        pull = at.u ** ((rule.p - 2.0) / (rule.p - 1.0))
        dies = braked & (pull < 0.5 * at.brake)
        life = np.where(dies, at.u - self.floor, np.inf)
        return np.concatenate(
            [ends, np.where(still, np.inf, role), np.where(still, np.inf, life)]
        )

    def transition(self, log_t: float, state: State, mode: Roles) -> Turn:
        """Return the state after a weight changed its role or a feature died, or at the end."""
        changes = self.signals(log_t, state, mode)[2:]
        turned, died = changes.reshape(2, -1) <= 0
        state = self.shown(state, mode)
        if self.open and self.open.forks(self.weights(state), 10.0 * self.floor):
            return Turn(state, mode, (), Ending.FORKS)
        if not (turned | died).any():
            return super().transition(log_t, state, mode)
        theta = self.weights(state).copy()
        tau = float(state[-1])
        layers = self._pair(theta, mode).layers
        every = np.arange(died.size)
        slaves = mode.slaves & ~(turned | died)
        dead = mode.dead | died
        bound = turned & ~mode.slaves.any(axis=0) & ~died
        slaves[layers[0][bound], every[bound]] = True
        theta[layers[:, died], every[died]] = 0.0
        gone = bool(dead[self.moving].all())
        events = Event.each("zero", tau, died) + (
            (Event(tau, "collapse"),) if gone else ()
        )
        return Turn(
            np.append(theta.ravel(), tau),
            Roles(slaves, dead),
            events,
            "collapsed" * gone,
        )

    def _free(self, mode: Roles) -> State:
        """Return 1 where an entry of a state is integrated."""
        return np.append(~(mode.slaves | mode.dead), True).astype(float)

    def _pair(self, theta: Theta, mode: Roles) -> _Pair:
        """Return the two smallest weights of every feature, a slave first."""
        rule = self.flow.perturbation
        every = np.arange(theta.shape[1])
        order = np.argsort(
            np.where(mode.slaves, -1.0, np.abs(theta)), axis=0, kind="stable"
        )
        v, u = np.abs(theta)[order[:2], every]
        pull = self.flow.pull(theta)[0]
        products = other_products(theta)
        strength = np.abs(pull * np.prod(theta[order[2:], every], axis=0))
        norm = np.linalg.norm((pull * products).ravel(), rule.p / (rule.p - 1.0))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            size = np.fmin((u / rule.rho) ** (rule.p - 1.0) * norm / strength, 1e100)
            brake = rule.rho * (strength / norm) ** (1.0 / (rule.p - 1.0))
        slaved = np.copysign(size, pull * products[order[0], every])
        return _Pair(order[:2], v, u, slaved, brake)

    def _braked(self, theta: Theta) -> Mask:
        """Return which features are pulled to one side at theta and theta_hat."""
        pulls = [self.flow.pull(w)[0] for w in (theta, self.flow.perturbed(theta))]
        return (pulls[0] * pulls[1] > 0) & (np.sort(np.abs(theta), axis=0)[1] > 0)


fading_run = FadingClock.run
