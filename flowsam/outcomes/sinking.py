"""States at L >= 3 that lose two layers of every coordinate for good, smooth l_p rules.

With u_j, v_j the two smallest layers of a coordinate and c_jk the others, small (u, v) move as at
L = 2 with `a_j = |mu_j| prod_k |c_jk|` for |mu_j|, and `r = (sum u_j^2 + v_j^2)^(1/2)` obeys

    r' <= a_max r - rho a_min kappa,  kappa = min(1, (2d)^(1/q - 1/2)),

as long as the c hold: they drift by less than (r + rho)^2 b over the time r / (rho a_min kappa)
that is left, b = max a_j / |c_jk|, and are perturbed by less than rho R^(q-1), R = r b / (2 a_min
kappa) the largest |g_c| / ||g||_q. Factors 2 and shares of a tenth pay for what is neglected.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from flowsam.flow import Flow

__all__ = ["sinking"]

_SHARE = 0.1  # by which the product of the other layers may change


def sinking(flow: Flow, w: Float[np.ndarray, "L d B"]) -> Bool[np.ndarray, " B"]:
    """Return which states are certain to end at beta = 0 with two layers of each coordinate at 0.

    Parameters
    ----------
    flow : Flow
        One example, any rule.
    w : ndarray, shape (L, d, B)
        States, L >= 3, batch last.

    Returns
    -------
    ndarray of bool, shape (B,)
        False for rules other than l_p, 1 < p < inf. There the gradient is 0 and the flow rests: as
        at the origin for L = 2, every state nearby falls back.

    Notes
    -----
    The argument is the docstring of this module; not in arXiv:2603.08290.

    Examples
    --------
    >>> from flowsam import l2, single_example
    >>> states = np.array([[[1.0, 1.0]], [[0.01, 0.1]], [[0.01, 0.1]]])
    >>> sinking(Flow(single_example([1.0]), l2(1)), states)
    array([ True, False])
    """
    rule, active = flow.perturbation, flow.mu != 0
    found = np.zeros(w.shape[-1], dtype=bool)
    if not (rule.normalised and rule.rho and 1 < rule.p < np.inf):
        return found
    size = np.partition(np.abs(w[:, active]), (1, 2), axis=0)
    near = np.flatnonzero((size[1] < _SHARE * rule.rho).all(axis=0))
    size = size[..., near]
    held, power = size[2].min(axis=0), 1.0 / (rule.p - 1.0)
    pull = np.abs(flow.mu[active])[:, None] * size[2:].prod(axis=0)
    kappa = min(1.0, (2.0 * len(pull)) ** (0.5 - 1.0 / rule.p))
    r = np.sqrt((size[:2] ** 2).sum(axis=(0, 1)))
    least, rate = kappa * pull.min(axis=0), (pull / size[2]).max(axis=0)
    share = r * rate / (2 * least)
    drift = 4 * (r + rule.rho) ** 2 * rate * r / (rule.rho * least)
    sure = 12 * pull.max(axis=0) * r <= rule.rho * least
    sure &= share <= _SHARE / 2
    sure &= rule.rho * share**power + drift <= _SHARE / (len(w) - 2) * held
    found[near] = sure & (held > 0)
    return found
