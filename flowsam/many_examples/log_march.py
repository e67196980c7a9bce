"""How a system in the clock T = log(1 + t) is integrated: explicit steps early, implicit late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.optimize import brentq

from flowsam.endings import Ending
from flowsam.engines import METHODS
from flowsam.engines.equal_layers import Rates, Slopes
from flowsam.engines.path import Path, Piece, Place, Turn
from flowsam.engines.run import Request
from flowsam.engines.stepping import PATIENCE, March, Tolerances, march
from flowsam.many_examples.dual_steps import (
    Curvature,
    DualBDF,
    Patient,
    UntilStiff,
    amplifies,
)
from flowsam.many_examples.feature_blocks import FeatureRadau, FeatureSlopes
from flowsam.shapes import Float, Signals, State

LARGE = 250  # weights: beyond, the dense algebra of an implicit step costs more than its stride
_DENSE = 5000  # weights: beyond, a dense matrix of an implicit step takes minutes and gigabytes
SOON = 200  # steps of such a system after which one that keeps its matrix pays
# S up to which explicit steps pay, by rho > 0: measured
STIFF = {False: 10.0, True: 3.0}
COLLAPSED = 1e-8  # gradient norm over its start, to the power L - 1
CALM = 1e3  # in units of that: no step falls so far
_LATER = "BDF", "Radau", "LSODA"  # of a large run, each where the one before gives up
_EXPLICIT = "BDF", "DOP853"  # where no matrix fits
_MAKERS = {"DOP853": UntilStiff, "BDF": DualBDF, "Radau": Patient}  # of its steps
# tolerances of a large run, whose transients amplify errors: measured
_FINER = {"DOP853": 0.2, "BDF": 0.06}
# Radau's estimate is of order 3, its steps are of order 5: errors stay below rtol, measured
_COARSER = 10.0
_FAR = 1e3  # S that counts as late
_SAFE = 5.0  # so many times more of tau may be left than then
_FASTEST = 300.0  # log Lambda_0 of the fastest start whose T is a double

Points = Float[np.ndarray, "*k"]


# steps are taken in it, Lambda_0 = e^shift the pace of the start: at margins of 900 nothing
# moves before T = 900, and a step that grew over such a calm leaps over what follows
@dataclass(frozen=True)
class _StartClock:
    """A system in S = log(1 + e^shift t): log dt/dS is S - shift, where log dt/dT is T."""

    system: Any
    shift: float

    @classmethod
    def of(cls, system: Any, end: float) -> _StartClock:
        """Return the clock of the start's pace, which reaches an end in T."""
        pace = float(system.flow.log_lambda(system.theta0))
        known = np.isfinite(pace)
        return cls(system, float(np.clip(pace, -end, _FASTEST)) if known else 0.0)

    def rhs(self, mode: Any) -> Rates:
        """Return the velocity in S."""
        rates = self.system.rhs(mode)
        return lambda s, state: rates(s - self.shift, state)

    def jac(self, mode: Any) -> Slopes:
        """Return its derivative by the state."""
        slope = self.system.jac(mode)
        return lambda s, state: slope(s - self.shift, state)

    def slopes(self, mode: Any) -> Callable[[float, State], FeatureSlopes]:
        """Return it as blocks and a low rank."""
        slope = self.system.slopes(mode)
        return lambda s, state: slope(s - self.shift, state)

    def curvature(self, s: float, state: State) -> Curvature:
        """Return the stiff part of the derivative by the state."""
        return self.system.curvature(s - self.shift, state)

    def signals(self, s: float, state: State, mode: Any) -> Signals:
        """Return what stays positive, the system's own."""
        return self.system.signals(s - self.shift, state, mode)

    def calm(self, s: float, state: State, mode: Any) -> bool:
        """Tell whether nothing can happen in a step, as the system does."""
        return self.system.calm(s - self.shift, state, mode)

    def falls(self, before: State, after: State, mode: Any) -> bool:
        """Tell whether a step went through 0, as the system does."""
        return self.system.falls(before, after, mode)

    def transition(self, s: float, state: State, mode: Any) -> Any:
        """Return what the system does at an event."""
        return self.system.transition(s - self.shift, state, mode)

    def path(self, path: Path) -> Path:
        """Return a path in S as one in T."""
        pieces = tuple(Piece(self._timed(p.dense), p.mode) for p in path.pieces)
        edges, breaks = (_logged(s, -self.shift) for s in (path.edges, path.breaks))
        return replace(path, edges=edges, pieces=pieces, breaks=breaks)

    def _timed(self, dense: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return dense output in T of a step taken in S."""
        return lambda log_t: dense(_logged(log_t, self.shift))


@dataclass(frozen=True)
class _Steps(Tolerances):
    """Explicit steps early, implicit ones late, where `method` is "auto"; the same else."""

    early: float = 0.0
    later: tuple[str, ...] = _LATER
    curvature: Callable[[float, State], Curvature] | None = None
    begun: list[str] = field(default_factory=list)  # implicit methods so far

    @classmethod
    def of(cls, clock: _StartClock, size: int, asked: Request) -> _Steps:
        """Return the steps of a system by its size and how stiff it becomes."""
        auto = asked.method == "auto"
        matrix = _matrix(clock.system, size, asked.method)
        dense = matrix == "dense"
        huge = size > _DENSE + 1
        last = auto and (matrix == "small" or (dense and not huge))
        perturbs = clock.system.flow.perturbation.perturbs
        return cls(
            asked.method,
            asked.rtol,
            clock.system.errors(asked),
            clock.slopes if matrix == "blocks" else clock.jac,
            stiff="LSODA" if last else "",
            patience=SOON if dense else PATIENCE,
            maker=FeatureRadau if matrix == "blocks" else None,
            early=np.inf if dense else STIFF[perturbs],
            later=_EXPLICIT if huge else _LATER,
            curvature=clock.curvature if matrix == "dual" else None,
        )

    def used(self, found: March) -> str:
        """Return the names of the methods that a run took."""
        if self.method != "auto":
            return found.method
        words = ["DOP853", *self.begun]
        words += ["LSODA"] * ("LSODA" in found.method)
        return ", ".join(words)

    def stepper(self, rhs: Any, start: Place, end: float, last: Any) -> Any:
        """Return a SciPy step object, of an early stretch up to where implicit steps pay."""
        if self.method in METHODS:
            return super().stepper(rhs, start, end, last)
        if self.curvature:
            steps = self._large(last)
        elif self.early == np.inf:
            steps = self._scaled("DOP853", 1.0)
        elif start.x >= self.early or self.begun or _strained(last):
            self.begun[:] = ["Radau"]
            steps = self._scaled("Radau", _COARSER, self.maker)
        else:
            end = min(end, self.early)
            steps = self._scaled("DOP853", 1.0, UntilStiff)
        return steps.stepper(rhs, start, end, last)

    def goes_on(self, failed: Any) -> bool:
        """Tell whether others follow, in a large run."""
        if self.maker and self.method == "auto" and not self.begun:
            self.begun.append("Radau")  # also where explicit steps crawl
            return True
        more = self.curvature and len(self.begun) < len(self.later)
        return bool(more and failed.status == "failed")

    def _large(self, last: Any) -> Tolerances:
        """Return the explicit steps of a large run, BDF's where those end, dense ones after."""
        if _strained(last):
            self.begun.append(self.later[len(self.begun)])
        method = self.begun[-1] if self.begun else "DOP853"
        factor = _FINER.get(method, 1.0)
        again = method == "DOP853" and self.begun
        maker = None if again else _MAKERS.get(method)
        steps = self._scaled(method, factor, maker)
        dual = method == "BDF"
        return replace(steps, jac=lambda mode: self.curvature) if dual else steps

    def _scaled(
        self, method: str, factor: float, maker: Callable[..., Any] | None = None
    ) -> Tolerances:
        """Return steps controlled at so many times the tolerance."""
        errors = factor * self.rtol, factor * self.atol
        return Tolerances(method, *errors, self.jac, maker=maker)


def _matrix(system: Any, size: int, method: str) -> str:
    """Return which of Newton's matrices a system has: "small", "dual", "blocks" or "dense"."""
    if size <= LARGE + 1:
        return "small"
    if method == "auto" and amplifies(system.flow):
        return "dual"
    if method in ("auto", "Radau") and system.few:
        return "blocks"
    return "dense" if method == "auto" else "small"


def _strained(last: Any) -> bool:
    """Tell whether a step object ended before its bound, as no longer the best, or failed."""
    if last is None:
        return False
    early = last.status == "finished" and last.t < last.t_bound
    return bool(early or last.status == "failed")


def marched(system: Any, start: Turn, asked: Request) -> March:
    """Integrate a system with `flow`, `theta0` and `jac` to an end; its path is one in T."""
    value = asked.end
    clock = _StartClock.of(system, np.inf if asked.in_tau else value)
    steps = _Steps.of(clock, start.state.size, asked)
    stop = _TauEnd(value, len(system.theta0), system.timed)
    found = march(
        clock,
        start,
        end=np.inf if asked.in_tau else float(_logged(np.array(value), clock.shift)),
        tolerances=steps,
        stop=stop if asked.in_tau else None,
    )
    path = clock.path(found.path)
    method = steps.used(found)
    if found.status == "finished" and not asked.in_tau:
        path.edges[-1] = value  # to the last bit
    status = Ending.BEYOND if stop.beyond else found.status
    return replace(found, path=path, method=method, status=status)


class _TauEnd:
    """A stop for `march` at a rescaled time, or where it is clear that tau never gets there."""

    # late margins are like T, weights like T^(1/L), and d tau/dT like T^(2/L - 2): from L = 3
    # on what is left of tau is T d tau/dT L/(L - 2), and weights are infinite before a later end

    def __init__(self, tau_end: float, depth: int, timed: Callable[[Any], Any]) -> None:
        self.tau_end = tau_end
        self.timed = timed
        self.left = _SAFE * depth / (depth - 2) if depth > 2 else np.inf
        self.beyond = False

    def __call__(self, left: float, right: float, dense: Any) -> float | None:
        """Return where to end inside a step, or None."""
        before, tau = self.timed(dense(np.array([left, right]))[-1])
        if tau >= self.tau_end:
            clock = lambda x: self.timed(dense(x)[-1])  # noqa: E731
            return shows(clock, self.tau_end, left, right)
        if right < _FAR or self.left == np.inf:
            return None
        gained = (tau - before) / np.log(right / left)
        self.beyond = bool(tau + self.left * gained < self.tau_end)
        return right if self.beyond else None


def shows(
    clock: Callable[[float], float], value: float, left: float, right: float
) -> float:
    """Return where a clock shows a value, in between."""
    close = {"xtol": 4e-16 * right, "rtol": 8.9e-16}
    return float(brentq(lambda x: clock(x) - value, left, right, **close))


def _logged(x: Points, shift: float) -> Points:
    """Return log(1 + e^shift (e^x - 1)) for x >= 0, of any size."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.logaddexp(0.0, shift + x + np.log(-np.expm1(-x))))
