"""l_2-SAM at L = 2, one example: the whole flow is one scalar equation.

    s_j = s_j(0) exp(mu_j tau - mu_j^2 A),  e_j = e_j(0) exp(-mu_j tau - mu_j^2 A),
    dA/dtau = rho / N(tau, A),  N^2 = sum_j mu_j^2 (u_j^2 + v_j^2),

s = u + v, e = u - v, for any real start and mu. The planar curve (tau, A) is integrated once
(`l2_march.trace`) and everything is read off it. (derivations/l2_two_layer.py)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flowsam.events import Event
from flowsam.exact import functions_of
from flowsam.exact.l2_curve import Curve
from flowsam.exact.l2_march import blocks, falling, trace
from flowsam.exact.l2_outcome import grow_and_shrink
from flowsam.exact.l2_spectrum import checked_start
from flowsam.inputs import real_array
from flowsam.shapes import Float, Numbers, Pair, Pairs, Thetas, Times, Vector, Vectors


def read(theta0: ArrayLike, mu: ArrayLike, rho: float) -> Euclidean:
    """Read starts (..., 2, d), or say what is wrong with them."""
    return Euclidean(*checked_start(theta0, mu, rho))


@dataclass(frozen=True, eq=False)
class Euclidean:
    """Starts of l_2-SAM at L = 2."""

    theta: Thetas
    mu: Vector
    rho: float

    @property
    def _flat(self) -> Pairs:
        return self.theta.reshape(-1, 2, self.mu.size)

    @property
    def curve(self) -> Curve:
        """The planar curves (tau, A) of the batch."""
        return trace(self.theta, self.mu, rho=self.rho)

    @cached_property
    def collapse_time(self) -> Numbers:
        """The rescaled time at which the active coordinates come to rest at 0 together."""
        flat = self._flat
        parts = [
            trace(flat[block], self.mu, rho=self.rho, until=falling).collapse_time
            for block in blocks(len(flat), 2 * self.mu.size)
        ]
        found = np.concatenate([np.zeros(0), *parts])
        return found.reshape(self.theta.shape[:-2])

    @property
    def zero_time(self) -> Vectors:
        """When each coordinate comes to rest at 0: all at `collapse_time`, inf if never."""
        together = np.where(self.mu == 0, np.inf, self.collapse_time[..., None])
        return np.where((self.theta == 0).all(axis=-2), 0.0, together)

    @property
    def blow_up_time(self) -> Vectors:
        """inf for every coordinate: at L = 2 no weight blows up in finite rescaled time."""
        return np.full(self.theta[..., 0, :].shape, np.inf)

    def weights(self, tau: ArrayLike) -> Float[np.ndarray, "*batch T 2 d"]:
        """Return the weights at rescaled times, exactly 0 from the collapse on."""
        flat = self._flat
        mu = self.mu
        tau = np.atleast_1d(real_array(tau, "tau"))
        out = np.empty((flat.shape[0], tau.size, 2, mu.size))
        end = float(tau.max(initial=0.0))
        size = max(2 * mu.size, tau.size * max(mu.size, 40))
        for block in blocks(len(flat), size):
            a = trace(flat[block], mu, rho=self.rho, tau_end=end).a_at(tau)
            out[block] = _states(flat[block], mu, tau, a)
        return out.reshape(*self.theta.shape[:-2], tau.size, 2, mu.size)

    def path(
        self, until: float
    ) -> tuple[Callable[[Times], Float[np.ndarray, "T 2 d"]], tuple[Event, ...]]:
        """Return `weights` of ONE start as a function of tau up to a time, and its events so far.

        Weights that cross 0, the turn of N, the collapse.
        """
        mu = self.mu
        traced = trace(self.theta, mu, rho=self.rho, tau_end=until)

        def states(tau: Times) -> Float[np.ndarray, "T 2 d"]:
            return _states(self.theta[None], mu, tau, traced.a_at(tau)[None])[0]

        end = float(traced.collapse_time)
        turn = float(traced.turning_time())
        found = _crossings(self.theta, mu, end)
        if np.isfinite(end):
            found.append(Event(end, "collapse"))
        if 0 < turn < np.inf:
            found.append(Event(turn, "turn"))
        return states, tuple(sorted(found, key=lambda event: event.tau))


def _crossings(theta0: Pair, mu: Vector, until: float) -> list[Event]:
    """Where a weight changes sign: |s| = |e|, at most once a coordinate, beta from - to +."""
    active = np.flatnonzero(mu)
    grow, shrink = (sizes[0] for sizes in grow_and_shrink(theta0[None], mu))
    with np.errstate(divide="ignore", invalid="ignore"):
        times = (np.log(shrink) - np.log(grow)) / (2 * np.abs(mu[active]))
    s = theta0[0] + theta0[1] > 0
    e = theta0[0] - theta0[1] > 0
    return [
        Event(tau, "cross", int(s[j] == e[j]), j)  # u = (s + e)/2, v = (s - e)/2
        for j, tau in zip(active.tolist(), times.tolist(), strict=True)
        if 0 < tau < until
    ]


def _states(
    theta0: Pairs,
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


weights, blow_up_time, zero_time, collapse_time = functions_of(
    read, "blow_up_time", "zero_time", "collapse_time"
)
