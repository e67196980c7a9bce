"""A solved path of several examples in the clock T = log(1 + t), and its rescaled times."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowsam.engines.stepping import March
from flowsam.many_examples.log_march import shows
from flowsam.shapes import Float

Points = Float[np.ndarray, " k"]


@dataclass(frozen=True, eq=False)
class LateRun:
    """A solved path in the clock T."""

    march: March  # path of the flat states, with status and work
    shown: Callable[[Any, Any], Any]  # (states (k, m), mode) -> theta (k, L, d)
    note: str = ""  # what the message of the run has to add
    # log dt/dtau beyond the end of a run that rests; None for that before it
    log_pace: float | None = None
    timed: Callable[[Any], Any] = np.asarray  # the last number of a state -> tau

    @property
    def edges(self) -> Points:
        """Values of T between steps, from 0 to the end."""
        return self.march.path.edges

    def states(self, log_t: Points) -> Float[np.ndarray, "k L d"]:
        """Return weights at values of T."""
        return self.march.path.seen(log_t, self.shown)

    def tau(self, log_t: Points) -> Points:
        """Return rescaled times at values of T."""
        return np.asarray(self.timed(self.march.path(log_t)[:, -1]))

    def flat(self, log_t: Points) -> Float[np.ndarray, "m k"]:
        """Return the states (theta, tau) at values of T, as a step gives them."""
        return np.vstack(
            [self.states(log_t).reshape(len(log_t), -1).T, self.tau(log_t)]
        )

    def log_t(self, tau: Points) -> Points:
        """Return the values of T at rescaled times inside the run: the inverse of `tau`."""
        ticks = self.tau(self.edges)
        owner = np.clip(np.searchsorted(ticks, tau), 1, len(ticks) - 1)
        left = self.edges[owner - 1]
        right = self.edges[owner]
        found = np.where(tau <= ticks[owner - 1], left, right)
        clock = lambda x: self.tau(np.array([x]))[0]  # noqa: E731
        for k in np.flatnonzero((tau > ticks[owner - 1]) & (tau < ticks[owner])):
            found[k] = shows(clock, tau[k], left[k], right[k])
        return found
