"""solve_many: thousands of starts at once, each with its own steps; the finished are frozen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flowsam import endings
from flowsam.cards import Card, Rows
from flowsam.engines import taylor
from flowsam.engines.deaths import Deaths
from flowsam.engines.lean_field import lean_field
from flowsam.engines.run import Request
from flowsam.ensemble import taylor_batch
from flowsam.ensemble.batch_ends import Ending, Ends
from flowsam.ensemble.batched_steps import Control, Steps
from flowsam.errors import InputError
from flowsam.events import first
from flowsam.flow import Flow
from flowsam.inputs import check_rtol, real_array
from flowsam.regimes import MOST_STEPS, Case, case_of
from flowsam.shapes import Bool, Float, Int8, Labels, Numbers, Thetas
from flowsam.signatures import public

# numbers under way at once: twelve stages of them fit a second-level cache
BLOCK = 16_000

Settled = Callable[[Float[np.ndarray, "B L d"]], Bool[np.ndarray, " B"]]


@dataclass(frozen=True, eq=False, repr=False)
class Ensemble(Card):
    """Where many starts of one flow ended.

    Parameters
    ----------
    flow : Flow
        Data, rule and loss.
    theta : ndarray, shape (..., L, d)
        Last weights: 0 after a collapse, inf in the winner after a blow-up (n = 1).
    tau : ndarray, shape (...)
        Rescaled time of each end.
    status : ndarray of int8, shape (...)
        An `Ending`.
    steps : ndarray of int, shape (...)
        Accepted steps.
    tau_end, rtol : float
        As given; the absolute tolerance is 1e-3 rtol.
    method : str
        "DOP853", or "heyoka" for members that reached tau_end and DOP853 for the others, or
        "solve" for a field that jumps.
    """

    flow: Flow
    theta: Thetas
    tau: Numbers
    status: Int8[np.ndarray, "*batch"]
    steps: Labels
    tau_end: float
    rtol: float
    method: str = "DOP853"

    def _rows(self) -> Rows:
        """How many there are, where they ended, and how."""
        codes, counts = np.unique(self.status, return_counts=True)
        ends = (f"{n} {Ending(k).name}" for k, n in zip(codes, counts, strict=True))
        depth, features = self.theta.shape[-2:]
        return [
            ("flow", self.flow.describe()),
            ("starts", f"{self.status.size}, depth L = {depth}, d = {features}"),
            ("time", f"tau = 0 to {self.tau_end:.6g}"),
            ("ends", ", ".join(ends) or "none"),
            (
                "method",
                f"{self.method}, rtol = {self.rtol:g}, {self.steps.sum()} steps",
            ),
        ]


@public
def solve_many(  # noqa: PLR0913 - the contract's verb
    flow: Flow,
    theta0s: ArrayLike,
    *,
    tau_end: float,
    rtol: float = 1e-9,
    settled: Settled | None = None,
    method: str = "auto",
    most_steps: int = MOST_STEPS,
) -> Ensemble:
    """Integrate many starts in rescaled time, each with its own step size and error control.

    DOP853 with the coefficients and the controller of SciPy's `solve_ivp`: a member takes the
    steps it would take alone, so one that is stiff or collapsing slows no other. A member ends
    at `tau_end`, at a collapse, at a blow-up, when `settled` says that it is decided, or after
    `most_steps`. Where the field jumps (l_inf, l_1, and ASAM with p = 1, or of several examples
    with p = inf) members are followed one by one by `solve`.

    Parameters
    ----------
    flow : Flow
        Any. l_1 of one example at L = 2 goes with the smooth rules, to about 1e3 rtol.
    theta0s : array_like, shape (..., L, d)
        Starts, any signs.
    tau_end : float
        End, in rescaled time.
    rtol : float
        Relative tolerance of a step, >= 1e-13; the absolute one is 1e-3 rtol.
    settled : callable, optional
        `theta (B, L, d) -> bool (B,)`, asked after every accepted step: a certificate that more
        integration cannot change the answer. Not for a field that jumps.
    method : str
        "DOP853"; "heyoka" (the extra flowsam[fast]), Taylor's method compiled for the shape, for
        GD, l_2 and unnormalised SAM without `settled`, an error of 0.1 rtol a step; "auto" takes
        heyoka where it is installed and faster.
    most_steps : int
        Steps of DOP853 a member may try; one that needs more is stiff, or its end far, and ends
        with OUT_OF_STEPS where it is. `solve` takes implicit steps, and has limits of its own.

    Returns
    -------
    Ensemble
        Errors as those of `solve(..., method="DOP853")`: a few tolerance units times the flow's
        own amplification.

    Raises
    ------
    TypeError, ValueError
        For bad entries or shapes, `tau_end <= 0`, rtol out of range, or a method or `settled` that
        does not take the flow.
    ImportError
        For "heyoka" where it is not installed.

    Examples
    --------
    >>> from flowsam.data import single_example
    >>> from flowsam.perturbations import gradient_flow
    >>> run = solve_many(Flow(single_example([1.0]), gradient_flow()), [[[1.0]] * 2], tau_end=1.0)
    >>> round(float(run.theta[0, 0, 0]), 9)  # e
    2.718281828
    """
    starts = flow.checked(theta0s)
    batch = starts.shape[:-2]
    shape = starts.shape[-2:]
    case = case_of(flow, shape[0])
    control = _checked_control(case, starts, tau_end, rtol, most_steps)
    w = np.ascontiguousarray(np.moveaxis(starts.reshape(-1, *shape), 0, -1))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        method = _chosen(method, case, w, settled)
        if method == "solve":
            w, tau, status, steps = _one_by_one(case, w, control)
        else:
            march = _arrive if method == "heyoka" else _march
            w, tau, status, steps = march(Ends.of(flow, control, w), w, settled)
    theta = np.ascontiguousarray(np.moveaxis(w, -1, 0)).reshape(starts.shape)
    return Ensemble(
        flow,
        theta,
        tau.reshape(batch),
        status.reshape(batch),
        steps.reshape(batch),
        control.tau_end,
        rtol,
        method,
    )


def _checked_control(
    case: Case,
    starts: Thetas,
    tau_end: float,
    rtol: float,
    most_steps: int,
) -> Control:
    """Return what members share; refuse ends and tolerances that mean nothing."""
    tau_end, rtol = (
        float(real_array(v, n)) for v, n in ((tau_end, "tau_end"), (rtol, "rtol"))
    )
    if tau_end <= 0:
        raise InputError(
            f"tau_end needs a positive number, got {tau_end:g}; runs start at 0"
        )
    check_rtol(rtol)
    flow = case.flow
    size = np.abs(np.moveaxis(starts, -2, 0))
    alone = bool(np.count_nonzero(size[:, None] == size) == size.size)
    atol = 1e-3 * rtol
    return Control(
        lean_field(flow, rtol) if case.regime.many else flow.field,
        tau_end,
        rtol,
        atol,
        most_steps,
        apart=case.regime.apart or alone,
        falls=case.falls,
        deaths=Deaths(flow, atol) if case.regime.fades else None,
    )


def _check_jumps(case: Case, method: str, settled: Settled | None) -> None:
    """Refuse what members followed one by one cannot have."""
    if method == "auto" and settled is None:
        return
    asked = "settled=" if settled is not None else f"method={method!r}"
    raise InputError(
        f"members under {case.rule.name} are followed one by one, for its field "
        f"jumps, got {asked}; leave it out"
    )


def _chosen(method: str, case: Case, w: np.ndarray, settled: Settled | None) -> str:
    """Return what does the work, or say why it cannot."""
    if not case.regime.many:
        _check_jumps(case, method, settled)
        return "solve"
    if method == "auto":
        fast = settled is None and taylor_batch.worth(case, w)
        return "heyoka" if fast else "DOP853"
    if method not in ("DOP853", "heyoka"):
        raise InputError(f"method needs auto, DOP853 or heyoka, got {method!r}")
    if method == "heyoka" and (settled is not None or not case.regime.analytic):
        asked = "settled=" if settled is not None else case.rule.name
        raise InputError(
            f"heyoka takes GD, l_2 and unnormalised SAM to tau_end, got {asked}"
        )
    if method == "heyoka":
        taylor.demand()
    return method


def _one_by_one(case: Case, w: np.ndarray, control: Control) -> tuple[np.ndarray, ...]:
    """Return last weights (L, d, N), times, statuses and steps of runs by `solve`."""
    follow = case.ask("solve")
    asked = Request(control.tau_end, "tau_end", rtol=control.rtol, atol=control.atol)
    last = w.copy()
    runs = [follow(start, asked, 2) for start in np.moveaxis(w, -1, 0)]
    for place, run in enumerate(runs):
        last[..., place] = run.theta[-1]
    # the rows of a collapsed one go on
    tau = [min(first("collapse", run.events), float(run.tau[-1])) for run in runs]
    late = endings.Ending.OUT_OF_STEPS
    words = [late.name if run.ending == late else run.status for run in runs]
    status = [Ending[word.upper()] for word in words]
    steps = [run.steps for run in runs]
    return last, np.array(tau), np.array(status, np.int8), np.array(steps, np.int64)


def _arrive(
    ends: Ends, w: np.ndarray, settled: Settled | None
) -> tuple[np.ndarray, ...]:
    """Go to tau_end by Taylor's method; the members it loses go by steps, from their starts."""
    control = ends.control
    new, steps, arrived = taylor_batch.march(
        ends.flow, w, tau_end=control.tau_end, rtol=control.rtol
    )
    arrived &= ends.open(new)
    if control.falls:
        arrived &= ~control.falls.through(w, new, control.falls.lone(w))
    tau = np.full(arrived.shape, control.tau_end)
    status = np.full(arrived.shape, Ending.FINISHED, np.int8)
    lost = np.flatnonzero(~arrived)
    if lost.size:
        found = _march(ends.of(ends.flow, control, w[..., lost]), w[..., lost], settled)
        new[..., lost], tau[lost], status[lost], steps[lost] = found
    return new, tau, status, steps


def _march(
    ends: Ends, w: np.ndarray, settled: Settled | None
) -> tuple[np.ndarray, ...]:
    """Step blocks of members to their ends, refilling from the queue; w (L, d, N) and the rest."""
    number = w.shape[-1]
    control = ends.control
    block = max(64, BLOCK // (w.shape[0] * w.shape[1]))
    w = w.copy()
    tau = np.zeros(number)
    status = np.full(number, Ending.COLLAPSED, np.int8)
    steps = np.zeros(number, np.int64)
    queue = np.flatnonzero(~ends.resting(w))
    under_way = Steps.start(control, queue[:block], w[..., queue[:block]])
    queue = queue[block:]
    while under_way.member.size:
        before = under_way
        under_way, stuck = under_way.advance(control)
        ending, under_way = ends.judge(before, under_way, stuck)
        if settled is not None:
            decided = (ending < 0) & settled(np.moveaxis(under_way.w, -1, 0))
            ending = np.where(decided, Ending.SETTLED, ending)
        done = ending >= 0
        if not done.any():
            continue
        over = under_way.keep(done)
        at = over.member
        w[..., at] = over.w
        tau[at] = over.tau
        status[at] = ending[done]
        steps[at] = over.count
        under_way = under_way.keep(~done)
        free = block - under_way.member.size
        if queue.size and free >= block // 8:
            fresh = queue[:free]
            queue = queue[free:]
            under_way = under_way.join(Steps.start(control, fresh, w[..., fresh]))
    return w, tau, status, steps
