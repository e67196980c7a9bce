"""Data that do not separate: where a theorem says that weights stay finite, without a late run.

Where positive weights cancel all examples, the loss, convex in beta, has bounded sublevel sets, and
a path along which it falls stays in one.
"""

from __future__ import annotations

import numpy as np

from flowsam.data import unsplit
from flowsam.flow import Flow
from flowsam.many_examples.rest import independent
from flowsam.margin.farkas import balancing_weights
from flowsam.regimes import Case
from flowsam.shapes import Float
from flowsam.solver import solve

__all__ = ["by_convexity", "by_descent", "by_line"]

_BELOW = 1e-9  # by how much, relatively, a loss is below that of zero for certain
_SHORT = 3.0  # log(1 + t) of the run that shows it


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


def by_line(case: Case, theta0: Float[np.ndarray, "1 d"]) -> str:
    """Return the same under every rule: of examples on one line, which the ascent step climbs."""
    return (
        by_convexity(case, theta0)
        if np.linalg.matrix_rank(case.flow.data.z) == 1
        else ""
    )


def by_descent(case: Case, theta0: Float[np.ndarray, "L d"]) -> str:
    """Return why beta tends to a finite, non-zero limit under GD at L >= 2, or "".

    The loss falls: beta, and theta (w_k^2 - w_l^2 is kept), stay bounded; such a gradient flow of
    an analytic loss converges (Lojasiewicz), and not to 0 once the loss is below that of 0.
    """
    flow = case.flow
    if not _independent(flow, theta0) or balancing_weights(flow.data.z) is None:
        return ""
    falls = "the loss falls below that of beta = 0 and keeps to a bounded set of beta: it converges"
    return falls if _below_zero(flow, theta0) else ""


def _independent(flow: Flow, theta0: Float[np.ndarray, "L d"]) -> bool:
    """Whether margins bound every weight that moves; of a pair z, -z they bound beta_+ - beta_-."""
    data = flow.data
    if (np.abs(theta0) == np.abs(theta0[:1])).all():
        data = unsplit(data)
    return independent(data.z[:, data.z.any(axis=0)])


def _below_zero(flow: Flow, theta0: Float[np.ndarray, "L d"]) -> bool:
    """Whether the loss is below that of beta = 0 at the start, or soon after."""
    zero = float(flow.log_loss(np.zeros_like(theta0)))
    if float(flow.log_loss(theta0)) < zero - _BELOW:
        return True
    return bool(solve(flow, theta0, log_t_end=_SHORT).log_loss[-1] < zero - 1e-6)
