"""l_p-SAM with 2 < p < inf at any depth: features die in finite time and stay dead.

With v <= u the two smallest sizes of a feature and R the product of its others, both are braked
while the pull has one sign at theta and theta_hat:

    dv/dtau = |G_hat R_hat| (u - c v^(q-1)),  du/dtau = |G_hat R_hat| (v - c u^(q-1)),
    c = rho (|G R| / ||g||_q)^(q-1),  0 < q - 1 < 1.

Where u^(2-q) < c both fall and reach 0 in finite time. On the way v is the slave of u, read off
where its own brake stops it, v = (u / c)^(p-1), once the error of that, (p v / u)^2 max(u, c
u^(q-1)), is of the size of atol.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from flowsam.engines.slaves import enslaved
from flowsam.flow import Flow
from flowsam.network import other_products
from flowsam.shapes import Bool, Float, Int, Marks, Mask, Theta, Vector

_FAR = 1e3  # in units of where roles and deaths are: no step falls so far


class Roles(NamedTuple):
    """Which weights are slaves, shape (L, d), and which features are dead, shape (d,)."""

    slaves: Marks
    dead: Mask

    @property
    def free(self) -> Marks:
        """Which weights are integrated."""
        return ~(self.slaves | self.dead)


class _Pair(NamedTuple):
    """The smallest weight of each feature and the next: layers, sizes, slaved value, brake."""

    layers: Int[np.ndarray, "2 d"]
    v: Vector
    u: Vector
    slaved: Vector
    brake: Vector


@dataclass(frozen=True, eq=False)
class Deaths:
    """What makes weights of one state slaves, frees them, and lets features die."""

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

    def start(self, theta: Theta) -> Roles:
        """Return the roles of a start: features with two weights at 0 are dead."""
        dead = np.sort(np.abs(theta), axis=0)[1] == 0
        return Roles(np.zeros(theta.shape, bool), dead)

    def shown(self, theta: Theta, roles: Roles) -> Theta:
        """Return weights with the slaves read off their masters."""
        return enslaved(theta, roles.slaves, lambda w: self._pair(w, roles).slaved)

    def signals(self, theta: Theta, roles: Roles) -> Float[np.ndarray, " 2*d"]:
        """Return how far off are new roles (at 10 atol, back at 40) and deaths, slaves shown."""
        at = self._pair(theta, roles)
        braked = self._braked(theta)
        error = np.where(braked, self._error(at), np.inf)
        every = np.arange(at.u.size)
        smallest = theta[at.layers[0], every]
        off = np.abs(smallest - at.slaved)
        near = np.maximum(off, error) - 10.0 * self.floor
        binds = self._master(theta, at) & braked
        bind = np.where(binds, near, np.inf)
        free = 40.0 * self.floor - error
        bound = roles.slaves.any(axis=0)
        role = np.where(bound, free, bind)
        p = self.flow.perturbation.p
        pull = at.u ** ((p - 2.0) / (p - 1.0))
        dies = braked & (pull < 0.5 * at.brake)
        life = np.where(dies, at.u - self.floor, np.inf)
        still = roles.dead | ~self.moving
        return np.where([still, still], np.inf, [role, life]).ravel()

    def catches(self, before: Theta, after: Theta, roles: Roles) -> bool:
        """Tell whether a weight that turned in a step was to stay: its brake is a thin wall."""
        turned = (np.sign(before) * after < 0) & roles.free
        bound = roles.slaves.any(axis=0)
        one = (turned.sum(axis=0) == 1) & ~bound
        if not one.any():
            return False
        thin = self._thin(before, roles)
        thin |= self._thin(after, roles)
        return bool((one & thin).any())

    def _thin(self, theta: Theta, roles: Roles) -> Mask:
        """Tell the smallest weight of which features is to be a slave."""
        at = self._pair(theta, roles)
        slaved = self._master(theta, at)
        slaved &= self._braked(theta)
        small = self._error(at) <= 10.0 * self.floor
        return np.asarray(slaved & small)

    def _master(self, theta: Theta, at: _Pair) -> Mask:
        """Return which features have a master: of two equal ones none is."""
        sizes = np.sort(np.abs(theta), axis=0)
        least = at.u < 0.99 * sizes[2:3]
        return np.asarray(least.all(axis=0))

    def _error(self, at: _Pair) -> Vector:
        """Return the errors of slaved values."""
        p = self.flow.perturbation.p
        pulls = np.maximum(at.brake * at.u ** (1.0 / (p - 1.0)), at.u)
        share = np.ones_like(pulls)
        alive = at.u > 0
        with np.errstate(over="ignore"):
            value = p * at.slaved
            np.divide(value, at.u, out=share, where=alive)
            return share**2 * pulls

    def after(
        self, theta: Theta, roles: Roles, due: Bool[np.ndarray, " 2*d"]
    ) -> tuple[Theta, Roles]:
        """Return weights and roles after a weight changed its role or a feature died."""
        turned, died = due.reshape(2, -1)
        theta = theta.copy()
        layers = self._pair(theta, roles).layers
        every = np.arange(died.size)
        slaves = roles.slaves & ~(turned | died)
        bound = turned & ~roles.slaves.any(axis=0) & ~died
        slaves[layers[0][bound], every[bound]] = True
        theta[layers[:, died], every[died]] = 0.0
        return theta, Roles(slaves, roles.dead | died)

    def _pair(self, theta: Theta, roles: Roles) -> _Pair:
        """Return the two smallest weights of every feature, a slave first."""
        rho = self.flow.rho
        p = self.flow.perturbation.p
        power = p - 1.0
        every = np.arange(theta.shape[1])
        sizes = np.abs(theta)
        ranks = np.where(roles.slaves, -1.0, sizes)
        order = np.argsort(ranks, axis=0, kind="stable")
        v, u = sizes[order[:2], every]
        pull = self.flow.pull(theta)[0]
        g = pull * other_products(theta)
        rest = np.prod(theta[order[2:], every], axis=0)
        strength = np.abs(pull * rest)
        norm = np.linalg.norm(g.ravel(), p / power)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            size = (u / rho) ** power * norm / strength
            brake = rho * (strength / norm) ** (1.0 / power)
        size = np.fmin(size, 1e100)
        slaved = np.copysign(size, g[order[0], every])
        return _Pair(order[:2], v, u, slaved, brake)

    def _braked(self, theta: Theta) -> Mask:
        """Return which features are pulled to one side at theta and theta_hat."""
        here, _ = self.flow.pull(theta)
        hat, _ = self.flow.pull(self.flow.perturbed(theta))
        second = np.sort(np.abs(theta), axis=0)[1]
        return (here * hat > 0) & (second > 0)
