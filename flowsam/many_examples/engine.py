"""Engines for several examples: runs in the clock T = log(1 + t), cut into the rows asked for.

With one example rescaled time is the natural clock; with several nothing decouples, margins grow
like log t at every depth, and T carries a run to log t = 1e4 without an end event.
"""

from collections.abc import Callable

import numpy as np

from flowsam.columns import loaded
from flowsam.endings import Ending
from flowsam.engines import METHODS
from flowsam.engines.run import Request, chosen_rows, cut
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.many_examples.late_path import LateRun
from flowsam.many_examples.minima import one_dimensional
from flowsam.many_examples.rest import isolated
from flowsam.many_examples.sliding_run import iterated_on, sliding_run
from flowsam.regimes import Case
from flowsam.shapes import Points, Theta
from flowsam.trajectory import Trajectory

Wanted = int | Points | None


_SIZES = 150  # power of ten of margins and rates: their squares are doubles
_WHY = {
    "exact": ": no coordinate decouples and no closed form is known",
    "heyoka": ": it needs one example: use 'auto', or solve_many to tau_end",
    "discrete": ": it is for l_inf-SAM and l_1-SAM, whose fields jump",
    "smoothed": ": it is for l_inf-SAM, whose field jumps",
}


def many_examples(
    case: Case, theta0: Theta, asked: Request, wanted: Wanted = None
) -> Trajectory:
    """Solve a flow with several examples by the engine its rule needs."""
    flow = case.flow
    engine = _engine(case, asked.method)
    check_sizes(flow, theta0)
    hat = flow.perturbed(theta0)
    if not np.isfinite(hat).all():
        raise InputError(
            f"the ascent step rho |grad Lo| of {flow.perturbation.name} leaves the range of "
            "doubles at this start; scale weights or data down, or take the logistic loss"
        )
    _check_margins(flow, hat)
    if case.regime.brief and asked.in_tau:
        follow = loaded(case.regime.brief)
        if brief := follow(case, theta0, asked):
            return cut(flow, brief, wanted, asked)
    lean = one_dimensional(flow, theta0) if case.regime.glides else None
    if lean and asked.method in ("auto", *METHODS):
        run = sliding_run(lean, theta0, asked)
    else:
        run = engine(flow, theta0, asked)
    if case.regime.glides and asked.method == "auto":
        run = _on_along_minima(flow, run, asked)
    return _rows(flow, run, asked, wanted)


def check_sizes(flow: Flow, theta0: Theta) -> None:
    """Refuse a start whose margins and rates have squares beyond doubles."""
    _check_margins(flow, theta0)
    with np.errstate(divide="ignore"):
        logs = np.log10(np.abs(theta0))
        others = [np.delete(logs, k, axis=0).sum(axis=0) for k in range(len(logs))]
        rates = np.log10(flow.data.sizes) + others
    if -np.inf < rates.max() < -_SIZES:
        raise InputError(_sized(rates.max()))


def _check_margins(flow: Flow, theta: Theta) -> None:
    """Refuse weights whose margins have squares beyond doubles."""
    with np.errstate(divide="ignore"):
        logs = np.log10(np.maximum(np.abs(theta), 1.0)).sum(axis=0)
        most = (logs + np.log10(flow.data.sizes)).max()
    if most > _SIZES:
        raise InputError(_sized(most))


def _sized(size: float) -> str:
    """Return what is wrong with a margin or rate of that power of ten."""
    return (
        f"several examples need margins and rates from 1e-{_SIZES} to 1e+{_SIZES}, this start "
        f"has {10 ** (size % 1):.2g}e{np.floor(size):+.0f}; scale weights, rho or data"
    )


def _on_along_minima(flow: Flow, run: LateRun, asked: Request) -> LateRun:
    """Return a run, continued where it came to minima along which it slides."""
    arrived = run.march.status == Ending.AT_REST
    if not arrived or isolated(flow, run.states(run.edges[-1:])[0]):
        return run
    why = "goes on along minima on which several pulls vanish"
    return iterated_on(flow, run, asked, why)


def _engine(case: Case, method: str) -> Callable[..., LateRun]:
    """Return what integrates a flow by a method, or say what that takes."""
    runs = case.regime.runs
    name = case.rule.name
    if method in runs:
        return loaded(runs[method])
    if "any" in runs and method in ("auto", *METHODS):
        return loaded(runs["any"])
    steps = ("auto", *METHODS) if "any" in runs else ()
    known = ", ".join([*steps, *(word for word in runs if word != "any")])
    if method not in (*_WHY, *METHODS):
        raise InputError(
            f"needs one of {known} for {name}, got {method!r}", of="method"
        )
    why = _WHY.get(method, "")
    raise InputError(
        f"method {method!r} cannot follow {name} of several examples{why}; take one of {known}"
    )


def _rows(flow: Flow, run: LateRun, asked: Request, wanted: Wanted) -> Trajectory:
    """Cut a run into rows, in the clock of the end; after a collapse it rests to `tau_end`."""
    last = float(run.edges[-1])
    tau_last = float(run.tau(np.array([last]))[0])
    ending = Ending(run.march.status)
    whole = ending.rests or ending in (Ending.FINISHED, Ending.NOT_UNIQUE)
    if asked.in_tau:
        goal = asked.end if whole else tau_last
        tau = chosen_rows(run.tau(run.edges), wanted, goal)
        inside = np.minimum(tau, tau_last)
        log_t = run.log_t(inside)
    else:
        log_t = chosen_rows(run.edges, wanted, min(asked.end, last))
        tau = run.tau(log_t)
    theta = run.states(log_t)
    how = run.march.method
    message = ending.in_log_t.format(tau=tau_last, log_t=last, method=how) + run.note

    def clock() -> Points:
        log_pace = run.log_pace
        if log_pace is None:  # that of the fall
            before = run.states(np.array([last * (1.0 - 1e-9)]))[0]
            log_pace = -float(flow.log_lambda(before))
        resting = np.maximum(tau - tau_last, 0.0)
        with np.errstate(divide="ignore"):
            more = np.log(resting) + log_pace
        return np.logaddexp(log_t, more)

    return Trajectory(
        flow.data,
        flow.perturbation,
        flow.loss,
        tau,
        theta,
        run.march.events,
        ending.status,
        message,
        how,
        run.march.steps,
        run.march.nfev,
        clock=clock,
        ending=ending,
    )
