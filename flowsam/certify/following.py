"""The prover: a tube by Taylor's method until it decides; whether it holds `checking` says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import mul
from typing import TypeVar

from flowsam.certify.balls import arb, arb_series, jet, precision
from flowsam.certify.checking import (
    End,
    Field,
    Refused,
    Step,
    Tube,
    Unproved,
    defect_along,
    growth_along,
    growth_in,
    value_at,
)
from flowsam.certify.l2_equation import TwoLayers

SLACK = 1.02  # the checker asks for more than equality
SHORTER = 0.75
TRIES = 20
STEEP = 0.7  # growth over a step
RISE = 2.1  # of the radius over a step, at most: exp(SLACK STEEP), but for the defect
WIDE = 0.02  # radius, in units of the field, from where a tube decides nothing
NARROW = 2.0**-10  # share of that radius up to which it is not what stops a step
SMALL = 1e-300

Found = TypeVar("Found")


@dataclass(frozen=True)
class Level:
    """How exactly to follow."""

    order: int  # degree of the polynomials
    bits: int  # a step may move the state by 2^-bits units
    steps: int = 600

    @property
    def precision(self) -> int:
        """Return the bits to work with."""
        return self.bits + 48


LEVELS = (Level(10, 24), Level(24, 72), Level(32, 108), Level(44, 176))


def first_that_holds(
    field: Callable[[], Field],
    levels: Sequence[Level],
    prove: Callable[[Tube], Found],
    why: str,
) -> Found:
    """Return what the first tube proves that holds, its equation made anew at each level."""
    refused = None
    for level in levels:
        with precision(level.precision):
            tube = follow(field(), level)
        try:
            if tube is not None:
                return prove(tube)
        except Refused as error:
            refused = error
    raise refused or Unproved(why)


def follow(field: Field, level: Level) -> Tube | None:
    """Return a tube whose end decides, or None where it is too wide or long."""
    enough = WIDE * min(field.units, default=1.0)
    end = End(arb(0), list(field.start), arb(0))
    steps: list[Step] = []
    while len(steps) < level.steps and end.radius < enough:
        if field.decided(end.x, end.balls) is not None:
            return Tube(tuple(steps), level.precision)
        step = _step(field, end, level)
        if step is None or not step.width > field.patience * end.x:
            if end.radius > NARROW * enough:
                return None
            raise Unproved(
                f"no step passes tau = {float(end.x):.6g}, where the field is not analytic"
            )
        steps.append(step)
        end = _after(end, step)
    return None


def _after(end: End, step: Step) -> End:
    """The next centre and radius: roundings of the centre are added to the radius."""
    centre = [value_at(row, step.width) for row in step.centre]
    lost = max((c.rad() for c in centre), key=float)
    radius = (step.radius[1] + 2 * lost).upper()
    return End((end.x + step.width).mid(), [c.mid() for c in centre], radius)


def _step(field: Field, end: End, level: Level) -> Step | None:
    """The next stretch."""
    x = end.x
    first = end.radius
    centre = tuple(map(tuple, _taylor(field, end, level.order)))
    width = _width(field, centre, level, growth_in(field, x, end.balls))
    enough = min(field.units) * 2.0**-level.bits
    for _ in range(TRIES):
        step = Step(width, centre, (first, RISE * first))
        growth = growth_along(field, x, step)
        if growth * width < STEEP:
            defect = defect_along(field, x, step)
            if defect * width < enough:
                last = _widened(first, width, growth, defect)
                return Step(width, centre, (first, last))
        width = (width * SHORTER).mid()
    return None


def _widened(first: arb, width: arb, growth: arb, defect: arb) -> arb:
    """The radius at the end of a step."""
    growth = SLACK * growth * width
    return ((first + SLACK * width * defect) * growth.exp()).upper()


def _taylor(field: Field, end: End, order: int) -> list[list[arb]]:
    """Coefficients of the solution from a centre."""
    rows = [[c] for c in end.centre]
    while len(rows[0]) <= order:
        if isinstance(field, TwoLayers):
            rows[0] += _doubled(field, end.x, rows[0], order)
        else:
            _lengthen(field, end.x, rows)
    return rows


def _lengthen(field: Field, x: arb, rows: list[list[arb]]) -> None:
    """One coefficient more of each component, by a Picard iteration."""
    k = len(rows[0])
    series = [arb_series(row, k) for row in rows]
    slopes = field.slope(jet(x, k), series)
    for row, slope in zip(rows, slopes, strict=True):
        row.append((slope[k - 1] / k).mid())


def _doubled(field: TwoLayers, x: arb, row: list[arb], order: int) -> list[arb]:
    """As many again: p + u solves the equation, u' = J u + slope(p) from the degree of p on."""
    known = len(row)
    length = min(2 * known, order + 1)
    near = arb_series(row, length)
    slope, jacobian = field.slope_and_jacobian(jet(x, length), near)
    found: list[arb] = []
    for k in range(known, length):
        pull = sum(map(mul, jacobian, reversed(found)), slope[k - 1])
        found.append((pull / k).mid())
    return found


def _width(
    field: Field,
    centre: tuple[tuple[arb, ...], ...],
    level: Level,
    growth: arb,
) -> arb:
    """A width, of few digits, at which the last terms and the growth are small enough."""
    sizes = [STEEP / max(float(growth), SMALL)]
    for row, unit in zip(centre, field.units, strict=True):
        for k in (level.order, level.order - 1):
            last = max(abs(float(row[k])), SMALL)
            sizes.append((unit * 2.0**-level.bits / last) ** (1 / k))
    return arb(float(f"{min(sizes):.3g}"))
