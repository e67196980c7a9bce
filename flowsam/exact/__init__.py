"""Solved cases, one file each: pure functions of arrays, in rescaled time, for one example.

A case reads starts, as an object with `weights`, `blow_up_time`, `zero_time` and `events`, and has
`applies` if it needs equal layers; a `Form` is a case with the radius it holds with. Which forms a
flow has at its depth, the table of `regimes` says.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowsam.events import Event
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.perturbations import Perturbation
from flowsam.shapes import (
    Column,
    Labels,
    Masks,
    Numbers,
    Starts,
    Theta,
    Thetas,
    Vector,
    Which,
)

__all__ = [
    "ALONE",
    "BALANCED",
    "DEEP",
    "L2",
    "TWO_LAYERS",
    "Form",
    "Solution",
    "solution",
    "winning",
]


@dataclass(frozen=True)
class Form:
    """A closed form: a solved case of l_inf or l_2 with the radius it holds with.

    Parameters
    ----------
    name : str
        The module of the case.
    even : bool
        Whether it needs equal |w| in the layers of each coordinate, as its `applies` tells.
    alone : bool
        Whether it needs one active coordinate, balanced, and holds with its gate rho L^(-1/p):
        of L gradient components of one size, each weight is moved by as much.
    short : bool
        Whether the solution is unique up to `valid_until` only.
    traced : bool
        Whether it has `path`, states and events of one start by one integration.

    Examples
    --------
    >>> from flowsam import l2
    >>> ALONE.radius(l2(1.0), 4), ALONE.applies(np.ones((4, 2)), np.array([2.0, 0.0]))
    (0.5, array(True))
    """

    name: str
    even: bool = False
    alone: bool = False
    short: bool = False
    traced: bool = False

    @property
    def case(self) -> ModuleType:
        """The module."""
        return import_module(f"flowsam.exact.{self.name}")

    def applies(self, starts: Thetas, mu: Vector) -> Which:
        """Tell which starts (..., L, d) it covers, shape (...)."""
        found = np.full(starts.shape[:-2], not self.even)
        if self.even and not (self.alone and np.count_nonzero(mu) != 1):
            found = self.case.applies(starts, mu)
        return found

    def radius(self, rule: Perturbation, depth: int) -> float:
        """Return the radius it holds with."""
        return rule.gate(depth) if self.alone else rule.rho

    def read(self, flow: Flow, starts: Thetas) -> Any:
        """Return the solved starts of a flow."""
        rho = self.radius(flow.perturbation, starts.shape[-2])
        return self.case.read(starts, flow.mu, rho)

    def time(self, flow: Flow, starts: Thetas) -> Numbers:
        """Return the first blow-up, or without one the time at which the last coordinate rests."""
        solved = self.read(flow, starts)
        rest = np.where(flow.mu == 0, 0.0, solved.zero_time).max(axis=-1)
        return np.minimum(solved.blow_up_time.min(axis=-1), rest)


ALONE = Form("linf_balanced", even=True, alone=True)
BALANCED = Form("linf_balanced", even=True)
TWO_LAYERS = Form("linf_two_layer")
DEEP = Form("linf_deep", short=True)
L2 = Form("l2_two_layer", traced=True)
EVENTS = ("blow_up_time", "zero_time", "events", "fate")  # asked of a case of l_inf


@dataclass(frozen=True, eq=False)
class Solution:
    """A closed form for one start.

    Parameters
    ----------
    name : str
        The solved case.
    states : callable
        `tau (k,) -> theta (k, L, d)`; frozen from a blow-up on, with the winner infinite.
    events : tuple of Event
        In order, none later than `blow_up`.
    blow_up : float
        First blow-up time; inf where there is none.
    valid_until : float
        Rescaled time at which the solution stops to be unique; inf where it never does.
    """

    name: str
    states: Callable[[Column], Starts]
    events: tuple[Event, ...]
    blow_up: float
    valid_until: float


def solution(
    form: Form,
    flow: Flow,
    theta0: Theta,
    *,
    until: float = math.inf,
) -> Solution:
    """Return a form at one start to the time asked for, frozen from the first blow-up on.

    Examples
    --------
    >>> from flowsam import Flow, linf, single_example
    >>> flow = Flow(single_example([1.0]), linf(1.0))
    >>> [event.kind for event in solution(BALANCED, flow, np.full((2, 1), 0.5)).events]
    ['zero', 'collapse']
    """
    solved = form.read(flow, theta0)
    if form.traced:
        path, events = solved.path(until)
        return Solution(form.name, path, events, math.inf, math.inf)
    blow_up = float(np.min(solved.blow_up_time))
    valid_until = float(solved.valid_until) if form.short else math.inf
    last = min(blow_up, valid_until)
    events = tuple(event for event in solved.events if event.tau <= last)
    rest = float(np.where(flow.mu == 0, 0.0, solved.zero_time).max())
    if rest <= blow_up and rest < valid_until:
        events = (*events, Event(rest, "collapse"))

    def states(tau: Column) -> Starts:
        return solved.weights(np.minimum(tau, blow_up))

    return Solution(form.name, states, events, blow_up, valid_until)


def functions_of(
    read: Callable[[ArrayLike, ArrayLike, float], Any], *names: str
) -> list[Callable[..., Any]]:
    """Return `weights(theta0, mu, *, rho, tau)`, and `name(theta0, mu, *, rho)` of each name."""

    def weights(theta0: ArrayLike, mu: ArrayLike, *, rho: float, tau: ArrayLike) -> Any:
        return read(theta0, mu, rho).weights(tau)

    def asked(name: str) -> Callable[..., Any]:
        def answer(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Any:
            return getattr(read(theta0, mu, rho), name)

        return answer

    return [weights, *(asked(name) for name in names)]


def winning(ahead: Masks, other: Labels | int) -> Labels:
    """Return who is ahead alone, counted from 1; TIE of several, and `other` where nobody is."""
    found = np.where(ahead.sum(axis=-1) > 1, int(Label.TIE), ahead.argmax(axis=-1) + 1)
    return np.where(ahead.any(axis=-1), found, other)
