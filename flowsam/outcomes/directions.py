"""Where a flow with several examples points at late times: the run, and what it proves.

Convergence can be as slow as (log t)^-0.02: a direction that looks settled proves nothing. Weak
duality does: min_i m_i / ||beta|| <= largest margin <= ||sum_i q_i z_i||_*, q of the run or, at
L = 2, of the dual solution to which its shares tend, the q that proves most.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowsam.endings import Ending
from flowsam.inputs import listed
from flowsam.labels import Label
from flowsam.margin.farkas import separability
from flowsam.outcomes.survivors import (
    Reach,
    alive,
    passed_gates,
    reachable_signs,
    restriction,
    state_certificate,
)
from flowsam.regimes import Case
from flowsam.shapes import Int, Vector
from flowsam.solver import solve
from flowsam.trajectory import Trajectory

CERTIFIED = 0.999
_ENDS = (Ending.AT_REST, Ending.POISED, Ending.FLATTEST, Ending.HELD)
_AT_ZERO = 1e-12  # an entry of beta where a slide ends at 0
# a run that ends early still has a last state
_WHOLE = ("finished", "sliding_ambiguous")
# against 1e-9: certificates differ by 1e-11 at log t = 1e4, measured
_RTOL = 1e-7
_ATOL = 1e-10


@dataclass(frozen=True, eq=False)
class Direction:
    """What a run to late times says about its limit direction."""

    label: int  # OTHER_DIRECTION, UNDECIDED, STALLED, ZERO or FAILED
    # beta at the end, of l_2 length 1; zeros where beta is 0
    direction: Vector
    log_t: float  # at the end of the run
    # log(1 + t) from which the certificate stays >= 0.999; inf where it does not
    settled_at: float
    # 1 or 2, whose margin a theorem says is maximised; None where none is known
    norm: int | None
    # min_i m_i / ||beta|| over ||sum_i q_i z_i||_* (l_1 where norm is None)
    certificate: float
    # true margin ratios, l_1 and l_2, over surviving features and signs in reach
    ratios: tuple[float, float]
    angles: tuple[float, float]  # radians, to those l_1 and l_2 max-margin directions
    # the same against all features with any signs; so are free_angles
    free_ratios: tuple[float, float]
    free_angles: tuple[float, float]
    support: Int[np.ndarray, " s"]  # features with |beta_j| above 1e-3 of the largest
    reason: str
    # the theorem's max-margin direction if directions converge, where it is one
    best: Vector | None = None

    @property
    def comparison(self) -> str:
        """The margin ratios, the angles and the support, in one clause; features from 1."""
        shown = listed(self.support, shown=lambda j: str(j + 1))
        ratios = "{:.5f} in l_1, {:.5f} in l_2"
        angles = "{:.2g} to l_1, {:.2g} to l_2"
        free = ""
        if not np.allclose(
            self.ratios, self.free_ratios, rtol=0, atol=1e-6, equal_nan=True
        ):
            free = (
                f"against all features with any signs: {ratios.format(*self.free_ratios)}, "
                f"{angles.format(*self.free_angles)}; "
            )
        return (
            f"margin over the largest: {ratios.format(*self.ratios)}; angle (radians) to the max "
            f"margins: {angles.format(*self.angles)}; {free}"
            f"support: {self.support.size} of {self.direction.size} features ({shown})"
        )


def late_run(case: Case, theta0: ArrayLike) -> Trajectory:
    """Run a flow to late times, by the method that has its direction there."""
    # where l_inf-SAM slides, tanh has its direction and reaches late times; iteration does not
    method = case.regime.late if separability(case.flow.data).separable else "auto"
    end = case.log_t_end
    how: dict[str, Any] = {"log_t_end": end, "rtol": _RTOL, "atol": _ATOL}
    run = solve(case.flow, theta0, method=method, **how)
    # tanh has no rest at odd L, signs do
    if case.regime.slides and (run.ending is Ending.FORKS or passed_gates(case, run)):
        run = solve(case.flow, theta0, **how)
    return run


def run_direction(case: Case, run: Trajectory) -> Direction:
    """Say what the direction at the end of a run is proven to be."""
    norm = case.regime.norm
    beta = run.beta[-1]
    signs = reachable_signs(run.theta[0]) if case.regime.known else np.zeros(beta.size)
    if case.gated:  # through 0
        signs = 0.0 * signs
    usable = signs * alive(case, beta)
    reach = Reach(run.data, usable)
    witness = reach.dual_pull() if norm == 1 else None
    proven = lambda theta: state_certificate(  # noqa: E731
        case, theta, norm or 1, usable, witness=witness
    )
    certificate = proven(run.theta[-1])
    size = np.linalg.norm(beta)
    unit = beta / size if size > 0 else beta
    within = free = reach.compared(unit)
    if usable.any():
        free = Reach(run.data, np.zeros(beta.size)).compared(unit)
    same = np.allclose(within.ratios, free.ratios, rtol=0, atol=1e-6)
    of = "" if same else restriction(usable)
    label, reason = _verdict(case, run, reach, certificate, of)
    support = np.flatnonzero(np.abs(beta) > 1e-3 * np.abs(beta).max())
    about = (float(run.log_t[-1]), _settled_at(run, proven), norm, certificate)
    slow = label == Label.UNDECIDED and norm == 1 and run.status in _WHOLE
    slow &= certificate > 0  # elsewhere it may rest at a finite loss
    best = reach.only_margin() if slow else None
    return Direction(label, unit, *about, *within, *free, support, reason, best)


def _settled_at(run: Trajectory, proven: Callable[[Any], float]) -> float:
    """Return the log t from which on the certificate of a run stays near 1; inf without one.

    It exceeds 1 while features count that are not compared.
    """
    backwards = map(proven, run.theta[::-1])
    near = (CERTIFIED <= found <= 1 / CERTIFIED for found in backwards)
    above = sum(1 for _ in takewhile(bool, near))
    return float(run.log_t[-above]) if above else np.inf


def _finite(run: Trajectory, reach: Reach) -> str:
    """Say why the loss stays finite of data that separate, or ""."""
    blocked = reach.blocked_because()
    if blocked or run.ending not in _ENDS:
        return blocked
    return run.message


def _came_to_0(run: Trajectory) -> str:
    """Return how a run ended at 0: an iteration only stays close."""
    if run.ending is Ending.STAYS_AT_0:
        return "the iteration stays at 0, within a few of its steps, to the end"
    if run.ending in _ENDS:
        return f"{run.message}, with beta = 0"
    return f"every weight that is pulled at reached 0, at tau = {run.tau[-1]:.6g}"


def _verdict(
    case: Case,
    run: Trajectory,
    reach: Reach,
    certificate: float,
    of: str,
) -> tuple[int, str]:
    """Return the label and the sentence that explains it: the ratio proven, and of what margin."""
    norm = case.regime.norm
    if not (run.data.z * run.beta[-1]).any() or run.status == "collapsed":
        return Label.ZERO, _came_to_0(run)
    if run.ending is Ending.FORKS:
        return Label.UNDECIDED, run.message
    verdict = separability(run.data)
    if not verdict.separable:
        label, what = _among_minima(case, run)
        return label, f"{what}: the data are {verdict.message}"
    blocked = _finite(run, reach)
    if blocked:
        return Label.STALLED, blocked
    end = float(run.log_t[-1])
    early = run.status not in _WHOLE
    log_t = f"log t = {end:.4g}"
    if early and (norm is None or run.log_t[-1] < 1):
        return Label.FAILED, f"the run ended early: {run.message}"
    if norm is None:
        return (
            Label.OTHER_DIRECTION,
            f"no theorem is known here; the direction is that at {log_t}",
        )
    words = f"min m / |beta|_{norm} is at least {certificate:.5f} of the largest l_{norm} margin"
    words += of
    if certificate < CERTIFIED:
        further = f"limit(flow, theta0, log_t_end={10 * end:.4g}) goes further"
        after = f"the run ended there: {run.message}" if early else further
        return Label.UNDECIDED, f"at {log_t} {words}, below {CERTIFIED}; {after}"
    return Label.OTHER_DIRECTION, f"at {log_t} {words}"


def _among_minima(case: Case, run: Trajectory) -> tuple[int, str]:
    """Return the label and the sentence for data that do not separate: rest, or none."""
    if not case.regime.rests:
        return Label.UNDECIDED, "no theorem applies"
    if run.ending not in _ENDS:
        return Label.UNDECIDED, f"the run came to no rest; {run.message}"
    beta = run.beta[-1]
    if np.abs(beta).max() <= _AT_ZERO:
        return Label.ZERO, f"{run.message}, with beta = 0"
    shown = listed(beta, 8, "{:.6g}".format)
    return Label.STALLED, f"{run.message}, with beta = {shown}"
