"""The verdict on one start that its integrated path gives, in words."""

import numpy as np

from flowsam.ensemble import Ending
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.outcomes.blow_up_order import equals
from flowsam.outcomes.outcome import Limit, basis, shared
from flowsam.outcomes.settling import MOST_STEPS, settle
from flowsam.regimes import Case
from flowsam.shapes import Theta

_DEEP = {
    Label.ZERO: "two layers of every coordinate, or equal ones, are where they can only reach 0",
    Label.STALLED: "no weight can pass its value at rest: beta stops there, or short of it",
    Label.SEPARATRIX: "the start rests where every rho |mu_j| |w_j|^(L-2) = N",
}


def by_path(case: Case, theta0: Theta) -> Limit:
    """Return the verdict on one start of a rule without a theorem."""
    flow = case.flow
    found = settle(case, theta0[None])
    label = int(found.label[0])
    ending = Ending(found.ending[0])
    when = f"at tau = {found.tau[0]:.6g}"
    if label == Label.UNDECIDED and not case.regime.many:
        reason = (
            f"{flow.perturbation.name} at L = {len(theta0)} jumps where the largest |g| tie, which "
            "no engine here follows on many starts, and this start alone proves no first blow-up; "
            "solve shows one run, or try p > 1"
        )
        return Limit(label, None, "none", reason)
    if ending != Ending.SETTLED and label != Label.TIE:
        certificate = "numerical" if label == Label.ZERO else "none"
        open_ = label == Label.UNDECIDED
        return Limit(label, None, certificate, _without_proof(ending, when, open_))
    if len(theta0) > 2 and label in _DEEP:
        return Limit(label, None, "monotone", f"{when} {_DEEP[Label(label)]}")
    if len(theta0) > 2:
        return _first(flow, theta0, label, when)
    direction = basis(flow.mu, label) if label >= 1 else None
    return Limit(label, direction, "monotone", f"{when} {_two_layers(case, label)}")


def _first(flow: Flow, theta0: Theta, label: int, when: str) -> Limit:
    """Return the verdict on a winner at L >= 3; equal ones share beta_j ~ |mu_j|^(-L/(L-2))."""
    mu = flow.mu
    if label >= 1:
        reason = f"{when} coordinate {label} is certain to blow up first; the others freeze there"
        return Limit(label, basis(mu, label), "monotone", reason)
    candidates = equals(
        flow, np.repeat(theta0[None], mu.size, axis=0), np.arange(mu.size)
    )
    together = candidates[candidates.sum(axis=1).argmax()]
    reason = "equal coordinates blow up together, by symmetry"
    return Limit(label, shared(mu, together, len(theta0)), "monotone", reason)


def _two_layers(case: Case, label: int) -> str:
    """Return what a certificate at L = 2 says."""
    if label == Label.ZERO:
        return "every weight is where it can only fall to 0"
    if label == Label.SEPARATRIX:
        return "u_j + sign(mu_j) v_j = 0 everywhere, and the origin is unstable"
    return case.regime.escapes.format(2 ** (1 - 1 / case.rule.p) * case.rule.rho)


def _without_proof(ending: Ending, when: str, undecided: bool) -> str:
    """Return why a path ended without a certificate."""
    if ending == Ending.COLLAPSED and undecided:
        return (
            f"the path falls into 0 {when}, an odd number of layers of a coordinate at once, and "
            "may leave it again"
        )
    return {
        Ending.COLLAPSED: f"every active coordinate loses two layers or more {when}",
        Ending.ESCAPED: f"several coordinates blow up {when}, too close to each other to tell",
        Ending.FAILED: f"the steps became too small {when}",
        Ending.OUT_OF_STEPS: f"no certificate holds after {MOST_STEPS} steps, {when}: it lingers "
        "near an equilibrium, or is too stiff for explicit steps; solve(flow, theta0, "
        "tau_end=...) shows it",
        Ending.FINISHED: f"no certificate holds by then, {when}; it may linger at an equilibrium",
    }[ending]
