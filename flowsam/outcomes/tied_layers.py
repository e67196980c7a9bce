"""l_1-SAM at L >= 3, one example: by theorem for equal layers in up to two features."""

import numpy as np

from flowsam.exact.l1_deep import Duel, gate, lone_labels
from flowsam.labels import Label
from flowsam.outcomes import settling
from flowsam.outcomes.balanced_l2 import aligned
from flowsam.outcomes.outcome import Limit, of_label
from flowsam.regimes import Case
from flowsam.shapes import Chosen, Codes, Starts, Theta

MOST = 2  # features that a theorem covers


def labels(case: Case, starts: Starts) -> Codes:
    """Return the labels of the theorem, or those that a start proves by itself."""
    known = _known(case, starts)
    found = np.empty(len(starts), dtype=np.int64)
    if known.any():
        found[known] = _by_theorem(case, starts[known])
    if not known.all():
        found[~known] = settling.labels(case, starts[~known])
    return found


def verdict(case: Case, theta0: Theta) -> Limit:
    """Return the verdict on one start."""
    if not _known(case, theta0[None])[0]:
        return settling.by_path(case, theta0)
    label = int(_by_theorem(case, theta0[None])[0])
    brake = gate(case.rule.rho, case.depth)
    if label == Label.UNDECIDED:
        reason = "mu or weights are beyond what doubles can compare; scale them"
        return Limit(label, None, "none", reason)
    reason = _REASONS[min(label, 1)].format(label, brake)
    return of_label(case.mu, label, "theorem", reason)


_TIED = "they tie for the largest |g| with a sum of |w| "
_REASONS = {
    1: "feature {} blows up first: who is on top is braked by "
    "rho (L-1)/L = {:.6g}, and both times are known",
    0: _TIED + "below rho (L-1)/L = {1:.6g}, and fall to 0",
    -2: _TIED + "of rho (L-1)/L = {1:.6g}, and rest",
    -3: "both features blow up at once",
}


def _known(case: Case, starts: Starts) -> Chosen:
    """Which starts have equal layers, aligned, in one or two active features."""
    few = np.count_nonzero(case.mu) <= MOST
    return aligned(case.mu, np.moveaxis(starts, 0, -1)) & few


def _by_theorem(case: Case, starts: Starts) -> Codes:
    """Return the labels of starts with equal layers."""
    places = np.flatnonzero(case.mu)
    size = np.abs(starts[:, 0, places])
    mu = np.abs(case.mu[places])
    if places.size < MOST:
        found = lone_labels(size[:, 0], gate(case.rule.rho, case.depth))
    else:
        found = Duel(mu, case.rule.rho, case.depth).labels(size)
    named = places[np.maximum(found, 1) - 1]
    return np.where(found > 0, named + 1, found)
