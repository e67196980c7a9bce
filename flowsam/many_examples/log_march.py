"""How a system in the clock T = log(1 + t) is integrated: explicit steps early, implicit late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

from flowsam.engines.stepping import METHODS, March, Tolerances, march

__all__ = ["COLLAPSED", "LARGE", "STIFF", "marched", "stop_at"]

LARGE = 250  # weights: beyond, the dense algebra of an implicit step costs more than its stride
STIFF = {False: 10.0, True: 3.0}  # log t up to which explicit steps pay, by rho > 0: measured
COLLAPSED = 1e-8  # gradient norm over its start, to the power L - 1


@dataclass(frozen=True)
class _Methods(Tolerances):
    """Explicit steps early, implicit ones late, where `method` is "auto"; the same else."""

    def stepper(self, rhs: Any, start: tuple[float, State, Any], end: float, last: Any) -> Any:
        """Return a SciPy step object for one stretch of the run."""
        named = {"early": "DOP853", "late": "Radau"}.get(start[2], self.method)
        fixed = Tolerances(named, self.rtol, self.atol, self.jac)
        return fixed.stepper(rhs, start, end, last)


def marched(
    system: Any,
    start: tuple[Float[np.ndarray, " m"], str, str],
    *,
    end: tuple[float, str],
    tolerances: tuple[float, Any],
) -> tuple[March, tuple[int, int], str]:
    """Return the first fields of a `LateRun`, from a state, a method and a status at T = 0."""
    state, method, status = start
    value, clock_name = end
    mode = method if method in METHODS else "DOP853" if state.size > LARGE + 1 else "early"
    in_log_t = clock_name == "log_t_end"
    path = march(
        system,
        (state, mode, status),
        end=value if in_log_t else np.inf,
        tolerances=_Methods(mode, *tolerances, lambda mode: system.jacobian),
        stop=None if in_log_t else stop_at(value),
    )
    return path, system.theta0.shape, "DOP853, Radau" if mode == "early" else mode


def stop_at(tau_end: float) -> Callable[[float, float, Any], float | None]:
    """Return a stop for `march` at a rescaled time."""

    def stop(left: float, right: float, dense: Any) -> float | None:
        if dense(right)[-1] < tau_end:
            return None
        return float(brentq(lambda x: dense(x)[-1] - tau_end, left, right, rtol=8.9e-16))

    return stop
