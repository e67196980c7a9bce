"""What a run is asked for, and a solved path before rows are chosen.

States and pace are known anywhere on it, in both clocks.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from flowsam.endings import Ending
from flowsam.engines import clock
from flowsam.events import Event, first
from flowsam.flow import Flow
from flowsam.shapes import Float, Points
from flowsam.trajectory import Trajectory


@dataclass(frozen=True)
class Request:
    """An end in one of the two clocks, and how steps get there."""

    end: float
    clock: str = "log_t_end"  # or "tau_end"
    method: str = "auto"
    rtol: float = 1e-9
    atol: float = 1e-12

    @property
    def in_tau(self) -> bool:
        """Whether the end is one of rescaled time."""
        return self.clock == "tau_end"


@dataclass(frozen=True, eq=False)
class Run:
    """A path in rescaled time with its original time."""

    states: Callable[[Points], Float[np.ndarray, "k L d"]]
    log_pace: Callable[[Points], Points]  # log dt/dtau
    edges: Points
    breaks: Points  # events, between which the pace is smooth
    events: tuple[Event, ...]
    status: str
    end: float  # rescaled time where the run ends
    method: str
    steps: int = 0
    nfev: int = 0
    # T of the end where rescaled time underflows before it, as at margins of 1000
    asked: float = 0.0

    def log_time(self, tau: Points) -> Points:
        """Return T = log(1 + t) at sorted times; inf from a blow-up on."""
        before = tau < first("blow-up", self.events)
        out = np.full(tau.size, np.inf)
        kinks = np.union1d(self.edges, self.breaks)
        out[before] = clock.log_time(self.log_pace, tau[before], kinks)
        return out

    def when(self, log_t: Points) -> Points:
        """Return the rescaled times of sorted values of T up to the end of the run."""
        kinks = np.unique(np.concatenate([[0.0], self.edges, self.breaks, [self.end]]))
        kinks = kinks[kinks <= self.end]
        if kinks.size == 1:
            return np.zeros(log_t.size)
        reached = self.log_time(kinks)
        place = np.clip(
            np.searchsorted(reached, log_t, side="left") - 1, 0, kinks.size - 2
        )
        tau = np.empty(log_t.size)
        for index in np.unique(place):
            chosen = place == index
            left = kinks[index]
            right = kinks[index + 1]
            tau[chosen] = clock.when(
                self.log_pace, log_t[chosen], left, right, start=float(reached[index])
            )
        return tau

    def rows(
        self, wanted: int | Points | None, *, in_tau: bool
    ) -> tuple[Points, Callable[[], Points]]:
        """Return rescaled times of the rows asked for, and what gives their T = log(1 + t)."""
        if not self.asked:
            tau = self._times(wanted, in_tau=in_tau)
            return tau, lambda: self.log_time(tau)
        # at the pace of the start: tau = (e^T - 1) e^-phi, 0 below 1e-323
        log_t = chosen_rows(np.zeros(1), wanted, self.asked)
        with np.errstate(divide="ignore"):
            tau = np.exp(log_t + np.log(-np.expm1(-log_t)) - self.log_pace(np.zeros(1)))
        return tau, lambda: log_t

    def _times(self, wanted: int | Points | None, *, in_tau: bool) -> Points:
        """Return the rescaled times of the rows asked for."""
        if wanted is None or in_tau:
            ticks = {0.0, *self.edges.tolist(), *(e.tau for e in self.events)}
            return chosen_rows(np.array(sorted(ticks)), wanted, self.end)
        last = float(self.log_time(np.array([self.end]))[0])
        if isinstance(wanted, int) and not math.isfinite(last):
            return np.array([0.0, self.end])
        log_t = chosen_rows(np.empty(0), wanted, last)
        tau = np.full(log_t.size, self.end)
        inside = log_t < last
        tau[inside] = self.when(log_t[inside])
        return tau


def chosen_rows(steps: Points, wanted: int | Points | None, end: float) -> Points:
    """Return the rows asked for, in one clock: those before the end, and the end if it is early."""
    if wanted is None:
        return np.append(steps[steps < end], end)
    if isinstance(wanted, int):
        return np.linspace(0.0, end, wanted)
    inside = wanted[wanted <= end]
    return np.append(inside, end) if wanted[-1] > end or not inside.size else inside


def reach(
    log_pace: Callable[[Points], Points],
    log_t: float,
    *,
    origin: tuple[float, float],
    stops: Points,
    unit: float,
) -> float:
    """Return the rescaled time at which T reaches `log_t`, or the last stop if it comes first."""
    (left, start) = origin
    limit = float(stops[-1])
    stride = unit
    while left < limit:
        gap = (limit - left) / 2
        if gap <= 4e-16 * limit:  # halved so far because T may be infinite at the limit
            return limit
        right = min(left + min(stride, gap), float(stops[stops > left].min()))
        start, found = clock.crossed(log_pace, log_t, left, right, start=start)
        if found is not None:
            return found
        left = right
        stride = 2 * stride
    return limit


def cut(
    flow: Flow, run: Run, wanted: int | Points | None, asked: Request
) -> Trajectory:
    """Return the rows asked for of a run in rescaled time."""
    tau, log_t = run.rows(wanted, in_tau=asked.in_tau)
    events = tuple(event for event in run.events if event.tau <= tau[-1])
    ending, message = _told(run)
    return Trajectory(
        flow.data,
        flow.perturbation,
        flow.loss,
        tau,
        run.states(tau),
        events,
        ending.status,
        message,
        run.method,
        run.steps,
        run.nfev,
        clock=log_t,
        ending=ending,
    )


def _told(run: Run) -> tuple[Ending, str]:
    """Return how a run ended, and the sentence for it."""
    ends = {event.kind: event for event in reversed(run.events)}
    ending = Ending(run.status)
    if ending is Ending.ESCAPED and "blow-up" not in ends:
        ending = Ending.OUT_OF_RANGE
    last = ends.get("blow-up") or ends.get("collapse") or Event(run.end, "")
    where = None if last.coordinate is None else last.coordinate + 1
    told = ending.in_tau.format(tau=last.tau, coordinate=where, method=run.method)
    return ending, told
