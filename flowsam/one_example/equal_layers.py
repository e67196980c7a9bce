"""Layers that start equal, up to sign, stay so: each is integrated once.

`|w_k| = |w_l|` is conserved by symmetry, but rounding breaks it, and where equal layers are an
unstable rest (l_inf below rho at odd L) the difference grows until the run has left its path.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowsam.shapes import Float, Int

__all__ = ["EqualLayers"]


@dataclass(frozen=True, eq=False)
class EqualLayers:
    """A state (L, d) as the m weights of it that are not copies of others."""

    kept: Int[np.ndarray, " m"]  # their places in the flat state
    source: Int[np.ndarray, "L d"]  # which of them each weight copies, times its sign
    sign: Float[np.ndarray, "L d"]

    @classmethod
    def of(cls, theta: Float[np.ndarray, "L d"], *, apart: bool = False) -> EqualLayers:
        """Return the copies in a start; `apart` keeps every weight."""
        size = np.abs(theta)
        places = np.arange(theta.size).reshape(theta.shape)
        first = (size[:, None] == size).argmax(axis=1)  # the first layer of this size
        origin = places if apart else np.take_along_axis(places, first, axis=0)
        kept, source = np.unique(origin, return_inverse=True)
        negative = theta < 0
        sign = np.where(negative == negative.ravel()[origin], 1.0, -1.0)
        return cls(kept, source.reshape(theta.shape), sign)

    def whole(
        self, state: Float[np.ndarray, "*batch m"]
    ) -> Float[np.ndarray, "*batch L d"]:
        """Return all weights of a state."""
        if self.apart:
            return state.reshape(*state.shape[:-1], *self.source.shape)
        return self.sign * state[..., self.source]

    def flat(
        self, theta: Float[np.ndarray, "*batch L d"]
    ) -> Float[np.ndarray, "*batch m"]:
        """Return the weights that are integrated."""
        every = theta.reshape(*theta.shape[:-2], -1)
        return every if self.apart else every[..., self.kept]

    @cached_property
    def apart(self) -> bool:
        """Whether none is a copy."""
        return self.kept.size == self.source.size
