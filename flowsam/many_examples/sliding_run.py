"""Runs of l_inf-SAM with several examples: from event to event, then iterated if it must be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from flowsam.engines.path import Path
from flowsam.engines.stepping import METHODS, March, Tolerances, march
from flowsam.flow import Flow
from flowsam.many_examples.chatter import chatter_run
from flowsam.many_examples.log_clock import LateRun
from flowsam.many_examples.log_march import LARGE, STIFF, stop_at
from flowsam.many_examples.sliding import Sliding

__all__ = ["sliding_run"]


@dataclass(frozen=True)
class _Steps(Tolerances):
    """Explicit steps early and implicit ones late where `method` is "auto"; the same else."""

    def stepper(
        self, rhs: Any, start: tuple[float, Float[np.ndarray, " m"], Any], end: float, last: Any
    ) -> Any:
        """Return a SciPy step object, of an early stretch up to where implicit steps pay."""
        method, (x, state, _) = self.method, start
        if method not in METHODS:
            method = "DOP853" if x < STIFF[True] or state.size > LARGE else "Radau"
            end = min(end, STIFF[True]) if x < STIFF[True] else end
        return Tolerances(method, self.rtol, self.atol, self.jac).stepper(rhs, start, end, last)


def sliding_run(
    flow: Flow,
    theta0: Float[np.ndarray, "L d"],
    *,
    end: tuple[float, str],
    method: str = "auto",
    tolerances: tuple[float, float] = (1e-9, 1e-12),
) -> LateRun:
    """Integrate l_inf-SAM as Filippov's solution while that is unique, and iterate it from there.

    Parameters
    ----------
    flow : Flow
        l_inf, rho > 0, any number of examples.
    theta0 : ndarray, shape (L, d)
        Start.
    end : tuple of float and str
        The end and its clock: (1e4, "log_t_end") or (3.0, "tau_end").
    method : str
        The name of a `solve_ivp` method, or "auto": DOP853 to log t = 3 and Radau from there on
        (DOP853 alone beyond 250 weights).
    tolerances : tuple
        rtol and atol.

    Returns
    -------
    LateRun
        Events are located to rounding. Where the state would slide on two surfaces at once the
        run goes on as `chatter_run`, and its status and note are those of the iteration.

    Raises
    ------
    ValueError
        For a start on surfaces that do not say how to leave them, as `(alpha, 0)` at L = 2.

    Notes
    -----
    Derivation: derivations/discrete_to_flow.py.

    Examples
    --------
    >>> from flowsam import Data, linf
    >>> flow = Flow(Data([[1.0, 1.0], [1.0, -1.0]]), linf(0.3))
    >>> run = sliding_run(flow, np.array([[0.5, 0.2]]), end=(20.0, "log_t_end"))
    >>> run.march.status, [event.kind for event in run.march.events]
    ('finished', ['slide'])
    """
    system, in_log_t = Sliding(flow, theta0), end[1] == "log_t_end"
    region, events, status = system.start()
    if status == "several":
        raise ValueError(
            "the start lies on switching surfaces of l_inf-SAM from which its flow is not unique; "
            "move it off them a little, or use method='discrete'"
        )
    marched = march(
        system,
        (np.append(theta0.ravel(), 0.0), region, status),
        end=end[0] if in_log_t else np.inf,
        tolerances=_Steps(method, *tolerances, system.jac),
        stop=None if in_log_t else stop_at(end[0]),
    )
    name = "DOP853, Radau" if method == "auto" else method
    run = LateRun(replace(marched, events=events + marched.events), theta0.shape, name)
    return run if run.march.status != "several" else _iterated_on(flow, run, end)


def _iterated_on(flow: Flow, run: LateRun, end: tuple[float, str]) -> LateRun:
    """Return a run that ended on several surfaces, continued by iteration."""
    last = run.edges[-1:]
    origin = float(last[0]), float(run.tau(last)[0])
    later = chatter_run(flow, run.states(last)[0], end=end, origin=origin)
    first, then = run.march, later.march
    path = Path(
        np.append(first.path.edges, then.path.edges[1:]),
        first.path.pieces + then.path.pieces,
        np.append(first.path.breaks, origin[0]),
        then.path.tail,
    )
    work = first.steps + then.steps, first.nfev + then.nfev
    note = f"; slides on several surfaces from log t = {origin[0]:.6g} on{later.note}"
    method = f"Filippov ({run.method}), then {later.method}"
    joined = March(path, first.events, then.status, *work, method)
    return LateRun(joined, run.shape, method, note)
