"""What happens on a path of l_2-SAM at L = 2: the collapse, weights that cross 0, the turn of N."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.exact.l2_curve import Curve
from flowsam.exact.l2_march import ENTRIES, trace
from flowsam.exact.l2_spectrum import checked_start
from flowsam.shapes import Float
from flowsam.trajectory import Event

__all__ = ["blow_up_time", "collapse_time", "events", "events_on", "zero_time"]


def collapse_time(
    theta0: ArrayLike, mu: ArrayLike, *, rho: float | int
) -> Float[np.ndarray, "*batch"]:
    """Return the rescaled time at which the active coordinates come to rest at 0 together."""
    theta0, mu, rho = checked_start(theta0, mu, rho)
    if rho == 0:
        rests = (theta0[..., mu != 0] == 0).all(axis=(-2, -1))
        return np.where(rests, 0.0, np.inf)
    flat = theta0.reshape(-1, 2, mu.size)
    block = max(1, ENTRIES // max(2 * mu.size, 900))
    parts = [
        trace(flat[first : first + block], mu, rho=rho).collapse_time
        for first in range(0, flat.shape[0], block)
    ]
    return np.concatenate([np.zeros(0), *parts]).reshape(theta0.shape[:-2])


def zero_time(
    theta0: ArrayLike, mu: ArrayLike, *, rho: float | int
) -> Float[np.ndarray, "*batch d"]:
    """Return when each coordinate comes to rest at 0: all at `collapse_time`, inf if never."""
    together = collapse_time(theta0, mu, rho=rho)[..., None]
    theta0, mu, _ = checked_start(theta0, mu, rho)
    return np.where(
        (theta0 == 0).all(axis=-2), 0.0, np.where(mu == 0, np.inf, together)
    )


def blow_up_time(
    theta0: ArrayLike, mu: ArrayLike, *, rho: float | int
) -> Float[np.ndarray, "*batch d"]:
    """Return inf for every coordinate: at L = 2 no weight blows up in finite rescaled time."""
    theta0, _, _ = checked_start(theta0, mu, rho)
    return np.full(theta0[..., 0, :].shape, np.inf)


def _crossings(
    theta0: Float[np.ndarray, "2 d"], mu: Float[np.ndarray, " d"], until: float
) -> list[Event]:
    """Where a weight changes sign: |s| = |e|, at most once a coordinate, beta from - to +."""
    s = theta0[0] + theta0[1]
    e = theta0[0] - theta0[1]
    grow = np.where(mu > 0, s, e)
    shrink = np.where(mu > 0, e, s)
    found = []
    for j in np.flatnonzero((mu != 0) & (grow != 0) & (np.abs(shrink) > np.abs(grow))):
        tau = (np.log(np.abs(shrink[j])) - np.log(np.abs(grow[j]))) / (
            2 * np.abs(mu[j])
        )
        layer = 0 if (s[j] > 0) != (e[j] > 0) else 1  # u = (s + e)/2, v = (s - e)/2
        if tau < until:
            found.append(Event(float(tau), "cross", layer, int(j)))
    return found


def events(theta0: ArrayLike, mu: ArrayLike, *, rho: float | int) -> tuple[Event, ...]:
    """Return what happens to one start: weights that cross 0, the turn of N, the collapse."""
    theta0, mu, rho = checked_start(theta0, mu, rho)
    if theta0.ndim != 2:
        raise InputError(
            f"events takes one start (2, d), got shape {theta0.shape}; loop over them"
        )
    if rho > 0:
        return events_on(trace(theta0, mu, rho=rho), theta0, mu)
    crossings = _crossings(theta0, mu, np.inf)
    return tuple(sorted(crossings, key=lambda event: event.tau))


def events_on(
    path: Curve, theta0: Float[np.ndarray, "2 d"], mu: Float[np.ndarray, " d"]
) -> tuple[Event, ...]:
    """Return the events of one start, those of its curve as far as it was traced."""
    found = []
    until = float(path.collapse_time)
    turn = float(path.turning_time())
    if np.isfinite(until):
        found.append(Event(until, "collapse"))
    if 0 < turn < np.inf:
        found.append(Event(turn, "turn"))
    return tuple(
        sorted(found + _crossings(theta0, mu, until), key=lambda event: event.tau)
    )
