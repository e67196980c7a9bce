"""A tube: on a step of width h the state is within radius_0 + (radius_1 - radius_0) t/h of p(t)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from flowsam.certify.balls import Place, arb, number, text

__all__ = ["Field", "Step", "Tube", "value_at"]


@runtime_checkable
class Field(Protocol):
    """An equation y' = slope(x, y), analytic, and the states that decide."""

    @property
    def start(self) -> tuple[arb, ...]:
        """Return y(0)."""

    @property
    def units(self) -> tuple[float, ...]:
        """Return a small size of each component."""

    @property
    def patience(self) -> float:
        """Return the share of x below which a step is none."""

    def slope(self, x: Place, y: Sequence[Place]) -> list[Any]:
        """Return the derivative, of series or of numbers."""

    def decided(self, x: arb, y: Sequence[arb]) -> int | None:
        """Return the label that a ball of states proves, or None."""


@dataclass(frozen=True)
class Step:
    """One stretch of a tube, all numbers exact."""

    width: arb
    centre: tuple[tuple[arb, ...], ...]  # a polynomial a component, lowest first
    radius: tuple[arb, arb]  # at the two ends

    def facts(self) -> dict[str, Any]:
        """Return the step as text."""
        return {
            "width": text(self.width),
            "radius": [text(r) for r in self.radius],
            "centre": [[text(c) for c in row] for row in self.centre],
        }

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Step:
        """Return the step of a text."""
        first, last = facts["radius"]
        rows = (tuple(map(number, row)) for row in facts["centre"])
        radius = (number(first), number(last))
        return cls(number(facts["width"]), tuple(rows), radius)


@dataclass(frozen=True)
class Tube:
    """Steps, one after the other from 0 on, and the bits they were made with."""

    steps: tuple[Step, ...]
    bits: int

    def facts(self) -> dict[str, Any]:
        """Return the tube as text."""
        steps = [step.facts() for step in self.steps]
        return {"bits": self.bits, "steps": steps}

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Tube:
        """Return the tube of a text."""
        steps = tuple(map(Step.of, facts["steps"]))
        return cls(steps, int(facts["bits"]))


def value_at(row: Sequence[arb], place: Place) -> Any:
    """Return a polynomial's value, at a number or a series."""
    value: Place = arb(0)
    for coefficient in reversed(row):
        value = value * place + coefficient
    return value
