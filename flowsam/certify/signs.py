"""Labels of l_inf-SAM and gradient flow, one example, by exact comparison of the doubles.

The largest |mu_j| that escapes wins at L = 2, the first to blow up at L >= 3.
(derivations/linf_two_layer.py, derivations/linf_limit.py)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import prod

from flowsam.certify.balls import acb, arb, precision
from flowsam.labels import Fate, Label

__all__ = ["Coordinate", "coordinate", "exact_label", "fate_of"]

BITS = 128  # of the blow-up times
Column = tuple[Fraction, ...]


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
    theta: Sequence[Sequence[float]], mu: Sequence[float], rho: float
) -> int | None:
    """Return the label of one start, None where unequal layers leave it open or rest on the way."""
    radius = Fraction(rho)
    rows = list(zip(*theta, strict=True))
    active = [coordinate(j, rows[j], m) for j, m in enumerate(mu) if m]
    fates = [fate_of(c, radius) for c in active]
    if len(theta) == 2:
        return _by_speed(active, fates)
    if all(c.even for c in active):
        return _by_score(active, fates, radius)
    return _by_time(active, fates, radius)


def coordinate(j: int, weights: Sequence[float], m: float) -> Coordinate:
    """Return a coordinate, the j-th from 0, in fractions."""
    sign = prod((w > 0) - (w < 0) for w in (m, *weights))
    sizes = sorted(abs(Fraction(w)) for w in weights)
    return Coordinate(j + 1, abs(Fraction(m)), tuple(sizes), sign)


def fate_of(c: Coordinate, rho: Fraction) -> Fate:
    """Return what a coordinate does alone; SADDLE where the two sides are equal."""
    first, second = c.sizes[:2]
    excess = first + second - 2 * rho
    if c.sign < 0:
        excess = (second + rho) ** 2 - (first + rho) ** 2 - 8 * rho**2
    if excess == 0:
        return Fate.SADDLE
    return Fate.ESCAPE if excess > 0 else Fate.COLLAPSE


def _by_speed(active: list[Coordinate], fates: list[Fate]) -> int:
    """The label at L = 2."""
    ahead = [c for c, f in zip(active, fates, strict=True) if f == Fate.ESCAPE]
    if not ahead:
        rests = Fate.SADDLE in fates
        return int(Label.SEPARATRIX if rests else Label.ZERO)
    most = max(c.speed for c in ahead)
    return _only([c for c in ahead if c.speed == most])


def _only(first: list[Coordinate]) -> int:
    """The label of those that are first together."""
    return first[0].place if len(first) == 1 else int(Label.TIE)


def _by_score(active: list[Coordinate], fates: list[Fate], rho: Fraction) -> int | None:
    """The label of balanced starts at L >= 3."""
    depth = len(active[0].sizes)
    ahead = [c for c, f in zip(active, fates, strict=True) if f == Fate.ESCAPE]
    scores = [c.speed * (c.sizes[0] - rho) ** (depth - 2) for c in ahead]
    if ahead:
        most = max(scores)
        pairs = zip(ahead, scores, strict=True)
        return _only([c for c, score in pairs if score == most])
    if rho == 0:
        return int(Label.SEPARATRIX)
    if depth % 2:
        rests = any(c.sizes[0] == 0 for c in active)
        return None if rests else int(Label.STALLED)
    return int(Label.SEPARATRIX if Fate.SADDLE in fates else Label.ZERO)


def _by_time(active: list[Coordinate], fates: list[Fate], rho: Fraction) -> int | None:
    """The label of the first to blow up at L >= 3, where that is certain."""
    ahead = [c for c, f in zip(active, fates, strict=True) if f == Fate.ESCAPE]
    others = [c for c in active if c not in ahead]
    rests = [c for c in others if not (c.even and c.sign > 0)]
    if not ahead or (rests and len(active[0].sizes) > 4):
        return None
    kinds = {(c.speed, c.sizes, c.sign) for c in ahead}
    if len(kinds) == 1:  # equal in all: together for ever
        return _only(ahead)
    with precision(BITS):
        times = [_blow_up(c, rho) for c in ahead]
        for c, time in zip(ahead, times, strict=True):
            if all(time < t for o, t in zip(ahead, times, strict=True) if o is not c):
                return c.place
    return None


def _blow_up(c: Coordinate, rho: Fraction) -> arb:
    """When c blows up: `int_z1^inf dz / prod_{l>1} (z^2 + z_l^2 - z_1^2)^(1/2) / |mu|`."""
    gate = _ball(rho)
    speed = _ball(c.speed)
    if c.sign >= 0:
        z = [a - rho for a in c.sizes]
        squares = [_ball(x * x - z[0] * z[0]) for x in z[1:]]
        return _beyond(_ball(z[0]), squares) / speed
    y = [a + rho for a in c.sizes]
    squares = [_ball(x * x - y[0] * y[0]) for x in y[1:]]
    before = _beyond(gate, squares) - _beyond(_ball(y[0]), squares)
    moved = [((gate * gate + x).sqrt() - 2 * gate) ** 2 - gate * gate for x in squares]
    return (before + _beyond(-gate, moved)) / speed


def _ball(x: Fraction) -> arb:
    """A fraction, rounded."""
    return arb(x.numerator) / x.denominator


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
