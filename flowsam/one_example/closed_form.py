"""Closed forms of one example as runs to the end asked for."""

import math

import numpy as np

from flowsam import exact
from flowsam.endings import Ending
from flowsam.engines.run import Request, Run, reach
from flowsam.events import first
from flowsam.one_example.endings import OneExample
from flowsam.regimes import Case
from flowsam.shapes import Theta

_LEAST = 1e-290  # rescaled times below have lost digits: T is as asked there
_LEAST_LOG = -740.0  # e^-740 is the smallest double
_FARTHEST = 1e300  # a closed form is followed to here, the end of doubles


def exact_run(case: Case, theta0: Theta, found: exact.Solution, asked: Request) -> Run:
    """Return a closed form as a run to the end asked for, or as far as it is unique."""
    end = asked.end
    name = f"exact: {found.name}"
    model = OneExample.of(case, theta0, 0.0)
    events = model.told(found.events)
    rest = first("collapse", events)
    log_pace = model.paced(found.states, rest)
    if model.out_of_range:
        return Run(
            found.states, log_pace, np.zeros(1), np.zeros(0), (), "escaped", 0.0, name
        )
    breaks = np.unique([event.tau for event in events])
    status = "finished"
    if not asked.in_tau:
        limit = min(found.blow_up, rest, found.valid_until, _FARTHEST)
        stops = np.append(breaks[breaks < limit], limit)
        end = reach(
            log_pace, end, origin=(0.0, 0.0), stops=stops, unit=1.0 / model.rate
        )
        status = Ending.NEVER_THERE if end == _FARTHEST else status
    if end >= found.valid_until < min(found.blow_up, rest):
        end = found.valid_until
        status = Ending.NOT_UNIQUE
    beyond = _range_end(found, model, end)
    if found.blow_up <= end or beyond is not None:
        end = found.blow_up if beyond is None else beyond
        status = "escaped"
    elif rest <= end:
        status = "collapsed"
    events = tuple(event for event in events if event.tau <= end)
    edges = np.array([0.0])
    about = (edges, breaks, events, status, end, name)
    unmoved = asked_end(asked, status, end)
    return Run(found.states, log_pace, *about, asked=unmoved)


def _range_end(found: exact.Solution, model: OneExample, end: float) -> float | None:
    """Return where a closed form without a blow-up leaves the range of doubles, or None."""

    def excess(log_tau: float) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            size = np.abs(
                found.states(np.array([math.exp(log_tau)]))[0] * model.active
            ).max()
            # inf * 0 at a collapse
            share = np.nan_to_num(size / model.range_end, nan=0.0)
        return math.log(np.clip(share, 1e-300, 1e300))

    if end == 0 or math.isfinite(found.blow_up) or model.within(end):
        return None
    if excess(math.log(end)) <= 0:
        return None
    low = min(math.log(1e-3 / model.rate), math.log(end) - 1)
    while excess(low) > 0:  # a start at the end of the range
        low -= 10.0
        if low < _LEAST_LOG:
            return 0.0
    from scipy.optimize import brentq  # blow-ups need none of SciPy

    return math.exp(brentq(excess, low, math.log(end), rtol=1e-12))


def asked_end(asked: Request, status: str, end: float) -> float:
    """Return the T asked for where the rescaled time of the end underflows, else 0."""
    within = status == "finished" and end < _LEAST
    return asked.end if within and not asked.in_tau else 0.0
