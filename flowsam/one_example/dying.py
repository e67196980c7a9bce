"""l_p-SAM with 2 < p < inf, one example: weights that are slaves, features that die."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowsam.engines.deaths import Deaths, Roles
from flowsam.engines.path import Entry, Turn
from flowsam.flow import Flow
from flowsam.one_example.smooth import Smooth
from flowsam.shapes import Float, Theta, Thetas


@dataclass(frozen=True)
class Dying(Smooth):
    """A flow without slaves and dead features; a mode says which those are."""

    floor: float  # size at which a feature is dead, and error of a slave
    low: float

    @classmethod
    def of(cls, flow: Flow, small: float) -> Dying:
        """Return the velocity of a flow whose features die below `small`."""
        return cls(flow, small, Deaths(flow, small).low)

    @cached_property
    def deaths(self) -> Deaths:
        """What changes the roles of weights."""
        return Deaths(self.flow, self.floor)

    def start(self, theta: Theta) -> Entry:
        """Return the mode of a start, with the features that are dead."""
        return self.deaths.start(theta)

    def rates(self, mode: Roles) -> Callable[[Theta], Theta]:
        """Return `field` in one region, the flow's own where all weights are free."""
        return self.velocity if mode.free.all() else super().rates(mode)

    def field(self, theta: Theta, mode: Roles) -> Theta:
        """Return the rescaled velocity; slaves and dead features are not integrated."""
        shown = self.deaths.shown(theta, mode.slaves)
        return np.where(mode.free, self.velocity(shown), 0.0)

    def shown(self, theta: Thetas, mode: Roles) -> Thetas:
        """Return the weights of states: slaves are read off their masters."""
        if theta.ndim < 3:
            return self.deaths.shown(theta, mode.slaves)
        if not mode.slaves.any():
            return theta
        shown = self.deaths.shown
        return np.array([shown(state, mode.slaves) for state in theta])

    def signals(self, theta: Theta, mode: Roles) -> Float[np.ndarray, " 2*d"]:
        """Return how far off are new roles and deaths."""
        return self.deaths.signals(self.shown(theta, mode), mode.slaves).ravel()

    def catches(self, before: Theta, after: Theta, mode: Roles) -> bool:
        """Tell whether a weight that turned in a step was to stay."""
        return bool(self.deaths.catches(before, after, mode.slaves))

    def transition(self, theta: Theta, mode: Roles, tau: float) -> Turn:
        """Return state, mode and events after a weight changed its role or a feature died."""
        return self.deaths.turn(self.shown(theta, mode), mode, tau)

    def rests(self, theta: Theta, mode: Roles) -> bool:
        """Tell whether every active feature has two weights at 0."""
        return self.deaths.ended(mode)

    def rested(self, mode: Roles) -> Roles:
        """Return a mode in which none is a slave."""
        return mode._replace(slaves=np.zeros_like(mode.slaves))
