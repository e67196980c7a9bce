"""How a run ends: the ending itself, its public status, and its sentence in either clock."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Ending"]


class Ending(StrEnum):
    """How a run ended; decisions ask for it, never for the words of a message.

    AT_REST ends a run of several examples whose gradient is 0, FLATTEST one that slid along minima
    to a flattest one, HELD one whose iteration rests on average, BEYOND one at L >= 3 whose weights
    are infinite before `tau_end`, FORKS one that falls into 0 at odd L; NEVER_THERE one of one
    example that is too nearly at rest for log t to reach its end.

    Examples
    --------
    >>> Ending.AT_REST.status, Ending("collapsed").status
    ('finished', 'collapsed')
    """

    FINISHED = "finished"
    COLLAPSED = "collapsed"
    STAYS_AT_0 = "stays at 0"
    ESCAPED = "escaped"
    OUT_OF_RANGE = "out of range"
    RUNAWAY = "runaway"
    BEYOND = "beyond"
    NOT_UNIQUE = "sliding_ambiguous"
    FORKS = "forks"
    TOO_MANY_EVENTS = "too_many_events"
    FAILED = "failed"
    NEVER_THERE = "never there"
    AT_REST = "at rest"
    FLATTEST = "flattest"
    HELD = "held"
    ROUNDING = "rounding"
    OUT_OF_STEPS = "out of steps"
    OVERFLOWED = "overflowed"

    @property
    def status(self) -> str:
        """The public status, one of the words of `Trajectory.status`."""
        return _STATUS.get(self, self.value)

    @property
    def rests(self) -> bool:
        """Whether the state at the end is also that of every later time."""
        return self in _RESTS

    def in_tau(self, *, tau: float, coordinate: int | None, method: str) -> str:
        """Return the sentence for a run in rescaled time, with the next move."""
        return _IN_TAU[self].format(tau=tau, coordinate=coordinate, method=method)

    def in_log_t(self, *, tau: float, log_t: float, method: str) -> str:
        """Return the sentence for a run in T = log(1 + t), with the next move."""
        return _IN_LOG_T[self].format(tau=tau, log_t=log_t, method=method)


_RESTS = (
    Ending.COLLAPSED,
    Ending.STAYS_AT_0,
    Ending.AT_REST,
    Ending.FLATTEST,
    Ending.HELD,
)
_STATUS = {
    Ending.STAYS_AT_0: "collapsed",
    Ending.OUT_OF_RANGE: "escaped",
    Ending.RUNAWAY: "escaped",
    Ending.FORKS: "sliding_ambiguous",
    Ending.BEYOND: "escaped",
    Ending.NEVER_THERE: "failed",
    Ending.AT_REST: "finished",
    Ending.FLATTEST: "finished",
    Ending.HELD: "finished",
    Ending.ROUNDING: "failed",
    Ending.OUT_OF_STEPS: "failed",
    Ending.OVERFLOWED: "failed",
}
_REACHED = "reached the end asked for"
_FELL = "every active weight reached 0 at tau = {tau:.12g}; the flow rests there"
_FORKS = (
    "every active weight reaches 0 at tau = {tau:.12g}, where no gradient is left; at odd depth "
    "they leave 0 again, on any of many paths; perturb the start, or use iterate, which takes one"
)
_IN_TAU = {
    Ending.FINISHED: _REACHED,
    Ending.COLLAPSED: _FELL,
    Ending.ESCAPED: "coordinate {coordinate} blows up at tau = {tau:.12g}, where t becomes "
    "infinite; the others freeze, and limit(flow, theta0) says what is known of the limit",
    Ending.OUT_OF_RANGE: "margins pass 1e300 at tau = {tau:.6g}, the end of doubles; ask "
    "limit(flow, theta0)",
    Ending.RUNAWAY: "weights are a million times those of the start at tau = {tau:.6g}, and how "
    "this field goes on is not known; ask for an earlier end",
    Ending.NOT_UNIQUE: "two weights of a coordinate are 0 at once at tau = {tau:.12g}: no "
    "gradient is left, or Filippov's solution is not unique from there; perturb the start or "
    "use iterate",
    Ending.FORKS: _FORKS,
    Ending.TOO_MANY_EVENTS: "more than 1000 events by tau = {tau:.6g}; shorten the run, or check "
    "the start for a surface it grazes",
    Ending.FAILED: "the steps of {method} are too small to go on at tau = {tau:.12g}; ask for an "
    "earlier end, loosen rtol or try another method",
    Ending.NEVER_THERE: "log t stays below log_t_end: the flow is nearly at rest at "
    "tau = {tau:.3g}, where log t grows like log tau; limit(flow, theta0) says what is known of "
    "the limit",
}
_IN_LOG_T = {
    Ending.FINISHED: _REACHED,
    Ending.COLLAPSED: _FELL,
    Ending.STAYS_AT_0: "every active weight is 0 within a step of the iteration, and rests there "
    "to the end",
    Ending.AT_REST: "the gradient is 0 from log t = {log_t:.6g} on, at a finite loss; it rests "
    "there",
    Ending.FLATTEST: "the flow slides along minima and rests from log t = {log_t:.6g} on, where "
    "they are flattest, or where theta_hat is at a minimum too",
    Ending.HELD: _REACHED,
    Ending.ROUNDING: "from log t = {log_t:.6g} on the pulls of the examples cancel to few digits, "
    "and rounding would decide the rest; ask for an earlier end",
    Ending.FORKS: _FORKS,
    Ending.TOO_MANY_EVENTS: "more than 1000 events by log t = {log_t:.6g}; ask for an earlier end",
    Ending.NOT_UNIQUE: "reached the end asked for, on one of several possible paths",
    Ending.FAILED: "the steps of {method} are too small to go on at log t = {log_t:.12g}; ask for "
    "an earlier end, loosen rtol or try another method",
    Ending.BEYOND: "weights grow without end before tau_end, for tau = {tau:.6g} at log t = "
    "{log_t:.6g} gains ever less; ask for a log_t_end",
    Ending.OUT_OF_STEPS: "the iteration has taken all the steps it may by log t = {log_t:.6g}; ask "
    "for an earlier end",
}
