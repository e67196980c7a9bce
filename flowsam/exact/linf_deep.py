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
from flowsam.exact import linf_balanced, linf_signs
from flowsam.exact.linf_course import Course
from flowsam.exact.linf_legs import leg
from flowsam.labels import Fate
from flowsam.network import checked_start, checked_times
from flowsam.shapes import Float, Int8, Numbers, Vectors


def read(theta0: ArrayLike, mu: ArrayLike, rho: float) -> Deep:
    """Read starts (..., L, d), L >= 3."""
    theta, mu, rho = checked_start(theta0, mu, rho, case="linf_deep")
    if theta.shape[-2] < 3:
        raise InputError(
            f"linf_deep needs depth >= 3, got {theta.shape[-2]}; see linf_two_layer"
        )
    w = np.moveaxis(theta, -2, -1)
    sign, along = np.where(w < 0, -1.0, 1.0), linf_signs.along(w, mu)
    if rho > 0:  # a weight at 0 starts at the end of a leg with s = -
        first = np.argmin(np.abs(w), axis=-1)[..., None]
        turned = ((w == 0).any(axis=-1) & along)[..., None]
        old = np.take_along_axis(sign, first, axis=-1)
        np.put_along_axis(sign, first, np.where(turned, -old, old), axis=-1)
        along = along & ~turned[..., 0]
    size = np.abs(w)
    shift = np.where(along, rho, -rho)[..., None]
    z = size - shift
    error = (size - (z + (size - z))) + (
        (size - z) - shift
    )  # size - shift = z + error, exactly
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
        found = self.pinned / self.speed
        if not self.equal.any():
            return found
        return np.where(self.equal, self._even.zero_time, found)

    @property
    def valid_until(self) -> Numbers:
        """The rescaled time to which the solution is unique in all coordinates together."""
        return np.asarray((self.pinned / self.speed).min(axis=-1))

    @cached_property
    def fate(self) -> Int8[np.ndarray, "*batch d"]:
        """What each coordinate does when nothing stops it, as a `flowsam.labels.Fate`.

        ESCAPE and SADDLE by the two smallest layers; else PINNED, two weights reach 0, but SADDLE
        where two equal smallest |z| tend to 0, and as `linf_balanced` has it for equal layers.
        """
        told = {
            Fate.IDLE: self.mu == 0,
            Fate.ESCAPE: self.surplus > 0,
            Fate.SADDLE: (self.surplus == 0) | np.isinf(self.end),
        }
        found = np.select(list(told.values()), list(told), Fate.PINNED).astype(np.int8)
        return (
            np.where(self.equal, self._even.fate, found) if self.equal.any() else found
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
        way = self.second if self.crosses[j] else self.first
        gone = self.landed[j] == 0
        rest = np.where(gone, np.inf, self.landed[j])
        second = rest == rest.min() if self.slides[j] else gone
        marks = [
            (self.cross, "cross", self.first.order[j, :1].tolist()),
            (self.turn, "turn", way.order[j, :1].tolist()),
            (self.slide, "slide", np.flatnonzero(gone).tolist()),
            (self.pinned, "zero", np.flatnonzero(second).tolist()),
            (self.blow_up, "blow-up", [None]),
        ]
        return [
            Event(float(clock[j] / self.speed[j]), kind, layer, j)
            for clock, kind, layers in marks
            if clock[j] < np.inf
            for layer in layers
        ]
