"""Where l_p-SAM jumps whose examples span one dimension: the set of their minima, one surface."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.optimize import brentq

from flowsam.data import Data
from flowsam.flow import Flow
from flowsam.losses import softmax
from flowsam.many_examples.switching import Heights, PullSwitching, Region, Theta
from flowsam.network import other_products
from flowsam.shapes import Float, State, Vector

_LEAST = 1e-13
_FOLD = 1e-5  # nearer, the surface is thinner than the default atol


@dataclass(frozen=True, eq=False)
class MinimaSwitching(PullSwitching):
    """The surface m = s of examples z_i = c_i a, max |c_i| = 1, where the least loss lies."""

    @property
    def fold(self) -> float:
        """1e-5 where the loss is least at m = 0: that surface folds at the origin, flattest too."""
        return 0.0 if self.least else _FOLD

    @cached_property
    def least(self) -> float:
        """The m at which the loss is least: sum_i |ell'(c_i m)| c_i = 0."""
        c = self._columns[:, np.flatnonzero(~self.idle[self._leaders])[0]]
        loss = self.flow.loss

        def pull(m: float) -> float:
            return float(softmax(loss.log_slope(c * m)) @ c)

        if abs(pull(0.0)) <= 4e-16:
            return 0.0
        far = np.copysign(1.0, pull(0.0))
        while pull(far) * far > 0:
            far *= 2.0
        return float(brentq(pull, 0.0, far, xtol=4e-324, rtol=8.9e-16))

    def heights(self, theta: Theta) -> Heights:
        """Return s - m, to the last digits of m."""
        height = self.least - np.prod(theta, axis=-2) @ self._tops
        return height[..., None] * np.ones(self.size)

    def climbs(self, theta: Theta, velocity: Theta) -> Heights:
        """Return the rate of s - m along a velocity."""
        rate = (self.normal(theta, 0) * velocity).sum(axis=(-2, -1))
        return rate[..., None] * np.ones(self.size)

    def normal(self, theta: Theta, surface: int) -> Theta:
        """Return the gradient of s - m."""
        return -self._normal(theta)

    def size_of(self, theta: Theta) -> float:
        """Return what s - m cancels from."""
        return float(
            abs(self.least) + np.abs(np.prod(theta, axis=0)) @ np.abs(self._tops)
        )

    def _normal(self, theta: Theta) -> Theta:
        """Return the gradient of m."""
        return self._tops * other_products(theta)

    def _perturbed(self, theta: Theta, region: Region) -> Theta:
        """Return theta_hat with the sign of s - m held."""
        towards = self.pulls(region) * np.sign(self._tops)
        return theta - self.flow.perturbation.step(towards * self._normal(theta))

    def life(self, theta: Theta, region: Region) -> Vector:
        """Return the size of two layers of each feature, that die together, or all if p <= 2."""
        size = np.where(
            self.idle | region.resting, np.inf, np.sort(np.abs(theta), axis=0)[1]
        )
        if self.flow.perturbation.steep:
            return size
        moving = np.isfinite(size) & (region.sliding is None)
        return np.where(moving, size.max(where=moving, initial=0.0), np.inf)

    def scales(self, weights: State) -> Float[np.ndarray, " *m"]:
        """Return the largest size, for eps turns with theta; each where p > 2: |g|^(q-1), q < 2."""
        size = np.abs(weights)
        return np.clip(
            size if self.flow.perturbation.steep else size.max(), _LEAST, 1.0
        )


def one_dimensional(flow: Flow, theta0: Theta) -> Flow | None:
    """Return the flow of features that move, if z_i = c_i a with both signs of c_i; else None."""
    z = flow.data.z
    z = np.where((theta0 == 0).sum(axis=0) > 1, 0.0, z)
    moving = z.any(axis=0)
    if not z.any(axis=1).all():
        return None
    lean = z[:, moving]
    sides = np.sign(lean[:, 0])
    one_sided = abs(sides.sum()) == len(z)
    if one_sided or not _proportional(lean[:, :2]) or not _proportional(lean):
        return None
    return replace(flow, data=Data(z, flow.data.name))


def _proportional(columns: Float[np.ndarray, "n k"]) -> bool:
    """Tell whether columns are multiples of the first one."""
    largest = np.abs(columns).argmax(axis=0)[None]
    unit = columns / np.take_along_axis(columns, largest, axis=0)
    return bool((np.abs(unit - unit[:, :1]) <= 1e-13).all())
