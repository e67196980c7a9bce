"""The one number that moves in a balanced coordinate: the common size `a` of its weights.

    a' = |mu| P (a - P rho)^(L-1),    z = a - P rho = z(0) e^x,   growth = P sign(z)^L,

x = growth |mu| tau at L = 2, `-log(1 - growth tau / scale) / (L-2)` at L >= 3, with `scale = 1 /
((L-2) |mu| |z(0)|^(L-2))`: no power of a negative number is ever taken. L = 1 has no `at`: w = w(0)
+ mu tau. (arXiv:2603.08290, Theorem 3.2; derivations/linf_trichotomy.py)
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flowsam.shapes import Float, Times, Vector, Vectors

_POWERS = 1000  # at most, of digits in [1/2, 1): their product is a double
_BEYOND = 100_000  # exponents of two that no double has, whatever its digits
# for times that underflow: what has not begun is not over
_LEAST = np.nextafter(0.0, 1.0)


@dataclass(frozen=True, eq=False)
class BalancedSize:
    """Sizes of balanced starts and where they end."""

    a: Vectors  # |w|, the same in every layer
    # P = sign(mu) prod_l sign(w^(l)); 0 where the coordinate rests
    alignment: Vectors
    speed: Vector  # |mu|
    depth: int
    rho: float

    @cached_property
    def z(self) -> Vectors:
        """The perturbed size `a - P rho`, shape (..., d); exact near `a = rho`."""
        return self.a - self.alignment * self.rho

    def blow_up(self) -> Vectors:
        """Return the time at which a is infinite, shape (..., d); inf where it never is."""
        if self.depth < 3:
            return np.full_like(self.a, np.inf)
        escapes = (self.alignment > 0) & (self.z > 0)
        return np.where(escapes, self._scale(self.z), np.inf)

    def race(self) -> Vectors:
        """Return `blow_up` over a power of two of each start's own: of size 1, unrounded."""
        if self.depth < 3:
            return np.full_like(self.a, np.inf)
        escapes = (self.alignment > 0) & (self.z > 0) & (self.speed > 0)
        digits, exponent = self._scale_parts(np.where(escapes, self.z, 1.0))
        first = np.where(escapes, exponent, _BEYOND).min(axis=-1, keepdims=True)
        return np.where(escapes, _scaled(digits, exponent - first), np.inf)

    def hit(self) -> Vectors:
        """Return the time at which a positive a comes to 0, shape (..., d); inf where never.

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

    def rest(self) -> Vectors:
        """Return the time from which a stays 0, shape (..., d): the hit, at even depth only."""
        starts_there = (self.a == 0) & (self.speed > 0) & (self.depth > 1)
        return np.where(
            starts_there, 0.0, self.hit() if self.depth % 2 == 0 else np.inf
        )

    def at(self, tau: Times) -> Float[np.ndarray, "*batch T d"]:
        """Return the sizes at times `tau`, as multiples of the start's own signs."""
        tau = tau[:, None]
        a, z, alignment, hit, end = (
            array[..., None, :]
            for array in (self.a, self.z, self.alignment, self.hit(), self.blow_up())
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

    def _log_growth(self, z: NDArray, growth: NDArray | float, tau: NDArray) -> NDArray:
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


def _scaled(digits: NDArray, exponent: NDArray) -> NDArray:
    """Return digits * 2^exponent, 0 or inf where that is beyond doubles."""
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(digits, np.clip(exponent, -_BEYOND, _BEYOND).astype(np.int32))
