"""The verdicts of theorems on one start: l_inf and GD, and l_2 at L = 2."""

from __future__ import annotations

import numpy as np

from flowsam.exact import first_escape, linf_balanced, linf_two_layer
from flowsam.flow import Flow
from flowsam.labels import Fate, Label
from flowsam.outcomes.outcome import Limit, basis
from flowsam.outcomes.theorem_labels import TIE, l2_labels
from flowsam.regimes import Case
from flowsam.shapes import Float

__all__ = ["by_curve", "by_theorem"]


def by_curve(case: Case, theta0: Float[np.ndarray, "2 d"]) -> Limit:
    """Return the verdict on l_2 at L = 2, by the two certificates on the planar curve."""
    mu = case.flow.mu
    rho = case.flow.perturbation.rho
    label = int(l2_labels(theta0, mu, rho))
    s = theta0[0] + np.sign(mu) * theta0[1]
    if label == Label.SEPARATRIX:
        reason = (
            "the start's own critical scale is 1 within 1e-12: it tends to a saddle"
        )
        return Limit(label, None, "numerical", reason)
    if label == Label.ZERO:
        reason = "N fell below rho min |mu_j|, from where every weight falls to 0 in finite tau"
        return Limit(label, None, "monotone", reason)
    why = (
        "N' > 0 at a point of the path proves escape, "
        "and the largest |mu_j| with s_j(0) != 0 wins"
    )
    if label >= 1:
        return Limit(label, basis(mu, label), "monotone", why)
    top = (s != 0) & (np.abs(mu) == np.abs(mu[s != 0]).max())
    size = np.where(top, np.sign(mu) * s**2, 0.0)
    return Limit(
        label, size / np.linalg.norm(size), "monotone", why + "; equal ones share it"
    )


def by_theorem(case: Case, theta0: Float[np.ndarray, "L d"]) -> Limit:
    """Return the verdict of the l_inf and GD theorems."""
    flow = case.flow
    depth = case.depth
    mu = flow.mu
    rho = flow.perturbation.rho
    label = int(case.labels(theta0))
    if depth > 2 and not linf_balanced.applies(theta0, mu):
        found = first_escape.finding(theta0, mu, rho=rho)
        direction = _direction(flow, theta0, found.label)
        return Limit(found.label, direction, found.certificate, found.reason)
    reason = _theorem_reason(label, mu, rho, depth)
    if label == Label.STALLED and (np.abs(theta0[:, mu != 0]) == rho).all():
        reason = (
            f"each active coordinate rests at |w| = {rho:g}, an unstable equilibrium"
        )
    certificate = "none" if label == Label.UNDECIDED else "theorem"
    return Limit(label, _direction(flow, theta0, label), certificate, reason)


def _theorem_reason(
    label: int, mu: Float[np.ndarray, " d"], rho: float, depth: int
) -> str:
    """Return the sentence for a label of a two-layer or balanced start."""
    gate = f"{rho:g}" if rho else "0"
    if label >= 1:
        score = "|mu_j|" if depth == 2 else f"|mu_j| (|w_j| - {gate})^{depth - 2}"
        return f"of the coordinates that escape, coordinate {label} has the largest {score}"
    return {
        Label.ZERO: "no coordinate escapes: each active one reaches 0 in finite tau",
        Label.TIE: "several coordinates escape with the same score, up to rounding",
        Label.SEPARATRIX: "no coordinate escapes, and one tends to an unstable equilibrium",
        Label.STALLED: f"no coordinate escapes, and at odd depth one tends to |w| = {gate}",
        Label.UNDECIDED: "at odd depth a coordinate starts at 0, where Filippov's solution is not "
        "unique; start it away from 0",
    }[Label(label)]


def _direction(
    flow: Flow, theta0: Float[np.ndarray, "L d"], label: int
) -> Float[np.ndarray, " d"] | None:
    """Return the direction of a label: that of a tie follows from the growth of its members.

    L = 2: beta_j ~ (|u_j + sign(mu_j) v_j| - 2 rho)^2 once every member is on its last quadrant; L
    >= 3: beta_j ~ |mu_j|^(-L/(L-2)).
    """
    mu = flow.mu
    rho = flow.perturbation.rho
    depth = len(theta0)
    if label >= 1:
        return basis(mu, label)
    if label != Label.TIE:
        return None
    if depth == 2:
        late = [event.tau for event in linf_two_layer.events(theta0, mu, rho=rho)]
        u, v = linf_two_layer.weights(
            theta0, mu, rho=rho, tau=[max(late, default=0.0)]
        )[0]
        escapes = linf_two_layer.fate(theta0, mu, rho=rho) == Fate.ESCAPE
        top = escapes & (np.abs(mu) == np.abs(mu[escapes]).max())
        size = np.where(top, (np.abs(u + np.sign(mu) * v) - 2 * rho) ** 2, 0.0)
    else:
        if linf_balanced.applies(theta0, mu):
            blow_up = linf_balanced.race(theta0, mu, rho=rho)
            ahead = blow_up <= blow_up.min() * (1 + TIE)
        else:
            ahead = first_escape.winners(theta0, mu, rho=rho)
        active = np.where(mu == 0, 1.0, np.abs(mu))
        size = np.where(ahead, active ** (-depth / (depth - 2)), 0.0)
    return np.sign(mu) * size / np.linalg.norm(size)
