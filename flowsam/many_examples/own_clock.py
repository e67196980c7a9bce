"""Many examples at late times under a field of the user's own: its slopes are differences."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.optimize import approx_fprime

from flowsam.engines.lean_field import single_rates
from flowsam.engines.path import Entry
from flowsam.engines.stepping import March
from flowsam.many_examples.log_clock import LogClock
from flowsam.shapes import Float, Jacobian, State, Theta

_STEP = 1e-7  # of differences


@dataclass(frozen=True, eq=False)
class OwnClock(LogClock):
    """A field of the user's own in the clock T: no rest, no collapse, no slopes are known."""

    few = False  # its slopes are differences

    @cached_property
    def speeds(self) -> Callable[[Theta], tuple[Theta, Any]]:
        """The flow's `rates`."""
        return single_rates(self.flow)

    def jacobian(self, log_t: float, state: State) -> Jacobian:
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
