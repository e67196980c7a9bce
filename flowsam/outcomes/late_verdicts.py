"""The verdict on one start with several examples: a theorem at depth 1, a late run elsewhere.

Data that do not separate: where positive weights cancel all examples, the loss, convex in beta, has
bounded sublevel sets, and a path along which it falls stays in one.
ASAM at L = 2: with c_j = 1 - rho s_j r_j, beta c tends to the l_1 max margin of z_ij c_j: a fixed
point, for c depends on beta. Whether it is unique is not known.
"""

import numpy as np

from flowsam.data import unsplit
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.many_examples.engine import check_sizes
from flowsam.many_examples.rest import independent
from flowsam.margin.farkas import balancing_weights, separability
from flowsam.margin.least_distance import shortest_separator
from flowsam.outcomes.certificates import STILL, still
from flowsam.outcomes.directions import CERTIFIED, Direction, late_run, run_direction
from flowsam.outcomes.outcome import Limit
from flowsam.outcomes.survivors import Reach
from flowsam.regimes import Case
from flowsam.shapes import Codes, Float, Starts, Theta, Vector
from flowsam.solver import solve

_BELOW = 1e-9  # by how much, relatively, a loss is below that of zero for certain
_SHORT = 3.0  # log(1 + t) of the run that shows it


def labels(case: Case, starts: Starts) -> Codes:
    """Return the labels of starts, each from a run of its own."""
    found = [case.verdict(theta).label for theta in starts]
    return np.array(found, dtype=np.int64)


def by_late_run(case: Case, theta0: Theta) -> Limit:
    """Return the verdict on one start with several examples, L >= 2.

    By weak duality of a late run; at L = 2 the l_1 max margin, "conditional" on the convergence of
    directions, where that proves too little. Data that do not separate: stalled by a theorem, or by
    a run that came to rest. (derivations/l2_limit.py; arXiv:2603.08290, Theorems 4.1, 4.2)
    """
    check_sizes(case.flow, theta0)
    if stalled := _stalled(case, theta0):
        return stalled
    if still(case.flow, theta0[..., None]).all():
        return Limit(int(Label.ZERO), None, "theorem", STILL)
    return by_run_alone(case, theta0)


def by_line(case: Case, theta0: Theta) -> Limit:
    """Return the verdict on one start with several examples at L = 1: the l_2 max margin.

    From every start: a bounded ascent step adds a bounded offset. (derivations/depth_one_margin.py;
    arXiv:2603.08290, Theorem 3.1)
    """
    if stalled := _stalled(case, theta0):
        return stalled
    data = case.flow.data
    verdict = separability(data)
    if not verdict.separable:
        reason = f"no theorem applies: the data are {verdict.message}"
        return Limit(int(Label.UNDECIDED), None, "none", reason)
    best = shortest_separator(data.z)[0]
    ratios, angles = Reach(data, np.zeros(best.size)).compared(best)
    reason = (
        "L = 1: every rule follows a line whose slope is the l_2 max margin; of the largest l_1 "
        f"margin it has {ratios[0]:.5f}, at an angle of {angles[0]:.2g} (radians)"
    )
    unit = best / np.linalg.norm(best)
    return Limit(int(Label.OTHER_DIRECTION), unit, "theorem", reason)


def by_run_alone(case: Case, theta0: Theta) -> Limit:
    """Return the verdict of a run to late times, with its `Direction` as evidence."""
    found = run_direction(case, late_run(case, theta0))
    if found.best is not None:
        reason = (
            "if the direction converges (gradient flow's does: Ji and Telgarsky 2020), its limit "
            f"is this l_1 max margin; of its margin the run proves {found.certificate:.5f} at "
            f"log t = {found.log_t:.4g}, {CERTIFIED} would be enough alone; {found.comparison}"
        )
        label = int(Label.OTHER_DIRECTION)
        return Limit(label, found.best, "conditional", reason, found)
    moves = found.label == Label.OTHER_DIRECTION
    # that of a rest; where data separate beta may still move
    rests = found.label == Label.STALLED and not separability(case.flow.data).separable
    known = found.direction if moves or rests else None
    open_ = found.label in (Label.UNDECIDED, Label.FAILED)
    proven = not open_ and (found.norm is not None or not moves)
    certificate = "numerical" if proven else "none"
    return Limit(int(found.label), known, certificate, _reason(found), found)


def _stalled(case: Case, theta0: Theta) -> Limit | None:
    """Return the verdict where a theorem keeps weights finite, or None."""
    verdict = separability(case.flow.data)
    if verdict.separable or not case.regime.finite:
        return None
    finite = case.ask("finite")(theta0)
    reason = f"{finite}, for the data are {verdict.message}"
    return Limit(int(Label.STALLED), None, "theorem", reason) if finite else None


def _reason(found: Direction) -> str:
    """Return what decided, what the end of the run looks like, and how far it had to go."""
    if np.isnan(found.ratios[0]):
        return found.reason
    known = np.isfinite(found.settled_at)
    far = f", from log t = {found.settled_at:.4g} on" if known else ""
    return f"{found.reason}{far}; {found.comparison}"


def by_convexity(case: Case, theta0: Float[np.ndarray, "1 d"]) -> str:
    """Return why beta tends to a finite limit at L = 1, or "".

    GD, l_2 and unnormalised SAM: u = grad Lo / |grad Lo| has <u, grad Lo(w + c u)> >= |grad Lo(w)|.
    """
    z = case.flow.data.z
    if balancing_weights(z) is None:
        return ""
    pulled = np.abs(z.sum(axis=0)).max() > 1e-9 * np.abs(z).sum()
    where = "" if pulled else ", beta = 0"
    return f"the loss has a finite minimiser{where}, to which every path falls"


def on_a_line(case: Case, theta0: Float[np.ndarray, "1 d"]) -> str:
    """Return the same under every rule: of examples on one line, which the ascent step climbs."""
    on_line = np.linalg.matrix_rank(case.flow.data.z) == 1
    return by_convexity(case, theta0) if on_line else ""


def by_descent(case: Case, theta0: Theta) -> str:
    """Return why beta tends to a finite, non-zero limit under GD at L >= 2, or "".

    The loss falls: beta, and theta (w_k^2 - w_l^2 is kept), stay bounded; such a gradient flow of
    an analytic loss converges (Lojasiewicz), and not to 0 once the loss is below that of 0.
    """
    flow = case.flow
    z = flow.data.z
    even = (np.abs(theta0) == np.abs(theta0[:1])).all()
    # margins bound every weight that moves; of a pair z, -z they bound beta_+ - beta_-
    bound = unsplit(flow.data).z if even else z
    bounded = independent(bound[:, bound.any(axis=0)])
    if not bounded or balancing_weights(z) is None or not _below_zero(flow, theta0):
        return ""
    return "the loss falls below that of beta = 0 and keeps to a bounded set of beta: it converges"


def _below_zero(flow: Flow, theta0: Theta) -> bool:
    """Whether the loss is below that of beta = 0 at the start, or soon after."""
    zero = float(flow.log_loss(np.zeros_like(theta0)))
    if float(flow.log_loss(theta0)) < zero - _BELOW:
        return True
    return bool(solve(flow, theta0, log_t_end=_SHORT).log_loss[-1] < zero - 1e-6)


def factors(flow: Flow, theta: Theta) -> Vector:
    """Return c_j = w_hat / w, the same in every layer; 1 where a weight is 0."""
    hat = flow.perturbed(theta)
    return np.divide(hat[0], theta[0], where=theta[0] != 0, out=np.ones_like(hat[0]))


def rescaled_certificate(flow: Flow, theta: Theta) -> float:
    """Return the weak-duality ratio of beta c on the data z c, at most the true margin ratio.

    min_i m_i(theta_hat) / ||beta c||_1  over  ||c sum_i q_i z_i||_inf,  both at theta_hat
    """
    c = factors(flow, theta)
    hat = flow.perturbed(theta)
    least = (flow.data.z @ np.prod(hat, axis=0)).min()
    length = np.abs(np.prod(theta, axis=0) * c).sum()
    bound = np.abs(c * flow.pull(hat)[0]).max()
    return float(max(least, 0.0) / (length * bound))


def by_rescaled_margin(case: Case, theta0: Theta) -> Limit:
    """Return the verdict on ASAM of several examples, L = 2: what its run to late times proves."""
    run = late_run(case, theta0)
    found = run_direction(case, run)
    if found.label != Label.OTHER_DIRECTION:
        return Limit(int(found.label), None, "none", found.reason, found)
    ratio = rescaled_certificate(case.flow, run.theta[-1])
    certificate = "numerical" if ratio >= CERTIFIED else "conditional"
    reason = (
        f"at log t = {run.log_t[-1]:.4g} beta c has at least {ratio:.5f} of the largest l_1 margin "
        "of the data rescaled by c_j = 1 - rho s_j r_j, a fixed point that it has if directions "
        "converge; plain margins: "
        f"{found.comparison}"
    )
    return Limit(int(found.label), found.direction, certificate, reason, found)
