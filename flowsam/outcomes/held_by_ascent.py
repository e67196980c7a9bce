"""Balanced starts of unnormalised SAM at even L >= 4 that the ascent step holds for ever.

With s_j = |mu_j| w_j^(L-2), `s_j' = (L-2) s_j^2 (1 - rho Lambda(m) s_j)^(L-1)`: cooperative, equal
s above and below enclose it, and H(s) = rho s Lambda(M(s)), M their margin, is log-concave.
Where max s_j is at most the larger root of H = 1 all s_j tend to the smaller one, or stay at the
larger: no coordinate escapes. (derivations/unnormalised_stalling.py)
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.optimize import brentq

from flowsam.flow import Flow
from flowsam.losses import Loss
from flowsam.outcomes.balanced_l2 import EVEN, aligned
from flowsam.shapes import Chosen, Weights

SLACK = 1e-9  # of H: what rounding may add


def held(flow: Flow, w: Weights) -> Chosen:
    """Return which states can never escape: L even, layers equal, `H >= 1` at or above max s_j."""
    found = even(flow, w, EVEN)
    if not found.any():
        return found
    depth = len(w)
    a = np.abs(flow.mu[flow.mu != 0])
    rho = flow.rho
    peak = _peak(tuple(a.tolist()), depth, flow.loss)
    size = (a[:, None] * np.abs(w[0, flow.mu != 0]) ** (depth - 2)).max(axis=0)
    place = np.maximum(size, peak)
    margins = (place[:, None] ** depth / a**2) ** (1 / (depth - 2))
    log_h = np.log(rho * place) + flow.loss.log_slope(margins.sum(axis=-1))
    return found & (log_h > SLACK)


def even(flow: Flow, w: Weights, most: float = 0.0) -> Chosen:
    """Return which states have equal layers in every active coordinate, aligned and not 0."""
    if flow.perturbation.normalised or len(w) % 2 or len(w) < 4:
        return np.zeros(w.shape[-1], dtype=bool)
    return aligned(flow.mu, w, most)


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
