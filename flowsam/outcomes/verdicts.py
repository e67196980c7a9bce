"""The rules behind `limit`: theorems first, certificates on a run elsewhere."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from jaxtyping import Float, Int

from flowsam import exact
from flowsam.exact import first_escape, linf_balanced, linf_two_layer
from flowsam.flow import Flow
from flowsam.labels import Fate, Label
from flowsam.outcomes.late_verdicts import by_late_run
from flowsam.outcomes.own_scale import in_range
from flowsam.outcomes.path_verdicts import Verdict, basis, by_path
from flowsam.outcomes.settling import settle
from flowsam.outcomes.theorem_labels import TIE, deep_labels, fate_labels, l2_labels
from flowsam.perturbations import linf

__all__ = ["judge", "labels"]

Theta = Float[np.ndarray, "*batch L d"]
Labels = Int[np.ndarray, "*batch"]


def _rule(flow: Flow, depth: int) -> str:
    """Return the name of the theorem that covers all starts of a depth, or ""."""
    rule = flow.perturbation
    if flow.data.z.shape[0] > 1:
        return ""
    if depth == 1:
        return "depth one"
    if rule.normalised and math.isinf(rule.p):
        return "two layers" if depth == 2 else "deep"
    return "l2" if rule.normalised and rule.p == 2 and depth == 2 else ""


def labels(flow: Flow, theta0s: Theta) -> Labels:
    """Return the labels of a batch of starts, shape (...)."""
    if flow.data.z.shape[0] > 1:
        return _labels(flow, theta0s)
    starts = theta0s.reshape(-1, *theta0s.shape[-2:])
    found = np.empty(len(starts), dtype=np.int64)
    for group in in_range(flow, starts):
        found[group.places] = _labels(group.flow, group.starts)
    return found.reshape(theta0s.shape[:-2])


def _labels(flow: Flow, theta0s: Theta) -> Labels:
    """Return the same for starts whose powers are doubles."""
    name = _rule(flow, theta0s.shape[-2])
    if name == "depth one":
        return np.full(theta0s.shape[:-2], Label.OTHER_DIRECTION, dtype=np.int64)
    if name == "two layers":
        fates = linf_two_layer.fate(theta0s, flow.mu, rho=flow.perturbation.rho)
        return fate_labels(fates, flow.mu)
    if name == "deep":
        return deep_labels(theta0s, flow.mu, flow.perturbation.rho)
    if name == "l2":
        return l2_labels(theta0s, flow.mu, flow.perturbation.rho)
    flat = theta0s.reshape(-1, *theta0s.shape[-2:])
    if flow.data.z.shape[0] > 1:
        found = np.array([judge(flow, theta).label for theta in flat], dtype=np.int64)
    else:
        found = _integrated(flow, flat)
    return found.reshape(theta0s.shape[:-2])


def _integrated(flow: Flow, starts: Float[np.ndarray, "N L d"]) -> Int[np.ndarray, " N"]:
    """Return labels of starts without a theorem for their rule; a lone balanced one has its own."""
    lone = np.zeros(len(starts), dtype=bool)
    rule, depth = flow.perturbation, starts.shape[1]
    if rule.normalised and np.count_nonzero(flow.mu) == 1 and (rule.p > 1 or depth < 3):
        lone = linf_balanced.applies(starts, flow.mu)
    found = np.empty(len(starts), dtype=np.int64)
    found[~lone] = settle(flow, starts[~lone]).label
    if lone.any():
        radius = exact.radius_of(flow, starts[lone])
        found[lone] = labels(Flow(flow.data, linf(radius), flow.loss), starts[lone])
    return found


def _by_curve(flow: Flow, theta0: Float[np.ndarray, "2 d"]) -> Verdict:
    """Return the verdict on l_2 at L = 2, by the two certificates on the planar curve."""
    mu, rho = flow.mu, flow.perturbation.rho
    label = int(l2_labels(theta0, mu, rho))
    s = theta0[0] + np.sign(mu) * theta0[1]
    if label == Label.SEPARATRIX:
        reason = "the start's own critical scale is 1 within 1e-12: it tends to a saddle"
        return Verdict(label, None, "numerical", reason)
    if label == Label.ZERO:
        reason = "N fell below rho min |mu_j|, from where every weight falls to 0 in finite tau"
        return Verdict(label, None, "monotone", reason)
    why = (
        "N' > 0 at a point of the path proves escape, and the largest |mu_j| with s_j(0) != 0 wins"
    )
    if label >= 1:
        return Verdict(label, basis(mu, label), "monotone", why)
    top = (s != 0) & (np.abs(mu) == np.abs(mu[s != 0]).max())
    size = np.where(top, np.sign(mu) * s**2, 0.0)
    return Verdict(label, size / np.linalg.norm(size), "monotone", why + "; equal ones share it")


def judge(flow: Flow, theta0: Float[np.ndarray, "L d"]) -> Verdict:
    """Return the verdict on one start."""
    if flow.data.z.shape[0] > 1:
        return by_late_run(flow, theta0)
    group = next(in_range(flow, theta0[None]))
    verdict = _of_one_example(group.flow, group.starts[0])
    verdict = dataclasses.replace(verdict, reason=verdict.reason + group.units)
    if verdict.label == Label.ZERO and not theta0[:, flow.mu != 0].any():
        return dataclasses.replace(
            verdict, reason="every active weight is 0 from the start: it rests"
        )
    return verdict


def _of_one_example(flow: Flow, theta0: Float[np.ndarray, "L d"]) -> Verdict:
    """Return the verdict by the theorem, curve or path that covers the rule."""
    mu, depth = flow.mu, len(theta0)
    name = _rule(flow, depth)
    if name == "depth one":
        reason = "L = 1: every rule moves along mu, so beta / ||beta|| tends to mu / ||mu||"
        direction = mu / np.abs(mu).max()
        direction /= np.linalg.norm(direction)
        return Verdict(int(Label.OTHER_DIRECTION), direction, "theorem", reason)
    rho = exact.radius_of(flow, theta0)
    if name in ("two layers", "deep") or (name == "" and rho != flow.perturbation.rho):
        return _by_theorem(Flow(flow.data, linf(rho), flow.loss), theta0)
    return _by_curve(flow, theta0) if name == "l2" else by_path(flow, theta0)


def _by_theorem(flow: Flow, theta0: Float[np.ndarray, "L d"]) -> Verdict:
    """Return the verdict of the l_inf and GD theorems."""
    mu, rho, depth = flow.mu, flow.perturbation.rho, len(theta0)
    label = int(labels(flow, theta0))
    if depth > 2 and not linf_balanced.applies(theta0, mu):
        label, reason = first_escape.limit_label(theta0, mu, rho=rho)
    else:
        reason = _theorem_reason(label, mu, rho, depth)
        if label == Label.STALLED and (np.abs(theta0[:, mu != 0]) == rho).all():
            reason = f"each active coordinate rests at |w| = {rho:g}, an unstable equilibrium"
    certificate = "none" if label == Label.UNDECIDED else "theorem"
    return Verdict(label, _direction(flow, theta0, label), certificate, reason)


def _theorem_reason(label: int, mu: Float[np.ndarray, " d"], rho: float, depth: int) -> str:
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

    At L = 2 beta_j ~ (|u_j + sign(mu_j) v_j| - 2 rho)^2 once every member is on its last
    quadrant; at L >= 3 members blow up together and beta_j ~ |mu_j|^(-L/(L-2)).
    """
    mu, rho, depth = flow.mu, flow.perturbation.rho, len(theta0)
    if label >= 1:
        return basis(mu, label)
    if label != Label.TIE:
        return None
    if depth == 2:
        late = [event.tau for event in linf_two_layer.events(theta0, mu, rho=rho)]
        u, v = linf_two_layer.weights(theta0, mu, rho=rho, tau=[max(late, default=0.0)])[0]
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
