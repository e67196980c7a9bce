"""l_inf-SAM and gradient flow with three or more layers, one example, any start.

The answers every solved case gives: equal layers by `linf_balanced`, the others by `linf_course`,
up to the time at which a second weight is 0 and Filippov's solution stops to be unique.
(derivations/linf_deep.py, derivations/linf_signs.py, derivations/linf_slides.py)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flowsam.events import Event
from flowsam.exact import linf_balanced
from flowsam.exact.linf_course import Course, read
from flowsam.labels import Fate
from flowsam.network import checked_times
from flowsam.shapes import Float, Int8, Numbers, Thetas, Vectors


def blow_up_time(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Vectors:
    """Return the rescaled time at which each coordinate, alone, runs to infinity.

        tau* = (1/|mu|) int_{u(0)}^inf du / prod_{k != m} sqrt(u^2 + z_k^2 - z_m^2),

    at L = 3, all z > 0, R_F(z_1^2, z_2^2, z_3^2)/|mu|; after the time to the crossing where s = -.
    """
    course = read(theta0, mu, rho)
    return course.blow_up / course.speed


def zero_time(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Vectors:
    """Return the rescaled time from which each coordinate has two weights, or all, at 0."""
    course = read(theta0, mu, rho)
    found = course.pinned / course.speed
    if not course.equal.any():
        return found
    rest = linf_balanced.zero_time(_alike(course), course.mu, rho=rho)
    return np.where(course.equal, rest, found)


def _alike(course: Course) -> Thetas:
    """The starts with the coordinates of unequal layers replaced by ones."""
    return np.swapaxes(np.where(course.equal[..., None], course.start, 1.0), -1, -2)


def valid_until(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Numbers:
    """Return the rescaled time to which the solution is unique in all coordinates together."""
    course = read(theta0, mu, rho)
    return np.asarray((course.pinned / course.speed).min(axis=-1))


def fate(
    theta0: ArrayLike,
    mu: ArrayLike,
    *,
    rho: float,
) -> Int8[np.ndarray, "*batch d"]:
    """Return what each coordinate does when nothing stops it, as a `flowsam.labels.Fate`.

    ESCAPE and SADDLE by the two smallest layers; else PINNED, two weights reach 0, but SADDLE where
    two equal smallest |z| tend to 0, and as `linf_balanced` has it for equal layers.
    """
    return fates(read(theta0, mu, rho))


def fates(course: Course) -> Int8[np.ndarray, "*batch d"]:
    """Return the `Fate` of each coordinate of a course."""
    held = np.where(np.isinf(course.end), Fate.SADDLE, Fate.PINNED)
    held = np.where(course.surplus == 0, Fate.SADDLE, held)
    found = np.where(course.surplus > 0, Fate.ESCAPE, held).astype(np.int8)
    found = np.where(course.mu == 0, np.int8(Fate.IDLE), found)
    if not course.equal.any():
        return found
    own = linf_balanced.fate(_alike(course), course.mu, rho=course.rho)
    return np.where(course.equal, own, found)


def weights(
    theta0: ArrayLike,
    mu: ArrayLike,
    *,
    rho: float,
    tau: ArrayLike,
) -> Float[np.ndarray, "*batch T L d"]:
    """Return the weights at rescaled times, each coordinate alone; on slides by `linf_slides`.

    Between zeros z_m = S u, z_k = sign(z_k(0)) sqrt(u^2 + z_k(0)^2 - z_m(0)^2).
    """
    course = read(theta0, mu, rho)
    tau = checked_times(tau, case="linf_deep")
    w = np.moveaxis(course.weights(course.speed[:, None] * tau), -3, -1)
    start = np.swapaxes(course.start, -1, -2)[..., None, :, :]
    w = np.where((course.mu == 0) | (tau == 0)[:, None, None], start, w)
    if not course.equal.any():
        return w
    own = linf_balanced.weights(_alike(course), course.mu, rho=rho, tau=tau)
    return np.where(course.equal[..., None, None, :], own, w)


def events(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> tuple[Event, ...]:
    """Return what happens to each coordinate alone, in order of rescaled time.

    "cross": a weight passes 0; "turn": the smallest |z| does; "slide": a weight stays at 0; "zero"
    with a layer: a second one is at 0, the solution no more unique; without: equal layers rest;
    "blow-up".
    """
    course = read(theta0, mu, rho)
    found = []
    for j in map(int, np.flatnonzero(course.mu)):
        if not course.equal[j]:
            found += _own_events(course, j)
    even = np.where(course.equal, course.mu, 0.0)
    found += linf_balanced.events(_alike(course), even, rho=rho)
    return tuple(sorted(found, key=lambda event: event.tau))


def _own_events(course: Course, j: int) -> list[Event]:
    """Events of one coordinate with unequal layers."""
    way = course.second if course.crosses[j] else course.first
    gone = course.landed[j] == 0
    rest = np.where(gone, np.inf, course.landed[j])
    second = rest == rest.min() if course.slides[j] else gone
    marks = [
        (course.cross[j], "cross", course.first.order[j, :1]),
        (course.turn[j], "turn", way.order[j, :1]),
        (course.slide[j], "slide", np.flatnonzero(gone)),
        (course.pinned[j], "zero", np.flatnonzero(second)),
    ]
    found = [
        Event(float(clock / course.speed[j]), kind, int(layer), j)
        for clock, kind, layers in marks
        if clock < np.inf
        for layer in layers
    ]
    blow_up = float(course.blow_up[j] / course.speed[j])
    return [*found, Event(blow_up, "blow-up", None, j)] if blow_up < np.inf else found
