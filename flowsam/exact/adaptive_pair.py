"""ASAM of three or more layers, one example, two features with equal layers: a line.

With v = log |w_2 / w_1| and growth_j = |mu_j| (1 - rho r_j)^(L-1) |w_j|^(L-2), v' has the sign of

    f(v) = log(growth_2 / growth_1),

so that its roots divide the line: mixtures where f falls through 0, and beyond them one feature.
At p = 1 all of rho is on the larger |mu_j beta_j|: f falls where they tie, and rises elsewhere.
(derivations/adaptive_deep.py; beyond arXiv:2603.08290)
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from flowsam.shapes import Chosen, Codes, Column

REACH = 80.0  # of v - log ratios of mu / (L-2): shares beyond are below 1e-30
COUNT = 8001


@dataclass(frozen=True)
class Pair:
    """Two features under ASAM, L >= 3, 1 <= p < inf."""

    ratio: float  # |mu_2 / mu_1|
    rho: float  # relative to the weights, below L^(1/p)
    p: float
    depth: int

    def drift(self, v: Column) -> Column:
        """Return f(v)."""
        if self.p == 1:
            return self._falling_at_ties(v)
        power = 1 / (self.p - 1)
        tail = 1 / self.p
        x = np.log(self.ratio) + self.depth * v  # log of the ratio of |mu beta|
        first = np.minimum(x, 0.0)  # log r^p, up to a factor
        second = np.minimum(-x, 0.0)
        q = power + 1
        whole = np.logaddexp(0.0, -q * np.abs(x))
        shares = [np.exp(power * part - tail * whole) for part in (second, first)]
        low, high = (self.rho * self.depth**-tail * share for share in shares)
        brakes = np.log1p(-high) - np.log1p(-low)
        return np.log(self.ratio) + (self.depth - 1) * brakes + (self.depth - 2) * v

    @property
    def _held(self) -> float:
        """(L - 1) log of what p = 1 leaves of a velocity."""
        return (self.depth - 1) * float(np.log1p(-self.rho / self.depth))

    def _falling_at_ties(self, v: Column) -> Column:
        """Return f(v) at p = 1: 0 at a tie where both sides point to it."""
        plain = np.log(self.ratio) + (self.depth - 2) * v
        ahead = np.log(self.ratio) + self.depth * v
        tied = np.clip(0.0, plain + self._held, plain - self._held)
        return np.where(ahead == 0, tied, plain + np.sign(ahead) * self._held)

    @property
    def _roots_at_ties(self) -> Column:
        """Roots at p = 1: one on each side of a tie, and the tie where it attracts."""
        middle = -np.log(self.ratio)
        tie = middle / self.depth
        low = (middle + self._held) / (self.depth - 2)
        high = (middle - self._held) / (self.depth - 2)
        there = [low < tie, low < tie < high, tie < high]
        return np.array([low, tie, high])[there]

    @property
    def roots(self) -> Column:
        """Where f is 0, ascending."""
        if self.p == 1:
            return self._roots_at_ties
        centre = -np.log(self.ratio) / self.depth
        grid = centre + np.sinh(np.linspace(-1, 1, COUNT) * np.arcsinh(REACH))
        values = self.drift(grid)
        exact = grid[values == 0]
        turns = np.flatnonzero(values[1:] * values[:-1] < 0)
        ends = [(grid[k], grid[k + 1]) for k in turns]
        inner = [brentq(self._at, *pair, xtol=1e-15) for pair in ends]
        return np.sort(np.concatenate([exact, inner]))

    def _at(self, v: float) -> float:
        return float(self.drift(np.array([v]))[0])

    def stable(self, roots: Column) -> Chosen:
        """Tell at which roots f falls: mixtures that attract."""
        step = 1e-6
        return self.drift(roots + step) < self.drift(roots - step)

    def ends(self, v: Column) -> tuple[Codes, Column]:
        """Return where starts end, 1 or 2 for one feature, 0 a mixture, -1 its edge; and its v."""
        roots = self.roots
        slope = np.sign(self.drift(v))
        padded = np.concatenate([[-np.inf], roots, [np.inf]])
        above = padded[np.searchsorted(padded, v, side="right")]
        below = padded[np.searchsorted(padded, v, side="left") - 1]
        end = np.where(slope > 0, above, np.where(slope < 0, below, v))
        label = np.where(np.isposinf(end), 2, np.where(np.isneginf(end), 1, 0))
        resting = (slope == 0) & ~self.stable(v)
        return np.where(resting, -1, label), end
