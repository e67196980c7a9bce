"""l_inf and GD at three layers and more: the first coordinate to blow up wins."""

import numpy as np

from flowsam.exact import first_escape, linf_balanced, linf_deep
from flowsam.labels import Fate, Label
from flowsam.outcomes.outcome import Limit, of_label, shared
from flowsam.outcomes.theorems import reason_of
from flowsam.regimes import Case
from flowsam.shapes import Codes, Starts, Theta


def labels(case: Case, starts: Starts) -> Codes:
    """Return labels of l_inf and GD at L >= 3, by the theorem of equal layers or first escape.

    Of equal layers the largest score mu_j (alpha_j - rho)^(L-2) wins, i.e. the first blow-up;
    scores within 8 eps tie. Without a winner, odd L and rho > 0, beta has a finite limit that is
    not 0: stalled, also where every coordinate starts at rho and rests.
    """
    mu = case.mu
    rho = case.rule.rho
    even = linf_balanced.applies(starts, mu)
    found = np.empty(len(starts), dtype=np.int64)
    solved = linf_balanced.read(starts[even], mu, rho)
    rests = (solved.fate == Fate.SADDLE) & linf_deep.holds(case.depth, rho)
    kept = rests | (solved.fate == Fate.STALL)
    found[even] = first_escape.of_race(solved.race, solved.fate, kept)
    if not even.all():
        found[~even] = first_escape.labels(starts[~even], mu, rho=rho)
    return found


def verdict(case: Case, theta0: Theta) -> Limit:
    """Return the verdict on l_inf and GD at L >= 3; members of a tie blow up together."""
    mu = case.mu
    rho = case.rule.rho
    even = bool(linf_balanced.applies(theta0, mu))
    if even:
        label = int(case.labels(theta0))
        certificate = "none" if label == Label.UNDECIDED else "theorem"
        reason = _balanced_reason(case, theta0, label)
    else:
        label, certificate, reason = first_escape.finding(theta0, mu, rho=rho)
    if label != Label.TIE:
        return of_label(mu, label, certificate, reason)
    if even:
        ahead = first_escape.earliest(linf_balanced.read(theta0, mu, rho).race)
    else:
        ahead = first_escape.winners(theta0, mu, rho=rho)
    return of_label(mu, label, certificate, reason, shared(mu, ahead, case.depth))


def _balanced_reason(case: Case, theta0: Theta, label: int) -> str:
    """Return the sentence for a label of equal layers."""
    rho = case.rule.rho
    if label != Label.STALLED:
        return reason_of(label, f"|mu_j| (|w_j| - {rho:g})^{case.depth - 2}")
    if (np.abs(theta0[:, case.mu != 0]) == rho).all():
        return f"each active coordinate rests at |w| = {rho:g}, an unstable equilibrium"
    return f"no coordinate escapes, and at odd depth one tends to |w| = {rho:g}"
