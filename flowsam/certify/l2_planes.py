"""Planes of l_2-SAM at L = 2 by their order: what exceeds an escaping start in all sizes escapes.

N(tau) rises with every |s_j(0)|, |e_j(0)|, s = u + v, e = u - v: the least escaping and the
largest collapsing starts decide the others. (derivations/l2_critical_scale.py)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowsam.shapes import Chosen, Float, Int, Vector

Starts = Float[np.ndarray, "N 2 d"]


@dataclass(frozen=True, eq=False)
class Sizes:
    """|s_j| and |e_j| of many starts, exactly: the sums in doubles, and what they lost."""

    high: Float[np.ndarray, "N m"]
    low: Float[np.ndarray, "N m"]

    def take(self, rows: Int[np.ndarray, " k"]) -> Sizes:
        """Return some of them."""
        return Sizes(self.high[rows], self.low[rows])

    def at_least(self, row: int) -> Chosen:
        """Return which starts are at least one of them, in every size."""
        return self._above(self.high[row], self.low[row])

    def at_most(self, row: int) -> Chosen:
        """Return which starts are at most one of them, in every size."""
        return Sizes(-self.high, -self.low)._above(-self.high[row], -self.low[row])

    def _above(
        self, high: Float[np.ndarray, " m"], low: Float[np.ndarray, " m"]
    ) -> Chosen:
        equal = (self.high == high) & (self.low >= low)
        return ((self.high > high) | equal).all(axis=1)


def _two_sum(
    a: Float[np.ndarray, "N m"], b: Float[np.ndarray, "N m"]
) -> Float[np.ndarray, "2 N m"]:
    """Return sums in doubles, and what they lost."""
    total = a + b
    shift = total - b
    return np.array([total, (a - shift) + (b - (total - shift))])


def sizes_of(starts: Starts, mu: Vector) -> Sizes:
    """Return the sizes of the coordinates that move."""
    u = starts[:, 0, mu != 0]
    v = starts[:, 1, mu != 0]
    high, low = np.concatenate([_two_sum(u, v), _two_sum(u, -v)], axis=-1)
    sign = np.where(high < 0, -1.0, 1.0)
    return Sizes(sign * high, sign * low)
