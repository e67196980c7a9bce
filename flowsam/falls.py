"""Falls: several layers of a feature get into 0 at once, where no gradient is left.

An odd number of them keeps its pulls through 0, so that a long step sees nothing of it; but from 0
many paths lead on. Every stepper asks after each step who went through, and takes shorter ones
instead, up to where the run ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowsam.network import two_least
from flowsam.shapes import Float, Mask, Numbers, Stack, Theta, Which

# of two weights of a coordinate at 0: others below this many of them get there too
TOGETHER = 1e3


@dataclass(frozen=True, eq=False)
class Falls:
    """Which falls through 0 a rule has at a depth of three layers or more."""

    moving: Mask  # features that some example sees
    steep: bool  # p > 2: layers that differ part on their way, and get to 0 one by one
    goes_on: bool  # one example: a feature that is alone, along its equal layers

    def lone(self, start: Stack) -> Which:
        """Tell whose only feature goes on alone, where its layers are equal."""
        moves = (start[:, self.moving] == 0).sum(axis=0) < 2
        return np.asarray((moves.sum(axis=0) < 2) & self.goes_on)

    def passes(self, theta: Stack, lone: Which) -> Which:
        """Tell who goes through 0 on the only path: an odd number of equal layers, of one alone."""
        even = (np.ptp(np.abs(theta[:, self.moving]), axis=0) == 0).all(axis=0)
        return np.asarray(lone & even & (len(theta) % 2 == 1))

    def through(
        self,
        before: Stack,
        after: Stack,
        lone: Which,
    ) -> Which:
        """Tell who went through 0 in a step: an odd number of layers, three or more, at once.

        For p > 2 two that differ get there one by one, and stay.
        """
        turned = np.sign(before) * after < 0
        if not turned.any():
            return np.zeros(after.shape[2:], dtype=bool)
        count = turned[:, self.moving].sum(axis=0)
        uneven = np.ptp(np.abs(before[:, self.moving]), axis=0) > 0
        through = _odd(count) & (~lone | uneven)
        if self.steep:
            through |= (count > 1) & uneven
        return np.asarray(through.any(axis=0))

    def forks(
        self,
        theta: Stack,
        low: float | Numbers,
    ) -> Which:
        """Tell whose layers below `low` leave 0 again: an odd number of one feature."""
        size = np.abs(theta[:, self.moving])
        first, second = two_least(size)
        reach = first if self.steep else TOGETHER * second
        fallen = (second > 0) & (second <= low)
        leave = _odd((size <= reach).sum(axis=0))
        return np.asarray((fallen & leave).any(axis=0))


def fell(falls: Falls | None, start: Theta, before: Theta, after: Theta) -> bool:
    """Tell whether a run from a start went through 0 in a step, where no gradient is left."""
    return falls is not None and bool(falls.through(before, after, falls.lone(start)))


def second_layer(
    size: Stack,
) -> Float[np.ndarray, "d *batch"]:
    """Return the second smallest layer, at 0 where all products are; a single layer itself."""
    return size[0] if len(size) == 1 else two_least(size)[1]


def _odd(count: np.ndarray) -> np.ndarray:
    """Tell which numbers of layers are odd, and not one alone."""
    return (count > 2) & (count % 2 == 1)
