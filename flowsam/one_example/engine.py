"""Steps between the events of one example, as a run to the end asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from flowsam.endings import Ending
from flowsam.engines import clock
from flowsam.engines.path import Piece, Turn
from flowsam.engines.run import Request, Run, reach
from flowsam.engines.stepping import March, Tolerances, march
from flowsam.errors import InputError
from flowsam.events import Event, first
from flowsam.one_example.closed_form import asked_end
from flowsam.one_example.endings import OneExample
from flowsam.regimes import Case
from flowsam.shapes import Points, Theta

_LEAST = 1e-290  # weights below have lost digits
_FASTEST = 1e130  # squares of rates in tolerance units stay in the range of doubles
_STILL = 200  # steps at rest
_FAR = 1e15  # in units of 1/rate: steps give up a wait for log_t_end there, the flow is at rest


def stepped_run(
    case: Case,
    theta0: Theta,
    asked: Request,
    tolerances: Tolerances,
) -> Run:
    """Integrate between events and return the run."""
    model = OneExample.of(case, theta0, float(tolerances.atol))
    _check_sizes(model, theta0)
    start = Turn(model.layers.flat(theta0), *model.start())
    if model.out_of_range:
        start = start._replace(status="escaped")
    far = _FAR / model.rate
    clock_end = None if asked.in_tau else _LogTimeEnd(model, asked.end, tolerances)
    result = march(
        model,
        start,
        end=far if clock_end else asked.end,
        tolerances=tolerances,
        stop=clock_end,
    )
    path = result.path
    events = model.told(result.events)
    states = partial(path.seen, shown=model.shown)
    log_pace = model.paced(states, first("collapse", events))
    found = _ended(result, events, asked.end, clock_end, log_pace)
    events = tuple(event for event in events if event.tau <= found.last)
    work = (result.method, result.steps, result.nfev)
    unmoved = asked_end(asked, found.status, found.last)
    about = (events, found.status, found.last, *work, unmoved)
    return Run(states, log_pace, path.edges, path.breaks, *about)


@dataclass(frozen=True)
class _End:
    """Where a run ends, and its status there."""

    last: float
    status: str


def _ended(
    result: March,
    events: tuple[Event, ...],
    end: float,
    clock_end: _LogTimeEnd | None,
    log_pace: Callable[[Points], Points],
) -> _End:
    """Return the end of a run; beyond its steps it goes on at its pace, or by an expansion."""
    status = result.status
    last = float(result.path.edges[-1])
    ends = status in ("collapsed", "escaped") and events
    horizon = max(events[-1].tau if ends else last, last)
    if clock_end is None:
        goal = end if status == "collapsed" else min(horizon, end)
        return _End(goal, "finished" if horizon > end else status)
    if clock_end.reached >= end:
        return _End(last, status)
    rate = clock_end.model.rate
    running = status == Ending.FINISHED
    limit = _FAR / rate if running else horizon
    origin = (last, clock_end.reached)
    stops = np.array([limit])
    last = reach(log_pace, end, stops=stops, origin=origin, unit=1.0 / rate)
    short = Ending.NEVER_THERE if running else status
    return _End(last, short if last == limit else Ending.FINISHED)


def _check_sizes(model: OneExample, theta0: Theta) -> None:
    """Refuse weights and rates whose steps would not be doubles."""
    moving = theta0[..., model.flow.mu != 0].any()
    rho = model.flow.rho
    least = min(model.largest, rho or np.inf)
    if moving and least < _LEAST:
        raise InputError(
            f"steps need weights and rho of {_LEAST:g} or more, got {least:.3g}, where doubles "
            "have lost digits; scale them up"
        )
    if moving and not model.out_of_range and model.rate > _FASTEST:
        raise InputError(
            f"steps need rates |mu| |w|^(L-2) up to {_FASTEST:g}, got {model.rate:.3g}; scale the "
            "features down, and tau grows by the same factor"
        )


class _LogTimeEnd:
    """The question of every step whether T passes its end, and where; and whether it ever will."""

    def __init__(
        self,
        model: OneExample,
        log_t_end: float,
        tolerances: Tolerances,
    ) -> None:
        self.model = model
        self.log_t_end = log_t_end
        self.tolerances = tolerances
        self.reached = 0.0
        self.still = 0
        self.rest = model.layers.flat(model.theta0)

    def __call__(self, left: float, right: float, dense: Piece) -> float | None:
        """Return where to end inside a step, or None."""
        states = lambda tau: self.model.shown(dense(tau).T, dense.mode)  # noqa: E731
        pace = lambda tau: self.model.log_pace(states(tau))  # noqa: E731
        self.reached, found = clock.crossed(
            pace, self.log_t_end, left, right, start=self.reached
        )
        if found is None and self._rests(dense(right)):
            return right
        return found

    def _rests(self, state: Points) -> bool:
        """Tell whether the state rests, to 10 tolerance units, for many steps: T ~ log tau."""
        unit = self.tolerances.atol + self.tolerances.rtol * np.abs(state)
        moved = (np.abs(state - self.rest) > 10.0 * unit).any()
        self.still, self.rest = (0, state) if moved else (self.still + 1, self.rest)
        return self.still >= _STILL
