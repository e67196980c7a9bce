"""l_p-SAM with 2 < p < inf at any depth: features die in finite time and stay dead.

With v <= u the two smallest sizes of a feature and R the product of its others, both are braked
while the pull has one sign at theta and theta_hat:

    dv/dtau = |G_hat R_hat| (u - c v^(q-1)),  du/dtau = |G_hat R_hat| (v - c u^(q-1)),
    c = rho (|G R| / ||g||_q)^(q-1),  0 < q - 1 < 1.

Where u^(2-q) < c both fall and reach 0 in finite time. On the way v is the slave of u, read off
where its own brake stops it, v = (u / c)^(p-1), once the error of that, (p v / u)^2 max(u, c
u^(q-1)), is of the size of atol.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from flowsam.engines.path import Entry, Turn
from flowsam.events import Event
from flowsam.flow import Flow
from flowsam.network import other_products
from flowsam.shapes import Bool, Float, Int, Numbers, Stack, Which

Marks = Bool[np.ndarray, "L d *batch"]
Column = Float[np.ndarray, "d *batch"]
Who = Bool[np.ndarray, "d *batch"]
_FAR = 1e3  # in units of where roles and deaths are: no step falls so far


class Roles(NamedTuple):
    """Which weights are slaves, shape (L, d, ...), and which features are dead, (d, ...)."""

    slaves: Marks
    dead: Who

    @property
    def free(self) -> Marks:
        """Which weights are integrated."""
        return ~(self.slaves | self.dead)


class _Pair(NamedTuple):
    """The smallest weight of each feature and the next, its master."""

    first: Int[np.ndarray, "1 d *batch"]  # layer of the smallest
    u: Column  # size of the next
    slaved: Column  # value of the smallest as its slave
    share: Column  # |G R| over the norm
    led: Who  # whether it is the master: of two equal ones none is


@dataclass(frozen=True, eq=False)
class Deaths:
    """What makes weights slaves, frees them, and lets features die, of a state or of many."""

    flow: Flow
    # size of u at which a feature that dies is dead, and error of a slave
    floor: float

    @cached_property
    def low(self) -> float:
        """Size of u from which no role and no death is near, whatever the pulls."""
        # ||g||_q >= |G R| u: the error of a slave is p^2 (u / rho)^(2p - 2) u or more
        p = self.flow.perturbation.p
        power = 1.0 / (2.0 * p - 1.0)
        error = _FAR * 10.0 * self.floor
        low = (error / p**2) ** power
        low *= self.flow.rho ** (1.0 - power)
        return float(max(low, _FAR * self.floor))

    def start(self, theta: Stack) -> Entry:
        """Return the roles of a start: features with two weights at 0 are dead."""
        dead = np.sort(np.abs(theta), axis=0)[1] == 0
        mode = Roles(np.zeros(theta.shape, bool), dead)
        return Entry(mode, Event.each("zero", 0.0, dead & self.flow.data.moving))

    def turn(self, theta: Stack, mode: Roles, tau: float) -> Turn:
        """Return a state, its slaves shown, after a weight changed its role or a feature died."""
        due = self.signals(theta, mode.slaves) <= 0
        theta, slaves = self.after(theta, mode.slaves, due)
        roles = Roles(slaves, mode.dead | due[1])
        return Turn(theta, roles, Event.each("zero", tau, due[1]))

    def ended(self, mode: Roles) -> bool:
        """Tell whether all features are dead."""
        return bool(mode.dead[self.flow.data.moving].all())

    def shown(self, theta: Stack, slaves: Marks) -> Stack:
        """Return weights with the slaves read off their masters."""
        if not slaves.any():
            return theta
        # v = u (u/rho)^(p-1) ||g||_q / |g|; what v adds to the norm is below its own error
        rule = self.flow.perturbation
        power = rule.p - 1.0
        others = np.where(slaves, np.inf, np.abs(theta))
        u = others.min(axis=0)
        at_rest = np.where(slaves, 0.0, theta)
        g = self._pull(at_rest) * other_products(at_rest, layers_first=True)
        own = np.where(slaves, g, np.inf)
        with np.errstate(over="ignore", invalid="ignore"):
            size = u * (u / rule.rho) ** power * self._norm(g) / own
        return np.where(slaves, np.clip(size, -1e100, 1e100), theta)

    def _norm(self, g: Stack) -> Numbers:
        """Return `||g||_q` of states."""
        q = 1.0 + 1.0 / (self.flow.perturbation.p - 1.0)
        size = np.abs(g).reshape(-1, *g.shape[2:])
        return np.asarray((size**q).sum(axis=0) ** (1.0 / q))

    def signals(self, theta: Stack, slaves: Marks) -> Float[np.ndarray, "2 d *batch"]:
        """Return how far off are new roles (at 10 atol, back at 40) and deaths, slaves shown."""
        at = self._pair(theta, slaves)
        braked = self._braked(theta, at)
        error = np.where(braked, self._error(at), np.inf)
        smallest = np.take_along_axis(theta, at.first, axis=0)[0]
        # from beyond 0 it comes to its place at once: the way is shorter than the error
        beyond = smallest * at.slaved < 0
        off = np.abs(smallest - np.where(beyond, 0.0, at.slaved))
        near = np.maximum(off, error) - 10.0 * self.floor
        binds = at.led & braked
        bind = np.where(binds, near, np.inf)
        free = 40.0 * self.floor - error
        bound = slaves.any(axis=0)
        role = np.where(bound, free, bind)
        p = self.flow.perturbation.p
        pull = at.u ** ((p - 2.0) / (p - 1.0))
        dies = braked & (pull < 0.5 * self._brake(at))
        life = np.where(dies, at.u - self.floor, np.inf)
        return np.stack([role, life])

    def catches(self, before: Stack, after: Stack, slaves: Marks) -> Which:
        """Tell whether a weight that turned in a step was to stay: its brake is a thin wall."""
        turned = (np.sign(before) * after < 0) & ~slaves
        bound = slaves.any(axis=0)
        one = (turned.sum(axis=0) == 1) & ~bound
        if one.any():
            one &= self._thin(before, slaves) | self._thin(after, slaves)
        return np.asarray(one.any(axis=0))

    def _thin(self, theta: Stack, slaves: Marks) -> Who:
        """Tell the smallest weight of which features is to be a slave."""
        at = self._pair(theta, slaves)
        small = self._error(at) <= 10.0 * self.floor
        return np.asarray(at.led & small & self._braked(theta, at))

    def _error(self, at: _Pair) -> Column:
        """Return the errors of slaved values."""
        p = self.flow.perturbation.p
        alive = at.u > 0
        brake = np.where(alive, self._brake(at), 0.0)
        pulls = np.maximum(brake * at.u ** (1.0 / (p - 1.0)), at.u)
        share = np.ones_like(pulls)
        with np.errstate(over="ignore", invalid="ignore"):
            value = p * at.slaved
            np.divide(value, at.u, out=share, where=alive)
            return share**2 * pulls

    def after(
        self, theta: Stack, slaves: Marks, due: Bool[np.ndarray, "2 d *batch"]
    ) -> tuple[Stack, Marks]:
        """Return weights and slaves after a weight changed its role or a feature died."""
        turned, died = due
        at = self._pair(theta, slaves)
        bound = turned & ~slaves.any(axis=0) & ~died
        layers = np.arange(len(theta)).reshape(-1, *[1] * (theta.ndim - 1))
        slaves = slaves & ~(turned | died) | (layers == at.first) & bound
        theta = np.where(died & (np.abs(theta) <= at.u), 0.0, theta)
        return theta, slaves

    def _pair(self, theta: Stack, slaves: Marks) -> _Pair:
        """Return the two smallest weights of every feature, a slave first."""
        rho = self.flow.rho
        p = self.flow.perturbation.p
        power = p - 1.0
        ranks = np.where(slaves, -1.0, np.abs(theta))
        first = ranks.argmin(axis=0)[None]
        sizes = np.sort(ranks, axis=0)
        u = sizes[1]
        pull = self._pull(theta)
        g = pull * other_products(theta, layers_first=True)
        strength = np.abs(pull) * math.prod(sizes[2:])
        norm = self._norm(g)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            size = (u / rho) ** power * norm / strength
            share = strength / norm
        size = np.fmin(size, 1e100)
        slaved = np.copysign(size, np.take_along_axis(g, first, axis=0)[0])
        led = (sizes[:-1] < 0.99 * sizes[1:])[:2].all(axis=0)
        return _Pair(first, u, slaved, share, np.asarray(led))

    def _brake(self, at: _Pair) -> Column:
        """Return c, the brake of each feature."""
        power = self.flow.perturbation.p - 1.0
        return self.flow.rho * at.share ** (1.0 / power)

    def _pull(self, theta: Stack) -> Float[np.ndarray, "d ..."]:
        """Return `Flow.pull` of weights whose batch comes last."""
        z = self.flow.data.z
        if len(z) == 1:
            return z[0].reshape(-1, *[1] * (theta.ndim - 2))
        pull, _ = self.flow.pull(np.moveaxis(theta, (0, 1), (-2, -1)))
        return np.moveaxis(pull, -1, 0)

    def _braked(self, theta: Stack, at: _Pair) -> Who:
        """Return which features are pulled to one side at theta and theta_hat."""
        hat = self.flow.perturbed(np.moveaxis(theta, (0, 1), (-2, -1)))
        there = self._pull(np.moveaxis(hat, (-2, -1), (0, 1)))
        return (self._pull(theta) * there > 0) & (at.u > 0)
