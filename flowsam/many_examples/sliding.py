"""Normalised SAM that jumps, with several examples: Filippov's solution in T = log(1 + t).

On one surface it crosses, slides or leaves; where it would slide on two its velocity is not unique
and the run is handed over. A slide along minima rests at a flattest one, for doubles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from flowsam.columns import loaded
from flowsam.engines.path import Entry, Turn
from flowsam.engines.run import Request
from flowsam.engines.two_sides import upper_share
from flowsam.flow import Flow
from flowsam.many_examples.hessian import rescaled_hessian
from flowsam.many_examples.rest import SMALL, next_move
from flowsam.many_examples.switching import JointSwitching, Region, Side
from flowsam.network import other_products
from flowsam.regimes import case_of
from flowsam.shapes import Bool, Float
from flowsam.trajectory import Event

__all__ = ["Sliding"]

State = Float[np.ndarray, " m"]
Theta = Float[np.ndarray, "*batch L d"]

_RETURN = 3.0  # rate, per unit of T, at which a drift off the surface decays
_ROUNDING = 1e-13
_DEAD = 1e-12  # of the largest weight of the start


@dataclass(frozen=True, eq=False)
class Sliding:
    """The flow in the clock T: states (theta, tau), regions, events (sliding_minima.py)."""

    flow: Flow
    theta0: Float[np.ndarray, "L d"]
    rtol: float = 1e-9

    @cached_property
    def surfaces(self) -> JointSwitching:
        """Where the field jumps."""
        depth = len(self.theta0)
        kind: Any = loaded(case_of(self.flow, depth).regime.surfaces)
        surfaces: JointSwitching = kind(self.flow, depth)
        return surfaces

    def errors(self, asked: Request) -> float:
        """Return the absolute error of a step."""
        return asked.atol

    def start(self) -> Entry:
        """Return the region of the start, the events there, and a status ("" to go on)."""
        region, on = self.surfaces.locate(self.theta0)
        rested = Event.each("zero", 0.0, region.resting)
        region, events, status = self._decided(self.theta0, region, on, 0.0)
        if not status and self._at_rest(region):
            return Entry(region, (*rested, Event(0.0, "collapse")), "collapsed")
        return Entry(region, rested + events, status)

    def rates(
        self, log_t: float, states: Float[np.ndarray, "*b m"], region: Region
    ) -> Any:
        """Return the velocity of (theta, tau) in T, one state or many.

        theta' = lambda f+ + (1 - lambda) f-,   dt/d tau = lambda/Lambda+ + (1 - lambda)/Lambda-
        """
        theta = states[..., :-1].reshape(*states.shape[:-1], *self.theta0.shape)
        velocity, log_pace = self._motion(theta, region, log_t)
        pace = np.exp(np.minimum(log_t - log_pace, 600.0))[..., None]
        return np.concatenate(
            [pace * velocity.reshape(*states.shape[:-1], -1), pace], axis=-1
        )

    def _motion(
        self, theta: Theta, region: Region, log_t: float
    ) -> tuple[Theta, Float[np.ndarray, "*batch"]]:
        """Return Filippov's rescaled velocity and log dt/dtau."""
        above = self.surfaces.side(theta, region, 1)
        if region.sliding is None:
            return above.velocity, np.asarray(-above.log_scale)
        below = self.surfaces.side(theta, region, -1)
        a, b = self._inflows(theta, region, [above, below])
        share = upper_share(a, b)
        log_pace = _mean_pace(share, above.log_scale, below.log_scale)
        height = self.surfaces.heights(theta)[..., region.sliding]
        # back to the surface at a rate that is slow in T: drift of the steps must not add up
        back = _RETURN * height * np.exp(np.clip(log_pace - log_t, -600.0, 600.0))
        share = upper_share(a, b, back=back)[..., None, None]
        return share * above.velocity + (1.0 - share) * below.velocity, log_pace

    def _inflows(
        self, theta: Theta, region: Region, sides: list[Side]
    ) -> list[Float[np.ndarray, "*batch"]]:
        """Return a and b, the rates of the height of a slide's surface on its two sides."""
        return [
            self.surfaces.climbs(theta, s.velocity)[..., region.sliding] for s in sides
        ]

    def rhs(self, region: Region) -> Callable[[float, State], State]:
        """Return the right-hand side of one region."""
        return lambda log_t, state: self.rates(log_t, state, region)

    def jac(self, region: Region) -> Callable[[float, State], Float[np.ndarray, "m m"]]:
        """Return the Jacobian: exact where eps is constant, by central differences elsewhere."""
        if region.sliding is not None or not self.surfaces.constant:
            return lambda log_t, state: self._differences(log_t, state, region)

        def exact(log_t: float, state: State) -> Float[np.ndarray, "m m"]:
            theta = state[:-1].reshape(self.theta0.shape)
            hessian, slope, log_scale = rescaled_hessian(
                self.flow, self.surfaces.side(theta, region, 1).hat
            )
            out = np.zeros((state.size, state.size))
            out[:-1, :-1] = hessian
            out[-1, :-1] = slope
            out[:-1][np.tile(region.resting, len(theta))] = 0.0
            return np.exp(min(log_t + log_scale, 600.0)) * out

        return exact

    def _differences(
        self, log_t: float, state: State, region: Region
    ) -> Float[np.ndarray, "m m"]:
        """Return central differences of `rates`, all columns at once."""
        products = np.abs(other_products(state[:-1].reshape(self.theta0.shape))).max()
        width = 1e-5 / max(1.0, products * np.abs(self.flow.data.z).max())
        width = width * self.surfaces.scales(state[:-1]) * np.ones(state.size - 1)
        steps = np.diag(np.append(width, 0.0))[:-1]
        out = np.zeros((state.size, state.size))
        after = self.rates(log_t, state + steps, region)
        before = self.rates(log_t, state - steps, region)
        out[:, :-1] = (after - before).T / (2.0 * width)
        return out

    def calm(self, log_t: float, state: State, region: Region) -> bool:
        """Tell nothing: a surface may be near."""
        return False

    def signals(
        self, log_t: float, state: State, region: Region
    ) -> Float[np.ndarray, " K"]:
        """Return what stays positive: heights, sides of a slide, the pull to rest, the ends."""
        theta = state[:-1].reshape(self.theta0.shape)
        size = max(self.flow.perturbation.rho, float(np.abs(theta).max()))
        height = region.signs * self.surfaces.heights(theta)
        height[: self.surfaces.weights] /= size
        height = np.where(self.surfaces.watched(region), height, np.inf)
        holds = np.full(2, np.inf)
        rests = np.full(self.theta0.shape[1], np.inf)
        share = 1.0
        sides = [self.surfaces.side(theta, region, sign) for sign in (1, -1)]
        if region.sliding is not None:
            a, b = self._inflows(theta, region, sides)
            holds = np.array([-a, b]) / max(abs(a), abs(b), 1e-300)
            share = float(upper_share(a, b))
        if region.resting.any() and self.surfaces.constant:
            # at rest while sign(G_j) G_j(theta_hat) > 0, in the mean over a slide
            above, below = (side.pulls * self.flow.pull(side.hat)[0] for side in sides)
            mean = share * above + (1.0 - share) * below
            rests = np.where(region.resting, mean, np.inf)
        life = self.surfaces.life(theta, region) - self._floor
        off = self._unrest(log_t, state, region, sides)
        return np.concatenate([height, holds, rests, life, [off]])

    @cached_property
    def _floor(self) -> Float[np.ndarray, " d"]:
        """The size at which a feature is dead: far below that of its start."""
        size = self.surfaces.life(self.theta0, self.surfaces.locate(self.theta0)[0])
        return np.minimum(_DEAD * np.abs(self.theta0).max(), 1e-3 * size)

    def _unrest(
        self, log_t: float, state: State, region: Region, sides: list[Side]
    ) -> float:
        """Return how far a slide is from its end: where pulls cancel, and nothing moves on."""
        if region.sliding is None:
            return np.inf
        rates = self.rates(log_t, state, region)
        sizes = np.abs(self.flow.data.z).max(axis=0)
        most = max(np.linalg.norm(sizes * other_products(side.hat)) for side in sides)
        norm = np.linalg.norm(rates[:-1]) / rates[-1]
        if norm > SMALL * most:
            return float(norm / most - SMALL)
        move = next_move(self.jac(region)(log_t, state)[:-1, :-1], rates[:-1])
        size = max(float(np.abs(state[:-1]).max()), 1.0)
        return float(
            np.abs(move).max() / size - max(10.0 * self.rtol, self.surfaces.fold)
        )

    def transition(self, log_t: float, state: State, region: Region) -> Turn:
        """Return state, region, events and status after the first signal reached 0."""
        signals = self.signals(log_t, state, region)
        due = signals <= max(_ROUNDING, float(signals.min()))
        theta = state[:-1].reshape(self.theta0.shape)
        tau = float(state[-1])
        size = self.surfaces.size
        count = self.theta0.shape[1]
        surfaces, holds, rests, died, ended = np.split(
            due, size + np.cumsum([0, 2, count, count])
        )
        if ended.any():
            return Turn(state, region, (), "flattest")
        region = replace(region, resting=region.resting & ~rests)
        events = [*Event.each("leave", tau, rests)]
        theta = self._snapped(theta, surfaces)
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
        return Turn(np.append(theta.ravel(), tau), region, tuple(events), status)

    def _snapped(self, theta: Theta, due: Bool[np.ndarray, " S"]) -> Theta:
        """Set weights that reached 0 to 0 exactly."""
        if not self.surfaces.weights:
            return theta.copy()
        return np.where(due[: theta.size].reshape(theta.shape), 0.0, theta)

    def _at_rest(self, region: Region) -> bool:
        """Tell whether every coordinate that can move is at rest."""
        return bool((region.resting | self.surfaces.idle).all())

    def _whole(
        self, region: Region, due: Bool[np.ndarray, " S"], tau: float
    ) -> tuple[Region, Bool[np.ndarray, " S"], list[Event]]:
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

    def _decided(
        self, theta: Theta, region: Region, due: Bool[np.ndarray, " S"], tau: float
    ) -> Entry:
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
            old = region.signs[surface]
            new = found[0].signs[surface]
            kind = "slide" if new == 0 else "leave" if old == 0 else "cross"
            # a start on a surface only enters a region
            if new != old and (new == 0 or tau > 0):
                events.append(Event(tau, kind, *self.surfaces.place(int(surface))))
        return Entry(found[0], tuple(events))


def _mean_pace(
    share: Float[np.ndarray, "*b"],
    above: Float[np.ndarray, "*b"],
    below: Float[np.ndarray, "*b"],
) -> Float[np.ndarray, "*b"]:
    """Return log(share/Lambda+ + (1 - share)/Lambda-) from log Lambda+ and log Lambda-."""
    top = -np.minimum(above, below)
    mean = share * np.exp(-above - top) + (1.0 - share) * np.exp(-below - top)
    # the share leaves [0, 1] in trial steps only
    return np.asarray(top + np.log(np.maximum(mean, 1e-9)))
