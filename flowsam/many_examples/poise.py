"""Where a run rests because the gradient at theta_hat is 0, and not that at theta."""

import math
from typing import Any

import numpy as np

from flowsam.many_examples.rest import AT_REST, SMALL, cancelled, next_move
from flowsam.shapes import Float, State

TINY = 1e-6  # of the largest weight: what is smaller dies or grows, by its own rate
_TURNS = 0.1  # of N over what it cancels from: a move that turns the ascent step
_ZERO = 1e-10  # of the largest eigenvalue: rounding of 0, where rests are not isolated
_PAUSE = 0.1  # of T between two looks, for rest is judged by the next unit of T


# large radii lead there: theta_hat lies across a valley, where what lives is at a minimum
class Poise:
    """The looks of a run for such a rest, at ends of its steps."""

    def __init__(self, system: Any) -> None:
        self.system = system
        self.next = _PAUSE
        self.found = math.inf  # T of the rest

    def seen(self, log_t: float, state: State, mode: Any) -> bool:
        """Look, unless the last look was just before, and tell whether the run rests."""
        if self.system.shallow or not self.system.flow.perturbation.perturbs:
            return False
        if log_t >= self.next:
            self.next = log_t + _PAUSE
            if self._rests(log_t, state, mode):
                self.found = log_t
        return bool(self.found <= log_t)

    def signal(self, log_t: float) -> float:
        """Return what is negative from the rest on."""
        return 1.0 if log_t < self.found else -1.0

    def _rests(self, log_t: float, state: State, mode: Any) -> bool:
        """Return whether theta_hat alone is critical, nothing moves and nothing leaves."""
        system = self.system
        norm, most = system.ascended(state)
        if not norm <= SMALL * most:
            return False
        norm, most = cancelled(system.flow, system.weights(state))
        if norm <= AT_REST * most:
            return False
        rates = system.rhs(mode)(log_t, state)[:-1]
        numbers = state[:-1]
        tiny = system.tiny(numbers)
        # it would be seen only once it is large
        if (system.growth(rates, numbers)[tiny] > 0).any():
            return False
        slope = system.jac(mode)(log_t, state)[:-1, :-1]
        unmoved = min(10 * system.rtol, _TURNS * norm / most)
        far = system.largest(next_move(slope, rates), numbers) > unmoved
        return not far and attracts(slope[~tiny][:, ~tiny])


def attracts(slope: Float[np.ndarray, "k k"]) -> bool:
    """Return whether a rest is known not to be left at the least disturbance."""
    if not np.isfinite(slope).all():
        return False
    real = np.linalg.eigvals(slope).real
    return bool((real <= _ZERO * np.abs(real).max(initial=0.0)).all())
