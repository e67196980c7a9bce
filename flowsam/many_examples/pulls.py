"""What many examples say at products beta of the weights: margins, shares, pull and log Lambda.

A large z takes the time of its way through memory. Next to an a where they are known in double
precision, single precision of half the size is as good for the differences:

    m(beta) = m(a) + z (beta - a),   G(beta) = G(a) + z^T (q - q_a).
"""

from collections import deque
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from flowsam.losses import Loss, shares_and_mean
from flowsam.shapes import Bool, Examples, Float, Float32, PerExample, Vector

_LARGE = 2**18  # numbers in z, from which it leaves the cache
_LEAST = 200  # examples and features
# max |G| over max |z| below which pulls cancel: near a rest theta_hat turns with their roundings
_CANCELLED = 1e-2
_KNOWN = 4  # places that are known: two each for theta and theta_hat
_RANGE = 1e-20, 1e30  # of max |z| in single precision
# error of a product with single precision, over max |z| and the norm of the other factor, or over
# half the largest number in it where those add up: measured on Gaussian and on positive z
_ROUNDED = 4 * 2.0**-24
_SPARED = 0.1  # of the tolerance, for rounding
_FLUSHED = 1e-30  # of the largest: numbers below 1e-38 take twenty times as long
_FEW = 200  # examples that cost less than a look at them
_NO_SHARE = 1e-20  # thousands of such examples are less than an ulp of the mean

Points = Float[np.ndarray, " k"]


class Pull(NamedTuple):
    """Margins at beta, the shares of the examples, their pull G, and log Lambda."""

    beta: Vector
    margins: PerExample
    shares: PerExample
    sum: Vector
    log_scale: float


class Pulls:
    """The examples of a run, whose steps are controlled at a relative tolerance."""

    def __init__(self, z: Examples, loss: Loss, rtol: float) -> None:
        self.z = z
        self.loss = loss
        self.spared = _SPARED * rtol
        self.most = float(np.abs(z).max())
        ranged = _RANGE[0] < self.most < _RANGE[1]
        # sums along a long side round more, and a short one is quick in double
        self.large = ranged and z.size >= _LARGE and min(z.shape) >= _LEAST
        self.known: deque[Pull] = deque(maxlen=_KNOWN)
        # where a step ends is looked at again
        self._kept = lru_cache(2)(lambda raw: self._look(np.frombuffer(raw)))

    def at(self, beta: Vector) -> Pull:
        """Return what the examples say at beta."""
        return self._kept(beta.tobytes())

    @cached_property
    def single(self) -> Float32[np.ndarray, "n d"]:
        """The examples in single precision."""
        return self.z.astype(np.float32)

    @cached_property
    def squares(self) -> PerExample:
        """|z_i|^2 of the examples, in units of the largest number in them."""
        return np.linalg.norm(self.z / (self.most or 1.0), axis=1) ** 2

    def _look(self, beta: Vector) -> Pull:
        """Evaluate the examples, by differences where those are as good."""
        near = self._near(beta)
        moved = (
            self._product(self.single, beta - near.beta, self.spared) if near else None
        )
        if near is None or moved is None:
            return self._evaluated(beta)
        margins = near.margins + moved
        shares, log_scale = shares_and_mean(self.loss.log_slope(margins))
        spared = self.spared * float(np.abs(near.sum).max())
        moved = self._product(self.single.T, shares - near.shares, spared)
        pull = mean_pull(shares, self.z) if moved is None else near.sum + moved
        return Pull(beta, margins, shares, pull, float(log_scale))

    def _evaluated(self, beta: Vector) -> Pull:
        """Evaluate the examples in double precision."""
        margins = self.z @ beta
        shares, log_scale = shares_and_mean(self.loss.log_slope(margins))
        pull = mean_pull(shares, self.z)
        found = Pull(beta, margins, shares, pull, float(log_scale))
        if self.large:
            self.known.append(found)
        return found

    def _near(self, beta: Vector) -> Pull | None:
        """Return the closest place that is known."""
        off = [np.linalg.norm(beta - known.beta) for known in self.known]
        near = self.known[int(np.argmin(off))] if off else None
        if near and np.abs(near.sum).max() < _CANCELLED * self.most:
            return None
        return near

    def _product(
        self, matrix: Float32[np.ndarray, "m k"], x: Points, spared: float
    ) -> Float[np.ndarray, " m"] | None:
        """Return a product in single precision, of any size; None where rounding is too much."""
        scale = np.linalg.norm(x)  # a float64: a float would leave the product single
        if not scale:
            return np.zeros(len(matrix))
        if not _ROUNDED * self.most * scale <= spared:
            return None
        x = x / scale
        x[np.abs(x) < _FLUSHED] = 0.0
        found = scale * (matrix @ x.astype(np.float32))
        return found if 2 * _ROUNDED * np.abs(found).max() <= spared else None


def mean_pull(shares: PerExample, z: Examples) -> Vector:
    """Return G = sum_i q_i z_i, shape (d,)."""
    live = live_ones(shares)
    return shares @ z if live is None else shares[live] @ z[live]


def live_ones(shares: PerExample) -> Bool[np.ndarray, " n"] | None:
    """Return which examples count, None where leaving the others out would save nothing."""
    if shares.size < _FEW:
        return None
    live = shares > _NO_SHARE
    return live if 8 * live.sum() < live.size else None  # they are copied
