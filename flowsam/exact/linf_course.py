"""The course of one coordinate of three or more layers under l_inf-SAM, from any start.

With s = sign(mu beta): where s = - all sizes fall until the smallest weight is 0; it crosses where
A = prod over the others of (a_k - rho) > 0, and slides where A <= 0. Where s = + it runs to
infinity, or a weight below rho falls to 0 and slides. A slide ends where a second weight is 0:
Filippov's solution is unique up to there. (derivations/linf_signs.py, derivations/linf_slides.py)
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flowsam.exact import linf_signs
from flowsam.exact.linf_legs import Leg, leg
from flowsam.exact.linf_slides import Slide
from flowsam.shapes import Float, Masks, Vector, Vectors

Layers = Float[np.ndarray, "*batch d L"]


@dataclass(frozen=True, eq=False)
class Course:
    """A batch of starts; times are |mu| tau, layers are the last axis."""

    start: Layers  # weights w
    sign: Layers  # theirs on the first leg
    first: Leg  # from the start to the first zero
    mu: Vector
    rho: float

    @property
    def speed(self) -> Vector:
        """|mu|, and 1 where that is 0."""
        return np.where(self.mu == 0, 1.0, np.abs(self.mu))

    @cached_property
    def surplus(self) -> Vectors:
        """Of `linf_signs`: > 0 where the coordinate escapes, 0 on the separatrix."""
        return linf_signs.surplus(np.abs(self.start), self.first.along, self.rho)

    @property
    def equal(self) -> Masks:
        """Whether the layers of a coordinate have one |w|: `linf_balanced` is its course."""
        return (np.abs(self.start) == np.abs(self.start[..., :1])).all(axis=-1)

    @cached_property
    def crosses(self) -> Masks:
        """Whether one weight alone reaches 0 first, and A > 0 there (a_k > rho: gap > 3 rho^2)."""
        gaps = self.first.gaps - 3 * self.rho * self.rho
        passes = (np.count_nonzero(gaps < 0, axis=-1) % 2 == 0) & (gaps != 0).all(
            axis=-1
        )
        alone = self.first.gaps[..., 0] > 0
        return passes & alone & ~self.first.along & (self.rho > 0)

    @cached_property
    def last(self) -> Leg:
        """The leg to the end: after a crossing from z = -rho; where there is none, the first.

        x_k = a_k + rho, x_k^2 = gap_k + rho^2; z_k = x_k - 2 rho = rho + surplus / (x_k + 3 rho).
        Beside rho and beside -rho the rounding of z_k is kept: it decides where all are alike.
        """
        rho = self.rho
        first = self.first
        if not self.crosses.any():
            return first
        gaps = first.gaps
        x = np.sqrt(gaps + rho * rho)
        size = gaps / (x + rho)
        least = gaps == gaps[..., :1]
        surplus = np.where(
            least, 8 * rho * rho * self.surplus[..., None], gaps - 8 * rho * rho
        )
        over = surplus / (x + 3 * rho)
        beside = [np.abs(over) < rho / 2, size < rho / 2]
        far = (gaps - 3 * rho * rho) / (x + 2 * rho)
        z = np.select(beside, [rho + over, size - rho], far)
        error = np.select(beside, [over - (z - rho), size - (z + rho)], 0.0)
        size = np.where(beside[1], size, z + rho)
        z, error, size = (
            self._own(part, there) for part, there in ((z, -rho), (error, 0), (size, 0))
        )
        along = self.crosses | first.along
        second = leg(z, error, size=size, along=along, rho=rho)
        here = self.crosses[..., None]
        order, z, gaps, size = (
            np.where(here, getattr(second, name), getattr(first, name))
            for name in ("order", "z", "gaps", "size")
        )
        return Leg(order, z, gaps, size, along, rho)

    def _own(self, others: NDArray, first: float) -> NDArray:
        """Put what belongs to the first to cross, and to the others, in the order of layers."""
        found = np.empty((*others.shape[:-1], others.shape[-1] + 1))
        parts = np.insert(others, 0, first, axis=-1)
        np.put_along_axis(found, self.first.order, parts, axis=-1)
        return found

    @property
    def cross(self) -> Vectors:
        """When a weight passes through 0; inf where none does."""
        return np.where(self.crosses, self.first.end, np.inf)

    @property
    def begin(self) -> Vectors:
        """When the last leg begins."""
        return np.where(self.crosses, self.first.end, 0.0)

    @cached_property
    def end(self) -> Vectors:
        """When the coordinate blows up, or a weight comes to 0 and stays; inf on a separatrix."""
        return self.begin + self.last.end

    @property
    def falls(self) -> Masks:
        """Whether the end is a weight at 0."""
        return np.isfinite(self.last.hit) & np.isfinite(self.end)

    @property
    def blow_up(self) -> Vectors:
        """When the coordinate, alone, runs to infinity; inf where it does not."""
        return np.where(self.falls | (self.mu == 0), np.inf, self.end)

    @property
    def turn(self) -> Vectors:
        """When the smallest |z| passes 0; inf where it does not."""
        return np.where(self.mu == 0, np.inf, self.begin + self.last.turn)

    @property
    def landed(self) -> Layers:
        """Sizes where a weight comes to 0 and stays, that weight exactly 0; else anything."""
        return self.last.landed

    @cached_property
    def lone(self) -> Masks:
        """Whether one weight alone comes to 0 and stays."""
        single = np.count_nonzero(self.landed == 0, axis=-1) == 1
        return self.falls & single & ~self.equal & (self.mu != 0)

    @property
    def held(self) -> Masks:
        """Whether nothing moves once that weight is at 0, as two layers or more are at rho."""
        return self.lone & (np.count_nonzero(self.landed == self.rho, axis=-1) > 1)

    @cached_property
    def slides(self) -> Masks:
        """Whether the others go on."""
        return self.lone & ~self.held

    @cached_property
    def pinned(self) -> Vectors:
        """When a second weight is at 0; inf where that never happens, and for equal layers."""
        both = self.falls & ~self.lone & ~self.equal & (self.mu != 0)
        found = np.where(both, self.end, np.inf)
        here = self.slides
        found[here] = self.end[here] + self.glide.duration
        return found

    @cached_property
    def glide(self) -> Slide:
        """The slides, one a coordinate that `slides`, other layers by size."""
        return Slide(np.sort(self.landed[self.slides], axis=-1)[..., 1:], self.rho)

    def moved(
        self, clock: Float[np.ndarray, "d T"]
    ) -> Float[np.ndarray, "*batch d T L"]:
        """Return the weights at times |mu| tau: inf from a blow-up on, nan past a second zero."""
        size = self._along(self.first, clock)
        sign = np.broadcast_to(self.sign[..., None, :], size.shape)
        if self.crosses.any():
            after = clock - self.begin[..., None]
            passed = (self.crosses[..., None] & (after >= 0))[..., None]
            size = np.where(
                passed, self._along(self.last, np.maximum(after, 0.0)), size
            )
            own = np.arange(self.start.shape[-1]) == self.first.order[..., :1]
            sign = np.where(passed & own[..., None, :], -sign, sign)
        away = (clock >= self.blow_up[..., None])[..., None]
        size = np.where(away, np.copysign(np.inf, size), size)  # GD: past a zero
        late = self.falls[..., None] & (clock >= self.end[..., None])
        size = np.where(late[..., None], self.landed[..., None, :], size)
        if self.slides.any():
            size[self.slides] = self._gliding(size[self.slides], clock)
        second = self.pinned[..., None] * (
            1 + 4e-16
        )  # |mu| (pinned / |mu|) may be an ulp more
        gone = (clock > second) & ~self.equal[..., None]
        return np.where(gone[..., None], np.nan, sign * size)

    def _along(self, way: Leg, clock: NDArray) -> NDArray:
        """Sizes on a leg, to its end."""
        until = np.where(np.isfinite(way.end), way.end, np.inf)[..., None]
        return way.sizes(way.place_at(np.minimum(clock, until)))

    def _gliding(self, size: NDArray, clock: NDArray) -> NDArray:
        """Sizes of the coordinates that slide, with those of the slide filled in."""
        landed = self.landed[self.slides]
        begin = self.end[self.slides]
        since = np.broadcast_to(clock, (*self.start.shape[:-1], clock.shape[-1]))[
            self.slides
        ]
        since = since - begin[:, None]
        inside = np.clip(since, 0.0, self.glide.duration[:, None])
        order = np.argsort(landed, axis=-1, kind="stable")
        moved = np.zeros_like(size)
        others = np.broadcast_to(
            order[:, None, 1:], (*since.shape, order.shape[-1] - 1)
        )
        np.put_along_axis(moved, others, self.glide.sizes(inside), axis=-1)
        return np.where((since > 0)[..., None], moved, size)
