"""Where ASAM ends on one example: water-filling at L = 2, one of several limits at L >= 3.

The direction of theta moves on its own: from L = 3 on it is followed until one feature is certain
to blow up first, or to a mixture that attracts; two features with equal layers: `adaptive_pair`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowsam.exact.adaptive_level import moving, water_level
from flowsam.exact.adaptive_pair import Pair
from flowsam.exact.first_escape import TIE
from flowsam.exact.linf_course import read
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.outcomes.outcome import Limit, basis
from flowsam.perturbations import gradient_flow
from flowsam.regimes import Case, case_of
from flowsam.shapes import Bool, Float, Int

__all__ = [
    "deep_labels",
    "deep_verdict",
    "labels",
    "slowed_labels",
    "slowed_verdict",
    "verdict",
]

Starts = Float[np.ndarray, "*batch L d"]
STEP, LOOK, MOST = 0.1, 20, 20_000  # of the path of directions; a look every LOOK steps
STILL = 1e-9  # a direction that moves less, per unit of its own rate, is at a rest
OTHER = int(Label.OTHER_DIRECTION)


def _fades(case: Case) -> bool:
    """Whether weights could shrink: rho >= L^(1/p)."""
    rule = case.flow.perturbation
    return rule.gate(case.depth) >= 1


def labels(case: Case, starts: Starts) -> Int[np.ndarray, "*batch"]:
    """Return labels at L = 2: one feature left, several (another direction), or undecided."""
    mu = case.flow.mu
    rule = case.flow.perturbation
    if _fades(case):
        return np.full(starts.shape[:-2], Label.UNDECIDED, dtype=np.int64)
    moves = moving(starts, mu)
    found = np.full(moves.shape[:-1], Label.SEPARATRIX, dtype=np.int64)
    for pattern in np.unique(moves.reshape(-1, mu.size), axis=0):
        if pattern.any():
            level = water_level(np.where(pattern, mu, 0.0), rho=rule.rho, p=rule.p)
            kept = np.flatnonzero(level.shares)
            found[(moves == pattern).all(axis=-1)] = (
                kept[0] + 1 if kept.size == 1 else OTHER
            )
    return found


def slowed_labels(case: Case, starts: Starts) -> Int[np.ndarray, "*batch"]:
    """Return labels for p = inf: each feature is on GD's path, with a clock of its own.

    Its speed is (1 - rho)^(L-1) of GD's, and (1 + rho)^(L-1) while sign(mu_j) beta_j < 0: from
    L = 3 on the first to blow up wins, else the label is GD's.
    """
    if _fades(case):
        return np.full(starts.shape[:-2], Label.UNDECIDED, dtype=np.int64)
    as_descent = _as_gradient_flow(case).labels(starts)
    times = _slowed(case, starts)
    first = times.min(axis=-1, keepdims=True)
    ahead = (times <= first * (1 + TIE)) & np.isfinite(times)
    found = np.where(ahead.sum(axis=-1) > 1, Label.TIE, ahead.argmax(axis=-1) + 1)
    return np.where(ahead.any(axis=-1), found, as_descent)


def _slowed(case: Case, starts: Starts) -> Float[np.ndarray, "*batch d"]:
    """Blow-up times under p = inf; inf where there is none, as at L = 2."""
    if not case.regime.races:
        return np.full((*starts.shape[:-2], starts.shape[-1]), np.inf)
    rho = case.flow.perturbation.rho
    course = read(starts, case.flow.mu, 0.0)
    power = case.depth - 1
    end = course.blow_up
    until = np.where(course.first.along | np.isinf(course.turn), 0.0, course.turn)
    clock = until / (1 + rho) ** power + (end - until) / (1 - rho) ** power
    return clock / course.speed


def slowed_verdict(case: Case, theta0: Float[np.ndarray, "L d"]) -> Limit:
    """Return the verdict for p = inf."""
    label = int(slowed_labels(case, theta0))
    if _fades(case):
        return Limit(label, None, "none", _no_theorem(case))
    first = _slowed(case, theta0).min()
    own = _as_gradient_flow(case).verdict(theta0)
    reason = f"the path of GD: {own.reason}"
    if first < np.inf:
        word = (
            "several features blow" if label == Label.TIE else f"feature {label} blows"
        )
        reason = (
            f"GD's path, each feature in a clock of its own: {word} up first, at "
            f"tau = {first:.6g}"
        )
    direction = basis(case.flow.mu, label) if label >= 1 else own.direction
    return Limit(label, direction, "theorem", reason)


def _as_gradient_flow(case: Case) -> Case:
    """The same with GD, along whose path p = inf moves."""
    return case_of(Flow(case.flow.data, gradient_flow(), case.flow.loss), case.depth)


def verdict(case: Case, theta0: Float[np.ndarray, "L d"]) -> Limit:
    """Return the verdict of the theorem of water-filling at L = 2."""
    label = int(labels(case, theta0))
    mu = case.flow.mu
    rule = case.flow.perturbation
    if label == Label.UNDECIDED:
        return Limit(label, None, "none", _no_theorem(case))
    if label == Label.SEPARATRIX:
        reason = (
            "u_j + sign(mu_j) v_j = 0 in every active feature: they tend to 0 together"
        )
        return Limit(label, None, "theorem", reason)
    level = water_level(np.where(moving(theta0, mu), mu, 0.0), rho=rule.rho, p=rule.p)
    kept = ", ".join(str(j + 1) for j in np.flatnonzero(level.shares)[:12])
    reason = (
        f"water level lambda = {level.value:.6g}: features with |mu_j| above it stay ({kept}); the "
        "l_1 max margin against relative perturbations of the features, not the plain one"
    )
    direction = basis(mu, label) if label >= 1 else level.direction
    return Limit(label, direction, "theorem", reason)


def _no_theorem(case: Case) -> str:
    """Why nothing is known."""
    rule = case.flow.perturbation
    limit = case.depth ** (1 / rule.p)
    return f"rho = {rule.rho:g} is not below L^(1/p) = {limit:.6g}: weights can shrink"


@dataclass(frozen=True, eq=False)
class Ends:
    """Where directions end: labels (N,), their directions beta (N, d), and whether proved."""

    label: Int[np.ndarray, " N"]
    direction: Float[np.ndarray, "N d"]
    proved: Bool[np.ndarray, " N"]


def deep_labels(case: Case, starts: Starts) -> Int[np.ndarray, "*batch"]:
    """Return labels at L >= 3: one feature, a mixture (another direction), or undecided."""
    flat = starts.reshape(-1, *starts.shape[-2:])
    return _ends(case, flat).label.reshape(starts.shape[:-2])


def deep_verdict(case: Case, theta0: Float[np.ndarray, "L d"]) -> Limit:
    """Return the verdict on one start at L >= 3."""
    found = _ends(case, theta0[None])
    label = int(found.label[0])
    if label >= 1:
        certificate = "monotone" if found.proved[0] else "numerical"
        reason = f"feature {label} blows up first, whatever its share of the step; others freeze"
        return Limit(label, basis(case.flow.mu, label), certificate, reason)
    if label == OTHER:
        reason = "the direction came to a mixture that attracts: its features blow up together"
        return Limit(label, found.direction[0], "numerical", reason)
    if label == Label.SEPARATRIX:
        return Limit(
            label, None, "numerical", "the direction came to a mixture that repels"
        )
    reason = "the direction moves too slowly to be told; start it elsewhere"
    return Limit(label, None, "none", _no_theorem(case) if _fades(case) else reason)


def _ends(case: Case, starts: Float[np.ndarray, "N L d"]) -> Ends:
    """Return where starts end."""
    mu = case.flow.mu
    size = len(starts)
    nothing = np.full(size, Label.UNDECIDED, dtype=np.int64)
    found = Ends(nothing, np.zeros((size, mu.size)), np.zeros(size, dtype=bool))
    if _fades(case):
        return found
    on_line = _on_line(starts, mu)
    if on_line.any():
        _fill(found, on_line, _line_ends(case, starts[on_line]))
    if not on_line.all():
        _fill(found, ~on_line, _followed(case, starts[~on_line]))
    return found


def _fill(found: Ends, some: Bool[np.ndarray, " N"], part: Ends) -> None:
    """Write the ends of some starts."""
    found.label[some] = part.label
    found.direction[some] = part.direction
    found.proved[some] = part.proved


def _on_line(
    starts: Float[np.ndarray, "N L d"], mu: Float[np.ndarray, " d"]
) -> np.ndarray:
    """Which starts have two active features with equal layers, both aligned and not 0."""
    active = starts[..., mu != 0]
    size = np.abs(active)
    even = (size == size[:, :1]).all(axis=(1, 2)) & (size > 0).all(axis=(1, 2))
    aligned = (np.prod(np.sign(active), axis=1) * np.sign(mu[mu != 0]) > 0).all(axis=-1)
    return even & aligned & (np.count_nonzero(mu) == 2)


def _line_ends(case: Case, starts: Float[np.ndarray, "N L d"]) -> Ends:
    """Ends of two features by the roots of their line."""
    mu = case.flow.mu
    rule = case.flow.perturbation
    depth = case.depth
    first, second = np.flatnonzero(mu)
    pair = Pair(float(abs(mu[second] / mu[first])), rule.rho, rule.p, depth)
    size = np.abs(starts[:, 0])
    end, v = pair.ends(np.log(size[:, second] / size[:, first]))
    label = np.select(
        [end == 1, end == 2, end == 0], [first + 1, second + 1, OTHER], -2
    )
    direction = np.zeros((len(starts), mu.size))
    direction[:, first] = np.sign(mu[first])
    direction[:, second] = np.sign(mu[second]) * np.exp(
        depth * np.where(end == 0, v, 0.0)
    )
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    return Ends(label, direction, label >= 1)


def _followed(case: Case, starts: Float[np.ndarray, "N L d"]) -> Ends:
    """Follow directions, all starts at once, each with a clock of its own."""
    flow = case.flow
    size = len(starts)
    label = np.full(size, Label.UNDECIDED, dtype=np.int64)
    proved = np.zeros(size, dtype=bool)
    theta = np.where(flow.mu == 0, 0.0, starts)
    left = np.flatnonzero(np.prod(theta, axis=1).any(axis=-1))
    label[np.setdiff1d(np.arange(size), left)] = Label.ZERO
    for step in range(MOST):
        if step % LOOK == 0 and left.size:
            theta[left] /= np.abs(theta[left]).max(axis=(1, 2), keepdims=True)
            told = _told(case, theta[left])
            label[left] = told
            proved[left] = told >= 1
            left = left[told == Label.UNDECIDED]
        if not left.size:
            break
        theta[left] = _stepped(flow, theta[left])
    beta = np.prod(theta, axis=1)
    length = np.linalg.norm(beta, axis=-1, keepdims=True)
    return Ends(label, beta / np.where(length > 0, length, 1.0), proved)


def _turning(
    flow: Flow, theta: Float[np.ndarray, "N L d"]
) -> Float[np.ndarray, "N L d"]:
    """Velocity of the direction of theta, in units of its own rate."""
    field = flow.field(theta)
    square = (theta * theta).sum(axis=(1, 2), keepdims=True)
    rate = (theta * field).sum(axis=(1, 2), keepdims=True) / square
    unit = np.abs(field).max(axis=(1, 2), keepdims=True) / np.sqrt(square)
    return (field - rate * theta) / unit


def _stepped(
    flow: Flow, theta: Float[np.ndarray, "N L d"]
) -> Float[np.ndarray, "N L d"]:
    """One step of the classical fourth-order method."""
    first = _turning(flow, theta)
    second = _turning(flow, theta + STEP / 2 * first)
    third = _turning(flow, theta + STEP / 2 * second)
    fourth = _turning(flow, theta + STEP * third)
    return theta + STEP / 6 * (first + 2 * second + 2 * third + fourth)


def _told(case: Case, theta: Float[np.ndarray, "N L d"]) -> Int[np.ndarray, " N"]:
    """Labels that directions prove, or rest at; else UNDECIDED.

    Feature j blows up first where

        |mu_j| (1 - g)^(L-1) gm(|w_j|)^(L-2)  >  |mu_k| (1 + g)^(L-1) rms(|w_k|)^(L-2),

    g = rho L^(-1/p), the largest rho r.
    """
    mu = case.flow.mu
    depth = case.depth
    gate = case.flow.perturbation.gate(depth)
    size = np.abs(theta)
    rises = np.sign(mu) * np.prod(np.sign(theta), axis=1) > 0
    low = np.exp(np.log(np.maximum(size, 1e-300)).mean(axis=1)) ** (depth - 2)
    low = np.where(rises, np.abs(mu) * (1 - gate) ** (depth - 1) * low, 0.0)
    high = (
        np.abs(mu)
        * (1 + gate) ** (depth - 1)
        * (size**2).mean(axis=1) ** (depth / 2 - 1)
    )
    first = low.argmax(axis=-1)
    rows = np.arange(len(theta))
    best = low[rows, first]
    high[rows, first] = 0.0
    found = np.where(best > high.max(axis=-1), first + 1, int(Label.UNDECIDED))
    still = (
        np.abs(_turning(case.flow, theta)).max(axis=(1, 2))
        < STILL * np.abs(theta).max()
    )
    for row in np.flatnonzero(still & (found == Label.UNDECIDED)):
        attracts = _attracts(case.flow, theta[row])
        found[row] = OTHER if attracts else int(Label.SEPARATRIX)
    return found


def _attracts(flow: Flow, theta: Float[np.ndarray, "L d"]) -> bool:
    """Whether no small change of a direction at rest grows, by differences."""
    size = theta.size
    step = 1e-5 * float(np.abs(theta).max())
    moved = step * np.eye(size).reshape(size, *theta.shape)
    slope = (_turning(flow, theta + moved) - _turning(flow, theta - moved)) / (2 * step)
    return bool(np.linalg.eigvals(slope.reshape(size, size)).real.max() < 1e-6)
