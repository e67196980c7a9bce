"""What a state already proves about its limit, for one-example rules without a theorem.

L = 2: s_j = u_j + sign(mu_j) v_j has `s_j' = |mu_j| (s_j + c)`, |c| <= 2^(1-1/p) rho, and grows for
ever beyond that. 1 < p <= 2: brakes fade as the gradient grows, and one escape releases every
coordinate with s_j != 0; p > 2: small weights are braked without bound, and coordinates die alone
in finite tau. L >= 3: `blow_up_order`, `sinking`, `balanced_l2`, `held_by_ascent`.
(derivations/decided_states.py)
"""

import numpy as np

from flowsam.engines.tied_field import SLACK
from flowsam.flow import Flow
from flowsam.labels import Fate, Label
from flowsam.outcomes import balanced_l2, held_by_ascent
from flowsam.outcomes.blow_up_order import winner
from flowsam.outcomes.sinking import sinking
from flowsam.outcomes.theorems import fate_labels
from flowsam.shapes import Chosen, Codes, Flags, Float, Int, Weights

Pairs = Float[np.ndarray, "2 d N"]
_UNKNOWN, _ESCAPE = map(int, (Fate.UNKNOWN, Fate.ESCAPE))  # as in `settling`
STILL = "two layers of every active coordinate are 0: the gradient is 0, nothing moves"


def decided(flow: Flow, w: Weights) -> Codes:
    """Return the label that each state proves, UNDECIDED where it proves none."""
    # weights near the ends of doubles prove nothing, or the same
    with np.errstate(all="ignore"):
        if len(w) > 2:
            rest = int(Label.ZERO if flow.perturbation.normalised else Label.SEPARATRIX)
            found = np.where(still(flow, w), rest, balanced_l2.proved(flow, w))
            # in place: np.select takes as long as the certificates
            found[held_by_ascent.held(flow, w)] = Label.STALLED
            found[sinking(flow, w)] = Label.ZERO
            first = winner(flow, w)
            return np.where(first >= 0, first + 1, found)
        known = fates(flow, w).T
    least = fate_labels(known, flow.mu)
    most = fate_labels(np.where(known == _UNKNOWN, _ESCAPE, known), flow.mu)
    return np.where(least == most, least, int(Label.UNDECIDED))


def still(flow: Flow, w: Weights) -> Chosen:
    """Return which states have two layers of every active coordinate at 0: no gradient is left."""
    moving = flow.data.moving
    return ((w == 0).sum(axis=0) > 1)[moving].all(axis=0)


def fates(flow: Flow, w: Pairs) -> Int[np.ndarray, "d N"]:
    """Return what is certain about each coordinate at L = 2, UNKNOWN where nothing is.

    p <= 2 tells only the collapse of all. s_j = 0 is kept and never escapes; SADDLE is an origin
    that lets the others go (unnormalised SAM).
    """
    a = np.abs(flow.mu)[:, None]
    rule = flow.perturbation
    s = np.abs(w[0] + np.sign(flow.mu)[:, None] * w[1]) * (a > 0)
    saddle = np.zeros(s.shape, dtype=bool)
    if not rule.normalised:
        escapes, falls, saddle = _unnormalised(flow, w, s)
    else:
        escapes = s > 2 ** (1 - 1 / rule.p) * rule.rho
        falls = dying(flow, w) if rule.p > 2 else _shrinking(flow, w)
        if 1 < rule.p <= 2:
            top = (s > 0) & (a == np.where(s > 0, a, 0).max(axis=0))
            escapes = top & escapes.any(axis=0)
    slack = SLACK * np.abs(w).sum(axis=0) if rule.p == 1 else 0.0
    falls = falls | (s <= slack)
    told = {
        Fate.IDLE: a == 0,
        Fate.SADDLE: saddle,
        Fate.ESCAPE: escapes,
        Fate.COLLAPSE: falls,
    }
    return np.select([*told.values()], [*map(int, told)], _UNKNOWN)


def dying(flow: Flow, w: Pairs) -> Flags:
    """Return which coordinates reach 0 in finite tau whatever the others do (p > 2, L = 2).

        x' <= (2-q) |mu| (x - |mu|^(q-1) rho / ||g||_q^(q-1)),   x = (|u| + |v|)^(2-q),

    and ||g||_q + b, b = M (2d)^(1/q-1/p) rho, grows no faster than e^(M tau), M = max |mu|; so iff
    `x ((2-q) |mu| + (q-1) M) < (2-q) |mu|^q rho / (||g||_q + b)^(q-1)`; p -> inf: |u| + |v| < rho.
    """
    rule = flow.perturbation
    a = np.abs(flow.mu)[:, None]
    q = rule.p / (rule.p - 1)
    most = float(a.max())
    b = most * (2.0 * np.count_nonzero(a)) ** (1 / q - 1 / rule.p) * rule.rho
    g = ((a * np.abs(w)) ** q).sum(axis=(0, 1)) ** (1 / q)
    x = np.abs(w).sum(axis=0) ** (2 - q)
    brake = (2 - q) * a**q * rule.rho / (g + b) ** (q - 1)
    return (a > 0) & (x * ((2 - q) * a + (q - 1) * most) < brake)


def _shrinking(flow: Flow, w: Pairs) -> Chosen:
    """Whether |theta| falls for ever, p <= 2: `(|theta|^2)'/2 <= M |theta|^2 - rho ||g||_q`."""
    rule = flow.perturbation
    active = flow.mu != 0
    a = np.abs(flow.mu)[active, None]
    w = w[:, active]
    alive = (w != 0).any(axis=0)
    least = np.where(alive, a, np.inf).min(axis=0, initial=np.inf)
    most = np.where(alive, a, 0).max(axis=0, initial=0)
    spread = (2.0 * len(a)) ** (0.5 - 1 / rule.p)  # 1/q - 1/2
    return most * np.sqrt((w * w).sum(axis=(0, 1))) < rule.rho * least * spread


def _unnormalised(
    flow: Flow,
    w: Pairs,
    s: Float[np.ndarray, "d N"],
) -> tuple[Flags, Flags, Flags]:
    """Escapes, falls and saddles at L = 2, `s_j' = |mu_j| s_j (1 - rho Lambda(theta) |mu_j|)`.

    All rise for ever once rho Lambda max|mu| < 1; all fall for ever once rho |ell'(S)| min|mu| > 1,
    S = sum |mu_j| s_j^2 / 4, which no later margin exceeds.
    """
    a = np.abs(flow.mu)[:, None]
    moving = s > 0
    most = np.where(moving, a, 0).max(axis=0)
    least = np.where(moving, a, np.inf).min(axis=0)
    least = np.where(moving.any(axis=0), least, a[a > 0].min(initial=np.inf))
    here, later = (
        flow.rho * np.exp(flow.loss.log_slope(margin))
        for margin in (flow.mu @ (w[0] * w[1]), (a * s * s).sum(axis=0) / 4)
    )
    falls = np.broadcast_to(later * least > 1, s.shape)
    return moving & (here * most < 1), falls, ~moving.any(axis=0) & ~falls
