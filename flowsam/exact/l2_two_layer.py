"""l_2-SAM at L = 2, one example: the whole flow is one scalar equation.

    s_j = s_j(0) exp(mu_j tau - mu_j^2 A),  e_j = e_j(0) exp(-mu_j tau - mu_j^2 A),
    dA/dtau = rho / N(tau, A),  N^2 = sum_j mu_j^2 (u_j^2 + v_j^2),

s = u + v, e = u - v, for any real start and mu. The planar curve (tau, A) is integrated once
(`l2_march.trace`) and everything is read off it. (derivations/l2_two_layer.py)
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from flowsam.events import Event
from flowsam.exact.l2_curve import Curve
from flowsam.exact.l2_march import blocks, falling, trace
from flowsam.exact.l2_spectrum import checked_start
from flowsam.inputs import real_array
from flowsam.shapes import Float, Numbers, Times, Vector, Vectors


def collapse_time(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Numbers:
    """Return the rescaled time at which the active coordinates come to rest at 0 together."""
    theta0, mu, rho = checked_start(theta0, mu, rho)
    flat = theta0.reshape(-1, 2, mu.size)
    parts = [
        trace(flat[block], mu, rho=rho, until=falling).collapse_time
        for block in blocks(len(flat), 2 * mu.size)
    ]
    return np.concatenate([np.zeros(0), *parts]).reshape(theta0.shape[:-2])


def zero_time(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Vectors:
    """Return when each coordinate comes to rest at 0: all at `collapse_time`, inf if never."""
    together = collapse_time(theta0, mu, rho=rho)[..., None]
    theta0, mu, _ = checked_start(theta0, mu, rho)
    return np.where(
        (theta0 == 0).all(axis=-2), 0.0, np.where(mu == 0, np.inf, together)
    )


def blow_up_time(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Vectors:
    """Return inf for every coordinate: at L = 2 no weight blows up in finite rescaled time."""
    theta0, _, _ = checked_start(theta0, mu, rho)
    return np.full(theta0[..., 0, :].shape, np.inf)


def _crossings(
    theta0: Float[np.ndarray, "2 d"],
    mu: Vector,
    until: float,
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


def curve(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Curve:
    """Return the planar curves (tau, A) of a batch of starts."""
    theta0, mu, rho = checked_start(theta0, mu, rho)
    return trace(theta0, mu, rho=rho)


def _states(
    theta0: Float[np.ndarray, "N 2 d"],
    mu: Vector,
    tau: Times,
    a: Float[np.ndarray, "N T"],
) -> Float[np.ndarray, "N T 2 d"]:
    """Weights at points of the plane; zeros where A is inf."""
    resting = np.isinf(a)
    damping = np.where(resting, 0.0, a)[..., None]
    parts = []
    with np.errstate(over="ignore", invalid="ignore"):
        for sign in (1, -1):
            amplitude = (theta0[:, 0] + sign * theta0[:, 1])[:, None]
            rate = sign * mu
            # twice the root: a tiny amplitude may meet a factor beyond the largest double
            root = np.exp(rate * (tau[:, None] - rate * damping) / 2)
            parts.append(amplitude * root * root)
            parts[-1][np.isnan(parts[-1])] = 0.0  # no amplitude at all
    states = np.empty((*a.shape, 2, mu.size))
    states[:, :, 0] = parts[0] + parts[1]
    states[:, :, 1] = parts[0] - parts[1]
    states /= 2
    states[resting] = 0.0
    idle = mu == 0
    start = (tau == 0) & ~resting
    states[..., idle] = theta0[:, None][..., idle]
    states[start] = theta0[np.nonzero(start)[0]]
    return states


def weights(
    theta0: ArrayLike,
    mu: ArrayLike,
    *,
    rho: float,
    tau: ArrayLike,
) -> Float[np.ndarray, "*batch T 2 d"]:
    """Return the weights at rescaled times, exactly 0 from the collapse on."""
    theta0, mu, rho = checked_start(theta0, mu, rho)
    tau = np.atleast_1d(real_array(tau, "tau"))
    flat = theta0.reshape(-1, 2, mu.size)
    out = np.empty((flat.shape[0], tau.size, 2, mu.size))
    end = float(tau.max(initial=0.0))
    for block in blocks(len(flat), max(2 * mu.size, tau.size * max(mu.size, 40))):
        a = trace(flat[block], mu, rho=rho, tau_end=end).a_at(tau)
        out[block] = _states(flat[block], mu, tau, a)
    return out.reshape(*theta0.shape[:-2], tau.size, 2, mu.size)


def path(
    theta0: Float[np.ndarray, "2 d"],
    mu: Vector,
    *,
    rho: float,
    until: float,
) -> tuple[Callable[[Times], Float[np.ndarray, "T 2 d"]], tuple[Event, ...]]:
    """Return `weights` of one start as a function of tau up to `until`, and its events so far.

    Weights that cross 0, the turn of N, the collapse.
    """
    traced = trace(theta0, mu, rho=rho, tau_end=until)

    def states(tau: Times) -> Float[np.ndarray, "T 2 d"]:
        return _states(theta0[None], mu, tau, traced.a_at(tau)[None])[0]

    end = float(traced.collapse_time)
    turn = float(traced.turning_time())
    found = _crossings(theta0, mu, end)
    if np.isfinite(end):
        found.append(Event(end, "collapse"))
    if 0 < turn < np.inf:
        found.append(Event(turn, "turn"))
    return states, tuple(sorted(found, key=lambda event: event.tau))
