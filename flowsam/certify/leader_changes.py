"""Who leads in a tube of l_2-SAM at L = 2, for how long, and where the leader changes, in balls.

    4 |beta_j| = |s_j^2 e^{2 mu_j tau} - e_j^2 e^{-2 mu_j tau}| e^{-2 mu_j^2 A}

(derivations/proved_labels.py)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, nextafter

from flowsam.certify.balls import arb, around, rational
from flowsam.certify.checking import Refused, Step, Tube, value_at
from flowsam.certify.l2_equation import TwoLayers, two_layers
from flowsam.labels import Label

NARROW = 2.0**-50  # of a step: a stretch in which the proof is given up
CLOSE = 60  # halvings of the enclosure of a crossing


@dataclass(frozen=True, eq=False)
class Contender:
    """One coordinate."""

    place: int
    speed: arb  # |mu_j|
    # s_j(0)^2 and e_j(0)^2, exchanged where mu_j < 0; times |mu_j| for contributions
    grows: arb
    shrinks: arb
    product: Fraction  # sign(mu_j) u_j v_j, times |mu_j| there: the start, exactly

    def parts(self, tau: arb, a: arb) -> tuple[arb, arb]:
        """Return s_j^2 and e_j^2 at a point or in a box."""
        m = self.speed
        return (
            self.grows * (2 * m * (tau - m * a)).exp(),
            self.shrinks * (-2 * m * (tau + m * a)).exp(),
        )

    def size(self, tau: arb, a: arb) -> arb:
        """Return 4 |beta_j|."""
        grows, shrinks = self.parts(tau, a)
        return abs(grows - shrinks)

    def gain(self, tau: arb, a: arb, pull: arb) -> arb:
        """Return twice |beta_j|', given rho/N; nan where its sign is not sure."""
        grows, shrinks = self.parts(tau, a)
        gain = self.speed * (grows + shrinks) - self.speed**2 * pull * (grows - shrinks)
        if self.product == 0 and gain > 0:
            return gain
        if self.product > 0 and grows > shrinks:
            return gain
        return -gain if self.product < 0 and grows < shrinks else arb("nan")

    def rate(self, tau: arb, a: arb, pull: arb) -> arb:
        """Return half of d log|beta_j|/dtau, given rho/N."""
        grows, shrinks = self.parts(tau, a)
        share = (grows + shrinks) / (grows - shrinks)
        return self.speed * share - self.speed**2 * pull


@dataclass(frozen=True)
class Race(TwoLayers):
    """A start's equation, followed until its last leader leads for good."""

    contenders: tuple[Contender, ...]

    def decided(self, x: arb, y: Sequence[arb]) -> int | None:
        """Return the place of the coordinate that leads for good, or None."""
        label = super().decided(x, y)
        if label is None:
            return None
        # ahead of max(s_k^2, e_k^2) of every other, the leader grows fastest or falls slowest
        a = y[0]
        first = max(self.contenders, key=lambda c: float(c.size(x, a)))
        others = [c for c in self.contenders if c is not first]
        grows, shrinks = first.parts(x, a)
        if not grows > shrinks:
            return None
        falls = label == Label.ZERO
        norm = 1 / self.pull(x, a)
        ahead = all(grows - shrinks > part for c in others for part in c.parts(x, a))
        lasts = all(_lasts(first, c, norm, falls=falls) for c in others)
        return first.place if ahead and lasts else None

    def pull(self, tau: arb, a: arb) -> arb:
        """Return rho/N."""
        return self.slope(tau, [a])[0]


def _lasts(first: Contender, other: Contender, norm: arb, *, falls: bool) -> bool:
    """Whether another never falls more slowly, or, as N rises for good, grows faster."""
    if falls:
        return bool(first.speed <= other.speed)
    slower = other.speed <= first.speed or other.grows == 0
    return bool(slower and norm >= first.speed + other.speed)


def race(
    theta: Sequence[Sequence[float]],
    mu: Sequence[float],
    rho: float,
    *,
    weighted: bool,
) -> Race:
    """Return the race of a start: coordinates that are equal for ever count as the first."""
    seen = set()
    contenders = []
    for j, (u, v, m) in enumerate(zip(*theta, mu, strict=True)):
        s = abs(Fraction(u) + Fraction(v))
        e = abs(Fraction(u) - Fraction(v))
        if m < 0:
            s, e = e, s
        kind = (abs(m), s, e)
        if m == 0 or kind in seen or not (s or e):
            continue
        seen.add(kind)
        weight = Fraction(abs(m)) if weighted else Fraction(1)
        grows = rational(weight * s * s)
        shrinks = rational(weight * e * e)
        product = weight * Fraction(u) * Fraction(v) * (1 if m > 0 else -1)
        size = abs(arb(m))
        contenders.append(Contender(j + 1, size, grows, shrinks, product))
    return Race(**vars(two_layers(theta, mu, rho)), contenders=tuple(contenders))


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
        stack = [_Stretch(x, step, arb(0), step.width)]
        while stack:
            stretch = stack.pop()
            new = _of_stretch(race, stretch)
            if new is None:
                if not stretch.b - stretch.a > NARROW * step.width:
                    raise Refused(
                        f"the leader near tau = {float(stretch.x):g} is not clear"
                    )
                stack += stretch.halves()[::-1]
                continue
            found += [n for n in new if not found or n.place != found[-1].place]
        x = x + step.width
    return found


def _of_stretch(race: Race, stretch: _Stretch) -> list[HandOver] | None:
    """The leader of a stretch, or both; None where it has to be halved."""
    whole = _leader(race, stretch)
    if whole:
        return [HandOver(whole.place)]
    first = _ahead(race, stretch.at(stretch.a))
    last = _ahead(race, stretch.at(stretch.b))
    if first is None or last is None or first is last:
        return None
    if not _once(race, stretch, (first, last)):
        return None
    return [HandOver(first.place), _crossing(stretch, first, last)]


def _once(race: Race, stretch: _Stretch, pair: tuple[Contender, Contender]) -> bool:
    """Whether the ratio of a pair only rises, and no third is ahead of both."""
    first, last = pair
    tau, a = stretch.box
    pull = race.pull(tau, a)
    ours = (first.size(tau, a), last.size(tau, a))
    third = [c.size(tau, a) for c in race.contenders if c not in pair]
    behind = all(size < ours[0] or size < ours[1] for size in third)
    return bool(behind and last.rate(tau, a, pull) > first.rate(tau, a, pull))


def _leader(race: Race, stretch: _Stretch) -> Contender | None:
    """Who leads all along; equal ones at the very start are told by their gains."""
    tau, a = stretch.box
    at_start = stretch.a == 0 and stretch.x == 0
    clear = _ahead(race, (tau, a))
    if clear or not at_start:
        return clear
    pull = race.pull(tau, a)
    sizes = [c.size(tau, a) for c in race.contenders]
    gains = [c.gain(tau, a, pull) for c in race.contenders]
    for j, one in enumerate(race.contenders):
        if all(
            sizes[j] > sizes[k]
            or (abs(one.product) == abs(other.product) and gains[j] > gains[k])
            for k, other in enumerate(race.contenders)
            if k != j
        ):
            return one
    return None


def _ahead(race: Race, place: tuple[arb, arb]) -> Contender | None:
    """Who is certainly ahead of all others at a point, or in a box."""
    sizes = [c.size(*place) for c in race.contenders]
    first = max(range(len(sizes)), key=lambda k: float(sizes[k]))
    others = sizes[:first] + sizes[first + 1 :]
    clear = all(sizes[first] > size for size in others)
    return race.contenders[first] if clear else None


def _crossing(stretch: _Stretch, first: Contender, last: Contender) -> HandOver:
    """The enclosure of the one crossing, as close as the tube tells the two apart."""
    low = _edge(stretch, (first, last), (stretch.a, stretch.b))
    high = _edge(stretch, (last, first), (stretch.b, low))
    down = nextafter(float((stretch.x + low).lower()), -inf)
    up = nextafter(float((stretch.x + high).upper()), inf)
    return HandOver(last.place, down, up)


def _edge(
    stretch: _Stretch,
    pair: tuple[Contender, Contender],
    ends: tuple[arb, arb],
) -> arb:
    """The place nearest the second end, by bisection, where the first of a pair is ahead."""
    good, bad = ends
    ahead, behind = pair
    for _ in range(CLOSE):
        middle = ((good + bad) / 2).mid()
        place = stretch.at(middle)
        if ahead.size(*place) > behind.size(*place):
            good = middle
        else:
            bad = middle
    return good
