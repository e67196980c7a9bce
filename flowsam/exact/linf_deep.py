"""l_inf-SAM and gradient flow with three or more layers, one example, any start.

The answers every solved case gives: equal layers by `linf_balanced`, the others by `linf_course`,
up to the time at which a second weight is 0 and Filippov's solution stops to be unique.
(derivations/linf_deep.py, derivations/linf_signs.py, derivations/linf_slides.py)
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.events import Event
from flowsam.exact import EVENTS, functions_of, linf_balanced, linf_signs
from flowsam.exact.hyperelliptic import remaining
from flowsam.exact.linf_course import Course
from flowsam.exact.linf_legs import leg
from flowsam.exact.two_layer_path import two_sum
from flowsam.labels import Fate
from flowsam.network import checked_start, checked_times
from flowsam.shapes import Column, Float, Int8, Masks, Numbers, Vectors, Which

BOUND = 4  # the deepest network in which a coordinate that has slid stays bounded
SHARP = 6  # the deepest one in which its bound and the law of phases are known


def holds(depth: int, rho: float) -> bool:
    """Tell whether equal layers that do not escape keep |beta_j| = rho^L: odd L, rho > 0."""
    return depth % 2 == 1 and rho > 0


def read(theta0: ArrayLike, mu: ArrayLike, rho: float) -> Deep:
    """Read starts (..., L, d), L >= 3."""
    theta, mu, rho = checked_start(theta0, mu, rho, case="linf_deep")
    if theta.shape[-2] < 3:
        raise InputError(
            f"linf_deep needs depth >= 3, got {theta.shape[-2]}; see linf_two_layer"
        )
    w = np.moveaxis(theta, -2, -1)
    sign = np.where(w < 0, -1.0, 1.0)
    along = linf_signs.along(w, mu)
    size = np.abs(w)
    if rho > 0:  # a weight at 0 starts at the end of a leg with s = -
        turned = (w == 0).any(axis=-1) & along
        first = np.arange(w.shape[-1]) == np.argmin(size, axis=-1)[..., None]
        sign = np.where(first & turned[..., None], -sign, sign)
        along = along & ~turned
    z, error = two_sum(size, np.where(along, -rho, rho)[..., None])
    way = leg(z, error, size=size, along=along, rho=rho)
    return Deep(w, sign, way, mu, rho)


class Deep(Course):
    """Starts of three or more layers."""

    @cached_property
    def _even(self) -> linf_balanced.Balanced:
        """The starts with the coordinates of unequal layers replaced by ones."""
        alike = np.where(self.equal[..., None], self.start, 1.0)
        return linf_balanced.read(np.swapaxes(alike, -1, -2), self.mu, self.rho)

    @property
    def blow_up_time(self) -> Vectors:
        """The rescaled time at which each coordinate, alone, runs to infinity.

            tau* = (1/|mu|) int_{u(0)}^inf du / prod_{k != m} sqrt(u^2 + z_k^2 - z_m^2),

        at L = 3, all z > 0, R_F(z_1^2, z_2^2, z_3^2)/|mu|; after a crossing's time where s = -.
        """
        return self.blow_up / self.speed

    @property
    def zero_time(self) -> Vectors:
        """The rescaled time from which each coordinate has two weights, or all, at 0."""
        return np.where(self.equal, self._even.zero_time, self.pinned_time)

    @cached_property
    def pinned_time(self) -> Vectors:
        """The same without equal layers: from then on the solution is not unique."""
        return self.pinned / self.speed

    @property
    def valid_until(self) -> Numbers:
        """The rescaled time to which the solution is unique in all coordinates together."""
        return np.asarray(self.pinned_time.min(axis=-1))

    @cached_property
    def escape_time(self) -> Vectors:
        """`blow_up_time` of those that escape by the exact rule."""
        return np.where(self.surplus > 0, self.blow_up, np.inf) / self.speed

    @cached_property
    def runaway_time(self) -> Vectors:
        """Before it no coordinate with two weights at 0 blows up, whatever solution; inf: never.

        After a slide at L = 5 and 6 by the integral of `first_escape`; elsewhere with every |w| +
        rho as perturbed.
        """
        depth = self.start.shape[-1]
        if depth <= BOUND:
            return np.full(self.start.shape[:-1], np.inf)
        time = self.pinned.copy()
        loose = time < np.inf
        if depth <= SHARP and self.slides.any():
            rest = np.sort(self.glide.landed, axis=-1)[:, 1:] - self.rho
            later = _blow_up_of(np.maximum(rest, 0.0)) / self.rho**2
            time[self.slides] += np.where(rest[:, 0] > 0, later, np.inf)
            loose &= ~self.slides
        size = np.sort(self.landed[loose], axis=-1)
        time[loose] += _blow_up_of(size + self.rho)
        return time / self.speed

    @property
    def contested(self) -> Which:
        """Where some of Filippov's solutions end the race before the first blow-up (L >= 5)."""
        falls = self.fate == Fate.PINNED
        late = np.isinf(self.pinned_time)  # beyond doubles
        may = falls & (np.isfinite(self.runaway_time) | late)
        early = self.runaway_time <= self.escape_time.min(axis=-1, keepdims=True)
        deep = self.start.shape[-1] > BOUND
        return np.asarray((may & early).any(axis=-1) & deep)

    @cached_property
    def fate(self) -> Int8[np.ndarray, "*batch d"]:
        """What each coordinate does when nothing stops it, as a `flowsam.labels.Fate`.

        ESCAPE and SADDLE by the two smallest layers, SADDLE also where equal |z| tend to 0; PINNED,
        or COLLAPSE where one at 0 and two at rho hold all; equal layers by `linf_balanced`.
        """
        told = {
            Fate.IDLE: self.mu == 0,
            Fate.ESCAPE: self.surplus > 0,
            Fate.SADDLE: (self.surplus == 0) | self.last.endless,
            Fate.COLLAPSE: self.held,
        }
        found = np.select(list(told.values()), list(told), Fate.PINNED).astype(np.int8)
        if not self.equal.any():
            return found
        return np.where(self.equal, self._even.fate, found)

    @property
    def kept(self) -> Masks:
        """Which coordinates equal layers hold at or below rho."""
        rests = self.equal & (self.fate == Fate.SADDLE)
        return (self.fate == Fate.STALL) | (
            rests & holds(self.start.shape[-1], self.rho)
        )

    def weights(self, tau: ArrayLike) -> Float[np.ndarray, "*batch T L d"]:
        """Return the weights at rescaled times, each coordinate alone; on slides by `linf_slides`.

        Between zeros z_m = S u, z_k = sign(z_k(0)) sqrt(u^2 + z_k(0)^2 - z_m(0)^2).
        """
        tau = checked_times(tau, case="linf_deep")
        w = np.moveaxis(self.moved(self.speed[:, None] * tau), -3, -1)
        start = np.swapaxes(self.start, -1, -2)[..., None, :, :]
        w = np.where((self.mu == 0) | (tau == 0)[:, None, None], start, w)
        if not self.equal.any():
            return w
        return np.where(self.equal[..., None, None, :], self._even.weights(tau), w)

    @property
    def events(self) -> tuple[Event, ...]:
        """What happens to each coordinate of ONE start alone, in order of rescaled time.

        "cross": a weight passes 0; "turn": the smallest |z| does; "slide": a weight stays at 0;
        "zero" with a layer: a second one is at 0, the solution no more unique; without: equal
        layers rest; "blow-up".
        """
        uneven = np.flatnonzero((self.mu != 0) & ~self.equal)
        found = [event for j in map(int, uneven) for event in self._own_events(j)]
        mu = np.where(self.equal, self.mu, 0.0)
        found += linf_balanced.read(self._even.theta, mu, self.rho).events
        return tuple(sorted(found, key=lambda event: event.tau))

    def _own_events(self, j: int) -> list[Event]:
        """Events of one coordinate with unequal layers."""
        gone = self.landed[j] == 0
        rest = np.where(gone, np.inf, self.landed[j])
        second = rest == rest.min() if self.slides[j] else gone
        marks = [
            (
                np.where(self.crosses, self.first.end, np.inf),
                "cross",
                self.first.order[j, :1].tolist(),
            ),
            (self.turn, "turn", self.last.order[j, :1].tolist()),
            (
                np.where(self.lone, self.end, np.inf),
                "slide",
                np.flatnonzero(gone).tolist(),
            ),
            (self.pinned, "zero", np.flatnonzero(second).tolist()),
            (self.blow_up, "blow-up", [None]),
        ]
        return [
            Event(float(clock[j] / self.speed[j]), kind, layer, j)
            for clock, kind, layers in marks
            if clock[j] < np.inf
            for layer in layers
        ]


def _blow_up_of(z: Float[np.ndarray, "N M"]) -> Column:
    """Time in which z_k' = prod_{l != k} z_l blows up from ascending z >= 0."""
    return remaining(z[:, 0], z[:, 1:] ** 2 - z[:, :1] ** 2)


weights, blow_up_time, zero_time, events, fate = functions_of(read, *EVENTS)
