"""Engines for one example: closed forms, and steps between events, as runs to the end asked for."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

from flowsam import clock, exact
from flowsam.endings import OneExample
from flowsam.flow import Flow
from flowsam.run import Run, reach
from flowsam.stepping import Tolerances, march

__all__ = ["exact_run", "stepped_run"]

Points = Float[np.ndarray, " _"]
Theta = Float[np.ndarray, "L d"]
_FAR = 1e15  # in units of 1/rate: a wait for log_t_end is given up there, the flow is at rest


def exact_run(
    flow: Flow, theta0: Theta, found: exact.Solution, span: tuple[float, str]
) -> Run | None:
    """Return a closed form as a run to the end asked for, or None where it does not hold."""
    end, clock_name = span
    model = OneExample(flow, theta0, 0.0)
    log_pace = lambda tau: model.log_pace(found.states(tau))  # noqa: E731
    breaks = np.array([event.tau for event in found.events])
    rest = min((e.tau for e in found.events if e.kind == "collapse"), default=math.inf)
    if clock_name == "log_t_end":
        limit = min(found.blow_up, rest, found.valid_until, _FAR / model.rate)
        end = reach(log_pace, end, limit=limit, unit=1.0 / model.rate, breaks=breaks)
    if not found.covers(end):
        return None
    beyond = _range_end(found, model, end)
    if beyond is not None:
        end = beyond
    blew_up = found.blow_up <= end
    gone = blew_up or beyond is not None
    status = "escaped" if gone else "collapsed" if rest <= end else "finished"
    events = tuple(event for event in found.events if event.tau <= end)
    end = min(end, found.blow_up)
    name = f"exact: {found.name}"
    return Run(found.states, log_pace, np.array([0.0]), breaks, events, status, end, name)


def _range_end(found: exact.Solution, model: OneExample, end: float) -> float | None:
    """Return where a closed form without a blow-up leaves the range of doubles, or None."""

    def excess(log_tau: float) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            size = np.abs(found.states(np.array([math.exp(log_tau)]))[0] * model.active).max()
        return math.log(np.clip(size / model.ceiling, 1e-300, 1e300))

    if math.isfinite(found.blow_up) or excess(math.log(end)) <= 0:
        return None
    first = math.log(1e-3 / model.rate)
    return math.exp(brentq(excess, min(first, math.log(end) - 1), math.log(end), rtol=1e-12))


def stepped_run(flow: Flow, theta0: Theta, span: tuple[float, str], tolerances: Tolerances) -> Run:
    """Integrate between events and return the run."""
    end, clock_name = span
    model = OneExample(flow, theta0, tolerances.atol)
    mode, events, status = model.start()
    shape = theta0.shape
    timed = clock_name == "log_t_end"
    stop = _stop_at(model, end) if timed else None
    result = march(
        model,
        (theta0.ravel(), mode, status),
        end=_FAR / model.rate if timed else end,
        tolerances=tolerances,
        stop=stop,
    )
    states = lambda tau: result.path(tau).reshape(-1, *shape)  # noqa: E731
    events = events + result.events
    status, last = result.status, float(result.path.edges[-1])
    last = max([last, *(event.tau for event in result.events[-1:])])
    if status == "collapsed" and not timed:
        last = end
    if status == "finished" and timed and last >= _FAR / model.rate:
        status = "at rest"
    return Run(
        states,
        lambda tau: model.log_pace(states(tau)),
        result.path.edges,
        result.path.breaks,
        events,
        status,
        min(last, end) if not timed else last,
        tolerances.method,
        result.steps,
        result.nfev,
    )


def _stop_at(model: OneExample, log_t_end: float) -> Callable[[float, float, object], float | None]:
    """Return the question whether T passes `log_t_end` inside a step, and where."""
    reached = [0.0]

    def stop(left: float, right: float, dense: Callable[[Points], Points]) -> float | None:
        pace = lambda tau: model.log_pace(dense(tau).T.reshape(-1, *model.theta0.shape))  # noqa: E731
        before = reached[0]
        logs = clock.log_integrals(pace, np.array([left, right]))
        reached[0] = float(np.logaddexp(before, logs[0]))
        if reached[0] < log_t_end:
            return None
        return float(clock.when(pace, np.array([log_t_end]), left, right, start=before)[0])

    return stop
