"""solve: one start, one answer, by the best engine that covers it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from flowsam.engines import METHODS
from flowsam.engines.run import Request, Run, cut
from flowsam.errors import InputError
from flowsam.exact import solution
from flowsam.flow import Flow
from flowsam.inputs import check_rtol, real_array
from flowsam.one_example.closed_form import exact_run
from flowsam.regimes import Case, case_of
from flowsam.shapes import Points, Theta
from flowsam.signatures import public
from flowsam.trajectory import Trajectory

Rows = int | Points | None

_MOST_ROWS = 10**8
_LEAST_ATOL = 1e-100  # squares of errors in units of it stay in the range of doubles


@public
def solve(  # noqa: PLR0913 - the contract's verb
    flow: Flow,
    theta0: ArrayLike,
    *,
    tau_end: float | None = None,
    log_t_end: float | None = None,
    method: str = "auto",
    rtol: float = 1e-9,
    atol: float = 1e-12,
    save_at: int | ArrayLike | None = None,
) -> Trajectory:
    """Solve SAM flow from one start, exactly where a closed form exists.

    d theta / d tau = (sum_i q_i z_i) prod_{k != l} w^(k) at theta_hat, events located exactly.

    Parameters
    ----------
    flow : Flow
        Data, rule and loss.
    theta0 : array_like, shape (L, d)
        Initial weights, any signs.
    tau_end, log_t_end : float
        The end, in rescaled time or in log(1 + t); give exactly one.
    method : str
        "auto", "exact", or a `solve_ivp` method, used between events: "RK23", "RK45", "DOP853",
        "Radau", "BDF", "LSODA". For l_inf-SAM with several examples also "discrete" (iteration,
        its step halved) and "smoothed" (tanh for the sign: Utkin's solution, for its direction);
        l_1-SAM of several examples, and ASAM with p = 1 of several, are iterated always.
        For one example under GD, l_2 and unnormalised SAM also "heyoka" (the extra flowsam[fast]),
        Taylor's method; compiling takes 0.1 to 1 s a shape, so that "auto" never picks it.
    rtol, atol : float
        Error control of the steps; closed forms ignore them. rtol >= 1e-13, atol >= 1e-100.
        Several examples: "auto" takes at most .01 / log_t_end, for margins grow like log t, and
        shares like e to their errors; under a rule that keeps its length at most 1e-6, for steps
        chatter about a rest else.
    save_at : int or array_like, optional
        Rows to keep: None the solver's own steps (exact: start, events, end), a number of equal
        points, or values in the clock of the end given, none later than it; a run that ends
        early is cut to the values before, and has its end as the last row.

    Returns
    -------
    Trajectory
        Ends early, with a status that says so, at a blow-up; after a collapse the rows are
        constant to `tau_end`. What has fallen to 0 keeps theta_hat as equal layers fell with it,
        as in discrete SAM: under l_inf |beta_hat_j| = rho^L, on the side it is pulled to. What
        starts with two weights at 0 has no gradient, and eps = 0.
        Data that do not separate: normalised SAM slides along the minima, and rests where
        they are flattest. A flow at rest has log t = log tau + const: status "failed" where
        tau = 1e300 (steps: 1e15 times the flow's own) is not enough for `log_t_end`. Of
        several examples at L >= 3 weights are infinite at a finite tau: status "escaped"
        where `tau_end` is beyond. The error is a few tolerance units times the flow's own
        amplification, or a few ulp for closed forms. Of l_p with p > 2 at L = 2 the time at
        which a feature dies is known to some 50 atol^((p-2)/(p-1)) of 1/rate only, 4 digits
        at p = 3 and the default atol, whatever rtol: its power (p-2)/(p-1) falls at a
        constant rate. Nothing else feels that.

    Raises
    ------
    TypeError, ValueError
        For bad input, in one line.

    Notes
    -----
    A weight that is exactly 0 at the start is resolved as at an event: it crosses to the side
    both fields point to, slides if both point at 0; a coordinate with all weights 0 rests.
    Derivations: derivations/rescaled_clock.py, derivations/linf_two_layer.py,
    derivations/sliding_minima.py.
    Source: arXiv:2603.08290, equation (2); Filippov's solution: flowsam.

    Examples
    --------
    >>> from flowsam import Flow, linf, single_example
    >>> run = solve(Flow(single_example([1, 2]), linf(1)), [[1.5, 0.6]] * 2, tau_end=3)
    >>> run.method, run.events[0].kind, round(run.events[0].tau, 12)
    ('exact: linf_balanced', 'zero', 0.458145365937)
    """
    theta0 = flow.one_start(theta0, "solve", "see solve_many")
    asked = _checked_end(tau_end, log_t_end)
    _check_tolerances(rtol, atol)
    wanted = _checked_rows(save_at, asked)
    asked = replace(asked, method=method, rtol=rtol, atol=atol)
    found = case_of(flow, len(theta0)).ask("solve")(theta0, asked, wanted)
    steps = {"rtol": rtol, "atol": atol} if found.nfev else {}  # closed forms have none
    return replace(found, settings={asked.clock: asked.end} | steps | _field(flow))


def _field(flow: Flow) -> dict[str, str]:
    """Return the name of a field of the user's own, which no trajectory carries."""
    return {"field": type(flow).__name__} if flow.own_field else {}


def _checked_end(tau_end: float | None, log_t_end: float | None) -> Request:
    """Return the end and the name of its clock, as a request."""
    ends = {"tau_end": tau_end, "log_t_end": log_t_end}
    given = [(name, end) for name, end in ends.items() if end is not None]
    if len(given) != 1:
        word = "both" if given else "neither"
        raise InputError(
            f"solve needs exactly one of tau_end and log_t_end, got {word}; pass one"
        )
    name, value = given[0]
    if not 0 < value < math.inf:
        raise InputError(
            f"needs a finite number > 0, got {value:g}; runs start at 0", of=name
        )
    return Request(value, name)


def _check_tolerances(rtol: float, atol: float) -> None:
    """Refuse tolerances that doubles cannot meet."""
    check_rtol(rtol)
    if not _LEAST_ATOL <= atol < math.inf:
        raise InputError(
            f"atol needs a finite number >= {_LEAST_ATOL:g}, got {atol:g}: a weight at 0 has no "
            "relative error; 1e-12 is the default"
        )


def _checked_rows(save_at: int | ArrayLike | None, asked: Request) -> Rows:
    """Return the rows asked for: None, a number >= 2, or sorted values from 0 to the end."""
    if save_at is None:
        return None
    values = real_array(save_at, "save_at")
    if values.ndim == 0:
        if values < 2 or values != int(values):
            raise InputError(
                f"needs a whole number >= 2, got {values:g}; two are the start and the end",
                of="save_at",
            )
        if values > _MOST_ROWS:
            size = f"{values:.3g} rows take {values * 8 / 2**30:.3g} GiB a weight"
            raise InputError(
                f"is too large: {size}; pass fewer, or solve piece by piece",
                of="save_at",
            )
        return int(values)
    if (
        values.ndim != 1
        or not values.size
        or (values < 0).any()
        or (np.diff(values) < 0).any()
    ):
        raise InputError(
            "save_at needs sorted times >= 0 in the clock of the end; sort them"
        )
    # an end of linspace or geomspace may be rounded up
    if values[-1] > asked.end * (1 + 1e-12):
        raise InputError(
            f"save_at needs times up to {asked.clock} = {asked.end:g}, got {values[-1]:g}; set a "
            "later end"
        )
    return values


def of_one_example(
    case: Case, theta0: Theta, asked: Request, wanted: Rows
) -> Trajectory:
    """Solve one example and cut the run into the rows asked for."""
    return cut(case.flow, _run(case, theta0, asked), wanted, asked)


def _run(case: Case, theta0: Theta, asked: Request) -> Run:
    """Pick the engine for one example and run it."""
    method = asked.method
    if method not in ("auto", "exact", "heyoka", *METHODS):
        known = ", ".join(METHODS)
        raise InputError(
            f"needs one of auto, exact, heyoka, {known} for one example, got {method!r}",
            of="method",
        )
    if method in ("auto", "exact"):
        if form := case.form(theta0):
            until = asked.end if asked.in_tau else math.inf
            found = solution(form, case.flow, theta0, until=until)
            return exact_run(case, theta0, found, asked)
        if method == "exact":
            raise InputError(
                f"no closed form covers this: {case.rule.name} has no solved case at depth "
                f"{case.depth} (GD, l_inf and, at depth 2, l_2 have); use method='auto'"
            )
    return _stepped(case, theta0, asked)


def _stepped(case: Case, theta0: Theta, asked: Request) -> Run:
    """Run by steps, whose libraries no closed form loads."""
    from flowsam.engines.stepping import Tolerances
    from flowsam.one_example.engine import stepped_run

    named = asked.method
    stiff = ""
    if named == "auto":
        named = "DOP853"
        stiff = "Radau"
    maker = None
    if named == "heyoka":
        from flowsam.one_example.taylor_steps import taylor_steps

        maker = taylor_steps(case, theta0)
    care = Tolerances(named, asked.rtol, asked.atol, stiff=stiff, maker=maker)
    return stepped_run(case, theta0, asked, care)
