"""Tubes and their checker, which follows nothing.

On a step of width h the state, within radius_0 of p at first, stays within radius_1: a tube, if

    radius_1 > (radius_0 + h d) exp(h g),  |p' - slope(p)| <= d,

on every step, g >= 0 the mean of bounds of the logarithmic norm of the Jacobian (of the maximum
norm) on parts of it, for then |y - p|' <= g |y - p| + d. (derivations/proved_labels.py)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain

from flowsam.certify.balls import (
    Written,
    arb,
    arb_poly,
    arb_series,
    around,
    jet,
    precision,
)
from flowsam.certify.l2_equation import TwoLayers
from flowsam.certify.lp_equation import Layers

MORE = 2  # terms of the defect beyond the degree of the polynomial
PARTS = 2  # of a step, each bounded alone
GUARD = 32  # bits beyond those of the prover

Field = TwoLayers | Layers  # y' = slope(x, y), analytic, and the states that decide


@dataclass(frozen=True)
class Step(Written):
    """One stretch of a tube, all numbers exact."""

    width: arb
    centre: tuple[tuple[arb, ...], ...]  # a polynomial a component, lowest first
    radius: tuple[arb, arb]  # at the two ends


@dataclass(frozen=True)
class Tube(Written):
    """Steps, one after the other from 0 on, and the bits they were made with."""

    steps: tuple[Step, ...] = field(repr=False)
    bits: int


def value_at(row: Sequence[arb], place: arb) -> arb:
    """Return a polynomial's value."""
    return arb_poly([*row])(place)


class Refused(ValueError):
    """A proof that does not hold, and where."""


class Unproved(ValueError):
    """Why there is no proof."""


@dataclass(frozen=True)
class End:
    """Where a tube ends: the state is within a radius of the centre."""

    x: arb
    centre: list[arb]
    radius: arb

    @property
    def balls(self) -> list[arb]:
        """Return balls around the state."""
        return [around(c, self.radius) for c in self.centre]


def checked(field: Field, tube: Tube) -> End:
    """Return the end of a tube that holds, or raise `Refused`."""
    with precision(tube.bits + GUARD):
        end = End(arb(0), list(field.start), arb(0))
        for k, step in enumerate(tube.steps):
            why = _fault(field, end, step)
            if why:
                raise Refused(f"step {k + 1} {why}")
            centre = [value_at(row, step.width) for row in step.centre]
            end = End(end.x + step.width, centre, step.radius[1])
        return end


def _fault(field: Field, end: End, step: Step) -> str:
    """What is wrong with a step from the end of the one before."""
    numbers = chain([step.width], step.radius, *step.centre)
    exact = all(c.is_exact() and c.is_finite() for c in numbers)
    degrees = {len(row) for row in step.centre}
    fits = len(step.centre) == len(end.centre) and len(degrees) == 1
    if not (exact and fits and step.width > 0 and step.radius[0] >= 0):
        return "is not one: a width, polynomials, radii"
    for row, centre in zip(step.centre, end.centre, strict=True):
        if not abs(row[0] - centre) + end.radius <= step.radius[0]:
            return "does not contain the end before it"
    first, last = step.radius
    growth = (step.width * growth_along(field, end.x, step)).exp()
    defect = step.width * defect_along(field, end.x, step)
    rises = last > (first + defect) * growth
    return "" if rises else "is not a tube: its radius rises too slowly"


def defect_along(field: Field, x: arb, step: Step) -> arb:
    """Return a bound of |p' - slope(p)| on a step."""
    half = step.width / (2 * PARTS)
    bound = arb(0)
    for k in range(PARTS):
        middle = (2 * k + 1) * half
        near = _rest(field, x, step, middle, half)
        far = _rest(field, x, step, around(middle, half), half)
        for terms, last in zip(near, far, strict=True):
            size = sum(map(abs, terms[:-1])) + abs(last[-1])
            bound = bound.max(size.upper())
    return bound


def _rest(
    field: Field,
    x: arb,
    step: Step,
    at: arb,
    unit: arb,
) -> list[list[arb]]:
    """The coefficients of p' - slope(p) about a place, or a ball of places, in a unit of time."""
    order = len(step.centre[0]) + MORE
    place = arb_poly([at, unit])
    states = [arb_series(arb_poly([*row])(place), order) for row in step.centre]
    slopes = field.slope(jet(x + at, order, unit), states)
    pairs = zip(states, slopes, strict=True)
    rests = [state.derivative() / unit - slope for state, slope in pairs]
    return [[rest[k] for k in range(order - 1)] for rest in rests]


def growth_along(field: Field, x: arb, step: Step) -> arb:
    """Return the mean of bounds, not below 0, of the growth in the parts of a step's tube."""
    half = step.width / (2 * PARTS)
    total = arb(0)
    for k in range(PARTS):
        piece = around((2 * k + 1) * half, half)
        box = [around(value_at(row, piece), step.radius[1]) for row in step.centre]
        total += growth_in(field, x + piece, box).max(arb(0))
    return (total / PARTS).upper()


def growth_in(field: Field, x: arb, box: list[arb]) -> arb:
    """Return a bound of the logarithmic norm of the Jacobian in a box."""
    time = arb_series([x], 2)
    sums = [arb(0)] * len(box)
    for j in range(len(box)):
        moved = [arb_series([c, int(i == j)], 2) for i, c in enumerate(box)]
        for i, slope in enumerate(field.slope(time, moved)):
            sums[i] += slope[1] if i == j else abs(slope[1])
    return reduce(arb.max, sums)
