"""One coordinate of three or more layers as a place and its gaps, l_inf-SAM or gradient flow.

In rescaled time `z_l = w_l - rho sign(mu) sign(prod_{k != l} w_k)` obeys

    z_l' = mu prod_{k != l} z_k,    z_k^2 - z_l^2 conserved,

until a weight reaches 0 (for rho = 0: always). One number moves in each coordinate: with z_m the
smallest |z| and S = sign(mu) prod_{k != m} sign(z_k), the place u = S z_m increases by

    u' = |mu| prod_{k != m} sqrt(u^2 + z_k(0)^2 - z_m(0)^2),

a clock that is one integral (`hyperelliptic`). While u < 0 all |z| shrink, u = 0 is the turn,
then all grow. With u < 0 and two equal smallest |z| the turn is never reached: the separatrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike, NDArray

from flowsam.errors import InputError
from flowsam.exact.hyperelliptic import elapsed, invert, remaining
from flowsam.inputs import real_array
from flowsam.labels import Fate
from flowsam.network import checked_theta

__all__ = ["Motion", "read"]


@dataclass(frozen=True, eq=False)
class Motion:
    """A batch of starts, sorted: `order`, `z`, `shift` and `gaps` list the layers by |z|.

    Parameters
    ----------
    start : ndarray, shape (..., d, L)
        Weights w, layers in their own order.
    order : ndarray of int, shape (..., d, L)
        The layer at each sorted place.
    z, shift : ndarray, shape (..., d, L)
        Perturbed weights, and w - z = +-rho.
    gaps : ndarray, shape (..., d, L - 1)
        z_k^2 - z_m^2, ascending.
    heading : ndarray, shape (..., d)
        S, the direction in which z_m moves.
    aligned : ndarray of bool, shape (..., d)
        Whether sign(mu) beta > 0, where the perturbation points towards 0.
    mu : ndarray, shape (d,)
        The example.
    rho : float
        Radius, in the units of w.
    """

    start: Float[np.ndarray, "*batch d L"]
    order: Int[np.ndarray, "*batch d L"]
    z: Float[np.ndarray, "*batch d L"]
    shift: Float[np.ndarray, "*batch d L"]
    gaps: Float[np.ndarray, "*batch d M"]
    heading: Float[np.ndarray, "*batch d"]
    aligned: Bool[np.ndarray, "*batch d"]
    mu: Float[np.ndarray, " d"]
    rho: float

    @property
    def place(self) -> Float[np.ndarray, "*batch d"]:
        """The place u at the start."""
        return self.heading * self.z[..., 0]

    @property
    def speed(self) -> Float[np.ndarray, " d"]:
        """|mu|, and 1 where that is 0."""
        return np.where(self.mu == 0, 1.0, np.abs(self.mu))

    @property
    def rests(self) -> Bool[np.ndarray, "*batch d"]:
        """Whether the layers reach 0 together and stay: one |w|, an even number of layers."""
        return self.equal & (self.start.shape[-1] % 2 == 0)

    @property
    def equal(self) -> Bool[np.ndarray, "*batch d"]:
        """Whether the layers of a coordinate have one |w|."""
        return (np.abs(self.start) == np.abs(self.start[..., :1])).all(axis=-1)

    @property
    def _touches(self) -> NDArray:
        """Whether a weight starts on a switching surface."""
        return (self.start == 0).any(axis=-1) & (self.rho > 0)

    @cached_property
    def hit(self) -> Float[np.ndarray, "*batch d"]:
        """The place where the first weight reaches 0; inf where none ever does.

        u^2 = rho^2 + z_m(0)^2 - z_k(0)^2 for the negative z_k with the largest |z_k|; where
        sign(mu) beta < 0 the perturbation points away from 0 and the place is -rho.
        """
        low = np.abs(self.start).min(axis=-1)
        squared = low * (2 * self.rho - low) + self.z[..., 0] ** 2
        below = np.abs(np.take_along_axis(self.start, self.order, axis=-1)) < self.rho
        falls = below[..., 1:].any(axis=-1) & self.aligned
        later = np.sqrt(np.where(falls, squared, np.inf))
        place = np.where(self.aligned | (self.rho == 0), later, -self.rho)
        return np.where(self._touches, np.minimum(place, self.place), place)

    @cached_property
    def end(self) -> Float[np.ndarray, "*batch d"]:
        """Rescaled time of the first zero, else of the blow-up; inf on the separatrix."""
        time = elapsed(self.place, np.maximum(self.hit, self.place), self.gaps) / self.speed
        return np.where(self.mu == 0, np.inf, np.where(self._touches, 0.0, time))

    @property
    def blow_up(self) -> Float[np.ndarray, "*batch d"]:
        """Rescaled time of the blow-up; inf where there is none."""
        return np.where(np.isinf(self.hit), self.end, np.inf)

    @property
    def first_zero(self) -> Float[np.ndarray, "*batch d"]:
        """Rescaled time of the first zero; inf where there is none."""
        return np.where(np.isinf(self.hit), np.inf, self.end)

    @property
    def open_from(self) -> Float[np.ndarray, "*batch d"]:
        """Rescaled time from which the solution is not unique; inf where it always is."""
        return np.where(self.rests, np.inf, self.first_zero)

    @cached_property
    def turn(self) -> Float[np.ndarray, "*batch d"]:
        """Rescaled time at which z_m passes 0; inf where it does not."""
        crosses = (self.place < 0) & (self.hit > 0) & (self.gaps[..., 0] > 0) & (self.mu != 0)
        start = np.where(crosses, self.place, 0.0)
        time = elapsed(start, np.zeros(start.shape), self.gaps) / self.speed
        return np.where(crosses, time, np.inf)

    @property
    def fate(self) -> Int[np.ndarray, "*batch d"]:
        """A `Fate` for each coordinate alone."""
        short = self.equal & (np.abs(self.start[..., 0]) < self.rho)
        held = np.where(short, Fate.STALL, Fate.SADDLE)
        pinned = np.where(self.rests, Fate.COLLAPSE, Fate.UNKNOWN)
        moves = np.where(np.isinf(self.hit), Fate.ESCAPE, pinned)
        found = np.where(np.isinf(self.end), held, moves)
        return np.where(self.mu == 0, Fate.IDLE, found)

    def weights(self, tau: NDArray) -> Float[np.ndarray, "*batch d T L"]:
        """Return the weights at rescaled times (T,), the formulas alone: no ends, no pins."""
        u = self._place_at(self.speed[:, None] * tau)
        u = np.where((tau >= self.end[..., None]) & np.isinf(self.hit)[..., None], np.inf, u)
        sign = np.where(self.z < 0, -1.0, 1.0)[..., None, 1:]
        rest = sign * np.sqrt(u[..., None] ** 2 + self.gaps[..., None, :])
        z = np.concatenate([self.heading[..., None, None] * u[..., None], rest], axis=-1)
        w = np.empty_like(z)
        order = np.broadcast_to(self.order[..., None, :], z.shape)
        np.put_along_axis(w, order, z + self.shift[..., None, :], axis=-1)
        return w

    def _place_at(self, clock: NDArray) -> NDArray:
        """The place at the times `clock = |mu| tau`."""
        gaps, place = self.gaps[..., None, :], self.place[..., None]
        first, centre = remaining(np.abs(place), gaps), remaining(np.zeros(place.shape), gaps)
        with np.errstate(invalid="ignore"):  # inf - inf on the separatrix is never chosen
            to_turn = np.where(place < 0, centre - first, 0.0)
            growing = np.where(place < 0, centre + to_turn, first) - clock
        before = (place < 0) & (clock < to_turn)
        target = np.where(before, first + clock, growing)
        return np.where(before, -1.0, 1.0) * invert(target, gaps)


def read(theta0: ArrayLike, mu: ArrayLike, rho: float | int) -> Motion:
    """Return the starts as places and gaps.

    |z| is sorted, and gaps are formed, with the rounding error of `w - shift` kept: which side
    of the separatrix a start lies on is decided exactly.

    Parameters
    ----------
    theta0 : array_like, shape (..., L, d)
        Weights, L >= 3.
    mu : array_like, shape (d,)
        The example.
    rho : float
        Radius, in the units of w; 0 for gradient flow.

    Returns
    -------
    Motion

    Raises
    ------
    TypeError, ValueError
        For bad entries, shapes, depth < 3 or rho < 0.

    Notes
    -----
    Derivation: derivations/linf_deep.py.

    Examples
    --------
    >>> read([[0.25], [2.0], [1.0]], [1.0], 0.5).order[0]  # |z| = 0.25, 1.5, 0.5
    array([0, 2, 1])
    """
    mu, rho = np.atleast_1d(real_array(mu, "mu")), float(rho)
    theta = checked_theta(theta0, mu.size)
    if theta.shape[-2] < 3:
        raise InputError(f"linf_deep needs depth >= 3, got {theta.shape[-2]}; see linf_two_layer")
    if not 0 <= rho < np.inf:
        raise InputError(f"linf_deep needs a finite rho >= 0, got {rho}; 0 is gradient flow")
    w = np.moveaxis(theta, -2, -1)
    direction, sign = np.where(mu < 0, -1.0, 1.0), np.where(w < 0, -1.0, 1.0)
    side = direction * np.prod(sign, axis=-1)
    shift = rho * side[..., None] * sign
    z = w - shift
    error = (w - (z + (w - z))) + ((w - z) - shift)  # w - shift = z + error, exactly
    error = np.where(z < 0, -error, error)
    order = np.lexsort((error, np.abs(z)), axis=-1)
    z, shift, error = (np.take_along_axis(a, order, axis=-1) for a in (z, shift, error))
    size = np.abs(z)
    gaps = ((size - size[..., :1]) + (error - error[..., :1])) * (size + size[..., :1])
    heading = direction * np.prod(np.where(z < 0, -1.0, 1.0)[..., 1:], axis=-1)
    return Motion(w, order, z, shift, gaps[..., 1:], heading, side > 0, mu, rho)
