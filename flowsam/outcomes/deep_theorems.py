"""What theorems say of l_inf and GD at three and more layers: labels and the verdict of a start."""

import numpy as np

from flowsam.exact import first_escape, linf_balanced
from flowsam.labels import Fate, Label
from flowsam.outcomes.outcome import Limit, basis, shared
from flowsam.outcomes.theorems import theorem_reason
from flowsam.regimes import Case
from flowsam.shapes import Codes, Labels, Starts, Theta, Thetas, Vector


def labels(case: Case, starts: Thetas) -> Labels:
    """Return labels: the theorem's for balanced starts, first escape elsewhere."""
    mu = case.mu
    rho = case.rule.rho
    even = linf_balanced.applies(starts, mu)
    found = np.empty(starts.shape[:-2], dtype=np.int64)
    found[even] = balanced_labels(starts[even], mu, rho)
    if not even.all():
        found[~even] = first_escape.labels(starts[~even], mu, rho=rho)
    return found


def balanced_labels(theta0s: Starts, mu: Vector, rho: float) -> Codes:
    """Return labels of balanced starts at L >= 3.

    The winner has the largest score mu_j (alpha_j - rho)^(L-2), i.e. the first blow-up; scores
    within 8 eps tie. Without a winner, odd L and rho > 0, beta has a finite limit that is not 0:
    stalled, also where every coordinate starts at rho and rests.
    """
    fate = linf_balanced.fate(theta0s, mu, rho=rho)
    rests = (fate == Fate.SADDLE) & first_escape.holds(theta0s.shape[-2], rho)
    blow_up = linf_balanced.race(theta0s, mu, rho=rho)
    return first_escape.of_race(blow_up, fate, rests | (fate == Fate.STALL))


def verdict(case: Case, theta0: Theta) -> Limit:
    """Return the verdict on one start."""
    mu = case.mu
    rho = case.rule.rho
    if not linf_balanced.applies(theta0, mu):
        found = first_escape.finding(theta0, mu, rho=rho)
        direction = _direction(case, theta0, found.label)
        return Limit(found.label, direction, found.certificate, found.reason)
    label = int(case.labels(theta0))
    certificate = "none" if label == Label.UNDECIDED else "theorem"
    reason = _reason(case, theta0, label)
    return Limit(label, _direction(case, theta0, label), certificate, reason)


def _reason(case: Case, theta0: Theta, label: int) -> str:
    """Return the sentence for a label of a balanced start."""
    rho = case.rule.rho
    if label == Label.UNDECIDED:
        return (
            "at odd depth a coordinate starts at 0, where Filippov's solution is not "
            "unique; start it away from 0"
        )
    if label == Label.STALLED:
        if (np.abs(theta0[:, case.mu != 0]) == rho).all():
            return f"each active coordinate rests at |w| = {rho:g}, an unstable equilibrium"
        return f"no coordinate escapes, and at odd depth one tends to |w| = {rho:g}"
    return theorem_reason(label, f"|mu_j| (|w_j| - {rho:g})^{case.depth - 2}")


def _direction(case: Case, theta0: Theta, label: int) -> Vector | None:
    """Return the direction: members of a tie blow up together, beta_j ~ |mu_j|^(-L/(L-2))."""
    mu = case.mu
    rho = case.rule.rho
    if label >= 1:
        return basis(mu, label)
    if label != Label.TIE:
        return None
    if linf_balanced.applies(theta0, mu):
        blow_up = linf_balanced.race(theta0, mu, rho=rho)
        ahead = first_escape.earliest(blow_up)
    else:
        ahead = first_escape.winners(theta0, mu, rho=rho)
    return shared(mu, ahead, case.depth)
