"""Steps of SciPy's `solve_ivp` classes between located events.

`solve_ivp` cannot start on an event; here all surfaces are one vector of signals, positive inside
the region, and a piece starts with its region held fixed: no event is missed or doubled.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
import scipy.integrate
from scipy.linalg import LinAlgWarning
from scipy.optimize import brentq

from flowsam.endings import Ending
from flowsam.engines.implicit import Quick
from flowsam.engines.path import Path, Piece, Place, Turn
from flowsam.events import Event
from flowsam.shapes import Signals, State

# so many that tell nothing, within so little of x
MAX_EVENTS = 1000
QUIET = 50
_STUCK = 1e-9
# a run that needs more is stiff or chatters: say so rather than hang
MAX_STEPS = 100_000
# evaluations, and more for each step taken: steps that shrink without end
MAX_CALLS = (20_000, 60)
ONE_STEP = ("RK23", "RK45", "DOP853")
PATIENCE = 1_000  # explicit steps before a run counts as stiff
_INSIDE = np.array([0.25, 0.5, 0.75, 1.0])  # a dip between steps is looked for here
_WINDOW = 500  # steps between two looks at how far the last 400 of them got
# by so little of x, while the rest takes more than so many steps: a stiff rest, which no patience
# outlasts, or a weight that dies and is no event; steps that still grow gain more of x
_CRAWLS = ((0.3, 1e9), (0.1, 1e5), (0.01, 0.0))
_MOVED = (
    0.01  # of its size: so far no state gets that stands still, however slow its clock
)
_BISECTIONS = 1200  # from the largest double to the least, should the secant not help
_HALVINGS = 0.5 ** np.arange(1, 50)
_WIDE = 1000  # numbers in a state whose slopes are not kept
_LEAST = 20  # in units of the last digit: SciPy's least step is half of it


@runtime_checkable
class Piecewise(Protocol):
    """A differential equation that is smooth in regions, each held fixed in a mode."""

    def rhs(self, mode: Any) -> Callable[[float, State], State]:
        """Return the right-hand side of one region."""

    def signals(self, x: float, state: State, mode: Any) -> Signals:
        """Return what stays positive inside the region."""

    def calm(self, x: float, state: State, mode: Any) -> bool:
        """Tell whether all signals are so far from 0 that no step reaches it from here."""

    def falls(self, before: State, after: State, mode: Any) -> bool:
        """Tell whether a step that turned signs went through 0, where no gradient is left."""

    def transition(self, x: float, state: State, mode: Any) -> Turn:
        """Return state (or the states from x on), mode, events and an ending, "" to go on."""


class Unasked(scipy.integrate.DOP853):
    """DOP853 whose dense output, three evaluations a step, is made when it is first asked.

    Its sixteen slopes are not kept of a large system, whose memory they took: it steps again.
    """

    def dense_output(self) -> Callable[[Any], Any]:
        """Return the states of the last step as a function."""
        if self.n > _WIDE:
            return _stepping_again(self.fun_single, self.t_old, self.y_old, self.t)
        kept = object.__new__(Unasked)
        kept.__dict__.update(vars(self), K_extended=self.K_extended.copy())
        return lambda x: kept.asked(x)

    @cached_property
    def asked(self) -> Callable[[Any], Any]:
        """The states of a step, once they are asked for."""
        return super().dense_output()


def _stepping_again(
    field: Callable[[float, State], State], before: float, state: State, after: float
) -> Callable[[Any], Any]:
    """Return the states of a step that is taken once more when they are first asked."""

    @cache
    def taken() -> Callable[[Any], Any]:
        whole = {"first_step": after - before, "rtol": 1.0, "atol": np.inf}
        again = scipy.integrate.DOP853(field, before, state, after, **whole)
        again.step()
        return again.dense_output()

    return lambda x: taken()(x)


_MAKERS = {"DOP853": Unasked, "Radau": Quick}


@dataclass(frozen=True)
class Tolerances:
    """How the steps are taken: a `solve_ivp` method and its error control."""

    method: str
    rtol: float
    atol: float | State  # one number, or one an entry
    jac: Callable[[Any], Any] | None = None  # mode -> (x, state -> matrix)
    stiff: str = ""  # the method that takes over after `patience` steps; "" for none
    patience: int = PATIENCE
    # what makes step objects where `method` is not a class of SciPy
    maker: Callable[..., Any] | None = None

    def stepper(self, rhs: Any, start: Place, end: float, last: Any) -> Any:
        """Return a SciPy step object for one piece; its first step continues the piece before."""
        x, state, mode = start
        options: dict[str, Any] = {"rtol": self.rtol, "atol": self.atol}
        make = (
            self.maker
            or _MAKERS.get(self.method)
            or getattr(scipy.integrate, self.method)
        )
        if self.method in ONE_STEP and type(last) is make:
            options["first_step"] = min(last.h_abs, end - x)
        if self.jac is not None and self.method in ("Radau", "BDF", "LSODA"):
            options["jac"] = self.jac(mode)
        with np.errstate(over="ignore", invalid="ignore"):
            return make(rhs, x, state, end, **options)

    def goes_on(self, failed: Any) -> bool:
        """Tell whether others follow where the steps of an object failed."""
        return False


@dataclass(frozen=True, eq=False)
class March:
    """What `march` returns: the path, events, status, and the work done."""

    path: Path
    events: tuple[Event, ...]
    status: str
    steps: int
    nfev: int
    method: str


def march(
    system: Piecewise,
    start: Turn,
    *,
    end: float,
    tolerances: Tolerances,
    stop: Callable[[float, float, Any], float | None] | None = None,
) -> March:
    """Integrate from 0 to `end` through all events, or to where the system ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # LSODA's; the status says it
        # a trial Newton step, then shortened
        warnings.simplefilter("ignore", LinAlgWarning)
        return _Marching(system, start, end, tolerances, stop).go()


class _Marching:
    """A run of `march` so far."""

    def __init__(
        self,
        system: Piecewise,
        start: Turn,
        end: float,
        tolerances: Tolerances,
        stop: Callable[[float, float, Any], float | None] | None,
    ) -> None:
        self.system = system
        self.state: Any  # after an ending, a Tail may stand in its place
        self.state, self.mode, events, self.status = start
        self.end = end
        self.bound = end  # of the steps to be taken next
        self.tolerances = tolerances
        self.stop = stop
        self.x = 0.0
        self.edges = [0.0]
        self.pieces: list[Piece] = []
        self.nodes = [self.state]
        self.events: list[Event] = list(events)
        self.breaks: list[float] = []
        self.used = [tolerances.method]
        self.nfev = 0
        self.quiet = 0
        self.changed = 0.0  # where other steps went on
        self.stepper: Any = None

    def go(self) -> March:
        """Integrate piece by piece, through every event."""
        while not self.status:
            if self._piece() and not self.status:
                self._transition()
            if not self.status and self.x >= self.end:
                self.status = "finished"
        state = self.state
        still = lambda points: np.tile(state, (points.size, 1))  # noqa: E731
        path = Path(
            np.array(self.edges),
            tuple(self.pieces),
            np.array(self.breaks),
            state if callable(state) else still,
            self.mode,
            tuple(self.nodes),
        )
        steps = len(self.pieces)
        used = ", ".join(self.used)
        return March(path, tuple(self.events), self.status, steps, self.nfev, used)

    def _piece(self) -> bool:
        """Step with one step object and tell whether an event ended it."""
        calm = self.system.calm(self.x, self.state, self.mode)
        start = Place(self.x, self.state, self.mode)
        rhs = self.system.rhs(self.mode)
        stepper = self.tolerances.stepper(rhs, start, self.bound, self.stepper)
        self.stepper = stepper
        self.bound = self.end
        happened = False
        while stepper.status == "running" and not happened and not self.status:
            if not self._advanced(stepper):
                self.status = "" if self.tolerances.goes_on(stepper) else "failed"
                self.changed = self.x
                break
            turned = ((self.state < 0) != (stepper.y < 0)).any()
            if turned and self.system.falls(self.state, stepper.y, self.mode):
                self._halve(stepper.t)
                break
            before = calm
            calm = self.system.calm(stepper.t, stepper.y, self.mode)
            happened = self._keep(stepper, before and calm)
            if self._hands_over():
                break
        self.nfev += stepper.nfev
        return happened

    def _halve(self, passed: float) -> None:
        """Take half of a step that went through 0, or end where none is left."""
        self.bound = self.x + (passed - self.x) / 2
        if self.bound - self.x <= _LEAST * np.spacing(self.x):
            self.status = Ending.FORKS

    def _advanced(self, stepper: Any) -> bool:
        """Take one step and tell whether there was work left, and it led anywhere."""
        went = _stepped(stepper)
        calls = self.nfev + stepper.nfev
        steps = len(self.pieces)
        spent = steps >= MAX_STEPS or calls > MAX_CALLS[0] + MAX_CALLS[1] * steps
        if not went or spent or self._crawls():
            return False
        # not finite: it leapt over a calm into a wild field
        slope = getattr(stepper, "f", stepper.y)
        return bool(np.isfinite(stepper.y).all() and np.isfinite(slope).all())

    def _crawls(self) -> bool:
        """Whether the last steps got nowhere, or the rest takes too many like them."""
        edges = self.edges
        steps = len(edges) - 1
        looks = steps > PATIENCE and steps % _WINDOW == _WINDOW - 1
        event = max([self.changed, *self.breaks[-1:]])
        if not looks or self.tolerances.stiff or event > edges[-400]:
            return False
        state = np.abs([self.nodes[-1], self.nodes[-1] - self.nodes[-400]])
        # the largest entry but one: a clock among them moves always
        size, moved = np.sort(state)[:, -2:][:, 0]
        if moved > _MOVED * size:
            return False
        gained = edges[-1] - edges[-400]
        # with a stop of its own nobody knows where a run ends
        left = (0.0 if self.stop else self.end - edges[-1]) * 400
        return any(
            gained < part * edges[-1] and left >= most * gained
            for part, most in _CRAWLS
        )

    def _keep(self, stepper: Any, calm: bool) -> bool:
        """Keep a step up to its first event or to the end, and tell whether an event it was."""
        dense = Piece(stepper.dense_output(), self.mode)
        left = stepper.t_old
        right = stepper.t
        found = None
        if not calm:
            found = _first_event(self.system, left, right, dense)
        x = right if found is None else found
        reached = self.stop(left, x, dense) if self.stop else None
        if reached is not None:
            x = reached
            self.status = "finished"
        self.x = x
        self.state = stepper.y if x == right else dense(x)
        self.edges.append(x)
        self.pieces.append(dense)
        self.nodes.append(self.state)
        return found is not None and reached is None

    def _hands_over(self) -> bool:
        """Whether the stiff method takes over from here."""
        method = self.tolerances.stiff
        if not method or len(self.pieces) < self.tolerances.patience:
            return False
        self.used.append(method)
        self.tolerances = replace(self.tolerances, method=method, stiff="")
        return True

    def _transition(self) -> None:
        """Let the system change its mode at an event."""
        changed = self.system.transition(self.x, self.state, self.mode)
        self.state, self.mode, new, self.status = changed
        self.events.extend(new)
        self.breaks.append(self.x)
        self.quiet = 0 if new else self.quiet + 1
        stuck = self.quiet >= QUIET and self.x - self.breaks[-QUIET] <= _STUCK * self.x
        if not self.status and (stuck or len(self.breaks) >= MAX_EVENTS):
            self.status = "too_many_events"


def _stepped(stepper: Any) -> bool:
    """Take one step and tell whether it succeeded: a trial that overflows is shortened."""
    # SciPy's choice where rates overflow: no step
    if not getattr(stepper, "h_abs", 1.0) > 0:
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        stepper.step()
    return stepper.status != "failed"


def _first_event(
    system: Piecewise, left: float, right: float, dense: Piece
) -> float | None:
    """Return where the first signal turns negative inside a step, or None."""

    def least(x: float) -> float:
        signals = system.signals(x, dense(x), dense.mode)
        return float(np.min(signals, initial=np.inf))

    for point in left + _INSIDE * (right - left):
        if least(point) < 0:
            break
        left = point
    else:
        return None
    # began on the surface: it may go inside and come back in one step
    if least(left) <= 0:
        for inside in left + _HALVINGS * (point - left):
            if least(inside) > 0:
                break
            point = inside
        else:  # it left the region at once
            return left
        left = inside
    # towards a root near 0 it halves the exponent's range: the last point will do
    how: dict[str, Any] = {"xtol": 4e-324, "rtol": 8.9e-16, "maxiter": _BISECTIONS}
    root = float(brentq(least, left, point, disp=False, **how))
    beyond = root
    ulp = float(np.spacing(root))
    # on the far side, however steep the signal
    while least(beyond) > 0 and beyond < point:
        beyond = min(root + ulp, float(point))
        ulp = 2.0 * ulp
    return beyond
