"""How a run ends: the ending itself, its public status, and its sentence in either clock."""

from __future__ import annotations

from enum import StrEnum

_REACHED = "reached the end asked for"
_FELL = (
    "every active weight reached 0, or two of each coordinate, at tau = {tau:.12g}; the flow rests "
    "there"
)
_FORKS = (
    "an odd number of layers of a coordinate, or layers too close to tell apart, reach 0 at "
    "once at tau = {tau:.12g}, where no gradient is left; they leave 0 again, on any of many "
    "paths; perturb the start, or use iterate, which takes one"
)
_SMALL = (
    "the steps of {method} are too small to go on at {}; ask for an earlier end, or try another "
    "rtol or method"
)


class Ending(StrEnum):
    """How a run ended; decisions ask for it, never for the words of a message.

    AT_REST ends a run of several examples whose gradient is 0, FLATTEST one that slid along minima
    to a flattest one, HELD one whose iteration rests on average, BEYOND one at L >= 3 whose weights
    are infinite before `tau_end`, FORKS one that falls into 0 by an odd number of layers;
    NEVER_THERE one of one example that is too nearly at rest for log t to reach its end.

    Examples
    --------
    >>> Ending.AT_REST.status, Ending("collapsed").status
    ('finished', 'collapsed')
    """

    status: str  # the public one, of the words of `Trajectory.status`
    in_tau: str  # the sentence for a run in rescaled time, with the next move
    in_log_t: str  # for one in T = log(1 + t)

    def __new__(
        cls,
        value: str,
        status: str = "",
        in_tau: str = "",
        in_log_t: str = "",
    ) -> Ending:
        """Return an ending, whose status is its value unless it says another."""
        found = str.__new__(cls, value)
        found._value_ = value
        found.status = status or value
        found.in_tau = in_tau
        found.in_log_t = in_log_t
        return found

    FINISHED = "finished", "", _REACHED, _REACHED
    COLLAPSED = "collapsed", "", _FELL, _FELL
    STAYS_AT_0 = (
        "stays at 0",
        "collapsed",
        "",
        "every active weight is 0 within a step of the iteration, and rests there to the end",
    )
    ESCAPED = (
        "escaped",
        "",
        "coordinate {coordinate} blows up at tau = {tau:.12g}, where t becomes infinite; the "
        "others freeze, and limit(flow, theta0) says what is known of the limit",
    )
    OUT_OF_RANGE = (
        "out of range",
        "escaped",
        "margins pass 1e300 at tau = {tau:.6g}, the end of doubles; ask limit(flow, theta0)",
    )
    RUNAWAY = (
        "runaway",
        "escaped",
        "weights run away at tau = {tau:.6g}, to a million times the start or to where tau has no "
        "more digits, and how this field goes on is not known; ask for an earlier end",
    )
    BEYOND = (
        "beyond",
        "escaped",
        "",
        "weights grow without end before tau_end, for tau = {tau:.6g} at log t = {log_t:.6g} "
        "gains ever less; ask for a log_t_end",
    )
    NOT_UNIQUE = (
        "sliding_ambiguous",
        "",
        "two weights of a coordinate are 0 at once at tau = {tau:.12g}: no gradient is left, or "
        "Filippov's solution is not unique from there; perturb the start or use iterate",
        "reached the end asked for, on one of several possible paths",
    )
    FORKS = "forks", "sliding_ambiguous", _FORKS, _FORKS
    NO_TIES = (
        "no ties",
        "sliding_ambiguous",
        "of the components of the gradient that are equal at tau = {tau:.12g}, no set was found "
        "that stays so; ask for an earlier end, or use iterate",
    )
    TOO_MANY_EVENTS = (
        "too_many_events",
        "",
        "more than 1000 events by tau = {tau:.6g}; shorten the run, or check the start for a "
        "surface it grazes",
        "more than 1000 events by log t = {log_t:.6g}; ask for an earlier end",
    )
    FAILED = (
        "failed",
        "",
        _SMALL.format("tau = {tau:.12g}", method="{method}"),
        _SMALL.format("log t = {log_t:.12g}", method="{method}"),
    )
    NEVER_THERE = (
        "never there",
        "failed",
        "log t stays below log_t_end: the flow is nearly at rest at tau = {tau:.3g}, where log t "
        "grows like log tau; limit(flow, theta0) says what is known of the limit",
    )
    AT_REST = (
        "at rest",
        "finished",
        "",
        "the gradient is 0 from log t = {log_t:.6g} on, at a finite loss; it rests there",
    )
    POISED = (
        "poised",
        "finished",
        "",
        "the gradient at theta_hat is 0 from log t = {log_t:.6g} on, at a finite loss; it rests "
        "there",
    )
    FLATTEST = (
        "flattest",
        "finished",
        "",
        "the flow slides along minima and rests from log t = {log_t:.6g} on, where they are "
        "flattest, or where theta_hat is at a minimum too",
    )
    HELD = "held", "finished", "", _REACHED
    ROUNDING = (
        "rounding",
        "failed",
        "",
        "from log t = {log_t:.6g} on the pulls of the examples cancel to few digits, and rounding "
        "would decide the rest; ask for an earlier end",
    )
    TOO_LATE = (
        "too late",
        "failed",
        "",
        "at log t = {log_t:.6g} margins are so large that their rounding moves the shares of the "
        "examples; ask for an earlier end",
    )
    OUT_OF_STEPS = (
        "out of steps",
        "failed",
        "",
        "the iteration has taken all the steps it may by log t = {log_t:.6g}; ask for an earlier "
        "end",
    )
    OVERFLOWED = "overflowed", "failed"

    @property
    def rests(self) -> bool:
        """Whether the state at the end is also that of every later time."""
        return self in _RESTS


_RESTS = (
    Ending.COLLAPSED,
    Ending.STAYS_AT_0,
    Ending.AT_REST,
    Ending.POISED,
    Ending.FLATTEST,
    Ending.HELD,
)
