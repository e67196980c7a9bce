"""l_p-SAM at L = 2 for 2 < p < inf: small weights are braked without bound, and die.

With G = ||g||_q and c = rho (|mu|/G)^(q-1), v' = mu (u - c sign(v) |v|^(q-1)) where mu > 0,
so that a weight much smaller than its partner is a slave, read off where its own brake stops it,
|v| = ((|u| - v'/mu) / rho)^(p-1) G / |mu|; both below atol: the coordinate rests at 0. Its death is
known to some 50 atol^k, k = (p - 2)/(p - 1), of 1/rate: 4 digits at p = 3 and atol = 1e-12.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from flowsam.engines.path import Entry, Turn
from flowsam.events import Event
from flowsam.flow import Flow
from flowsam.one_example.smooth import Smooth
from flowsam.shapes import Bool, Float, Mask

_ROUNDS = 3  # the norm of the gradient feels the slaves a little
_FAR = 1e5  # atol: no step falls so far

Theta = Float[np.ndarray, "*batch 2 d"]


@dataclass(frozen=True, eq=False)
class Braked:
    """Which weights (2, d) are slaves of their partners, and which coordinates (d,) are at rest."""

    slaves: Bool[np.ndarray, "2 d"]
    resting: Mask


@dataclass(frozen=True)
class Fading(Smooth):
    """A flow whose small weights die, in the terms of `filippov.Switching`."""

    atol: float  # size below which a weight is 0, and error of a slave
    low: float

    @classmethod
    def of(cls, flow: Flow, small: float) -> Fading:
        """Return the velocity of a flow whose weights below `small` are 0."""
        # the error of a slave is (u / rho)^(3p - 3) u or more, times a square near 1
        power = 1.0 / (3.0 * flow.perturbation.p - 2.0)
        low = (_FAR * small) ** power
        low *= flow.rho ** (1.0 - power)
        return cls(flow, small, max(low, _FAR * small))

    def start(self, theta: Theta) -> Entry:
        """Return the mode of a start: coordinates with both weights at 0 rest."""
        resting = (theta == 0).all(axis=0) & (self.flow.mu != 0)
        mode = Braked(np.zeros(theta.shape, bool), resting)
        return Entry(mode, Event.each("zero", 0.0, resting))

    def rates(self, mode: Braked) -> Callable[[Theta], Theta]:
        """Return `field` in one region, the flow's own where all weights are free."""
        held = (mode.slaves | mode.resting).any()
        return super().rates(mode) if held else self.velocity

    def field(self, theta: Theta, mode: Braked) -> Theta:
        """Return the rescaled velocity; slaves and resting weights are not integrated."""
        return np.where(
            mode.slaves | mode.resting, 0.0, self.flow.field(self.shown(theta, mode))
        )

    def shown(self, theta: Theta, mode: Braked) -> Theta:
        """Return the weights of a state: slaves are read off their partners."""
        if not mode.slaves.any():
            return theta
        theta = np.where(mode.slaves, 0.0, theta)
        for _ in range(_ROUNDS):
            theta = np.where(mode.slaves, self._slaved(theta)[0], theta)
        return theta

    def signals(self, theta: Theta, mode: Braked) -> Float[np.ndarray, " 3*d"]:
        """Return how far weights are from another role (at atol, back at 4) and from rest."""
        theta = self.shown(theta, mode)
        slaved, error = self._slaved(theta)
        bind = np.maximum(np.abs(theta - slaved), error) - self.atol
        # equal layers have no master
        bind[np.abs(theta) == np.abs(theta[::-1])] = np.inf
        role = np.where(mode.slaves, 4.0 * self.atol - error, bind)
        still = mode.resting | (self.flow.mu == 0)
        masters = mode.slaves[::-1]
        rest = np.where(still, np.inf, np.abs(theta).max(axis=0) - self.atol)
        return np.concatenate([np.where(still | masters, np.inf, role).ravel(), rest])

    def transition(self, theta: Theta, mode: Braked, tau: float) -> Turn:
        """Return state, mode and events after a weight changed its role or a coordinate died."""
        signals = self.signals(theta, mode)
        reached = signals <= max(1e-3 * self.atol, signals.min())
        theta, turned = (
            self.shown(theta, mode),
            reached[: theta.size].reshape(theta.shape),
        )
        dead = reached[theta.size :]
        smaller = np.abs(theta) <= np.abs(theta[::-1])
        smaller[1] &= ~smaller[0]
        slaves = np.where(mode.slaves, ~turned, turned & smaller) & ~dead
        mode = replace(mode, slaves=slaves, resting=mode.resting | dead)
        return Turn(np.where(dead, 0.0, theta), mode, Event.each("zero", tau, dead))

    def _slaved(self, theta: Theta) -> tuple[Theta, Theta]:
        """Return the slaved value of every weight, and the error of it."""
        rule = self.flow.perturbation
        mu = np.abs(self.flow.mu)
        partner = theta[..., ::-1, :]
        speed = np.sign(partner) * self.flow.field(theta)[..., ::-1, :]
        u = np.abs(partner)
        active = (partner != 0) & (mu != 0)
        g = mu * u
        q = rule.p / (rule.p - 1.0)
        top = g.max(axis=(-2, -1), keepdims=True)
        weights = np.divide(g, top, out=np.zeros_like(g), where=top > 0) ** q
        whole = weights.sum(axis=(-2, -1), keepdims=True)
        norm = top * whole ** (1.0 / q)
        growth = np.divide(speed, u, out=np.zeros_like(u), where=active)
        scale = norm / np.where(mu == 0, 1.0, mu)
        mean = (weights * growth).sum(axis=(-2, -1), keepdims=True) / np.where(
            whole, whole, 1.0
        )
        # no slave is this large, none lags so
        with np.errstate(divide="ignore", over="ignore"):
            value = np.exp(
                np.minimum((rule.p - 1.0) * np.log(u / rule.rho) + np.log(scale), 200.0)
            )
            rate = ((rule.p - 1.0) * growth + mean) / np.where(mu == 0, 1.0, mu)
            lag = np.divide(value, u, out=np.zeros_like(u), where=active) * rate
        lag = np.clip(lag, -1e3, 1e3)
        settled = value * np.maximum(1.0 - lag, 0.0) ** (rule.p - 1.0)
        error = value * np.minimum(((rule.p - 1.0) * lag) ** 2, 1e6)
        return np.sign(self.flow.mu * partner) * settled, error
