"""Who leads in a tube of l_2-SAM at L = 2, for how long, and where the leader changes, in balls.

    4 |beta_j| = |s_j^2 e^{2 mu_j tau} - e_j^2 e^{-2 mu_j tau}| e^{-2 mu_j^2 A}

(derivations/proved_labels.py)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, nextafter
from typing import Any

import numpy as np

from flowsam.certify.balls import Row, arb, around, each, objects, rational
from flowsam.certify.checking import Refused, Step, Tube, value_at
from flowsam.certify.l2_equation import TwoLayers, two_layers
from flowsam.certify.proofs import Problem
from flowsam.labels import Label

NARROW = 2.0**-50  # of a step: a stretch in which the proof is given up
CLOSE = 60  # halvings of the enclosure of a crossing


@dataclass(frozen=True, eq=False)
class Race(TwoLayers):
    """A start's equation, followed until its last leader leads for good; an entry a contender."""

    places: tuple[int, ...]
    speed: Row  # |mu_j|
    # s_j(0)^2 and e_j(0)^2, exchanged where mu_j < 0; times |mu_j| for contributions
    grows: Row
    shrinks: Row
    product: Row  # sign(mu_j) u_j v_j, times |mu_j| there: the start, exactly

    def parts(self, tau: Any, a: Any) -> tuple[Row, Row]:
        """Return s_j^2 and e_j^2 at a point or in a box."""
        m = self.speed
        return (
            self.grows * np.exp(2 * m * (tau - m * a)),
            self.shrinks * np.exp(-2 * m * (tau + m * a)),
        )

    def sizes(self, tau: arb, a: arb) -> Row:
        """Return 4 |beta_j|."""
        grows, shrinks = self.parts(tau, a)
        return abs(grows - shrinks)

    def gains(self, tau: arb, a: arb) -> Row:
        """Return twice |beta_j|'; nan where its sign is not sure."""
        grows, shrinks = self.parts(tau, a)
        m = self.speed
        brake = m**2 * self.pull(tau, a) * (grows - shrinks)
        gains = m * (grows + shrinks) - brake
        sure = np.where(self.product > 0, grows > shrinks, grows < shrinks)
        sure = np.where(self.product == 0, gains > 0, sure)
        sign = np.where(self.product < 0, -1, 1)
        return np.where(sure, sign * gains, objects([arb("nan")]))

    def growths(self, tau: arb, a: arb) -> Row:
        """Return half of d log|beta_j|/dtau."""
        grows, shrinks = self.parts(tau, a)
        share = (grows + shrinks) / (grows - shrinks)
        return self.speed * share - self.speed**2 * self.pull(tau, a)

    def decided(self, x: arb, y: Sequence[arb]) -> int | None:
        """Return the place of the coordinate that leads for good, or None."""
        label = super().decided(x, y)
        if label is None:
            return None
        # ahead of max(s_k^2, e_k^2) of every other, the leader grows fastest or falls slowest
        grows, shrinks = self.parts(x, y[0])
        first = int(self.sizes(x, y[0]).astype(float).argmax())
        lead = grows[first] - shrinks[first]
        if not grows[first] > shrinks[first]:
            return None
        m = self.speed
        if label == Label.ZERO:  # the others never fall more slowly
            lasts = m >= m[first]
        else:  # nor do they, as N rises for good, grow faster
            norm = 1 / self.pull(x, y[0])
            lasts = ((m <= m[first]) | (self.grows == 0)) & (m + m[first] <= norm)
        lasts &= (grows < lead) & (shrinks < lead)
        return self.places[first] if np.delete(lasts, first).all() else None

    def pull(self, tau: arb, a: arb) -> Any:
        """Return rho/N."""
        return self.slope(tau, [a])[0]


def race(problem: Problem, *, weighted: bool) -> Race:
    """Return the race of a start: coordinates that are equal for ever count as the first."""
    contenders: dict[tuple[float, Fraction, Fraction], tuple[int, Fraction]] = {}
    for j, (u, v, m) in enumerate(zip(*problem.theta, problem.mu, strict=True)):
        sizes = [abs(Fraction(u) + Fraction(v)), abs(Fraction(u) - Fraction(v))]
        if m and any(sizes):
            sign = 1 if m > 0 else -1
            product = sign * Fraction(u) * Fraction(v)
            first, last = sizes[::sign]
            contenders.setdefault((abs(m), first, last), (j + 1, product))
    places, products = zip(*contenders.values(), strict=True)
    speed, s, e = map(objects, zip(*contenders, strict=True))
    weight: Any = each(Fraction, speed) if weighted else Fraction(1)
    return Race(
        **vars(two_layers(problem.theta, problem.mu, problem.rho)),
        places=places,
        speed=each(arb, speed),
        grows=each(rational, weight * s * s),
        shrinks=each(rational, weight * e * e),
        product=weight * objects(products),
    )


@dataclass(frozen=True)
class HandOver:
    """A new leader, counted from 1, and rescaled times around its take-over (the first: 0, 0)."""

    place: int
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class _Stretch:
    """A part of a step, from a to b after its start at x."""

    x: arb
    step: Step
    a: arb
    b: arb

    def at(self, place: arb) -> tuple[arb, arb]:
        """tau and A at a place, or in a ball of places."""
        row = self.step.centre[0]
        radius = max(self.step.radius, key=float)
        return self.x + place, around(value_at(row, place), radius)

    @property
    def box(self) -> tuple[arb, arb]:
        """tau and A all along."""
        return self.at(around((self.a + self.b) / 2, (self.b - self.a) / 2))

    def halves(self) -> tuple[_Stretch, _Stretch]:
        """Both halves."""
        middle = ((self.a + self.b) / 2).mid()
        first = _Stretch(self.x, self.step, self.a, middle)
        return first, _Stretch(self.x, self.step, middle, self.b)


def hand_overs(race: Race, tube: Tube) -> list[HandOver]:
    """Return the first leader and each that follows, or raise `Refused` where it is not clear."""
    found: list[HandOver] = []
    x = arb(0)
    for step in tube.steps:
        for new in _along(race, _Stretch(x, step, arb(0), step.width)):
            if not found or new.place != found[-1].place:
                found.append(new)
        x = x + step.width
    return found


def _along(race: Race, stretch: _Stretch) -> Iterator[HandOver]:
    """Leaders of a stretch, or of its halves where that is not clear."""
    new = _of_stretch(race, stretch)
    if new is not None:
        yield from new
        return
    if not stretch.b - stretch.a > NARROW * stretch.step.width:
        raise Refused(f"the leader near tau = {float(stretch.x):g} is not clear")
    for half in stretch.halves():
        yield from _along(race, half)


def _of_stretch(race: Race, stretch: _Stretch) -> list[HandOver] | None:
    """The leader of a stretch, or both; None where it has to be halved."""
    whole = _leader(race, stretch)
    if whole is not None:
        return [HandOver(race.places[whole])]
    first = _ahead(race.sizes(*stretch.at(stretch.a)))
    last = _ahead(race.sizes(*stretch.at(stretch.b)))
    if first is None or last is None or first == last:
        return None
    # the ratio of the two only rises, and no third is ahead of both
    sizes = race.sizes(*stretch.box)
    behind = (sizes < sizes[first]) | (sizes < sizes[last])
    growths = race.growths(*stretch.box)
    if not np.delete(behind, [first, last]).all() or not growths[last] > growths[first]:
        return None
    return [HandOver(race.places[first]), _crossing(race, stretch, first, last)]


def _leader(race: Race, stretch: _Stretch) -> int | None:
    """Who leads all along; equal ones at the very start are told by their gains."""
    sizes = race.sizes(*stretch.box)
    clear = _ahead(sizes)
    if clear is not None or not (stretch.a == 0 and stretch.x == 0):
        return clear
    gains = race.gains(*stretch.box)
    product = abs(race.product)
    for j in range(sizes.size):
        equal = (product == product[j]) & (gains < gains[j])
        if np.delete((sizes < sizes[j]) | equal, j).all():
            return j
    return None


def _ahead(sizes: Row) -> int | None:
    """Who is certainly ahead of all others."""
    first = int(sizes.astype(float).argmax())
    clear = np.delete(sizes < sizes[first], first).all()
    return first if clear else None


def _crossing(
    race: Race,
    stretch: _Stretch,
    first: int,
    last: int,
) -> HandOver:
    """The enclosure of the one crossing, as close as the tube tells the two apart."""

    def edge(ahead: int, good: arb, bad: arb) -> arb:
        """The place nearest the bad end, by bisection, where one of the two is ahead."""
        for _ in range(CLOSE):
            middle = ((good + bad) / 2).mid()
            sizes = race.sizes(*stretch.at(middle))
            if sizes[ahead] > sizes[first + last - ahead]:
                good = middle
            else:
                bad = middle
        return good

    low = edge(first, stretch.a, stretch.b)
    high = edge(last, stretch.b, low)
    down = nextafter(float((stretch.x + low).lower()), -inf)
    up = nextafter(float((stretch.x + high).upper()), inf)
    return HandOver(race.places[last], down, up)
