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

from flowsam.engines.slaves import enslaved
from flowsam.flow import Flow
from flowsam.network import other_products
from flowsam.shapes import Bool, Float, Int, Mask

Weights = Float[np.ndarray, "L d *batch"]
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
    """The smallest weight of each feature and the next: layer of it, size, slaved value, share."""

    first: Int[np.ndarray, "1 d *batch"]
    u: Column
    slaved: Column
    share: Column  # |G R| over the norm


@dataclass(frozen=True, eq=False)
class Deaths:
    """What makes weights slaves, frees them, and lets features die, of a state or of many."""

    flow: Flow
    # size of u at which a feature that dies is dead, and error of a slave
    floor: float

    @cached_property
    def moving(self) -> Mask:
        """Features that are not 0 in every example."""
        return np.any(self.flow.data.z, axis=0)

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

    def start(self, theta: Weights) -> Roles:
        """Return the roles of a start: features with two weights at 0 are dead."""
        dead = np.sort(np.abs(theta), axis=0)[1] == 0
        return Roles(np.zeros(theta.shape, bool), dead)

    def shown(self, theta: Weights, slaves: Marks) -> Weights:
        """Return weights with the slaves read off their masters."""
        return enslaved(theta, slaves, lambda w: self._pair(w, slaves).slaved)

    def signals(self, theta: Weights, slaves: Marks) -> Float[np.ndarray, "2 d *batch"]:
        """Return how far off are new roles (at 10 atol, back at 40) and deaths, slaves shown."""
        at = self._pair(theta, slaves)
        braked = self._braked(theta)
        error = np.where(braked, self._error(at), np.inf)
        smallest = np.take_along_axis(theta, at.first, axis=0)[0]
        # from beyond 0 it comes to its place at once: the way is shorter than the error
        beyond = smallest * at.slaved < 0
        off = np.abs(smallest - np.where(beyond, 0.0, at.slaved))
        near = np.maximum(off, error) - 10.0 * self.floor
        binds = self._master(theta, at) & braked
        bind = np.where(binds, near, np.inf)
        free = 40.0 * self.floor - error
        bound = slaves.any(axis=0)
        role = np.where(bound, free, bind)
        p = self.flow.perturbation.p
        pull = at.u ** ((p - 2.0) / (p - 1.0))
        dies = braked & (pull < 0.5 * self._brake(at))
        life = np.where(dies, at.u - self.floor, np.inf)
        return np.stack([role, life])

    def catches(
        self, before: Weights, after: Weights, slaves: Marks
    ) -> Bool[np.ndarray, "*batch"]:
        """Tell whether a weight that turned in a step was to stay: its brake is a thin wall."""
        turned = (np.sign(before) * after < 0) & ~slaves
        bound = slaves.any(axis=0)
        one = (turned.sum(axis=0) == 1) & ~bound
        if one.any():
            one &= self._thin(before, slaves) | self._thin(after, slaves)
        return np.asarray(one.any(axis=0))

    def _thin(self, theta: Weights, slaves: Marks) -> Who:
        """Tell the smallest weight of which features is to be a slave."""
        at = self._pair(theta, slaves)
        slaved = self._master(theta, at)
        slaved &= self._braked(theta)
        small = self._error(at) <= 10.0 * self.floor
        return np.asarray(slaved & small)

    def _master(self, theta: Weights, at: _Pair) -> Who:
        """Return which features have a master: of two equal ones none is."""
        sizes = np.sort(np.abs(theta), axis=0)
        least = at.u < 0.99 * sizes[2:3]
        return np.asarray(least.all(axis=0))

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
        self, theta: Weights, slaves: Marks, due: Bool[np.ndarray, "2 d *batch"]
    ) -> tuple[Weights, Marks]:
        """Return weights and slaves after a weight changed its role or a feature died."""
        turned, died = due
        at = self._pair(theta, slaves)
        bound = turned & ~slaves.any(axis=0) & ~died
        layers = np.arange(len(theta)).reshape(-1, *[1] * (theta.ndim - 1))
        slaves = slaves & ~(turned | died) | (layers == at.first) & bound
        theta = np.where(died & (np.abs(theta) <= at.u), 0.0, theta)
        return theta, slaves

    def _pair(self, theta: Weights, slaves: Marks) -> _Pair:
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
        flat = g.reshape(-1, *g.shape[2:])
        norm = np.linalg.norm(flat, p / power, axis=0)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            size = (u / rho) ** power * norm / strength
            share = strength / norm
        size = np.fmin(size, 1e100)
        slaved = np.copysign(size, np.take_along_axis(g, first, axis=0)[0])
        return _Pair(first, u, slaved, share)

    def _brake(self, at: _Pair) -> Column:
        """Return c, the brake of each feature."""
        power = self.flow.perturbation.p - 1.0
        return self.flow.rho * at.share ** (1.0 / power)

    def _pull(self, theta: Weights) -> Float[np.ndarray, "d ..."]:
        """Return `Flow.pull` of weights whose batch comes last."""
        z = self.flow.data.z
        if len(z) == 1:
            return z[0].reshape(-1, *[1] * (theta.ndim - 2))
        pull, _ = self.flow.pull(np.moveaxis(theta, (0, 1), (-2, -1)))
        return np.moveaxis(pull, -1, 0)

    def _braked(self, theta: Weights) -> Who:
        """Return which features are pulled to one side at theta and theta_hat."""
        hat = self.flow.perturbed(np.moveaxis(theta, (0, 1), (-2, -1)))
        there = self._pull(np.moveaxis(hat, (-2, -1), (0, 1)))
        second = np.sort(np.abs(theta), axis=0)[1]
        return (self._pull(theta) * there > 0) & (second > 0)
