"""One coordinate of three or more layers between two zeros of its weights, l_inf-SAM or GD.

With a_l = |w_l|, s = sign(mu prod_k w_k) and z_l = a_l - s rho, a_l' = s |mu| prod_{k != l} z_k
conserves z_k^2 - z_l^2. With z_m the smallest |z|, the place u = s prod_{k != m} sign(z_k) z_m
increases by

    u' = |mu| prod_{k != m} sqrt(u^2 + z_k(0)^2 - z_m(0)^2),

a clock (`hyperelliptic`). u = 0 is the turn from shrinking to growing; with two equal smallest |z|
it is never reached: the separatrix. (derivations/linf_deep.py)
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flowsam.exact.hyperelliptic import elapsed, invert, remaining
from flowsam.shapes import Float, Int, Numbers, Which

Clock = Float[np.ndarray, "*batch T"]
Sizes = Float[np.ndarray, "*batch L"]


@dataclass(frozen=True, eq=False)
class Leg:
    """A batch of motions, sorted: `order`, `z` and `gaps` list the layers by |z|."""

    order: Int[np.ndarray, "*batch L"]  # the layer at each sorted place
    z: Sizes  # perturbed sizes at the start
    gaps: Float[np.ndarray, "*batch M"]  # z_k^2 - z_m^2, ascending
    size: Sizes  # at the start
    along: Which  # whether s = +
    rho: float

    @cached_property
    def heading(self) -> Numbers:
        """S, the direction in which z_m moves."""
        others = np.prod(np.where(self.z < 0, -1.0, 1.0)[..., 1:], axis=-1)
        return np.where(self.along, others, -1.0)

    @property
    def place(self) -> Numbers:
        """The place u at the start."""
        return self.heading * self.z[..., 0]

    @cached_property
    def hit(self) -> Numbers:
        """The place where the first weight reaches 0; inf where none ever does, as under GD.

        s = +: u^2 = rho^2 + z_m(0)^2 - z_k(0)^2 for the largest |z_k| of z_k < 0; s = -: u = -rho.
        """
        least = self.size.min(axis=-1)
        squared = least * (2 * self.rho - least) + self.z[..., 0] ** 2
        falls = (self.z[..., 1:] < 0).any(axis=-1)
        later = np.sqrt(np.where(falls, np.maximum(squared, 0.0), np.inf))
        place = np.where(self.along | (self.rho == 0), later, -self.rho)
        return np.maximum(place, self.place)

    @property
    def endless(self) -> Which:
        """Whether two equal smallest |z| tend to 0, which takes for ever."""
        return (self.gaps[..., 0] == 0) & (self.place <= 0) & (self.hit >= 0)

    @cached_property
    def end(self) -> Numbers:
        """|mu| tau of the first zero, else of the blow-up; inf on the separatrix."""
        return elapsed(self.place, self.hit, self.gaps)

    @property
    def turn(self) -> Numbers:
        """|mu| tau at which z_m passes 0; inf where it does not."""
        crosses = (self.place < 0) & (self.hit > 0) & (self.gaps[..., 0] > 0)
        start = np.where(crosses, self.place, 0.0)
        return np.where(
            crosses, elapsed(start, np.zeros(start.shape), self.gaps), np.inf
        )

    def sizes(self, u: Clock) -> Float[np.ndarray, "*batch T L"]:
        """Return the sizes at places u, layers in their own order; below 0 past a zero of GD."""
        sign = np.where(self.z < 0, -1.0, 1.0)[..., None, 1:]
        rest = sign * np.sqrt(u[..., None] ** 2 + self.gaps[..., None, :])
        z = np.concatenate(
            [self.heading[..., None, None] * u[..., None], rest], axis=-1
        )
        found = np.empty_like(z)
        order = np.broadcast_to(self.order[..., None, :], z.shape)
        shift = np.where(self.along, self.rho, -self.rho)[..., None, None]
        np.put_along_axis(found, order, z + shift, axis=-1)
        return found

    @cached_property
    def landed(self) -> Sizes:
        """Sizes where the first weight reaches 0: it, and those as small, exactly 0."""
        hit = np.where(np.isfinite(self.hit), self.hit, np.abs(self.place))
        found = np.maximum(self.sizes(hit[..., None])[..., 0, :], 0.0)
        gone = self.size == self.size.min(axis=-1, keepdims=True)
        there = np.take_along_axis(found, self.order, axis=-1)
        np.put_along_axis(found, self.order, np.where(gone, 0.0, there), axis=-1)
        return found

    def place_at(self, clock: Clock) -> Clock:
        """Return the place at times |mu| tau since the start; inf from the blow-up on."""
        gaps = self.gaps[..., None, :]
        place = self.place[..., None]
        first = remaining(np.abs(place), gaps)
        centre = remaining(np.zeros(place.shape), gaps)
        with np.errstate(
            invalid="ignore"
        ):  # inf - inf on the separatrix is never chosen
            to_turn = np.where(place < 0, centre - first, 0.0)
            growing = np.where(place < 0, centre + to_turn, first) - clock
        before = (place < 0) & (clock < to_turn)
        target = np.where(before, first + clock, growing)
        return np.where(before, -1.0, 1.0) * invert(target, gaps)


def leg(
    z: NDArray,
    error: NDArray,
    *,
    size: NDArray,
    along: NDArray,
    rho: float,
) -> Leg:
    """Return the motion from perturbed sizes `z + error`; sides of separatrices are exact."""
    error = np.where(z < 0, -error, error)
    order = np.lexsort((error, np.abs(z)), axis=-1)
    z, error, size = (np.take_along_axis(a, order, axis=-1) for a in (z, error, size))
    far = np.abs(z)
    gaps = ((far - far[..., :1]) + (error - error[..., :1])) * (far + far[..., :1])
    return Leg(order, z, gaps[..., 1:], size, along, rho)
