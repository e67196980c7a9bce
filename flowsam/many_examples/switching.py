"""Switching surfaces of l_inf-SAM with several examples: where they are, and which side leads on.

eps = -rho sign(G_j) sign(P_lj) jumps where a weight is 0 and where a pull G_j = sum_i q_i z_ij is.
All coordinates share the q_i, so that a slide combines the whole field of its two sides.
ASAM with p = inf, w_hat = w (1 - rho sign(G_j beta_j)), jumps at pulls of 0 alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from flowsam.engines.two_sides import upper_share
from flowsam.flow import Flow
from flowsam.inputs import keep
from flowsam.many_examples.hessian import shares_and_bends
from flowsam.network import other_products
from flowsam.shapes import (
    Bool,
    Float,
    Int,
    Mask,
    Numbers,
    State,
    Theta,
    Thetas,
    Vector,
    Vectors,
)

_LEAST = 1e-13

Heights = Float[np.ndarray, "*batch S"]
Due = Bool[np.ndarray, " S"]


@dataclass(frozen=True, eq=False)
class Chart:
    """What numbers are: w, or y = log(z / rho) of `w = gate + slope z` where the slope is not 0."""

    gate: Float[np.ndarray, "*m"]
    slope: Float[np.ndarray, "*m"]

    @property
    def logs(self) -> Bool[np.ndarray, "*m"]:
        """Which numbers are y."""
        return np.asarray(self.slope != 0)


_PLAIN = Chart(np.zeros(()), np.zeros(()))


@dataclass(frozen=True, eq=False)
class Region:
    """The side of every surface a state is on."""

    signs: Int[np.ndarray, " S"]  # +1 or -1; 0 for the one surface the state slides on
    # weights all pinned to 0, even L: beta_hat_j = rho^L for either sign of them
    resting: Mask
    chart: Chart = _PLAIN

    @property
    def sliding(self) -> int | None:
        """The surface the state slides on, or None."""
        return int(np.argmin(np.abs(self.signs))) if not self.signs.all() else None


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a surface: the signs of G, and theta_hat with its G, velocity and log Lambda."""

    pulls: Vector
    hat: Thetas
    pull: Vectors
    velocity: Thetas
    log_scale: Numbers


@dataclass(frozen=True, eq=False)
class JointSwitching:
    """The surfaces of a flow: weights, layer by layer, if L > 1; pulls, one a direction of z."""

    flow: Flow
    theta0: Theta
    constant = True  # whether eps is, between jumps
    _leaders: Int[np.ndarray, " P"] = field(init=False)
    _owner: Int[np.ndarray, " d"] = field(init=False)
    _columns: Float[np.ndarray, "n P"] = field(init=False)
    _orientation: Int[np.ndarray, " d"] = field(init=False)
    _tops: Vector = field(init=False)

    def __post_init__(self) -> None:
        """Find the surfaces G_j = 0: one for each direction of the columns of z."""
        z = np.where(self.still, 0.0, self.flow.data.z)
        top = np.take_along_axis(z, np.abs(z).argmax(axis=0)[None], axis=0)[0]
        unit = z / np.where(top == 0, 1.0, top)
        mean = np.cos(np.arange(len(z))) @ unit  # equal columns have equal means
        same = np.abs(mean[:, None] - mean) <= 2e-13 * len(z)
        one, other = np.nonzero(same)
        same[one, other] = (np.abs(unit[:, one] - unit[:, other]) <= 1e-13).all(axis=0)
        leaders, owner = np.unique(same.argmax(axis=0), return_inverse=True)
        keep(self, _leaders=leaders, _owner=owner, _columns=unit[:, leaders])
        keep(self, _orientation=np.sign(top).astype(int), _tops=top)

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.theta0)

    @property
    def still(self) -> Mask:
        """Features that start with two weights at 0: no gradient, so no step and no motion."""
        return (self.theta0 == 0).sum(axis=0) > 1

    @property
    def fold(self) -> float:
        """How close a slide comes to where its surface folds."""
        return 0.0

    @property
    def weights(self) -> int:
        """How many of the surfaces are zeros of weights."""
        return self.depth * self.flow.data.z.shape[1] if self.depth > 1 else 0

    @property
    def size(self) -> int:
        """Number of surfaces."""
        return self.weights + len(self._leaders)

    @property
    def idle(self) -> Mask:
        """Features that never move: 0 in every example, or still."""
        return self._orientation == 0

    def place(self, surface: int) -> tuple[int | None, int]:
        """Return layer and coordinate of a surface; the layer is None for a pull."""
        if surface >= self.weights:
            return None, int(self._leaders[surface - self.weights])
        return divmod(surface, self._owner.size)

    def watched(self, region: Region) -> Due:
        """Tell which surfaces the state may reach: not that of its slide, nor of what rests."""
        moving = ~(self.idle | region.resting)
        own = np.tile(moving, self.depth)[: self.weights]
        return np.append(own, ~self.idle[self._leaders]) & (region.signs != 0)

    def sides(self, region: Region) -> Theta:
        """Return the signs of the weights in a region."""
        if not self.weights:
            return np.ones((1, self._owner.size))
        return region.signs[: self.weights].reshape(self.depth, -1).astype(float)

    def pulls(self, region: Region) -> Vector:
        """Return the sign of every G_j in a region."""
        return (region.signs[self.weights :][self._owner] * self._orientation).astype(
            float
        )

    def side(self, theta: Thetas, region: Region, sign: int) -> Side:
        """Return the field with the surface of a slide taken as `sign`."""
        held = replace(region, signs=np.where(region.signs == 0, sign, region.signs))
        pulls = self.pulls(held)
        hat = self._perturbed(theta, held)
        pull, log_scale = self.flow.pull(hat)
        moving = np.where(region.resting, 0.0, pull)
        velocity = moving[..., None, :] * other_products(hat)
        return Side(pulls, hat, pull, velocity, np.asarray(log_scale))

    def _perturbed(self, theta: Thetas, region: Region) -> Thetas:
        """Return theta_hat, `Perturbation.step` with every sign held."""
        rho = self.flow.rho
        return theta - rho * self.pulls(region) * other_products(self.sides(region))

    def life(self, theta: Theta, region: Region) -> Vector:
        """Return what is 0 where a feature dies: inf, for weights reach 0 one by one."""
        return np.full(theta.shape[1], np.inf)

    def size_of(self, theta: Theta) -> float:
        """Return what the heights of a state cancel from."""
        return 1.0

    def scales(self, weights: State) -> Float[np.ndarray, " *m"]:
        """Return over which changes of each weight the field is smooth."""
        return np.array(1.0)

    def heights(self, theta: Thetas) -> Heights:
        """Return what is 0 on each surface: weights, and G_j over the largest |z_ij|."""
        columns = shares_and_bends(self.flow, theta)[0] @ self._columns
        return self._each(theta, columns)

    def _each(self, own: Thetas, columns: Float[np.ndarray, "*batch P"]) -> Heights:
        """Return numbers of the surfaces, of weights and of pulls."""
        flat = own.reshape(*own.shape[:-2], -1)[..., : self.weights]
        return np.concatenate([flat, columns], axis=-1)

    def climbs(self, theta: Thetas, velocity: Thetas) -> Heights:
        """Return heights' rates: dG_j = sum_i q_i s_i (z_ij - G_j) dm_i, s_i = d log|ell'|/dm."""
        q, bend = shares_and_bends(self.flow, theta)
        paces = (other_products(theta) * velocity).sum(axis=-2) @ self.flow.data.z.T
        flux = bend * paces
        columns = flux @ self._columns - flux.sum(axis=-1)[..., None] * (
            q @ self._columns
        )
        return self._each(velocity, columns)

    def normal(self, theta: Thetas, surface: int) -> Thetas:
        """Return the gradient of the height of one surface: that of a pull is sum_i f_i z_i P."""
        if surface < self.weights:
            one = np.arange(self.weights) == surface
            return one.reshape(self.depth, -1) * np.ones_like(theta)
        q, bend = shares_and_bends(self.flow, theta)
        column = self._columns[:, surface - self.weights]
        flux = bend * (column - (q @ column)[..., None])
        return (flux @ self.flow.data.z)[..., None, :] * other_products(theta)

    def locate(self, theta: Theta) -> tuple[Region, Due]:
        """Return the region of a state and the surfaces it lies on."""
        height = self.heights(theta)
        region = Region(np.where(height < 0, -1, 1), np.zeros_like(self.idle))
        return region, self.watched(region) & (
            np.abs(height) <= 1e-14 * self.size_of(theta)
        )

    def candidates(
        self,
        theta: Theta,
        region: Region,
        due: Int[np.ndarray, " k"],
    ) -> list[Region]:
        """Return the regions a state on the surfaces `due` can move on in; one: it is unique.

        A side is possible if its field leaves into it; sliding, if both fields point at it.
        """
        found = []
        for signs in product((1, -1, 0), repeat=len(due)):
            if signs.count(0) > 1:
                continue
            trial = replace(region, signs=region.signs.copy())
            trial.signs[due] = signs
            if self._leads_into(theta, trial, due):
                found.append(trial)
        return found

    def _leads_into(
        self,
        theta: Theta,
        region: Region,
        due: Int[np.ndarray, " k"],
    ) -> bool:
        """Tell whether the field of a region takes a state on its edge into it."""
        above = self.climbs(theta, self.side(theta, region, 1).velocity)
        surface = region.sliding
        least = np.zeros(self.size)
        if surface is not None:
            below = self.climbs(theta, self.side(theta, region, -1).velocity)
            a = above[surface]
            b = below[surface]
            if not a < 0 < b:
                return False
            share = float(upper_share(a, b))
            # surfaces that coincide: what keeps to one keeps to the other, but for rounding
            least = _LEAST * np.maximum(np.abs(above), np.abs(below))
            above = share * above + (1.0 - share) * below
        others = due[due != surface] if surface is not None else due
        return bool((region.signs[others] * above[others] > least[others]).all())


@dataclass(frozen=True, eq=False)
class PullSwitching(JointSwitching):
    """Surfaces of pulls alone: the step is continuous where a weight is 0."""

    constant = False

    @property
    def weights(self) -> int:
        """0."""
        return 0


@dataclass(frozen=True, eq=False)
class RelativeSwitching(PullSwitching):
    """The surfaces G_j = 0 of ASAM with p = inf, as `JointSwitching` has them for l_inf."""

    def _perturbed(self, theta: Thetas, region: Region) -> Thetas:
        """Return theta_hat with the signs of the pulls held."""
        up = np.sign(np.prod(np.sign(theta), axis=-2)) * self.pulls(region)
        return theta * (1 - self.flow.rho * up[..., None, :])
