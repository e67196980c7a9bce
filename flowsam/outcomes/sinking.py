"""States at L >= 3 that lose two layers of every coordinate for good, smooth rules.

With u_j, v_j the two smallest layers and c_jk the others, a_j = |mu_j| prod_k |c_jk| and r = (sum
u_j^2 + v_j^2)^(1/2),

    r' <= a_max r - rho a_min kappa,  kappa = min(1, (2d)^(1/q - 1/2)),

as long as the c hold: they drift by less than 2 (r + rho)^2 b r / (rho a_min kappa), b = max a_j /
|c_jk|, and are perturbed by less than rho s^(q-1), s = r b / (2 a_min kappa); twice the drift is
asked for. (derivations/sinking.py)
"""

import numpy as np

from flowsam.flow import Flow
from flowsam.outcomes.balanced_l2 import PerWeight
from flowsam.shapes import Chosen, Column, Weights

_SHARE = 0.1  # by which the product of the other layers may change


def sinking(flow: Flow, w: Weights) -> Chosen:
    """Return which states are certain to end at beta = 0, two layers of each coordinate at 0."""
    rule = flow.perturbation
    active = flow.mu != 0
    found = np.zeros(w.shape[-1], dtype=bool)
    if not rule.rho or (rule.normalised and not 1 < rule.p < np.inf):
        return found
    size = np.partition(np.abs(w[:, active]), (1, 2), axis=0)
    unit = rule.rho if rule.normalised else size[2].min(axis=0)
    near = np.flatnonzero((size[1] < _SHARE * unit).all(axis=0))
    size = size[..., near]
    pull = np.abs(flow.mu[active])[:, None] * size[2:].prod(axis=0)
    change = (_pulled if rule.normalised else _damped)(flow, size, pull)
    found[near] = change <= _SHARE / (len(w) - 2) * size[2].min(axis=0)
    return found


def _pulled(flow: Flow, size: Weights, pull: PerWeight) -> Column:
    """Bound the change of the other layers under l_p; inf where r may rise."""
    rule = flow.perturbation
    kappa = min(1.0, (2.0 * len(pull)) ** (0.5 - 1.0 / rule.p))
    r = np.sqrt((size[:2] ** 2).sum(axis=(0, 1)))
    least = kappa * pull.min(axis=0)
    rate = (pull / size[2]).max(axis=0)
    share = r * rate / (2 * least)
    drift = 4 * (r + rule.rho) ** 2 * rate * r / (rule.rho * least)
    sure = (12 * pull.max(axis=0) * r <= rule.rho * least) & (
        share <= _SHARE / (2 * (len(size) - 2))
    )
    return np.where(sure, rule.rho * share ** (1.0 / (rule.p - 1.0)) + drift, np.inf)


def _damped(flow: Flow, size: Weights, pull: PerWeight) -> Column:
    """Bound the change of the other layers under unnormalised SAM; inf where r may rise.

    `(r^2)'/2 <= sum a_j (1 - rho |ell'| a_j) (u_j^2 + v_j^2)` falls where m = rho |ell'(S)| min a_j
    - 1 > 0; no margin exceeds S = sum a_j r^2. A change by a share of m leaves half of m.
    """
    rho = flow.rho
    square = (size[:2] ** 2).sum(axis=(0, 1))
    margin = square * pull.sum(axis=0)
    least = pull.min(axis=0)
    low, high = (np.exp(flow.loss.log_slope(sign * margin)) for sign in (1, -1))
    rate = (pull / size[2]).max(axis=0)
    kick = (1 + 2 * rho * high * pull.max(axis=0)) ** 2
    spare = np.minimum(3 * (rho * low * least - 1), 1.0)
    drift = rho * high * square * rate + 8 * rate * kick * square / (least * spare)
    return np.where(spare > 0, drift / spare, np.inf)
