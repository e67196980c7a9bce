"""The planar curve (tau, A) of l_2-SAM at L = 2: integrated once, evaluated anywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial.polynomial import polyval
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.exact.l2_spectrum import Pieces, Spectrum
from flowsam.inputs import real_array
from flowsam.labels import Fate
from flowsam.shapes import Column, Float, Int, Int8, Numbers

POINTS = 2048  # evaluated at a time: their coefficients stay in cache
PerPiece = Float[np.ndarray, " P"]


@dataclass(frozen=True, eq=False)
class Curve:
    """The paths of a batch on the (tau, A) plane, as Taylor pieces, to their ends or tau_end."""

    shape: tuple[int, ...]  # of the batch; () for a single start
    spectrum: Spectrum  # the measure behind N/rho
    first: Int[np.ndarray, " startsplus"]  # where each start's pieces begin
    tau: PerPiece
    a: PerPiece
    # of each piece, in its clock; it begins at `tau` and `a`
    lengths: PerPiece
    pieces: Pieces | Any  # None where no start moves
    end: Float[np.ndarray, "3 starts"]  # last tau, A and log(N/rho)
    # `Fate`: SADDLE where it never left the saddle, UNKNOWN where it was stopped
    outcome: Int8[np.ndarray, "*batch"]
    # inf where `outcome` is not COLLAPSE, or the curve was stopped before
    collapse_time: Numbers

    def a_at(self, tau: ArrayLike) -> Float[np.ndarray, "*batch_and_times"]:
        """Return A at rescaled times, by Newton's method in a bracket: inf from the collapse on."""
        tau = real_array(tau, "tau")
        if (tau < 0).any():
            raise InputError(
                f"a curve starts at tau = 0, got tau = {tau.min():g}; pass tau >= 0"
            )
        times = tau.reshape(1, -1)
        starts = self.first.size - 1
        collapse = self.collapse_time.reshape(-1, 1)
        a = np.zeros((starts, times.size))
        if self.pieces is not None:
            a = self._interpolate(times)
        saddle = self.outcome.reshape(-1, 1) == Fate.SADDLE  # there N stands still
        with np.errstate(over="ignore"):
            rate = np.where(saddle, np.exp(-self.end[2][:, None]), 0.0)
        a = a + np.where(
            saddle, np.maximum(times - self.end[0][:, None], 0) * rate, 0.0
        )
        return np.where(times >= collapse, np.inf, a).reshape(self.shape + tau.shape)

    def log_norm_at(self, tau: ArrayLike) -> Float[np.ndarray, "*batch_and_times"]:
        """Return log(N/rho) at rescaled times: -inf from the collapse on."""
        a = self.a_at(tau)
        starts = self.first.size - 1
        times = np.broadcast_to(
            np.asarray(tau, dtype=np.float64).ravel(), (starts, np.size(tau))
        )
        flat = a.reshape(starts, -1)
        log_norm = np.full(flat.shape, -np.inf)
        for k in range(flat.shape[1]):
            alive = np.flatnonzero(np.isfinite(flat[:, k]))
            log_norm[alive, k] = self.spectrum.log_norm(
                alive, times[alive, k], flat[alive, k]
            )
        return log_norm.reshape(a.shape)

    def turning_time(self) -> Numbers:
        """Return where N is least: it falls, rises, or falls then rises (l2_patterns.py)."""
        starts = self.first.size - 1
        turn = np.full(starts, np.inf)
        if self.pieces is None:
            return turn.reshape(self.shape)
        # the last piece on which N begins by falling
        last = np.zeros(starts, dtype=np.int64)
        for row in range(starts):
            rising = self.pieces.g[1, self.first[row] : self.first[row + 1]] > 0
            falling = rising.size - 1 if not rising.any() else int(rising.argmax()) - 1
            last[row] = self.first[row] + falling
            turn[row] = 0.0 if rising.size and falling < 0 else np.inf
        turns = np.flatnonzero((self.outcome.ravel() != Fate.COLLAPSE) & np.isinf(turn))
        place = last[turns]
        pieces = self.pieces.select(place)
        length = self.lengths[place]
        at = root(pieces.log_norm_slope, length, length / 2, 2e-16)
        # else the curve stopped while N was falling
        inside = pieces.log_norm_slope(length)[0] >= 0
        turn[turns[inside]] = (self.tau[place] + pieces.advance(at)[0])[inside]
        return turn.reshape(self.shape)

    def _interpolate(
        self, times: Float[np.ndarray, "1 T"]
    ) -> Float[np.ndarray, "starts T"]:
        """A from the pieces, constant beyond the last."""
        starts = self.first.size - 1
        place = np.empty((starts, times.size), dtype=np.int64)
        for row in range(starts):
            low = self.first[row]
            high = self.first[row + 1]
            place[row] = (
                low + np.searchsorted(self.tau[low:high], times[0], "right") - 1
            )
        # a start at the origin has no piece
        place = np.clip(place, 0, self.tau.size - 1)
        target = (np.minimum(times, self.end[0][:, None]) - self.tau[place]).ravel()
        at = place.ravel()
        gain = np.empty(at.size)
        for block in (slice(k, k + POINTS) for k in range(0, at.size, POINTS)):
            pieces = self.pieces.select(at[block])
            length = self.lengths[at[block]]
            gain[block] = pieces.advance(_stretch(pieces, target[block], length))[1]
        return (self.a[at] + gain).reshape(starts, -1)


def _stretch(
    pieces: Pieces,
    target: Column,
    length: Column,
) -> Column:
    """Stretch of the clock in which tau grows by `target`, one for each piece."""
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.fmin(target * pieces.unit / pieces.y[0], length)

    def excess(sigma: Column) -> tuple[Column, Column]:
        over = (pieces.advance(sigma)[0] - target) * pieces.unit
        return over, polyval(sigma, pieces.y, tensor=False)

    return root(excess, length, first, 4e-16)


def root(
    of: Callable[[Column], tuple[Column, Column]],
    high: Column,
    x: Column,
    close: float,
) -> Column:
    """Return where functions from 0 to `high` rise through 0, by Newton's method in a bracket."""
    within = close * high
    low = np.zeros_like(high)
    for _ in range(100):
        over, slope = of(x)
        low = np.where(over <= 0, x, low)
        high = np.where(over >= 0, x, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = x - over / slope
        moved = np.where((newton >= low) & (newton <= high), newton, (low + high) / 2)
        still = np.abs(moved - x) <= within
        x = moved
        if still.all():
            break
    return x
