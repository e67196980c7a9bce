"""Where ASAM ends on one example: water-filling at L = 2, and p = inf at every depth."""

import numpy as np

from flowsam.exact import winning
from flowsam.exact.adaptive_level import Level, moving, water_level
from flowsam.exact.first_escape import earliest
from flowsam.exact.linf_deep import read
from flowsam.flow import Flow
from flowsam.inputs import listed
from flowsam.labels import Label
from flowsam.outcomes.outcome import Limit, of_label
from flowsam.perturbations import gradient_flow
from flowsam.regimes import Case, case_of
from flowsam.shapes import Codes, Labels, Mask, Starts, Theta, Thetas, Vectors


def labels(case: Case, starts: Starts) -> Codes:
    """Return labels at L = 2: one feature left, or several (another direction)."""
    moves = moving(starts, case.mu)
    found = np.full(len(starts), Label.SEPARATRIX, dtype=np.int64)
    for pattern in np.unique(moves[moves.any(axis=-1)], axis=0):
        kept = np.flatnonzero(_level(case, pattern).shares)
        label = kept[0] + 1 if kept.size == 1 else Label.OTHER_DIRECTION
        found[(moves == pattern).all(axis=-1)] = label
    return found


def _level(case: Case, moves: Mask) -> Level:
    """The water level among features that move."""
    rule = case.rule
    return water_level(np.where(moves, case.mu, 0.0), rho=rule.rho, p=rule.p)


def slowed_labels(case: Case, starts: Thetas) -> Labels:
    """Return labels for p = inf: each feature is on GD's path, with a clock of its own.

    Its speed is (1 - rho)^(L-1) of GD's, and (1 + rho)^(L-1) while sign(mu_j) beta_j < 0: from
    L = 3 on the first to blow up wins, else the label is GD's.
    """
    return winning(
        earliest(_slowed(case, starts)), as_gradient_flow(case).labels(starts)
    )


def _slowed(case: Case, starts: Thetas) -> Vectors:
    """Blow-up times under p = inf; inf where there is none, as at L = 2."""
    if not case.regime.races:
        return np.full(starts[..., 0, :].shape, np.inf)
    rho = case.rule.rho
    course = read(starts, case.mu, 0.0)
    power = case.depth - 1
    end = course.blow_up
    until = np.where(course.first.along | np.isinf(course.turn), 0.0, course.turn)
    clock = until / (1 + rho) ** power + (end - until) / (1 - rho) ** power
    return clock / course.speed


def slowed_verdict(case: Case, theta0: Theta) -> Limit:
    """Return the verdict for p = inf."""
    label = int(slowed_labels(case, theta0))
    first = _slowed(case, theta0).min()
    own = as_gradient_flow(case).verdict(theta0)
    reason = f"the path of GD: {own.reason}"
    if first < np.inf:
        word = (
            "several features blow" if label == Label.TIE else f"feature {label} blows"
        )
        reason = (
            f"GD's path, each feature in a clock of its own: {word} up first, at "
            f"tau = {first:.6g}"
        )
    return of_label(case.mu, label, "theorem", reason, own.direction)


def as_gradient_flow(case: Case) -> Case:
    """The same with GD, along whose path p = inf moves."""
    return case_of(Flow(case.flow.data, gradient_flow(), case.flow.loss), case.depth)


def verdict(case: Case, theta0: Theta) -> Limit:
    """Return the verdict of the theorem of water-filling at L = 2."""
    label = int(labels(case, theta0[None])[0])
    if label == Label.SEPARATRIX:
        reason = (
            "u_j + sign(mu_j) v_j = 0 in every active feature: they tend to 0 together"
        )
        return Limit(label, None, "theorem", reason)
    level = _level(case, moving(theta0, case.mu))
    kept = listed(np.flatnonzero(level.shares) + 1)
    reason = (
        f"water level lambda = {level.value:.6g}: features with |mu_j| above it stay ({kept}); the "
        "l_1 max margin against relative perturbations of the features, not the plain one"
    )
    return of_label(case.mu, label, "theorem", reason, level.direction)


def no_theorem(case: Case, theta0: Theta) -> Limit:
    """Return UNDECIDED, where rho >= L^(1/p)."""
    rule = case.rule
    least = case.depth ** (1 / rule.p)
    reason = (
        f"rho = {rule.rho:g} is not below L^(1/p) = {least:.6g}: weights can shrink"
    )
    return Limit(int(Label.UNDECIDED), None, "none", reason)
