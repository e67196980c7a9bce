"""Which coordinate blows up first at L >= 3: bounds of the times, from one state.

With |eps| <= r, `|w_k|' <= |mu| prod_{m != k} (|w_m| + r)`, and `>=` with |w_m| - r where sign(mu)
beta > 0. Either comparison conserves z_k^2 - z_l^2, so that the time, `int_0^inf dy / (|mu| prod_k
(z_k^2 + 2 y)^(1/2))`, lies between `rms^-(L-2)` and `gm^-(L-2)`, over (L - 2) |mu|.
(derivations/decided_states.py)
"""

import numpy as np

from flowsam.flow import Flow
from flowsam.outcomes.balanced_l2 import EVEN, even, keeps_order, rising
from flowsam.shapes import Bool, Codes, Column, Float, Starts, Weights


def winner(flow: Flow, w: Weights) -> Codes:
    """Return the coordinate that is certain to blow up first at L >= 3, counted from 0, or -1.

        |mu_j| gm(|w_j| - r)^(L-2) > |mu_i| rms(|w_i| + r)^(L-2)  for every other i,

    r a bound of |eps|: rho, or rho L^(-1/p), p > 1, where layers are equal (p = 1 takes turns).
    """
    size = np.abs(w)
    radius = _radius(flow, w)
    found = foremost(flow, w, np.maximum(size - radius, 0.0), size + radius)
    if flow.perturbation.normalised:
        return found
    radius = _fading(flow, w)
    late = foremost(flow, w, np.maximum(size - radius, 0.0), size + radius, margin=2.0)
    return np.where(found < 0, late, found)


def foremost(
    flow: Flow,
    w: Weights,
    inner: Weights,
    outer: Weights,
    *,
    margin: float = 1.0,
) -> Codes:
    """Return the coordinate whose score of `inner` exceeds others' of `outer` by a factor, or -1.

    |mu_j| gm(inner_j)^(L-2)  >  margin |mu_i| rms(outer_i)^(L-2),    sign(mu_j) beta_j > 0
    """
    a = np.abs(flow.mu)[:, None]
    power = len(w) - 2
    low = np.where(
        rising(flow.mu, w), a * np.prod(inner ** (power / len(w)), axis=0), 0.0
    )
    high = a * np.mean(outer * outer, axis=0) ** (power / 2)
    first = low.argmax(axis=0)
    columns = np.arange(w.shape[-1])
    best = low[first, columns]
    high[first, columns] = 0.0
    return np.where((best > 0) & (best > margin * high.max(axis=0)), first, -1)


def equals(flow: Flow, starts: Starts, first: Codes) -> Bool[np.ndarray, "N d"]:
    """Return which coordinates blow up together with a given one: by symmetry or equal scores."""
    a = np.abs(flow.mu)
    sizes = np.sort(np.abs(starts), axis=1)
    sign = np.sign(flow.mu) * np.prod(np.sign(starts), axis=1)
    place = first[:, None]
    chosen = np.take_along_axis(sizes, place[:, None], axis=2)
    same = (a == a[place]) & (sign == np.take_along_axis(sign, place, axis=1))
    same &= (sizes == chosen).all(axis=1)
    ordered = keeps_order(flow, np.moveaxis(starts, 0, -1), 0.0)
    # no power leaves the doubles
    _, power = np.frexp(sizes[:, 0].max(axis=1, keepdims=True))
    scores = a * np.ldexp(sizes[:, 0], -power) ** (sizes.shape[1] - 2)
    top = np.take_along_axis(scores, place, axis=1)
    near = np.abs(scores - top) <= 8 * np.finfo(float).eps * top
    return same | (ordered[:, None] & near)


def _radius(flow: Flow, w: Weights) -> Float[np.ndarray, "..."]:
    """Bound |eps| from now on: by rho, or for unnormalised SAM by what rising margins leave of it.

    With every x_j = mu_j beta_j > 0 and S their sum, `|eps_k| <= rho e^-(S - x_j) x_j e^-x_j /
    |w_k|`; while that is below |w_k|, all |w| and x_j rise.
    """
    rule = flow.perturbation
    if rule.normalised:
        # p = 1: one layer at a time
        share = len(w) ** (-1 / rule.p) if rule.p > 1 else 1.0
        return rule.rho * np.where(even(w, EVEN), (1 + 10 * EVEN) * share, 1.0)
    x = flow.mu[:, None] * np.prod(w, axis=0)
    peak = np.where(x > 1, x * np.exp(-np.maximum(x, 1.0)), np.exp(-1.0))
    bound = rule.rho * np.exp(x - x.sum(axis=0)) * peak / np.abs(w)
    rises = ((x > 0) & (bound < np.abs(w))) | (flow.mu == 0)[:, None]
    return np.where(rises.all(axis=(0, 1)), bound, np.inf)


def _fading(flow: Flow, w: Weights) -> Column:
    """Bound |eps| of unnormalised SAM where the margin x_j of one coordinate outweighs the rest.

    A winner by a factor 2 blows up before the others, G_i = max |w_i|, have grown threefold: till
    then `|eps| <= rho e^-(x_j - sum |mu_i| (3 G_i)^L) max |g|`.
    """
    depth = len(w)
    columns = np.arange(w.shape[-1])
    a = np.abs(flow.mu)[:, None]
    x = flow.mu[:, None] * np.prod(w, axis=0)
    top = np.abs(w).max(axis=0)
    first = x.argmax(axis=0)
    slope = a * (3 * top) ** (depth - 1)
    other = a * (3 * top) ** depth
    slope[first, columns] = x[first, columns] / np.abs(w[:, first, columns]).min(axis=0)
    other[first, columns] = 0.0
    margin = x[first, columns] - other.sum(axis=0)
    bound = flow.rho * np.exp(-margin) * slope.max(axis=0)
    small = (bound <= top / 2) | (top == 0) | (a == 0)
    return np.where(small.all(axis=0) & (margin > 1), bound, np.inf)
