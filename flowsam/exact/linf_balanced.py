"""l_inf-SAM and gradient flow from balanced starts, one example, any depth L >= 1.

In each coordinate all `|w^(l)|` equal one `a`; the signs are free. In rescaled time

    a' = |mu| P (a - P rho)^(L-1),    P = sign(mu) prod_l sign(w^(l)),
    z = a - P rho = z(0) e^x,         growth = P sign(z)^L,

x = growth |mu| tau at L = 2, `-log(1 - growth tau / scale) / (L-2)` at L >= 3, with `scale = 1 /
((L-2) |mu| |z(0)|^(L-2))`: no power of a negative number is ever taken. At `a` = 0 an even depth
rests; an odd one passes through and goes on with P = +1 towards rho. A start at 0 rests, but at odd
L >= 3 other solutions leave the origin: its fate is UNKNOWN. L = 1: w = w(0) + mu tau.
(arXiv:2603.08290, Theorem 3.2; derivations/linf_trichotomy.py)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowsam.errors import InputError
from flowsam.events import Event
from flowsam.exact import EVENTS, functions_of
from flowsam.labels import Fate
from flowsam.network import checked_start, checked_times
from flowsam.shapes import Float, Int8, Thetas, Times, Vector, Vectors, Which

_POWERS = 1000  # at most, of digits in [1/2, 1): their product is a double
_BEYOND = 100_000  # exponents of two that no double has, whatever its digits
# for times that underflow: what has not begun is not over
_LEAST = np.nextafter(0.0, 1.0)


def applies(theta0: ArrayLike, mu: ArrayLike) -> Which:
    """Tell which starts (..., L, d) have one `|w|` in each coordinate with mu_j != 0."""
    theta, mu, _ = checked_start(theta0, mu, 0.0, case="linf_balanced")
    size = np.abs(theta)
    return np.asarray(
        ((size == size[..., :1, :]).all(axis=-2) | (mu == 0)).all(axis=-1)
    )


def read(theta0: ArrayLike, mu: ArrayLike, rho: float) -> Balanced:
    """Read starts and refuse those the formulas do not cover."""
    theta, mu, rho = checked_start(theta0, mu, rho, case="linf_balanced")
    # Entry by entry in memory, so that inner loops run over the batch.
    theta = np.moveaxis(
        np.array(np.moveaxis(theta, (-2, -1), (0, 1)), order="C"), (0, 1), (-2, -1)
    )
    if not applies(theta, mu).all():
        raise InputError(
            "linf_balanced needs equal |w| in all layers; other starts: flowsam.solve"
        )
    return Balanced(theta, mu, rho)


@dataclass(frozen=True, eq=False)
class Balanced:
    """Balanced starts: the common size of the weights of each coordinate, and where it ends."""

    theta: Thetas
    mu: Vector
    rho: float

    @property
    def depth(self) -> int:
        """L."""
        return self.theta.shape[-2]

    @property
    def speed(self) -> Vector:
        """|mu|."""
        return np.abs(self.mu)

    @cached_property
    def a(self) -> Vectors:
        """|w|, the same in every layer."""
        return np.abs(self.theta[..., 0, :])

    @cached_property
    def alignment(self) -> Vectors:
        """P = sign(mu) prod_l sign(w^(l)); 0 where the coordinate rests."""
        return np.sign(self.mu) * np.prod(np.sign(self.theta), axis=-2)

    @cached_property
    def z(self) -> Vectors:
        """The perturbed size `a - P rho`, shape (..., d); exact near `a = rho`."""
        return self.a - self.alignment * self.rho

    @property
    def blow_up_time(self) -> Vectors:
        """Each blow-up: `1 / ((L-2) |mu| (a - rho)^(L-2))` for P = +1, a > rho, L >= 3; or inf."""
        if self.depth < 3:
            return np.full_like(self.a, np.inf)
        escapes = (self.alignment > 0) & (self.z > 0)
        return np.where(escapes, self._scale(self.z), np.inf)

    @property
    def race(self) -> Vectors:
        """Blow-up times over a power of two of each start's own, L >= 3: ratios at any scale."""
        escapes = (self.alignment > 0) & (self.z > 0) & (self.speed > 0)
        digits, exponent = self._scale_parts(np.where(escapes, self.z, 1.0))
        first = np.where(escapes, exponent, _BEYOND).min(axis=-1, keepdims=True)
        return np.where(escapes, _scaled(digits, exponent - first), np.inf)

    @cached_property
    def hit(self) -> Vectors:
        """When a positive a comes to 0, shape (..., d); inf where never.

            log(1 + a/m) / |mu|  (L = 2),   (1 - (1 + a/m)^-(L-2)) / ((L-2) |mu| m^(L-2))  (L >= 3),

        m the smaller end of |z|: `rho - a` for P = +1, even L, rho for P = -1; digits are kept.
        """
        rises = (self.alignment > 0) & (self.a < self.rho) & (self.depth % 2 == 0)
        falls = (self.alignment < 0) & (self.rho > 0) & (self.depth > 1)
        smaller = np.where(rises, -self.z, np.where(falls, self.rho, 1.0))
        # idle at 0: no hit
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            span = np.log1p(self.a / smaller)
            if self.depth < 3:
                time = span / self.speed
            else:
                time = self._scale(smaller) * -np.expm1((2 - self.depth) * span)
        return np.where(rises | falls, np.maximum(time, _LEAST), np.inf)

    @property
    def zero_time(self) -> Vectors:
        """From when on each coordinate stays at 0: the hit, at even depth only; inf where never."""
        starts_there = (self.a == 0) & (self.speed > 0) & (self.depth > 1)
        return np.where(starts_there, 0.0, self.hit if self.depth % 2 == 0 else np.inf)

    def weights(self, tau: ArrayLike) -> Float[np.ndarray, "*batch T L d"]:
        """Return the weights at rescaled times: `w^(l) = sign(w^(l)(0)) a(tau)`."""
        start = self.theta[..., None, :, :]
        tau = checked_times(tau, case="linf_balanced")
        if self.depth == 1:
            return start + self.mu * tau[:, None, None]
        moved = np.sign(start) * self.at(tau)[..., None, :]
        return np.where(self.mu == 0, start, moved)

    def at(self, tau: Times) -> Float[np.ndarray, "*batch T d"]:
        """Return the sizes at times `tau`, as multiples of the start's own signs."""
        tau = tau[:, None]
        a, z, alignment, hit, end = (
            array[..., None, :]
            for array in (self.a, self.z, self.alignment, self.hit, self.blow_up_time)
        )
        growth = alignment * np.sign(z) ** self.depth
        x = self._log_growth(z, growth, np.minimum(tau, np.minimum(hit, end)))
        with np.errstate(over="ignore", invalid="ignore"):
            # e^x - 1 = half (half + 2) overflows no sooner than z e^x
            half = np.expm1(x / 2)
            rising = a + z * half * (half + 2)
            # no cancellation as rho -> 0
            falling = a * np.exp(x) + self.rho * np.expm1(x)
        before = np.maximum(np.where(alignment > 0, rising, falling), 0.0)
        if not (hit < np.inf).any():
            return before
        if self.depth % 2 == 0:
            return np.where(tau < hit, before, 0.0)
        # odd depth goes on as P = +1 from 0, z from -rho to 0
        rho = np.full(self.speed.shape, self.rho)
        x = self._log_growth(rho, -1.0, np.maximum(tau - hit, 0.0))
        return np.where(tau < hit, before, self.rho * np.expm1(x))

    def _log_growth(
        self,
        z: NDArray,
        growth: NDArray | float,
        tau: NDArray,
    ) -> NDArray:
        """log |z(tau) / z|."""
        if self.depth == 2:
            return growth * self.speed * tau
        with np.errstate(divide="ignore", over="ignore"):
            return -np.log1p(-growth * (tau / self._scale(z))) / (self.depth - 2)

    def _scale(self, z: NDArray) -> NDArray:
        """1 / ((L-2) |mu| |z|^(L-2)), never 0."""
        return np.maximum(_scaled(*self._scale_parts(z)), _LEAST)

    def _scale_parts(self, z: NDArray) -> tuple[NDArray, NDArray]:
        """Return the digits and the exponent of `_scale`: no power leaves the range of doubles."""
        power = self.depth - 2
        (digits, exponent) = np.frexp(np.abs(z))
        (speed, shift) = np.frexp(self.speed)
        powers = np.ones_like(digits)
        lost = np.zeros(digits.shape, dtype=np.int64)
        for done in range(0, power, _POWERS):
            powers, more = np.frexp(powers * digits ** min(_POWERS, power - done))
            lost += more
        with np.errstate(divide="ignore"):
            inverse = 1 / (power * speed * powers)
        return inverse, -(power * exponent.astype(np.int64) + shift + lost)

    @property
    def events(self) -> tuple[Event, ...]:
        """What happens to ONE start (L, d) up to the first blow-up, in order of time.

        "zero": at rest at 0; "cross": an odd depth passes through 0, all layers at once; "blow-up".
        """
        rest = self.zero_time
        blow_up = self.blow_up_time
        rows = {
            "zero": rest,
            "cross": np.where(rest < np.inf, np.inf, self.hit),
            "blow-up": blow_up,
        }
        end = min(blow_up.min(), np.finfo(float).max)
        found = [
            Event(float(tau), kind, None, coordinate)
            for kind, times in rows.items()
            for coordinate, tau in enumerate(times)
            if tau <= end
        ]
        return tuple(sorted(found, key=lambda event: event.tau))

    @cached_property
    def fate(self) -> Int8[np.ndarray, "*batch d"]:
        """What each coordinate does alone (`flowsam.labels.Fate`), doubles compared exactly.

        P = +1: ESCAPE for a > rho, SADDLE for a = rho; below, COLLAPSE (even L) or STALL at rho^L
        (odd L). P = -1: COLLAPSE (even L) or STALL (odd L); SADDLE under GD and at 0.
        """
        idle = np.broadcast_to(self.mu == 0, self.a.shape)
        if self.depth == 1:
            return np.where(idle, Fate.IDLE, Fate.ESCAPE).astype(np.int8)
        even = self.depth % 2 == 0
        aligned = self.alignment > 0
        rules = [  # a later rule overrides an earlier one
            (self.a == 0, Fate.COLLAPSE if even else Fate.UNKNOWN),
            (aligned & (self.z == 0) | (self.rho == 0), Fate.SADDLE),
            (aligned & (self.z > 0), Fate.ESCAPE),
            (idle, Fate.IDLE),
        ]
        held = Fate.COLLAPSE if even else Fate.STALL
        outcome = np.full_like(self.a, held, dtype=np.int8)
        for condition, name in rules:
            outcome = np.where(condition, np.int8(name), outcome)
        return outcome


def _scaled(digits: NDArray, exponent: NDArray) -> NDArray:
    """Return digits * 2^exponent, 0 or inf where that is beyond doubles."""
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(digits, np.clip(exponent, -_BEYOND, _BEYOND).astype(np.int32))


weights, blow_up_time, zero_time, events, fate = functions_of(read, *EVENTS)
