"""The planar curve (tau, A) of l_2-SAM at L = 2: integrated once, evaluated anywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.polynomial.polynomial import polyval
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.exact.l2_spectrum import Front, Pieces, Spectrum
from flowsam.inputs import real_array
from flowsam.labels import Fate
from flowsam.shapes import Column, Float, Int, Int8, Numbers

POINTS = 2048  # evaluated at a time: their coefficients stay in cache


@dataclass(frozen=True, eq=False)
class Curve:
    """The paths of a batch on the (tau, A) plane, as Taylor pieces, to their ends or tau_end."""

    spectrum: Spectrum  # the measure behind N/rho
    first: Int[np.ndarray, " startsplus"]  # where each start's pieces begin
    pieces: Pieces
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
        times = tau.ravel()
        a = self._interpolate(times)
        last, _, log_norm = self.end[..., None]
        stands = self.outcome.reshape(-1, 1) == Fate.SADDLE  # there N stands still
        with np.errstate(over="ignore"):
            rate = np.where(stands, np.exp(-log_norm), 0.0)
        a = a + np.maximum(times - last, 0.0) * rate
        a[times >= self.collapse_time.reshape(-1, 1)] = np.inf
        return a.reshape(self.outcome.shape + tau.shape)

    def log_norm_at(self, tau: ArrayLike) -> Float[np.ndarray, "*batch_and_times"]:
        """Return log(N/rho) at rescaled times: -inf from the collapse on."""
        a = self.a_at(tau)
        times = np.ravel(tau)
        log_norm = np.full((self.first.size - 1, times.size), -np.inf)
        for k, flat in enumerate(a.reshape(log_norm.shape).T):
            alive = np.flatnonzero(np.isfinite(flat))
            at = np.full(alive.size, float(times[k]))
            front = Front(self.spectrum, alive, at, flat[alive])
            log_norm[alive, k] = front.log_norm
        return log_norm.reshape(a.shape)

    def turning_time(self) -> Numbers:
        """Return where N is least: it falls, rises, or falls then rises (l2_patterns.py)."""
        turn = np.full(self.first.size - 1, np.inf)
        place = np.zeros(turn.size, dtype=np.int64)
        for row, (low, high) in enumerate(pairwise(self.first)):
            rising = np.append(self.pieces.g[1, low:high] > 0, True)
            # the last piece on which N begins by falling
            place[row] = low + rising.argmax() - 1
            if high > low and rising[0]:
                turn[row] = 0.0
        turns = np.flatnonzero((self.outcome.ravel() != Fate.COLLAPSE) & np.isinf(turn))
        pieces = self.pieces.select(place[turns])
        length = pieces.length
        at = root(pieces.log_norm_slope, length, length / 2, 2e-16)
        # else the curve stopped while N was falling
        inside = pieces.log_norm_slope(length)[0] >= 0
        turn[turns[inside]] = pieces.at(at)[0][inside]
        return turn.reshape(self.outcome.shape)

    def _interpolate(self, times: Column) -> Float[np.ndarray, "starts T"]:
        """A from the pieces, constant beyond the last; a start at the origin has none."""
        starts = self.first.size - 1
        a = np.zeros((starts, times.size))
        place = np.empty(a.shape, dtype=np.int64)
        for row, (low, high) in enumerate(pairwise(self.first)):
            passed = np.searchsorted(self.pieces.tau[low:high], times, "right")
            place[row] = low + passed - 1
        moves = np.diff(self.first) > 0
        at = place[moves].ravel()
        target = np.minimum(times, self.end[0][moves, None]).ravel()
        found = np.empty(at.size)
        for block in (slice(k, k + POINTS) for k in range(0, at.size, POINTS)):
            pieces = self.pieces.select(at[block])
            stretch = _stretch(pieces, target[block] - pieces.tau)
            found[block] = pieces.at(stretch)[1]
        a[moves] = found.reshape(a[moves].shape)
        return a


def _stretch(pieces: Pieces, target: Column) -> Column:
    """Stretch of the clock in which tau grows by `target`, one for each piece."""
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.fmin(target * pieces.unit / pieces.y[0], pieces.length)

    def excess(sigma: Column) -> tuple[Column, Column]:
        over = (pieces.advance(sigma)[0] - target) * pieces.unit
        return over, polyval(sigma, pieces.y, tensor=False)

    return root(excess, pieces.length, first, 4e-16)


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
