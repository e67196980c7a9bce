"""Where the leader of a run changes, stretch by stretch of its tube, in balls."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nextafter

from flowsam.certify.balls import arb, around
from flowsam.certify.checking import Refused
from flowsam.certify.leader_race import Contender, Race
from flowsam.certify.tubes import Step, Tube, value_at

__all__ = ["HandOver", "hand_overs"]

NARROW = 2.0**-50  # of a step: a stretch in which the proof is given up
CLOSE = 60  # halvings of the enclosure of a crossing


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
    stretch: _Stretch, pair: tuple[Contender, Contender], ends: tuple[arb, arb]
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
