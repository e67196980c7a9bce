"""Rules whose ascent step is continuous, as the stepper wants them: one region, no surfaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from flowsam.engines.lean_field import single_field
from flowsam.engines.path import Entry, Turn
from flowsam.events import Event
from flowsam.flow import Flow
from flowsam.shapes import Bool, Mask, Numbers, Signals, Thetas


@dataclass(frozen=True)
class Smooth:
    """The field of the flow itself, asked as `filippov.Switching` is; its mode is None."""

    flow: Flow
    low = 0.0  # size of the second layer of a feature with signals not far off

    @classmethod
    def of(cls, flow: Flow, small: float) -> Smooth:
        """Return the velocity of a flow; weights below `small` count as 0 where they die."""
        return cls(flow)

    def shown(self, theta: Thetas, mode: Any) -> Thetas:
        """Return the weights of states in a region."""
        return theta

    def start(self, theta: Thetas) -> Entry:
        """Return the mode of a start, its events, and a status ("" to go on)."""
        return Entry(None)

    def rates(self, mode: Any) -> Callable[[Thetas], Thetas]:
        """Return `field` in one region."""
        return lambda theta: self.field(theta, mode)

    def field(self, theta: Thetas, mode: Any) -> Thetas:
        """Return the rescaled velocity."""
        return self.velocity(theta)

    @cached_property
    def velocity(self) -> Callable[[Thetas], Thetas]:
        """The rescaled velocity of one state."""
        return single_field(self.flow)

    def signals(self, theta: Thetas, mode: Any) -> Signals:
        """Return no signals: nothing happens on the way."""
        return np.empty(0)

    def catches(self, before: Thetas, after: Thetas, mode: Any) -> bool:
        """Tell whether a weight that turned in a step was to stay: none here."""
        return False

    def transition(self, theta: Thetas, mode: Any, tau: float) -> Turn:
        """Return state, mode, events and status after an event: none happens here."""
        return Turn(theta, mode)

    def rests(self, theta: Thetas, mode: Any) -> bool:
        """Tell whether every active weight is at 0 for good: from L = 2 on the gradient is 0."""
        return len(theta) > 1 and not theta[:, self.flow.mu != 0].any()

    def rested(self, mode: Any) -> Any:
        """Return the mode after a collapse."""
        return mode

    def log_pace(self, theta: Thetas, still: Mask) -> Numbers:
        """Return log dt/dtau."""
        return -self.flow.log_lambda(theta)


@dataclass(frozen=True)
class Free(Smooth):
    """A field of the user's own, which may leave 0."""

    def rests(self, theta: Thetas, mode: Any) -> bool:
        """Return False: nothing is known to rest."""
        return False


def regrouped(
    before: Bool[np.ndarray, "*L d"] | None,
    after: Bool[np.ndarray, "*L d"],
    tau: float,
) -> tuple[Event, ...]:
    """Return who joined a tie ("slide"), took over alone ("cross"), or left a tie ("leave")."""
    several = after.sum() > 1
    if before is None:
        return Event.each("slide", tau, after & several)
    joined = Event.each("slide" if several else "cross", tau, after & ~before)
    several = before.sum() > 1
    return joined + Event.each("leave", tau, before & ~after & several)
