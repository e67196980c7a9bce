"""Labels of l_inf-SAM and gradient flow, one example, by exact comparison of the doubles.

The largest |mu_j| that escapes wins at L = 2, the first to blow up at L >= 3; of many starts one
exact decision a pattern. (derivations/linf_two_layer.py, derivations/linf_limit.py)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import prod

import numpy as np

from flowsam.certify.balls import acb, arb, precision, rational
from flowsam.exact.two_layer_path import excess
from flowsam.labels import Fate, Label
from flowsam.shapes import Bool, Codes, Float, Int8, Starts, Vector

BITS = 128  # of the blow-up times
Column = tuple[Fraction, ...]


ROUNDINGS = 64 * np.finfo(float).eps  # more than those of any comparison here
LARGEST = 1e307  # weights beyond, whose sums are no doubles, are compared as fractions
RESTS = 3  # beside the fates: a coordinate of weights 0
Vectors = Float[np.ndarray, "N d"]


@dataclass(frozen=True)
class Coordinate:
    """One coordinate that moves, counted from 1: |mu_j|, |w| ascending, sign of mu prod_k w_k."""

    place: int
    speed: Fraction
    sizes: Column
    sign: int

    @property
    def even(self) -> bool:
        """Return whether all layers are equal in size."""
        return self.sizes[0] == self.sizes[-1]


def exact_label(
    theta: Sequence[Sequence[float]],
    mu: Sequence[float],
    rho: float,
) -> int | None:
    """Return the label of one start, None where unequal layers leave it open or rest on the way."""
    radius = Fraction(rho)
    rows = list(zip(*theta, strict=True))
    active = [coordinate(j, rows[j], m) for j, m in enumerate(mu) if m]
    fates = [fate_of(c, radius) for c in active]
    ahead = [c for c, f in zip(active, fates, strict=True) if f == Fate.ESCAPE]
    if len(theta) > 2 and not all(c.even for c in active):
        return _by_time(active, ahead, radius)
    if not ahead:
        return _held(active, fates, radius)
    scores = [c.speed * (c.sizes[0] - radius) ** (len(theta) - 2) for c in ahead]
    return _first(ahead, scores)


def coordinate(j: int, weights: Sequence[float], m: float) -> Coordinate:
    """Return a coordinate, the j-th from 0, in fractions."""
    sign = prod((w > 0) - (w < 0) for w in (m, *weights))
    sizes = sorted(abs(Fraction(w)) for w in weights)
    return Coordinate(j + 1, abs(Fraction(m)), tuple(sizes), sign)


def fate_of(c: Coordinate, rho: Fraction) -> Fate:
    """Return what a coordinate does alone; SADDLE where the two sides are equal."""
    first, second = c.sizes[:2]
    total = second - first if c.sign < 0 else second + first
    excess = total * (2 * rho + first + second) - 8 * rho**2
    if excess == 0:
        return Fate.SADDLE
    return Fate.ESCAPE if excess > 0 else Fate.COLLAPSE


def _first(ahead: list[Coordinate], scores: list[Fraction]) -> int:
    """The label of the largest score, TIE where several share it."""
    most = max(scores)
    best = [c.place for c, score in zip(ahead, scores, strict=True) if score == most]
    return best[0] if len(best) == 1 else Label.TIE


def _held(
    active: list[Coordinate],
    fates: list[Fate],
    rho: Fraction,
) -> int | None:
    """The label where none escapes, of balanced starts or at L = 2."""
    if rho == 0:
        return Label.SEPARATRIX
    if len(active[0].sizes) % 2 == 0:
        return int(Label.SEPARATRIX if Fate.SADDLE in fates else Label.ZERO)
    return None if any(c.sizes[0] == 0 for c in active) else Label.STALLED


def _by_time(
    active: list[Coordinate],
    ahead: list[Coordinate],
    rho: Fraction,
) -> int | None:
    """The label of the first to blow up at L >= 3, where that is certain."""
    held = [c for c in active if c not in ahead]
    rests = any(not (c.even and c.sign > 0) for c in held)
    if not ahead or (rests and len(active[0].sizes) > 4):
        return None
    if len({(c.speed, c.sizes, c.sign) for c in ahead}) == 1:  # together for ever
        return ahead[0].place if len(ahead) == 1 else Label.TIE
    return _earliest(ahead, rho)


def _earliest(ahead: list[Coordinate], rho: Fraction) -> int | None:
    """The place of the first to blow up, where balls of the times tell."""
    with precision(BITS):
        times = [_blow_up(c, rho) for c in ahead]
        for c, first in zip(ahead, times, strict=True):
            if all(first < other for other in times if other is not first):
                return c.place
    return None


def _blow_up(c: Coordinate, rho: Fraction) -> arb:
    """When c blows up: `int_z1^inf dz / prod_{l>1} (z^2 + z_l^2 - z_1^2)^(1/2) / |mu|`."""
    gate = rational(rho)
    speed = rational(c.speed)
    if c.sign >= 0:
        z = [a - rho for a in c.sizes]
        squares = [rational(x * x - z[0] * z[0]) for x in z[1:]]
        return _beyond(rational(z[0]), squares) / speed
    y = [a + rho for a in c.sizes]
    squares = [rational(x * x - y[0] * y[0]) for x in y[1:]]
    before = _beyond(gate, squares) - _beyond(rational(y[0]), squares)
    moved = [((gate * gate + x).sqrt() - 2 * gate) ** 2 - gate * gate for x in squares]
    return (before + _beyond(-gate, moved)) / speed


def _beyond(start: arb, squares: list[arb]) -> arb:
    """The integral of `prod (z^2 + square)^(-1/2)` from start to infinity."""
    unit = abs(start.mid()) + reduce(arb.max, squares).mid().sqrt().mid()
    power = len(squares) - 2

    def integrand(x: acb, analytic: bool) -> acb:
        left = 1 - x
        z = start * left + unit * x
        roots = [(z * z + c * left * left).sqrt(analytic=analytic) for c in squares]
        return unit * left**power / prod(roots)

    return acb.integral(integrand, 0, 1).real


def exact_labels(starts: Starts, mu: Vector, rho: float) -> Codes:
    """Return the label of each start, UNDECIDED where `exact_label` has none."""
    moving = np.flatnonzero(mu)
    part = starts[..., moving]
    rates = mu[moving]
    depth = starts.shape[1]
    sizes = np.sort(np.abs(part), axis=1)
    fates = _fates(part, rates, sizes, rho)
    ahead = fates == Fate.ESCAPE
    even = (sizes[:, 0] == sizes[:, -1]).all(axis=1)
    alike = (depth == 2) | ((ahead.sum(axis=1) < 2) & (even | (depth < 5)))
    found = np.full(len(starts), int(Label.UNDECIDED))
    scored = np.flatnonzero(~alike & even)
    first = _clear_score(sizes[scored, 0], rates, ahead[scored], depth, rho)
    clear = first >= 0
    found[scored[clear]] = moving[first[clear]] + 1
    # of the others one exact decision a pattern, where patterns decide
    left = np.flatnonzero(found == Label.UNDECIDED)
    pattern = np.where(sizes[:, -1] == 0, RESTS, fates)
    own = np.where(alike, 0, np.arange(1, len(starts) + 1))
    pattern = np.column_stack([pattern, even, own])[left]
    _, place, which = np.unique(pattern, axis=0, return_index=True, return_inverse=True)
    labels = [exact_label(starts[k].tolist(), mu.tolist(), rho) for k in left[place]]
    known = [Label.UNDECIDED if label is None else label for label in labels]
    found[left] = np.array(known, dtype=np.int64)[which.ravel()]
    return found


def _fates(
    part: Starts,
    mu: Vector,
    sizes: Starts,
    rho: float,
) -> Int8[np.ndarray, "N d"]:
    """What each coordinate does alone, exactly: its two smallest layers decide."""
    opposed = np.sign(mu) * np.sign(part).prod(axis=1) < 0
    first = np.where(opposed, -sizes[:, 0], sizes[:, 0])
    with np.errstate(over="ignore", invalid="ignore"):
        over = excess(first, sizes[:, 1], rho)
    fates = np.where(over > 0, Fate.ESCAPE, Fate.COLLAPSE)
    fates = np.where(over == 0, Fate.SADDLE, fates).astype(np.int8)
    for k, j in np.argwhere((sizes[:, 1] > LARGEST) | (rho > LARGEST)):
        exact = coordinate(0, part[k, :, j].tolist(), float(mu[j]))
        fates[k, j] = fate_of(exact, Fraction(rho))
    return fates


def _clear_score(
    sizes: Vectors,
    mu: Vector,
    ahead: Bool[np.ndarray, "N d"],
    depth: int,
    rho: float,
) -> Codes:
    """The coordinate whose log|mu_j| + (L-2) log(a_j - rho) is clearly the largest, or -1."""
    rate = np.log(np.abs(mu))
    excess = np.log(np.where(ahead, sizes - rho, 1.0))
    scores = np.where(ahead, rate + (depth - 2) * excess, -np.inf)
    size = np.abs(rate) + (depth - 2) * (np.abs(excess) + 2)
    first = scores.argmax(axis=1)
    best = np.take_along_axis(scores, first[:, None], axis=1)
    np.put_along_axis(scores, first[:, None], -np.inf, axis=1)
    clear = best - scores > ROUNDINGS * size.max(axis=1, keepdims=True)
    return np.where(clear.all(axis=1), first, -1)
