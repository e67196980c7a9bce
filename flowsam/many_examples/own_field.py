"""Several examples under a rule or a field of the user's own: steps, and nothing assumed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import approx_fprime

from flowsam.engines.path import Entry
from flowsam.engines.stepping import March
from flowsam.many_examples.log_clock import LogClock
from flowsam.shapes import Float

__all__ = ["own_run"]

State = Float[np.ndarray, " m"]
_STEP = 1e-7  # of differences


@dataclass(frozen=True, eq=False)
class OwnClock(LogClock):
    """A field of the user's own in the clock T: no rest, no collapse, no slopes are known."""

    def jacobian(self, log_t: float, state: State) -> Float[np.ndarray, "m m"]:
        """Return the derivative of `rates` by the state, by differences."""
        step = _STEP * np.maximum(np.abs(state), 1e-3)
        return np.atleast_2d(approx_fprime(state, lambda x: self.rates(log_t, x), step))

    def signals(
        self, log_t: float, state: State, mode: None
    ) -> Float[np.ndarray, " 0"]:
        """Return no signals."""
        return np.empty(0)

    def calm(self, log_t: float, state: State, mode: None) -> bool:
        """Tell that nothing happens."""
        return True

    def begun(self) -> Entry:
        """Return mode, events and status of the start: to go on."""
        return Entry(None)

    def ended(self, found: March) -> March:
        """Return a run as it is."""
        return found


own_run = OwnClock.run
