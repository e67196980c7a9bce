"""Balanced starts of unnormalised SAM at L >= 3 that the ascent step holds for ever.

With s_j = |mu_j| w_j^(L-2), `s_j' = (L-2) s_j^2 (1 - h_j)^(L-1)`, h_j = rho Lambda(m) s_j; H(s) is
h where all s_j = s, log-concave. Even L: cooperative, equal s above and below enclose it; where
max s_j is at most the larger root of H = 1 all s_j tend to the smaller one, or stay at the larger.
Odd L: no s_j falls, m rises and Lambda falls, so all h_j <= 1 stays so; and there max s_j is at
most the smaller root or beyond the larger one. Equal s_j are never parted: up to the larger root
they come to rest at the next one. (derivations/unnormalised_stalling.py)
"""

from functools import lru_cache

import numpy as np
from scipy.optimize import brentq

from flowsam.flow import Flow
from flowsam.losses import Loss
from flowsam.outcomes.balanced_l2 import EVEN, aligned
from flowsam.shapes import Chosen, Column, Weights

SLACK = 1e-9  # of H: what rounding may add


def held(flow: Flow, w: Weights) -> Chosen:
    """Return which states can never escape: equal layers, and by `H >= 1` and `h_j <= 1`."""
    found = even(flow, w, EVEN)
    if not found.any():
        return found
    depth = len(w)
    active = flow.mu != 0
    a = np.abs(flow.mu[active])[:, None]
    peak = _peak(tuple(a[:, 0].tolist()), depth, flow.loss)
    sizes = a * np.abs(w[0, active]) ** (depth - 2)
    size = sizes.max(axis=0)
    place = np.maximum(size, peak)
    equal = (place[:, None] ** depth / a[:, 0] ** 2) ** (1 / (depth - 2))
    found &= _log_h(flow, place, equal.sum(axis=-1)) > SLACK
    if depth % 2:
        margin = (a * np.abs(w[0, active]) ** depth).sum(axis=0)
        below = (size < peak) & (_log_h(flow, size, margin) < -SLACK)
        found &= below | (sizes == size).all(axis=0)
    return found


def even(flow: Flow, w: Weights, most: float = 0.0) -> Chosen:
    """Return which states have equal layers in every active coordinate, aligned and not 0."""
    if flow.perturbation.normalised or len(w) < 3:
        return np.zeros(w.shape[-1], dtype=bool)
    return aligned(flow.mu, w, most)


def _log_h(flow: Flow, size: Column, margin: Column) -> Column:
    """Return log(rho |ell'(m)| s)."""
    return np.log(flow.rho * size) + flow.loss.log_slope(margin)


@lru_cache(maxsize=64)
def _peak(a: tuple[float, ...], depth: int, loss: Loss) -> float:
    """The s at which H is largest: d log H / d log s = 1 + L/(L-2) M d log|ell'|/dm = 0."""
    unit = float((np.array(a) ** (-2 / (depth - 2))).sum())
    power = depth / (depth - 2)

    def slope(log_s: float) -> float:
        margin = np.array(unit * np.exp(power * log_s))
        return float(1 + power * margin * loss.log_slope_derivative(margin))

    centre = -np.log(unit) / power  # a margin of 1
    return float(np.exp(brentq(slope, centre - 40.0, centre + 5.0)))
