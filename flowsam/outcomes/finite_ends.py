"""Data that do not separate: where a theorem says that weights stay finite, without a late run.

Where positive weights cancel all examples, every direction that moves a margin lowers one: the
loss, convex in beta, has bounded sublevel sets. A path along which it falls stays in one of them.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from flowsam.data import unsplit
from flowsam.flow import Flow
from flowsam.margin.farkas import balancing_weights
from flowsam.solver import solve

__all__ = ["finite_because"]

_RANK = 1e-8  # least over largest singular value of features that count as independent
_BELOW = 1e-9  # by how much, relatively, a loss is below that of zero for certain
_SHORT = 3.0  # log(1 + t) of the run that shows it


def finite_because(flow: Flow, theta0: Float[np.ndarray, "L d"]) -> str:
    """Return why beta tends to a finite, non-zero limit on data that do not separate, or "".

    L = 1, GD and l_2 and unnormalised SAM: with u = grad Lo / |grad Lo| and a convex loss,
    <u, grad Lo(w + c u)> >= |grad Lo(w)| for c >= 0, so the loss falls as fast as its gradient
    allows, to its minimiser. L >= 2, GD: the loss falls, so beta stays in a bounded set; with it
    theta, because w_k^2 - w_l^2 is kept; a bounded gradient flow of an analytic loss converges
    (Lojasiewicz), and not to 0 once the loss is below that of 0.

    Parameters
    ----------
    flow : Flow
        Several examples that do not separate.
    theta0 : ndarray, shape (L, d)
        Start.

    Returns
    -------
    str
        A sentence; "" where no theorem is known: other rules, features that are dependent beyond
        `split_signs`, examples that separate in part, or a limit that may be 0.

    Examples
    --------
    >>> from flowsam import Data, gradient_flow
    >>> flow = Flow(Data([[1.0], [-1.0], [2.0]]), gradient_flow())
    >>> finite_because(flow, np.ones((2, 1)))[:30], finite_because(flow, np.zeros((2, 1)))
    ('the loss falls below that of b', '')
    """
    rule, depth = flow.perturbation, len(theta0)
    round_steps = not rule.rho or not rule.normalised or rule.p == 2.0
    covered = round_steps if depth == 1 else not rule.rho and _independent(flow, theta0)
    if not covered or balancing_weights(flow.data.z) is None:
        return ""
    if depth == 1:
        pulled = np.abs(flow.data.z.sum(axis=0)).max() > 1e-9 * np.abs(flow.data.z).sum()
        return "the loss has a finite minimiser, to which every path falls" if pulled else ""
    falls = "the loss falls below that of beta = 0 and keeps to a bounded set of beta: it converges"
    return falls if _below_zero(flow, theta0) else ""


def _independent(flow: Flow, theta0: Float[np.ndarray, "L d"]) -> bool:
    """Whether margins bound every weight that moves.

    Of a pair z, -z the balanced weights keep w_+ w_- (L = 2) or w_+^(2-L) + w_-^(2-L), so that
    both are bounded where beta_+ - beta_- is.
    """
    data = flow.data
    if (np.abs(theta0) == np.abs(theta0[:1])).all():
        data = unsplit(data)
    z = data.z[:, data.z.any(axis=0)]
    values = np.linalg.svd(z / np.linalg.norm(z, axis=0), compute_uv=False)
    return len(values) == z.shape[1] and bool(values[-1] > _RANK * values[0])


def _below_zero(flow: Flow, theta0: Float[np.ndarray, "L d"]) -> bool:
    """Whether the loss is below that of beta = 0 at the start, or soon after."""
    zero = float(flow.log_loss(np.zeros_like(theta0)))
    if float(flow.log_loss(theta0)) < zero - _BELOW:
        return True
    return bool(solve(flow, theta0, log_t_end=_SHORT).log_loss[-1] < zero - 1e-6)
