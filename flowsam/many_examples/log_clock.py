"""Many examples at late times: the flow with `T = log(1 + t)` as its independent variable.

Margins grow like T, and nothing blows up at any depth: log t = 1e4 takes hundreds of steps. The
shares of the examples relax within a unit of T for ever: implicit methods with the exact Jacobian
follow the slow path, explicit ones crawl. (derivations/rescaled_clock.py; arXiv:2603.08290, (2))
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from flowsam.endings import Ending
from flowsam.engines.equal_layers import EqualLayers, Rates, Slopes
from flowsam.engines.lean_field import Field, lean_descent, others, single_rates
from flowsam.engines.path import Entry, Turn
from flowsam.engines.run import Request
from flowsam.engines.stepping import March
from flowsam.events import Event
from flowsam.falls import Falls, fell, second_layer
from flowsam.flow import Flow
from flowsam.many_examples.dual_steps import Curvature, live
from flowsam.many_examples.feature_blocks import FeatureHessian, FeatureSlopes
from flowsam.many_examples.hessian import ascent_slope, rescaled_hessian, turning
from flowsam.many_examples.late_path import LateRun
from flowsam.many_examples.log_march import CALM, COLLAPSED, marched
from flowsam.many_examples.poise import TINY, Poise
from flowsam.many_examples.pulls import Pulls
from flowsam.many_examples.rest import (
    LIVELY,
    drift,
    next_move,
    steady,
    stuck,
    unrest,
)
from flowsam.regimes import case_of
from flowsam.shapes import (
    Examples,
    Float,
    Jacobian,
    Mask,
    Signals,
    Starts,
    State,
    Theta,
)

_FALLEN = COLLAPSED**0.5  # of the largest weight of the start: what is smaller is at 0
_TURNED = 1e-6  # tolerance from which on errors turn theta_hat about a rest, and steps chatter
_MARGINS = (
    0.01,
    1e-12,
)  # error of margins like T that shares allow; no tolerance is below
_LARGE_MARGINS = 1e6  # T beyond which their rounding is seen, measured


@dataclass(frozen=True, eq=False)
class LogClock:
    """A flow without switching surfaces in the clock T, as the stepper wants it.

    d theta / dT = e^(T + log Lambda(theta_hat)) F(theta_hat),  d tau / dT = e^(T + log Lambda)
    """

    flow: Flow
    theta0: Theta
    rtol: float = 1e-9
    low: float = 0.0  # second layer of a feature that may die soon
    timed = staticmethod(np.asarray)  # the last number of a state -> tau
    turned = staticmethod(turning)  # how a step turns

    @classmethod
    def run(cls, flow: Flow, theta0: Theta, asked: Request) -> LateRun:
        """Integrate a flow to late times."""
        if asked.method == "auto":
            asked = replace(asked, rtol=min(asked.rtol, _most_rtol(flow, asked)))
        system = cls.of(flow, theta0, asked)
        start = Turn(system.start, *system.begun())
        found = system.ended(marched(system, start, asked))
        return LateRun(found, system.seen, system.note(found))

    @classmethod
    def of(cls, flow: Flow, theta0: Theta, asked: Request) -> LogClock:
        """Return the system of a start."""
        return cls(flow, theta0, asked.rtol)

    @property
    def start(self) -> State:
        """The state at T = 0."""
        return np.append(self.theta0.ravel(), 0.0)

    def begun(self) -> Entry:
        """Return mode, events and status of the start: a step needs a gradient."""
        if not self.flow.perturbation.perturbs or self.norm(self.start):
            return Entry(None)
        margins = self.flow.data.z @ np.prod(self.theta0, axis=0)
        at_rest = margins.any() or len(self.theta0) == 1
        return Entry(None, (), "at rest" if at_rest else "collapsed")

    def errors(self, asked: Request) -> float | State:
        """Return the absolute error of a step, one number or one an entry."""
        return asked.atol

    def note(self, found: March) -> str:
        """Return what the message of a run has to add."""
        return ""

    def seen(self, states: Float[np.ndarray, "k m"], mode: Any) -> Starts:
        """Return the weights of states in one region."""
        weights = [self.weights(self.shown(state, mode)) for state in states]
        return np.array(weights).reshape(-1, *self.theta0.shape)

    def shown(self, state: State, mode: Any) -> State:
        """Return a state with what a region does not integrate."""
        return state

    def rates(self, log_t: float, state: State) -> State:
        """Return the velocity of (theta, tau) in T, shape (L d + 1,)."""
        theta = self.weights(state)
        direction, log_scale = self.speeds(theta)
        # a wild trial step must not overflow
        pace = math.exp(min(log_t + float(log_scale), 600.0))
        out = np.full_like(state, pace)
        out[:-1] *= direction.ravel()
        return out

    @property
    def z(self) -> Examples:
        """The examples, as products of the weights meet them."""
        return self.flow.data.z

    @cached_property
    def pulls(self) -> Pulls:
        """What the examples say."""
        return Pulls(self.z, self.flow.loss, self.rtol)

    @cached_property
    def speeds(self) -> Callable[[Theta], tuple[Theta, Any]]:
        """The flow's `rates`."""
        if self.pulls.large:
            return lambda theta: self.pulled(self.hat(theta))
        return single_rates(self.flow)

    def hat(self, theta: Theta) -> Theta:
        """Return the flow's `perturbed`, by what the run has evaluated."""
        rule = self.flow.perturbation
        direction, log_scale = self.pulled(theta)
        return theta + rule.ascent(theta, -rule.sized(direction, np.asarray(log_scale)))

    def pulled(self, theta: Theta) -> tuple[Theta, float]:
        """Return the flow's `descent` of one state."""
        products = others(theta)
        at = self.pulls.at(theta[0] * products[0])
        return at.sum * products, at.log_scale

    def jacobian(self, log_t: float, state: State) -> Jacobian:
        """Return the derivative of `rates`: e^(T + log Lambda) H(theta_hat) (I + d eps/d theta)."""
        theta = self.weights(state)
        spread = ascent_slope(self.flow, theta, self.turned)
        curvature, slope, log_scale = rescaled_hessian(
            self.flow, self.flow.perturbed(theta)
        )
        out = np.zeros((state.size, state.size))
        out[:-1, :-1] = curvature + curvature @ spread
        out[-1, :-1] = slope + slope @ spread
        return np.exp(min(log_t + log_scale, 600.0)) * out

    @cached_property
    def few(self) -> bool:
        """Whether the low rank of `by_features` is low."""
        return 2 * len(self.flow.data.z) + 1 < self.theta0.size

    def by_features(self, log_t: float, state: State) -> FeatureSlopes:
        """Return `jacobian` as blocks and a low rank."""
        theta = self.weights(state)
        start = FeatureHessian.at(self.flow, theta)
        hat = FeatureHessian.at(self.flow, self.flow.perturbed(theta))
        step = self.turned(self.flow, theta, start.times)
        return FeatureSlopes.of(log_t, start, hat, step)

    def curvature(self, log_t: float, state: State) -> Curvature:
        """Return the stiff part of `jacobian` by the examples that have a share."""
        theta = self.weights(state)
        rule = self.flow.perturbation
        hat = self.hat(theta)
        products = others(hat)
        at = self.pulls.at(hat[0] * products[0])
        z, along = live(self.pulls, at)
        if rule.keeps_length:
            ratio = rule.rho / self.norm(state)
        else:
            ratio = rule.rho * np.exp(at.log_scale)
        turn = along if rule.keeps_length else None
        pace = np.exp(min(log_t + at.log_scale, 600.0))
        return Curvature(z, turn, products, products, pace, ratio)

    @cached_property
    def open(self) -> Falls | None:
        """The falls from which many paths lead on."""
        case = case_of(self.flow, len(self.theta0))
        return case.falls or case.falls_of(self.theta0)

    def falls(self, before: State, after: State, mode: Any) -> bool:
        """Tell whether a step went through 0, where no gradient is left."""
        return fell(self.open, self.theta0, self.weights(before), self.weights(after))

    def norm(self, state: State) -> float:
        """Return the norm N of the rescaled gradient, 0 where a normalised rule is undefined."""
        return float(np.linalg.norm(self.pulled(self.weights(state))[0]))

    def rhs(self, mode: Any) -> Rates:
        """Return `rates`: there is one region."""
        return self.rates

    def jac(self, mode: Any) -> Slopes:
        """Return `jacobian`."""
        return self.jacobian

    def slopes(self, mode: Any) -> Callable[[float, State], FeatureSlopes]:
        """Return `by_features`."""
        return self.by_features

    def signals(self, log_t: float, state: State, mode: Any) -> Signals:
        """Return how far off are rest at a critical point, rounding, and a collapse."""
        theta = self.weights(state)
        move = self._ahead(log_t, state)
        off, digits = unrest(self.flow, theta, move=move, unmoved=10 * self.rtol)
        ends = min(off, self.poise.signal(log_t)), digits
        if self.shallow:
            return np.array(ends)
        sunk = np.inf
        if self.shallows:
            sunk = float(
                second_layer(np.abs(theta[:, self.moving])).max() - self.shallows
            )
        return np.array([*ends, self.norm(state) - self.lowest, sunk])

    def calm(self, log_t: float, state: State, mode: Any) -> bool:
        """Tell whether rest, rounding and a collapse are far."""
        lively = self.lively(self.weights(state)[..., None])
        return not self.poise.seen(log_t, state, mode) and lively

    def ascended(self, state: State) -> tuple[float, float]:
        """Return the gradient's norm at theta_hat, and the norm of what it cancels from."""
        hat = self.hat(self.weights(state))
        reach = np.linalg.norm(self.flow.data.sizes * others(hat))
        return float(np.linalg.norm(self.pulled(hat)[0])), float(reach)

    @cached_property
    def poise(self) -> Poise:
        """What looks for a rest where theta_hat alone is critical."""
        return Poise(self)

    def tiny(self, numbers: State) -> Mask:
        """Return which weights die or grow by rates of their own."""
        size = np.abs(numbers)
        return size <= TINY * size.max()

    def growth(self, rates: State, numbers: State) -> State:
        """Return what is positive where a weight grows."""
        return rates * numbers

    def lively(self, w: Float[np.ndarray, "L d B"]) -> bool:
        """Tell whether the gradient at all weights is far from rest, rounding and a collapse."""
        pulls = (self.descent(w), self.flow.data.sizes[:, None] * others(w))
        norm, most = (np.sqrt(np.einsum("ldb,ldb->b", g, g)) for g in pulls)
        low = 0.0 if self.shallow else CALM * self.lowest
        lively = bool((norm > np.maximum(LIVELY * most, low)).all())
        if not lively or not (self.low or self.shallows):
            return lively
        second = second_layer(np.abs(w[:, self.moving]))
        if (second <= self.low).any():
            return False
        largest = second.max(axis=0)
        return bool((largest > CALM * self.shallows).all())

    @cached_property
    def shallows(self) -> float:
        """Size of two layers of every feature that only fall; 0 where all of them are equal."""
        size = np.abs(self.theta0)
        if self.open is None or not np.ptp(size[:, self.moving], axis=0).any():
            return 0.0
        seen = min(100.0 * self.rtol, _FALLEN) * float(size.max())
        return min(seen, 1e-3 * self.flow.rho)

    @cached_property
    def descent(self) -> Field:
        """The rescaled descent direction."""
        if not self.pulls.large:
            return lean_descent(self.flow)
        each = lambda w: [self.pulled(theta)[0] for theta in np.moveaxis(w, -1, 0)]  # noqa: E731
        return lambda w: np.stack(each(w), axis=-1)

    def ended(self, found: March) -> March:
        """Return a run, with the reason if its steps shrank to nothing where the pulls cancel."""
        if found.status != "failed":
            return found
        log_t = float(found.path.edges[-1])
        state = found.path(found.path.edges[-1:])[0]
        ahead = self._ahead(log_t, state)
        status = stuck(self.flow, self.weights(state), move=ahead)
        if status == "failed" and log_t > _LARGE_MARGINS:
            status = Ending.TOO_LATE
        return replace(found, status=status)

    def weights(self, state: State) -> Theta:
        """Return the weights of a state, those of equal layers read off one of them."""
        layers = self.layers
        if layers.apart:
            return state[:-1].reshape(self.theta0.shape)
        return layers.sign * state[layers.kept][layers.source]

    @cached_property
    def layers(self) -> EqualLayers:
        """Which layers stay equal: rounding would part them at an unstable rest."""
        return EqualLayers.of(self.theta0)

    def largest(self, move: State, numbers: State) -> float:
        """Return the largest move of a weight, over the largest weight."""
        return float(np.abs(move).max() / max(np.abs(numbers).max(), 1.0))

    def moved(self, log_t: float, state: State) -> float:
        """Return the largest move of a weight in the next unit of T, over the largest weight."""
        slope = self.jacobian(log_t, state)[:-1, :-1]
        move = next_move(slope, self.rates(log_t, state)[:-1])
        return self.largest(move, state[:-1])

    def _ahead(self, log_t: float, state: State) -> Callable[[], float]:
        """Return what tells the move that rest is judged by."""
        if steady(self.flow):
            return lambda: drift(self.flow, self.weights(state), log_t)
        return lambda: self.moved(log_t, state)

    @property
    def moving(self) -> Mask:
        """Features that are not 0 in every example."""
        return self.flow.data.moving

    @property
    def shallow(self) -> bool:
        """Whether no collapse can be ahead: gradient flow, and one layer."""
        return not self.flow.perturbation.perturbs or len(self.theta0) == 1

    @cached_property
    def lowest(self) -> float:
        """The norm N at which a run counts as collapsed."""
        return COLLAPSED ** (len(self.theta0) - 1) * self.norm(self.start)

    def transition(self, log_t: float, state: State, mode: Any) -> Turn:
        """Return the state at its end: at the origin after a collapse, or where it is."""
        rest, digits = self.signals(log_t, state, mode)[:2]
        if digits < 0 < rest:
            return Turn(state, mode, (), "rounding")
        low = _FALLEN * np.abs(self.theta0).max()
        if self.open and self.open.forks(self.weights(state), low):
            return Turn(state, mode, (), Ending.FORKS)
        if log_t >= self.poise.found:
            return Turn(state, mode, (), Ending.POISED)
        if (at_origin := self.at_origin(state)) is None:
            return Turn(state, mode, (), "at rest")
        return Turn(
            at_origin, mode, (Event(float(state[-1]), "collapse"),), "collapsed"
        )

    def at_origin(self, state: State) -> State | None:
        """Return the state after a collapse, None where that is not what the run came to."""
        theta = self.weights(state)
        small = np.abs(theta) <= _FALLEN * np.abs(self.theta0).max()
        if self.shallow or (small.sum(axis=0) < 2)[self.moving].any():
            return None
        return np.append(np.where(small & self.moving, 0.0, theta), state[-1])


def _most_rtol(flow: Flow, asked: Request) -> float:
    """Return the tolerance beyond which theta_hat turns about a rest, or late shares are wrong."""
    turned = _TURNED if steady(flow) else np.inf
    error, least = _MARGINS
    return min(turned, np.inf if asked.in_tau else max(error / asked.end, least))


late_run = LogClock.run
