"""Normalised SAM that jumps, with several examples: Filippov's solution in T = log(1 + t).

On one surface it crosses, slides or leaves; where it would slide on two its velocity is not unique
and the run is handed over. A slide along minima rests at a flattest one, for doubles.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from flowsam.columns import loaded
from flowsam.endings import Ending
from flowsam.engines.equal_layers import Rates, Slopes
from flowsam.engines.path import Entry, Turn
from flowsam.engines.run import Request
from flowsam.engines.two_sides import change, mean_pace, upper_share
from flowsam.events import Event
from flowsam.falls import fell
from flowsam.flow import Flow
from flowsam.many_examples.gates import Gates, inflows
from flowsam.many_examples.rest import SMALL, next_move
from flowsam.many_examples.switching import Due, JointSwitching, Region, Side
from flowsam.network import other_products
from flowsam.regimes import Case, case_of
from flowsam.shapes import Bool, Float, Jacobian, Signals, State, Theta, Thetas, Vector

_RETURN = 3.0  # rate, per unit of T, at which a drift off the surface decays
_ROUNDING = 1e-13
_LARGEST = 709.0  # log of a tau that is a double
_DEAD = 1e-12  # of the largest weight of the start


@dataclass(frozen=True, eq=False)
class Sliding:
    """The flow in the clock T: states, regions, events (sliding_minima.py)."""

    flow: Flow
    theta0: Theta
    rtol: float = 1e-9
    atol: float = 0.0
    few = False  # its slopes are of numbers on a surface

    @cached_property
    def case(self) -> Case:
        """The flow's row."""
        return case_of(self.flow, len(self.theta0))

    @cached_property
    def surfaces(self) -> JointSwitching:
        """Where the field jumps."""
        kind: Any = loaded(self.case.regime.surfaces)
        surfaces: JointSwitching = kind(self.flow, self.theta0)
        return surfaces

    @cached_property
    def gates(self) -> Gates:
        """What its states hold."""
        return Gates(self.flow, self.surfaces, self.theta0)

    def errors(self, asked: Request) -> float | State:
        """Return the absolute errors of a step: a log's is relative."""
        return self.gates.errors(asked)

    def start(self) -> Entry:
        """Return the region of the start, the events there, and a status ("" to go on)."""
        region, on = self.surfaces.locate(self.theta0)
        still = self.surfaces.still & self.flow.data.moving
        rested = Event.each("zero", 0.0, still & ~self.theta0.any(axis=0))
        region, events, status = self._decided(self.theta0, region, on, 0.0)
        region = self.gates.charted(self.theta0, region)
        if not status and self._at_rest(region):
            return Entry(region, (*rested, Event(0.0, "collapse")), "collapsed")
        return Entry(region, rested + events, status)

    def rates(
        self, log_t: float, states: Float[np.ndarray, "*b m"], region: Region
    ) -> Any:
        """Return the velocity of (numbers, log(1 + tau)) in T, one state or many.

        theta' = lambda f+ + (1 - lambda) f-,   dt/d tau = lambda/Lambda+ + (1 - lambda)/Lambda-
        """
        moved = self._motion(self.weights(states, region), region, log_t)
        log_pace = np.asarray(log_t + moved.log_scale)
        # tau grows like t where weights rest
        pace = np.exp(np.minimum(log_pace - states[..., -1], 600.0))[..., None]
        velocity = self.gates.rates(states[..., :-1], region.chart, moved, log_pace)
        return np.concatenate([velocity, pace], axis=-1)

    @staticmethod
    def timed(log_tau: Any) -> Any:
        """Return tau by the last number of a state."""
        return np.expm1(np.minimum(log_tau, _LARGEST))

    def weights(self, states: Float[np.ndarray, "*b m"], region: Region) -> Thetas:
        """Return the weights of states."""
        return self.gates.weights(states[..., :-1], region.chart)

    def _motion(self, theta: Thetas, region: Region, log_t: float) -> Side:
        """Return Filippov's rescaled velocity and pull, and -log dt/dtau."""
        above = self.surfaces.side(theta, region, 1)
        if region.sliding is None:
            return above
        below = self.surfaces.side(theta, region, -1)
        normal = self.surfaces.normal(theta, region.sliding)
        a, b = inflows(normal, above, below)
        share = upper_share(a, b)
        log_pace = mean_pace(share, above.log_scale, below.log_scale)
        height = self.surfaces.heights(theta)[..., region.sliding]
        # back to the surface at a rate that is slow in T: drift of the steps must not add up
        back = _RETURN * height * np.exp(np.clip(log_pace - log_t, -600.0, 600.0))
        turn = upper_share(a, b, back=back) - share
        velocity = self.gates.tangent(normal, above.velocity, below.velocity)
        velocity = velocity + turn[..., None, None] * (above.velocity - below.velocity)
        share = share[..., None]
        pull = share * above.pull + (1.0 - share) * below.pull
        return replace(
            above, pull=pull, velocity=velocity, log_scale=np.asarray(-log_pace)
        )

    def rhs(self, region: Region) -> Rates:
        """Return the right-hand side of one region."""
        return lambda log_t, state: self.rates(log_t, state, region)

    def jac(self, region: Region) -> Slopes:
        """Return the Jacobian: exact where eps is constant, by central differences elsewhere."""
        if region.sliding is not None or not self.surfaces.constant:
            return lambda log_t, state: self._differences(log_t, state, region)

        def exact(log_t: float, state: State) -> Jacobian:
            hat = self.surfaces.side(self.weights(state, region), region, 1).hat
            out = self.gates.jacobian(log_t, state, region.chart, hat)
            out[:-1][region.resting[self.gates.features]] = 0.0
            return out

        return exact

    def _differences(self, log_t: float, state: State, region: Region) -> Jacobian:
        """Return central differences of `rates`, all columns at once."""
        products = np.abs(other_products(self.weights(state, region))).max()
        width = 1e-5 / max(1.0, products * np.abs(self.flow.data.z).max())
        width = width * self.surfaces.scales(state[:-1]) * np.ones(state.size - 1)
        width = np.where(region.chart.logs, 1e-5, width)
        steps = np.diag(np.append(width, 0.0))[:-1]
        out = np.zeros((state.size, state.size))
        after = self.rates(log_t, state + steps, region)
        before = self.rates(log_t, state - steps, region)
        out[:, :-1] = (after - before).T / (2.0 * width)
        out[-1, -1] = -self.rates(log_t, state, region)[-1]
        return out

    def calm(self, log_t: float, state: State, region: Region) -> bool:
        """Tell nothing: a surface may be near."""
        return False

    def falls(self, before: State, after: State, region: Region) -> bool:
        """Tell whether a step went through 0, where no gradient is left."""
        step = (self.weights(state, region) for state in (before, after))
        return fell(self.case.falls, self.theta0, *step)

    def signals(self, log_t: float, state: State, region: Region) -> Signals:
        """Return what stays positive: heights, sides of a slide, the pull to rest, the ends."""
        theta = self.weights(state, region)
        size = max(self.flow.rho, float(np.abs(theta).max()))
        height = region.signs * self.surfaces.heights(theta)
        height[: self.surfaces.weights] /= size
        height = np.where(self.surfaces.watched(region), height, np.inf)
        holds = np.full(2, np.inf)
        rests = np.full(self.theta0.shape[1], np.inf)
        share = 1.0
        sides = [self.surfaces.side(theta, region, 1)] * 2
        if region.sliding is not None:
            sides[1] = self.surfaces.side(theta, region, -1)
            a, b = inflows(self.surfaces.normal(theta, region.sliding), *sides)
            holds = np.array([-a, b]) / max(abs(a), abs(b), 1e-300)
            share = float(upper_share(a, b))
        if region.resting.any() and self.surfaces.constant:
            # at rest while sign(G_j) G_j(theta_hat) > 0, in the mean over a slide
            above, below = (side.pulls * side.pull for side in sides)
            mean = share * above + (1.0 - share) * below
            rests = np.where(region.resting, mean, np.inf)
        life = self.surfaces.life(theta, region) - self._floor
        off = self._unrest(log_t, state, region, sides)
        return np.concatenate([height, holds, rests, life, [off]])

    @cached_property
    def _floor(self) -> Vector:
        """The size at which a feature is dead: far below that of its start, but seen by steps."""
        size = self.surfaces.life(self.theta0, self.surfaces.locate(self.theta0)[0])
        least = max(_DEAD * np.abs(self.theta0).max(), self.atol)
        return np.minimum(least, 1e-3 * size)

    def _unrest(
        self,
        log_t: float,
        state: State,
        region: Region,
        sides: list[Side],
    ) -> float:
        """Return how far a run is from its end: where pulls cancel, and nothing moves on."""
        slides = region.sliding is not None
        if not slides and not self.surfaces.constant:
            return np.inf
        theta = self.weights(state, region)
        sizes = self.flow.data.sizes * ~region.resting
        most = max(np.linalg.norm(sizes * other_products(side.hat)) for side in sides)
        moved = self._motion(theta, region, log_t) if slides else sides[0]
        norm = np.linalg.norm(moved.velocity)
        if norm > SMALL * most:
            return float(norm / most - SMALL)
        jacobian = self.jac(region)(log_t, state)[:-1, :-1]
        move = next_move(jacobian, self.rates(log_t, state, region)[:-1])
        far = self.gates.farthest(move, jacobian, state[:-1], region.chart)
        size = max(float(np.abs(theta).max()), 1.0)
        return far / size - max(10.0 * self.rtol, self.surfaces.fold)

    def transition(self, log_t: float, state: State, region: Region) -> Turn:
        """Return state, region, events and status after the first signal reached 0."""
        before = region.chart
        signals = self.signals(log_t, state, region)
        due = signals <= max(_ROUNDING, float(signals.min()))
        theta = self.weights(state, region)
        tau = float(self.timed(state[-1]))
        parts = self.surfaces.size + np.cumsum([0, 2, *self.theta0.shape[1:] * 2])
        surfaces, holds, rests, died, ended = np.split(due, parts)
        if ended.any():
            slides = region.sliding is not None
            return Turn(state, region, (), "flattest" if slides else "at rest")
        falls = self.case.falls
        if died.any() and falls and falls.forks(theta, 2.0 * self._floor.max()):
            return Turn(state, region, (), Ending.FORKS)
        region = replace(region, resting=region.resting & ~rests)
        events = [*Event.each("leave", tau, rests)]
        theta.flat[np.flatnonzero(surfaces[: self.surfaces.weights])] = 0.0
        region = replace(region, resting=region.resting | died)
        theta[np.argsort(np.abs(theta), axis=0)[:2, died], died] = 0.0
        events += Event.each("zero", tau, died)
        region, surfaces, settled = self._whole(region, surfaces, tau)
        events.extend(settled)
        if holds.any() and not surfaces.any():
            region, new, status = self._left(region, holds, tau)
        else:
            region, new, status = self._decided(theta, region, surfaces, tau)
        events.extend(new)
        if not status and self._at_rest(region):
            events = [*events, Event(tau, "collapse")]
            status = "collapsed"
        region = self.gates.charted(theta, region)
        after = self.gates.turned(theta, region.chart, state, before)
        return Turn(after, region, tuple(events), status)

    def _at_rest(self, region: Region) -> bool:
        """Tell whether every coordinate that can move is at rest."""
        return bool((region.resting | self.surfaces.idle).all())

    def _whole(
        self, region: Region, due: Due, tau: float
    ) -> tuple[Region, Due, list[Event]]:
        """Settle coordinates whose weights reach 0 together: rest, or pass at odd depth."""
        depth = len(self.theta0)
        count = self.surfaces.weights
        if not count:
            return region, due, []
        zero = due if depth % 2 else due | (region.signs == 0)  # reached along an axis
        whole = np.all(zero[:count].reshape(depth, -1), axis=0)
        flip = np.append(np.tile(whole, depth), np.zeros(due.size - count, bool))
        kind = "cross" if depth % 2 else "zero"
        # eps does not jump there: the other layers' product keeps its sign
        if depth % 2:
            region = replace(region, signs=np.where(flip, -region.signs, region.signs))
        else:
            signs = np.where(flip & (region.signs == 0), 1, region.signs)
            region = replace(region, signs=signs, resting=region.resting | whole)
        return region, due & ~flip, [*Event.each(kind, tau, whole)]

    def _left(self, region: Region, holds: Bool[np.ndarray, " 2"], tau: float) -> Entry:
        """End a slide, to the side whose field no longer points at the surface."""
        if holds.all():
            return Entry(region, (), "several")
        slid: Any = region.sliding
        signs = np.where(region.signs == 0, 1 if holds[0] else -1, region.signs)
        event = Event(tau, "leave", *self.surfaces.place(slid))
        return Entry(replace(region, signs=signs), (event,))

    def _decided(self, theta: Thetas, region: Region, due: Due, tau: float) -> Entry:
        """Cross, slide or leave where Filippov's solution is unique; else hand over."""
        places = np.flatnonzero(due | (region.signs == 0))
        if not due.any():
            return Entry(region)
        found = (
            self.surfaces.candidates(theta, region, places) if len(places) <= 2 else []
        )
        if len(found) != 1:
            return Entry(region, (), "several")
        events: list[Event] = []
        for surface in places:
            old, new = (int(at.signs[surface]) for at in (region, found[0]))
            if kind := change(old, new, tau):
                events.append(Event(tau, kind, *self.surfaces.place(int(surface))))
        return Entry(found[0], tuple(events))
