"""One-example flows for the stepper: where a run in rescaled time ends, and why.

A normalised rule can drive all active weights to 0 in finite tau (collapse: the rule is undefined
at a gradient of 0); at L >= 3 a coordinate reaches infinity in finite tau.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from flowsam.endings import Ending
from flowsam.engines.equal_layers import EqualLayers, Rates, State
from flowsam.engines.path import Entry, Turn
from flowsam.engines.range_ends import FALLEN, RADIUS, range_end
from flowsam.events import Event, first
from flowsam.falls import TOGETHER, fell, second_layer
from flowsam.flow import Flow
from flowsam.one_example.smooth import Smooth
from flowsam.regimes import Case
from flowsam.shapes import Float, Mask, Points, Signals, Starts, Theta

Pace = Callable[[Points], Points]
_LEFT = 1e-12  # of tau, before a blow-up that is then read off an expansion
_FELL = (
    1e-9  # of tau before a collapse: theta_hat is that of the fall, to so many digits
)
_NEAR = 10.0  # atol: layers that die together are equal there
_CALM = 1e3  # in units of where a run ends: no step falls so far


@dataclass(frozen=True, eq=False)
class OneExample:
    """A flow with one example as the stepper wants it: flat states (`layers`), events and ends."""

    case: Case
    theta0: Theta
    atol: float  # collapse is read off at 1e3 atol
    rule: Smooth  # the velocity and its events: where eps jumps, and where weights die

    @classmethod
    def of(cls, case: Case, theta0: Theta, atol: float) -> OneExample:
        """Return the model of a start, its velocity by the table."""
        largest = float(np.abs(theta0[:, case.mu != 0]).max(initial=0.0))
        rule = case.system.of(case.flow, max(atol, 1e-14 * largest))
        return cls(case, theta0, atol, rule)

    @property
    def flow(self) -> Flow:
        """The flow of the case."""
        return self.case.flow

    @cached_property
    def layers(self) -> EqualLayers:
        """The weights to integrate; l_1 at L >= 3 may leave equality, so all of them."""
        return EqualLayers.of(self.theta0, apart=self.case.regime.apart)

    @property
    def active(self) -> Mask:
        """Where mu_j is not 0: the others never move."""
        return self.flow.data.moving

    @cached_property
    def largest(self) -> float:
        """The largest active weight of the start."""
        return float(np.abs(self.theta0 * self.active).max())

    @cached_property
    def rate(self) -> float:
        """A rate of the flow, per unit of tau: `max |mu_j| * scale^(L-2)`, never 0."""
        scale = float(np.fmax(self.case.rule.rho, self.largest))
        power = max(len(self.theta0) - 2, 0)
        with np.errstate(over="ignore"):
            rate = np.abs(self.case.mu).max() * np.float64(scale or 1.0) ** power
        return float(np.clip(rate, 1e-290, np.finfo(float).max))

    @cached_property
    def floor(self) -> float:
        """Largest active weight at which a collapse is certain; 0 where none can happen."""
        if not self.case.regime.falls:
            return 0.0
        return min(FALLEN * self.atol, 1e-3 * min(self.largest, self.case.rule.rho))

    @cached_property
    def range_end(self) -> float:
        """Largest weight with margins in the range of doubles."""
        with np.errstate(over="ignore"):
            whole = float(np.abs(self.case.mu).sum())
        return range_end(whole, len(self.theta0))

    @property
    def out_of_range(self) -> bool:
        """Whether a run ends where it starts; from L = 3 on there is a blow-up to tell of."""
        return len(self.theta0) < 3 and self.largest >= self.range_end

    def within(self, tau: float) -> bool:
        """Whether L <= 2 layers are in range by then: |w'| <= mu ((1 + rho) |w| + rho)."""
        growth = (1.0 + self.case.rule.rho) * self.rate * tau
        most = np.log(self.largest + 1.0) + growth
        return len(self.theta0) < 3 and bool(most < np.log(self.range_end))

    def ceiling(self, tau: float) -> float:
        """Largest |w| before a blow-up ends the run: 1e-12 of tau is left, for its digits."""
        depth = len(self.theta0)
        if depth < 3:
            return self.range_end
        left = _LEFT * max((depth - 2) * tau * self.rate, 1.0)
        top = max(10.0, min(RADIUS, left ** (-1.0 / (depth - 2))))
        return min(self.range_end, top * self.scale)

    @cached_property
    def scale(self) -> float:
        """The size of weights, never 0."""
        scale = np.fmax(self.case.rule.rho, np.abs(self.theta0).max())
        return float(scale) or 1.0

    def start(self) -> Entry:
        """Return the mode of the start, the events at tau = 0, and a status ("" to go on)."""
        found = self.rule.start(self.theta0)
        events = () if self.rule.rests(self.theta0, found.mode) else found.events
        return self._at_rest(self.theta0, found._replace(events=events), 0.0)

    def told(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        """Return the events with the "zero" of every coordinate that came to rest among them."""
        known = {event.coordinate for event in events if event.kind == "zero"}
        rest = first("collapse", events)
        rests = self.case.regime.known and len(self.theta0) > 1
        times = np.where((self.theta0 == 0).all(axis=0) & rests, 0.0, rest)
        new = [
            Event(float(times[j]), "zero", None, int(j))
            for j in np.flatnonzero(self.active & np.isfinite(times))
            if j not in known
        ]
        return tuple(
            sorted([*new, *events], key=lambda e: (e.tau, e.kind == "collapse"))
        )

    def rhs(self, mode: Any) -> Rates:
        """Return the right-hand side of one region, on flat states."""
        return self.layers.rates(self.rule.rates(mode))

    def shown(self, states: Float[np.ndarray, "N m"], mode: Any) -> Starts:
        """Return the weights of flat states in one region."""
        return self.rule.shown(self.layers.whole(states), mode)

    def log_pace(self, states: Starts) -> Points:
        """Return log dt/dtau of weights on the path, sliding and rest included."""
        return self.rule.log_pace(states, (self.theta0 == 0).all(axis=0))

    def paced(self, states: Callable[[Points], Any], rest: float) -> Pace:
        """Return log dt/dtau along a path; where all rest, it stays that of the fall."""
        # the state itself tells how l_inf rests
        last = np.inf if self.case.regime.slides else rest * (1.0 - _FELL)
        return lambda tau: self.log_pace(states(np.minimum(tau, last)))

    def signals(self, tau: float, state: State, mode: Any) -> Signals:
        """Return distances to collapse, to the ceiling and to a zero gradient, then the rule's."""
        theta = self.layers.whole(state)
        sizes = np.abs(theta * self.active)
        floor = self.floor
        ends = [
            sizes.max() - floor if floor else np.inf,
            self.ceiling(tau) - sizes.max(),
            np.inf,
        ]
        if floor and len(theta) > 2:  # two weights at 0 are enough: every product is 0
            # for p <= 2 rates grow as 1/||g|| and no steps get much nearer; for p > 2 weights die
            near = 1e-2 * floor if self.case.rule.steep else 1e2 * floor
            ends[2] = second_layer(sizes).max() - near
        return np.concatenate([ends, self.rule.signals(theta, mode)])

    def falls(self, before: State, after: State, mode: Any) -> bool:
        """Tell whether a step went through 0, or through where a weight was to stay."""
        step = self.layers.whole(before), self.layers.whole(after)
        return fell(self.case.falls, self.theta0, *step) or self.rule.catches(
            *step, mode
        )

    def calm(self, tau: float, state: State, mode: Any) -> bool:
        """Tell whether no step from here comes to an end, and the rule has no surfaces."""
        low = self.rule.low
        if low == np.inf:
            return False
        theta = self.layers.whole(state)
        sizes = np.abs(theta * self.active)
        floor = _CALM * self.floor
        top = sizes.max()
        if low and (second_layer(sizes) <= low)[self.active].any():
            return False
        if floor and len(sizes) > 2:
            top = second_layer(sizes).max()
            floor = 1e2 * floor
        return bool(floor < top and 2.0 * sizes.max() < self.ceiling(tau))

    def transition(self, tau: float, state: State, mode: Any) -> Turn:
        """Return state, mode, events and status after the first signal reached 0."""
        theta = self.layers.whole(state)
        collapse, escape, gradient, *_ = self.signals(tau, state, mode)
        if escape <= 0:
            return self._escaped(tau, theta, mode)
        if collapse <= 0 or gradient <= 0:
            return self._fallen(tau, state, mode)
        near = _NEAR * self.atol
        shown = self.rule.shown(theta, mode)
        falls = self.case.falls
        if falls and falls.forks(shown, near):
            return Turn(state, mode, (), Ending.FORKS)
        theta, *entered = self.rule.transition(theta, mode, tau)
        found = self._at_rest(theta, Entry(*entered), tau)
        return Turn(self.layers.flat(theta), *found)

    def _fallen(self, tau: float, state: State, mode: Any) -> Turn:
        """Return the end where no gradient is left."""
        theta = self.layers.whole(state)
        falls = self.case.falls
        if falls is None:
            return self._collapsed(tau, theta, mode)
        sizes = np.abs(theta * self.active)
        low = float(second_layer(sizes).max())
        if falls.forks(theta, low):
            return Turn(state, mode, (), Ending.FORKS)
        theta = self.rule.shown(theta, mode)
        reach = self.floor if falls.steep else TOGETHER * low
        few = sizes <= second_layer(sizes)
        if sizes.max() <= reach:
            few[:] = True
        end = self._collapsed(tau, theta, mode, few)
        return end._replace(mode=self.rule.rested(mode))

    def _at_rest(self, theta: Theta, found: Entry, tau: float) -> Entry:
        """Return an entry, with a collapse where every active weight came to rest."""
        if found.status or not self.rule.rests(theta, found.mode):
            return found
        events = (*found.events, Event(float(tau), "collapse"))
        return Entry(found.mode, events, "collapsed")

    def _collapsed(self, tau: float, theta: Theta, mode: Any, few: Any = True) -> Turn:
        """Follow the last stretch, along which |w| falls at constant speed, of all or a few."""
        falls = self.active & few
        size = np.abs(theta * falls)
        place = np.unravel_index(np.argmax(size), theta.shape)
        if size[place] == 0:  # a start that is there already
            collapse = Event(float(tau), "collapse")
            return Turn(self.layers.flat(theta), mode, (collapse,), "collapsed")
        stretch = abs(theta[place] / self.rule.field(theta, mode)[place])

        def tail(points: Points) -> Float[np.ndarray, "N m"]:
            left = np.maximum(1.0 - (points - tau) / stretch, 0.0)[:, None, None]
            return self.layers.flat(np.where(falls, left * theta, theta))

        return Turn(tail, mode, (Event(float(tau + stretch), "collapse"),), "collapsed")

    def _escaped(self, tau: float, theta: Theta, mode: Any) -> Turn:
        """Follow the end of a blow-up: `tau* - tau = z^-(L-2) / ((L-2) |mu_j|)`, z rms of w_hat."""
        if (depth := len(theta)) < 3:
            return Turn(self.layers.flat(theta), mode, (), "escaped")
        if not self.case.regime.known:
            return Turn(self.layers.flat(theta), mode, (), Ending.RUNAWAY)
        field = self.rule.field(theta, mode)
        hat = self.flow.perturbed(theta)
        with np.errstate(divide="ignore"):
            remaining = (
                (hat**2).mean(axis=0) ** (1 - depth / 2)
                / np.abs(self.case.mu)
                / (depth - 2)
            )
        remaining[np.abs(theta).min(axis=0) <= 0.5 * self.ceiling(tau)] = np.inf
        winner = int(np.argmin(remaining))
        stretch = remaining[winner]
        end = tau + stretch
        if not np.isfinite(stretch):  # one layer is large, and no product of layers
            return Turn(self.layers.flat(theta), mode, (), Ending.OUT_OF_RANGE)

        def tail(points: Points) -> Float[np.ndarray, "N m"]:
            left = np.maximum((end - points) / stretch, 0.0)[:, None, None]
            states = theta + (1.0 - left) * stretch * field
            with np.errstate(divide="ignore"):
                growth = left[..., 0] ** (-1 / (depth - 2))
            states[..., winner] = theta[:, winner] + hat[:, winner] * (growth - 1.0)
            return self.layers.flat(states)

        return Turn(
            tail, mode, (Event(float(end), "blow-up", None, winner),), "escaped"
        )
