"""What theorems say of two layers, l_inf, GD and l_2: labels and the verdict of a start."""

import numpy as np

from flowsam.exact import linf_two_layer, winning
from flowsam.flow import Flow
from flowsam.labels import Fate, Label
from flowsam.outcomes.outcome import Limit, basis
from flowsam.regimes import Case
from flowsam.shapes import Float, Int, Labels, Theta, Thetas, Vector


def fate_labels(fates: Int[np.ndarray, "*batch d"], mu: Vector) -> Labels:
    """Return labels at L = 2: the largest escaping |mu_j| (equal: tie), a separatrix, or zero."""
    size = np.where((fates == Fate.ESCAPE) & (mu != 0), np.abs(mu), -1.0)
    top = size.max(axis=-1, keepdims=True)
    held = np.where((fates == Fate.SADDLE).any(axis=-1), Label.SEPARATRIX, Label.ZERO)
    return winning((size == top) & (top > 0), held)


def euclidean(case: Case, starts: Thetas) -> Labels:
    """Return labels of l_2 at L = 2: the largest |mu_j| with s_j(0) != 0 escapes (equal: tie)."""
    # and SciPy's functions, which l_inf does without
    from flowsam.exact import l2_outcome

    mu = case.mu
    code = l2_outcome.outcome(starts, mu, rho=case.rule.rho)
    grows = starts[..., 0, :] + np.sign(mu) * starts[..., 1, :] != 0
    found = fate_labels(np.where(grows, Fate.ESCAPE, Fate.COLLAPSE), mu)
    found = np.where(code == Fate.SADDLE, Label.SEPARATRIX, found)
    return np.where(code == Fate.COLLAPSE, Label.ZERO, found)


def two_layers(case: Case, starts: Thetas) -> Labels:
    """Return the labels of l_inf and GD at L = 2."""
    fates = linf_two_layer.fate(starts, case.mu, rho=case.rule.rho)
    return fate_labels(fates, case.mu)


def by_curve(case: Case, theta0: Float[np.ndarray, "2 d"]) -> Limit:
    """Return the verdict on l_2 at L = 2, by the two certificates on the planar curve."""
    mu = case.mu
    label = int(euclidean(case, theta0))
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


def by_theorem(case: Case, theta0: Theta) -> Limit:
    """Return the verdict of the l_inf and GD theorems."""
    label = int(case.labels(theta0))
    reason = theorem_reason(label, "|mu_j|")
    return Limit(label, _direction(case.flow, theta0, label), "theorem", reason)


def theorem_reason(label: int, score: str) -> str:
    """Return the sentence for a label, by what the winner has most of."""
    if label >= 1:
        return f"of the coordinates that escape, coordinate {label} has the largest {score}"
    return {
        Label.ZERO: "no coordinate escapes: each active one reaches 0 in finite tau",
        Label.TIE: "several coordinates escape with the same score, up to rounding",
        Label.SEPARATRIX: "no coordinate escapes, and one tends to an unstable equilibrium",
    }[Label(label)]


def _direction(flow: Flow, theta0: Theta, label: int) -> Vector | None:
    """Return the direction of a label: the members of a tie share it by their growth.

    beta_j ~ (|u_j + sign(mu_j) v_j| - 2 rho)^2 once every member is on its last quadrant.
    """
    mu = flow.mu
    rho = flow.rho
    if label >= 1:
        return basis(mu, label)
    if label != Label.TIE:
        return None
    last = linf_two_layer.last_event(theta0, mu, rho=rho)
    u, v = linf_two_layer.weights(theta0, mu, rho=rho, tau=last)[0]
    escapes = linf_two_layer.fate(theta0, mu, rho=rho) == Fate.ESCAPE
    top = escapes & (np.abs(mu) == np.abs(mu[escapes]).max())
    size = np.where(top, (np.abs(u + np.sign(mu) * v) - 2 * rho) ** 2, 0.0)
    return np.sign(mu) * size / np.linalg.norm(size)
