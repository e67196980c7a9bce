"""What many examples say at products beta of the weights: margins, shares, pull and log Lambda.

A large z takes the time of its way through memory. Next to places a_k where they are known in
double precision, single precision of half the size is as good for what no combination of them is:

    m(beta) = sum_k c_k m(a_k) + z (beta - sum_k c_k a_k),

and so is G(q), of the shares q at a_k: places of a smooth path are nearly combinations of a few.
"""

from collections import deque
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from flowsam.losses import Loss, shares_and_mean
from flowsam.shapes import Bool, Examples, Float, Float32, PerExample, Vector

_LARGE = 2**18  # numbers in z, from which it leaves the cache
_KNOWN = 8  # places that are known: of theta and theta_hat, four steps or stages
_RANGE = 1e-20, 1e30  # of max |z| in single precision
_ROUNDED = 2.0**-24  # of a number in single precision
_DOUBLE = 2.0**-29  # of that, in double precision
# squares of lengths, of the largest, in directions that places have by rounding alone
_ALIKE = 1e-12
# roundings of a sum, in units of the largest number in z and of a part's own sum
_ADDED = 4.0, 8.0
_PART = 2**12  # numbers summed in single precision, and parts in double
_SPARED = 0.1  # of the tolerance, for rounding
# max |z| over the living pull from which on errors shrink with it: a normalised step turns
# with them close to a rest; of 150 runs to rest none changed, at 3 as at 100
_CANCELLED = 100.0
_FALLEN = 0.5  # of the living pull where it was known, below which it is evaluated
_FLUSHED = 1e-30  # of the largest: numbers below 1e-38 take twenty times as long
_FEW = 200  # examples that cost less than a look at them
_NO_SHARE = 1e-20  # thousands of such examples are less than an ulp of the mean

Points = Float[np.ndarray, " _"]
Rows = Float[np.ndarray, "_ _"]


class Pull(NamedTuple):
    """Margins at beta, the shares of the examples, their pull G, and log Lambda."""

    beta: Vector
    margins: PerExample
    shares: PerExample
    sum: Vector
    log_scale: float

    def living(self) -> float:
        """Return the size of G where beta is, ||G beta|| / ||beta||: dead features keep theirs."""
        size = _length(self.beta)
        return float(_length(self.sum * self.beta) / size) if size else 0.0


class _Single(NamedTuple):
    """A matrix in single precision, and the error of its product with a vector of length 1."""

    matrix: Float32[np.ndarray, "m k"]
    error: float

    def times(self, x: Points, spared: float) -> Points | None:
        """Return a product, of any size; None where rounding may be more than is spared."""
        scale = _length(x)  # a float64: a float would leave the product single
        if not scale:
            return np.zeros(len(self.matrix))
        if not self.error * scale <= spared:
            return None
        x = x / scale
        x[np.abs(x) < _FLUSHED] = 0.0
        x = x.astype(np.float32)
        found = np.zeros(len(self.matrix))
        largest = 0.0
        for start in range(0, x.size, _PART):
            some = slice(start, start + _PART)
            part = scale * (self.matrix[:, some] @ x[some])
            largest = max(largest, float(np.abs(part).max()))
            found += part
        return found if _ADDED[1] * _ROUNDED * largest <= spared else None


class _Span:
    """Places x_k as rows, and what a matrix makes of them, both in double precision."""

    def __init__(self, matrix: _Single, rows: Rows, images: Rows) -> None:
        self.matrix = matrix
        self.rows = rows
        self.images = images
        self.sizes = np.linalg.norm(rows, axis=1)
        scale = float(self.sizes.max()) or 1.0
        self.scaled = rows / scale
        gram = self.scaled @ self.scaled.T
        self.inverse = np.linalg.pinv(gram, _ALIKE, hermitian=True) / scale

    def terms(self, x: Points) -> Points:
        """Return the combination next to x, by least squares: c."""
        return self.inverse @ (self.scaled @ x)

    def times(self, x: Points, by: Points, spared: float) -> Points | None:
        """Return a product by a combination and what is none, as the matrix alone would."""
        lost = _DOUBLE * self.matrix.error * float(np.abs(by) @ self.sizes)
        moved = self.matrix.times(x - by @ self.rows, spared - lost)
        return None if moved is None else by @ self.images + moved


class Pulls:
    """The examples of a run, whose steps are controlled at a relative tolerance."""

    def __init__(self, z: Examples, loss: Loss, rtol: float) -> None:
        self.z = z
        self.loss = loss
        self.spared = _SPARED * rtol
        self.most = float(np.abs(z).max())
        ranged = _RANGE[0] < self.most < _RANGE[1]
        self.large = ranged and z.size >= _LARGE
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

    def lengths(self, axis: int) -> Points:
        """Return the norms of features (0) or examples (1), in units of max |z|."""
        return np.asarray(np.linalg.norm(self.z / (self.most or 1.0), axis=axis))

    @cached_property
    def squares(self) -> PerExample:
        """|z_i|^2 of the examples, in those units."""
        return self.lengths(1) ** 2

    @cached_property
    def sides(self) -> tuple[_Single, _Single]:
        """The matrices of margins and of pulls: what z loses counts by Cauchy and Schwarz."""
        errors = [max(_ADDED[0], self.lengths(axis).max()) for axis in (1, 0)]
        margins, pulls = (_ROUNDED * self.most * float(error) for error in errors)
        return _Single(self.single, margins), _Single(self.single.T, pulls)

    def _look(self, beta: Vector) -> Pull:
        """Evaluate the examples, by differences where those are as good."""
        if not self.known:
            return self._evaluated(beta)
        betas, weights = self.spans
        by = betas.terms(beta)
        living = self.known[int(np.abs(by).argmax())].living()
        spared = self.spared * min(1.0, _CANCELLED * living / self.most)
        margins = betas.times(beta, by, spared)
        if margins is None:
            return self._evaluated(beta)
        shares, log_scale = shares_and_mean(self.loss.log_slope(margins))
        total = weights.times(shares, weights.terms(shares), self.spared * living)
        total = mean_pull(shares, self.z) if total is None else total
        found = Pull(beta, margins, shares, total, float(log_scale))
        return found if found.living() >= _FALLEN * living else self._evaluated(beta)

    def _evaluated(self, beta: Vector) -> Pull:
        """Evaluate the examples in double precision."""
        margins = self.z @ beta
        shares, log_scale = shares_and_mean(self.loss.log_slope(margins))
        pull = mean_pull(shares, self.z)
        found = Pull(beta, margins, shares, pull, float(log_scale))
        # a trial step may overflow
        if self.large and all(np.isfinite(part).all() for part in found):
            self.known.append(found)
            rows = [np.array(part) for part in zip(*self.known, strict=True)]
            betas, margins, weights, pulls, _ = rows
            of, onto = self.sides
            self.spans = _Span(of, betas, margins), _Span(onto, weights, pulls)
        return found


def _length(x: Points) -> np.float64:
    """Return the norm of a vector."""
    return np.sqrt(np.vdot(x, x))


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
