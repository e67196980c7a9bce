"""A rule of the user's own: any function from gradients to ascent steps."""

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from flowsam.errors import InputError, InputTypeError
from flowsam.inputs import keep, real_array
from flowsam.perturbations import Perturbation
from flowsam.shapes import Thetas


class Own(Perturbation):
    """A rule of the user's own, from gradients to ascent steps; its rho and p are nan."""

    ask: Callable[..., Any]
    title: str
    late: ClassVar[float] = 300.0  # to which squares of gradients are doubles

    def __init__(self, ask: Callable[..., Any], name: str) -> None:
        keep(self, p=math.nan, rho=math.nan, normalised=False, adaptive=False)
        keep(self, ask=ask, title=name)

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.title

    def __eq__(self, other: object) -> bool:
        """Equal rules ask the same function."""
        return type(other) is Own and other.ask == self.ask

    def __hash__(self) -> int:
        """Hash of the function."""
        return hash(self.ask)

    def __repr__(self) -> str:
        """Return the name."""
        return self.title

    def step(self, g: Thetas) -> Thetas:
        """Return the user's step, or say what else it is; nan where gradients are not finite."""
        beyond = ~np.isfinite(g).all(axis=(-2, -1), keepdims=True)  # a trial of a step
        if beyond.any():
            return np.where(beyond, np.nan, self.step(np.where(beyond, 1.0, g)))
        step = real_array(self.ask(g), f"the step of {self.title}")
        if step.shape != g.shape:
            raise InputError(
                f"the step of {self.title} needs the shape of the gradients, {g.shape}, got "
                f"{step.shape}; rules broadcast over batches"
            )
        return step


def as_rule(rule: object) -> object:
    """Return a rule as it is, or the one that a callable, or an object with `step`, stands for."""
    if isinstance(rule, Perturbation):
        return rule
    if getattr(rule, "__module__", "") == Perturbation.__module__:  # what makes rules
        name = getattr(rule, "__name__", rule)
        raise InputTypeError(
            f"Flow needs a rule, got the function {name}; call it: linf(1.0)"
        )
    ask = getattr(rule, "step", rule)
    if not callable(ask):
        return rule
    return Own(
        ask, str(getattr(rule, "name", getattr(rule, "__name__", type(rule).__name__)))
    )
