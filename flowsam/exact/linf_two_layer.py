"""l_inf-SAM and gradient flow with two layers, one example: any real weights, any signs.

Each coordinate (u, v) moves on its own, linear in every quadrant; for mu > 0

    u' = mu (v - rho sign(u)),    v' = mu (u - rho sign(v)).

On u = 0 the weight u crosses where |v| > rho and slides where |v| <= rho: no axis repels, and the
Filippov solution is unique. The path itself: `two_layer_path`.

    |u+v| (2 rho + |u| + |v|) > 8 rho^2    escape;    < collapse;    = separatrix to +-(rho, rho)

GD (rho = 0) escapes unless u + v = 0. (derivations/linf_two_layer.py; beyond arXiv:2603.08290)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowsam.errors import InputError
from flowsam.events import Event
from flowsam.exact import EVENTS, functions_of
from flowsam.exact.two_layer_path import TwoLayerPath, excess, two_layer_path
from flowsam.labels import Fate
from flowsam.network import checked_start, checked_times
from flowsam.shapes import Float, Int8, Thetas, Vector, Vectors

_BLOCK = 1 << 17  # coordinates decided at once: they fit the cache


def read(theta0: ArrayLike, mu: ArrayLike, rho: float) -> TwoLayers:
    """Read starts (..., 2, d), or say what is wrong with them."""
    theta, mu, rho = checked_start(theta0, mu, rho, case="linf_two_layer")
    if theta.shape[-2] != 2:
        raise InputError(
            f"linf_two_layer needs 2 layers, got {theta.shape[-2]}; other depths: flowsam.solve"
        )
    return TwoLayers(theta, mu, rho)


@dataclass(frozen=True, eq=False)
class TwoLayers:
    """Starts of two layers."""

    theta: Thetas
    mu: Vector
    rho: float

    @cached_property
    def _mirrored(self) -> tuple[TwoLayerPath, NDArray, NDArray]:
        """The mirrored path, whether layer 1 is the larger, and the signs (..., 2, d)."""
        side = np.where(self.mu < 0, -1.0, 1.0)
        u = self.theta[..., 0, :] * side
        v = self.theta[..., 1, :]
        swapped = np.abs(u) > np.abs(v)
        small = np.where(swapped, v, u)
        large = np.where(swapped, u, v)
        mirror = np.where(large < 0, -1.0, 1.0)
        path = two_layer_path(
            small * mirror, large * mirror, speed=np.abs(self.mu), rho=self.rho
        )
        return path, swapped, np.stack([side * mirror, mirror], axis=-2)

    def weights(self, tau: ArrayLike) -> Float[np.ndarray, "*batch T L d"]:
        """Return the weights at rescaled times."""
        path, swapped, signs = self._mirrored
        tau = checked_times(tau, case="linf_two_layer")
        small, large = path.at(tau)
        swapped = swapped[..., None, :]
        moved = np.stack(
            [np.where(swapped, large, small), np.where(swapped, small, large)], axis=-2
        )
        moved = signs[..., None, :, :] * moved + 0.0  # no -0.0
        return np.where(self.mu == 0, self.theta[..., None, :, :], moved)

    @property
    def blow_up_time(self) -> Vectors:
        """inf for every coordinate, shape (..., d): two layers grow exponentially."""
        return np.full(self.theta[..., 0, :].shape, np.inf)

    @property
    def zero_time(self) -> Vectors:
        """When each coordinate comes to rest at 0, to 16 eps times its condition; inf: never."""
        at_rest = (self.theta == 0).all(axis=-2) & (self.mu != 0)
        return np.where(at_rest, 0.0, self._mirrored[0].ends[-1])

    @property
    def events(self) -> tuple[Event, ...]:
        """The "cross" of 0, "slide" at it and "zero" at rest of ONE start (2, d), in order."""
        path, swapped, _ = self._mirrored
        first, second, _ = path.ends
        rest = self.zero_time
        found = []
        for j in range(self.mu.size):
            layer = int(swapped[j])
            if 0 < first[j] < second[j]:
                found.append(Event(float(first[j]), "cross", layer, j))
            if second[j] < rest[j]:
                found.append(Event(float(second[j]), "slide", layer, j))
            if rest[j] < np.inf:
                found.append(Event(float(rest[j]), "zero", None, j))
        return tuple(sorted(found, key=lambda event: event.tau))

    @property
    def last_event(self) -> float:
        """When the last event of ONE start (2, d) is; 0 without any."""
        ends = np.array(self._mirrored[0].ends)
        return float(ends[np.isfinite(ends)].max(initial=0.0))

    @property
    def fate(self) -> Int8[np.ndarray, "*batch d"]:
        """Each coordinate's `Fate` alone: ESCAPE, SADDLE, COLLAPSE by the sign of `excess`."""
        mu = self.mu
        starts = self.theta.reshape(-1, 2, mu.size)
        outcome = np.empty((starts.shape[0], mu.size), dtype=np.int8)
        rows = max(_BLOCK // mu.size, 1)
        for begin in range(0, starts.shape[0], rows):
            part = slice(begin, begin + rows)
            outcome[part] = _fates(starts[part], mu, self.rho).T
        return outcome.reshape(self.theta[..., 0, :].shape)


def _fates(starts: NDArray, mu: NDArray, rho: float) -> NDArray:
    """Fates (d, m) of starts (m, 2, d), with the starts moved last: long inner loops are fast."""
    u, v = np.array(starts.transpose(1, 2, 0), order="C")
    u[mu < 0] *= -1.0
    over = excess(u, v, rho)
    outcome = (over > 0).view(np.int8)
    outcome[over == 0] = Fate.SADDLE
    outcome[mu == 0] = Fate.IDLE
    return outcome


def separatrix(
    rho: float,
    *,
    extent: float,
    sign: int = 1,
    points: int = 401,
) -> Float[np.ndarray, "2 m 2"]:
    """Return the two curves in the (u, v) plane between collapse and escape, rows (u, v).

        u + v = +-8 rho^2 / (2 rho + max(|e|, 2 rho)),   e = u - v,

    `points` values of e and the two corners, for |u|, |v| <= `extent`; sign(mu) = -1 mirrors u.
    """
    unit = np.ldexp(
        1.0, np.frexp(extent)[1] - 1
    )  # halves, and this: nothing leaves the range
    half = unit * np.linspace(-extent / unit, extent / unit, points)
    half = np.sort(np.append(half, [-rho, rho]))
    ends = rho + np.maximum(np.abs(half), rho)
    total = 2 * rho * np.divide(rho, ends, where=ends > 0, out=np.zeros_like(ends))
    u = total + half
    v = total - half
    return np.stack(
        [np.stack([sign * u, v], axis=-1), np.stack([-sign * v, -u], axis=-1)]
    )


weights, blow_up_time, zero_time, events, fate = functions_of(read, *EVENTS)
