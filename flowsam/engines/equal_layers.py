"""Layers that start equal, up to sign, stay so: each is integrated once.

`|w_k| = |w_l|` is conserved by symmetry, but rounding breaks it, and where equal layers are an
unstable rest (l_inf below rho at odd L) the difference grows until the run has left its path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowsam.shapes import Float, Int, Jacobian, Shaped, State, Theta, Thetas

Rates = Callable[[float, State], State]
Slopes = Callable[[float, State], Jacobian]


def copies(
    theta: Float[np.ndarray, "L *rest"], *, apart: bool = False
) -> tuple[Int[np.ndarray, "L *rest"], Float[np.ndarray, "L *rest"]]:
    """Return the first layer of each weight's size, and -1 where the signs differ, else 1."""
    size = np.abs(theta)
    layer = (size[:, None] == size).argmax(axis=1)
    if apart:
        layer[:] = np.arange(len(theta)).reshape(-1, *[1] * (theta.ndim - 1))
    sign = np.where((theta < 0) == (copied(theta, layer) < 0), 1.0, -1.0)
    return layer, sign


def copied(
    theta: Shaped[np.ndarray, "L *rest"], layer: Int[np.ndarray, "L *rest"]
) -> Shaped[np.ndarray, "L *rest"]:
    """Return the weights of the layers that each weight copies."""
    return np.take_along_axis(theta, layer, axis=0)


@dataclass(frozen=True, eq=False)
class EqualLayers:
    """A state (L, d) as the m weights of it that are not copies of others."""

    kept: Int[np.ndarray, " m"]  # their places in the flat state
    source: Int[np.ndarray, "L d"]  # which of them each weight copies, times its sign
    sign: Theta

    @classmethod
    def of(cls, theta: Theta, *, apart: bool = False) -> EqualLayers:
        """Return the copies in a start; `apart` keeps every weight."""
        layer, sign = copies(theta, apart=apart)
        first = layer == np.arange(len(theta))[:, None]
        source = copied(first.cumsum().reshape(theta.shape) - 1, layer)
        return cls(np.flatnonzero(first), source, sign)

    def whole(self, state: Float[np.ndarray, "*batch m"]) -> Thetas:
        """Return all weights of a state."""
        if self.apart:
            return state.reshape(*state.shape[:-1], *self.source.shape)
        return self.sign * state[..., self.source]

    def flat(self, theta: Thetas) -> Float[np.ndarray, "*batch m"]:
        """Return the weights that are integrated."""
        every = theta.reshape(*theta.shape[:-2], -1)
        return every if self.apart else every[..., self.kept]

    def rates(self, field: Callable[[Theta], Theta]) -> Rates:
        """Return the rates of a state by those of its weights, at any time."""
        if not self.apart:
            return lambda x, state: self.flat(field(self.whole(state)))
        shape = self.source.shape
        return lambda x, state: field(state.reshape(shape)).ravel()

    @cached_property
    def apart(self) -> bool:
        """Whether none is a copy."""
        return self.kept.size == self.source.size
