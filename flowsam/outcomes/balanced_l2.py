"""What a balanced state of l_2-SAM at L >= 3 proves about its limit, one example.

With r_j = rho |mu_j| |w_j|^(L-2) / N, N = L^(1/2) ||mu w^(L-1)||, `w_j'/w_j = (N/rho) f_j`, f = r
(1 - r)^(L-1), and the order of r never changes. What decides:

- all r < 1 stays so, and N rises beyond its value at rest: a blow-up, at any L;
- one |w_j| > rho L^(-1/2), which |eps_j| never exceeds, only grows: a blow-up, at any L;
- even L, all r > 1 stays so, and the least r rises: all reach 0 in finite tau;
- odd L, no weight falls: one beyond its gate proves a blow-up, for bounded paths rest there.

The largest score |mu_j| |w_j|^(L-2) wins. With x = 1 - r, the minor coordinate of two first, R =
|mu_2|/|mu_1|, rest at L = 3 is degenerate: `x_j' = 2 sum_i p_i x_i^2 - x_j^2` to second order, p =
(R^2, 1)/(1 + R^2). (derivations/l2_deep_limits.py, derivations/l2_stalling.py)
"""

import numpy as np
from scipy.optimize import brentq

from flowsam.exact import winning
from flowsam.exact.lp_gates import rest_weights
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.shapes import Chosen, Codes, Flags, Float, Starts, Vector, Weights

PerWeight = Float[np.ndarray, "d N"]
EVEN = 1e-9  # relative difference of layers that rounding may leave between equal ones
_CLEAR = 10 * EVEN
_TIE = 8 * np.finfo(float).eps
RATIO = 2 + np.sqrt(3.0)  # of two |mu_j|, beyond which a sector stalls


def even(w: Weights, most: float = 0.0) -> Flags:
    """Return which coordinates have layers of one size, up to a relative difference."""
    size = np.abs(w)
    top = size.max(axis=0)
    return top - size.min(axis=0) <= most * top


def rising(mu: Vector, w: Weights) -> Flags:
    """Return where sign(mu_j) beta_j > 0."""
    return np.sign(mu)[:, None] * np.prod(np.sign(w), axis=0) > 0


def aligned(mu: Vector, w: Weights, most: float = 0.0) -> Chosen:
    """Return which states have even layers that rise in every active coordinate."""
    return (rising(mu, w) & even(w, most))[mu != 0].all(axis=0)


def keeps_order(flow: Flow, w: Weights, most: float = EVEN) -> Chosen:
    """Return which states are balanced and aligned, `sign(mu_j) beta_j > 0`; l_2, L >= 3."""
    rule = flow.perturbation
    if not (rule.normalised and rule.p == 2 and len(w) > 2):
        return np.zeros(w.shape[-1], dtype=bool)
    alive = _alive(flow, w)
    ordered = rising(flow.mu, w) & even(w, most) | ~alive
    return alive.any(axis=0) & ordered.all(axis=0)


def proved(flow: Flow, w: Weights) -> Codes:
    """Return the label that each balanced state proves: a winner, ZERO or STALLED."""
    found = np.full(w.shape[-1], Label.UNDECIDED)
    places = np.flatnonzero(keeps_order(flow, w))
    if not places.size:
        return found
    w = w[..., places]
    alive = _alive(flow, w)
    size = np.abs(w[0])
    r = _ratios(flow, w)
    if len(w) % 2:
        own = np.where(alive, flow.mu[:, None], 0.0).T
        gate = rest_weights(own, rho=flow.rho, p=2, depth=len(w)).T
        low = np.where(_stalls(flow, w, r), Label.STALLED, Label.UNDECIDED)
    else:
        gate = np.array(flow.perturbation.gate(len(w)))
        falls = (np.where(alive, r, np.inf) > 1 + _CLEAR).all(axis=0)
        low = np.where(falls, Label.ZERO, Label.UNDECIDED)
    escapes = (np.where(alive, r, 0.0) < 1 - _CLEAR).all(axis=0)
    escapes |= (alive & (size > (1 + _CLEAR) * gate)).any(axis=0)
    found[places] = np.where(escapes, np.where(alive, r, -1.0).argmax(axis=0) + 1, low)
    return found


def at_once(flow: Flow, starts: Starts) -> Codes:
    """Return the labels of balanced l_2 starts of equal scores: r < 1 ties, > 1 falls, 1 rests."""
    w = np.moveaxis(starts, 0, -1)
    found = np.full(len(starts), Label.UNDECIDED)
    places = np.flatnonzero(keeps_order(flow, w, 0.0))
    if not places.size:
        return found
    w = w[..., places]
    alive = _alive(flow, w)
    r = _ratios(flow, w)
    high = r.max(axis=0, where=alive, initial=-np.inf)
    low = r.min(axis=0, where=alive, initial=np.inf)
    equal = high - low <= _TIE * high
    rest = int(Label.STALLED if len(w) % 2 else Label.ZERO)
    grows = winning(alive.T, rest)
    label = np.select(
        [high > 1 + _TIE, high < 1 - _TIE], [rest, grows], Label.SEPARATRIX
    )
    found[places] = np.where(equal, label, Label.UNDECIDED)
    return found


def _stalls(flow: Flow, w: Weights, r: PerWeight) -> Chosen:
    """Whether both of two coordinates at L = 3 are in the sector that stalls, both alive.

    -h < x_1 < 0,  x_1 <= x_2 <= R |x_1|
    """
    active = np.flatnonzero(flow.mu)
    if len(w) != 3 or active.size != 2:
        return np.zeros(w.shape[-1], dtype=bool)
    minor, major = active[np.argsort(np.abs(flow.mu[active]))]
    ratio = float(np.abs(flow.mu[major] / flow.mu[minor]))
    x = 1 - r[minor]
    y = 1 - r[major]
    inside = (-sector_depth(ratio) < x) & (x < 0) & (x <= y) & (y <= -ratio * x)
    return inside & _alive(flow, w)[active].all(axis=0)


def sector_depth(ratio: float) -> float:
    """Return how far from rest the edge of the sector is crossed inwards, 0 without a sector.

    (R b^2 + a^2)(R^2 a^4 + b^4) = 2 R (1 + R)(a^5 + b^5), a = 1 + h, b = 1 - R h, 0 < h < 1/R
    """

    def inward(h: float) -> float:  # over R^3
        a = 1 + h
        b = 1 - ratio * h
        gain = (b * b + a * a / ratio) * (a**4 + (b * b / ratio) ** 2)
        return gain - 2 * (1 + 1 / ratio) / ratio * (a**5 + b**5)

    if ratio <= RATIO or inward(0.0) <= 0:
        return 0.0
    return float(brentq(inward, 0.0, 1 / ratio))


def _alive(flow: Flow, w: Weights) -> Flags:
    """Coordinates that move."""
    return (flow.mu != 0)[:, None] & (w != 0).any(axis=0)


def _ratios(flow: Flow, w: Weights) -> PerWeight:
    """r_j of balanced states, 0 where nothing moves; in units of the largest weight."""
    size = np.abs(w[0]) * _alive(flow, w)
    unit = size.max(axis=0)
    score = np.abs(flow.mu)[:, None] * (size / unit) ** (len(w) - 2)
    norm = np.sqrt(len(w) * ((score * size / unit) ** 2).sum(axis=0))
    return flow.rho * score / norm / unit
