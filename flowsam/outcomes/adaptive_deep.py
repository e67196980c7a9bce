"""Where ASAM ends on one example at L >= 3: one of several limits, features or mixtures.

The direction of theta moves on its own: it is followed until one feature is certain to blow up
first, or to a mixture that attracts; two features with equal layers: `adaptive_pair`. Each feature
is on GD's path, with a clock of its own: where none blows up there, none does here.
"""

from dataclasses import dataclass

import numpy as np

from flowsam.engines.run import Request
from flowsam.exact.adaptive_pair import Pair
from flowsam.exact.linf_deep import read
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.outcomes.adaptive import as_gradient_flow
from flowsam.outcomes.balanced_l2 import aligned
from flowsam.outcomes.blow_up_order import foremost
from flowsam.outcomes.outcome import Limit, basis
from flowsam.regimes import Case
from flowsam.shapes import Codes, Float, Starts, Theta, Thetas, Which

# steps along the path of directions, between two looks, and in all
STEP = 0.1
LOOK = 20
MOST = 20_000
STILL = 1e-9  # a direction that moves less, per unit of its own rate, is at a rest
OTHER = int(Label.OTHER_DIRECTION)
FAR = 1e12  # in units of 1/rate: all that blow up have done so
ROUNDS = 3  # of growth by a million
# of |mu beta|: features of p = 1 that grow a million times so near are tied
EVEN = 1e-6


@dataclass(frozen=True, eq=False)
class Ends:
    """Where directions end: labels (N,) and their directions beta (N, d)."""

    label: Codes
    direction: Float[np.ndarray, "N d"]


def labels(case: Case, starts: Starts) -> Codes:
    """Return labels at L >= 3: one feature, a mixture (another direction), or undecided."""
    return _ends(case, starts).label


def verdict(case: Case, theta0: Theta) -> Limit:
    """Return the verdict on one start at L >= 3."""
    if _never(case, theta0[None])[0]:
        own = as_gradient_flow(case).verdict(theta0)
        reason = f"each feature is on the path of GD: {own.reason}"
        return Limit(own.label, own.direction, own.certificate, reason)
    found = _ends(case, theta0[None])
    label = int(found.label[0])
    if label >= 1:
        reason = f"feature {label} blows up first, whatever its share of the step; others freeze"
        return Limit(label, basis(case.mu, label), "monotone", reason)
    certificate = "numerical"
    reason = "the direction came to a mixture that repels"
    if label == OTHER:
        reason = "the direction came to a mixture that attracts: its features blow up together"
    elif label != Label.SEPARATRIX:
        certificate = "none"
        reason = "the direction moves too slowly to be told; start it elsewhere"
    direction = found.direction[0] if label == OTHER else None
    return Limit(label, direction, certificate, reason)


def _ends(case: Case, starts: Starts) -> Ends:
    """Return where starts end."""
    mu = case.mu
    size = len(starts)
    found = Ends(np.empty(size, dtype=np.int64), np.zeros((size, mu.size)))
    still = _never(case, starts)
    if still.any():
        found.label[still] = as_gradient_flow(case).labels(starts[still])
    pair = np.count_nonzero(mu) == 2
    on_line = aligned(mu, np.moveaxis(starts, 0, -1)) & pair & ~still
    follow = _followed if case.regime.smooth_off_axes else _ran
    for some, ends in ((on_line, _line_ends), (~(on_line | still), follow)):
        if some.any():
            part = ends(case, starts[some])
            found.label[some] = part.label
            found.direction[some] = part.direction
    return found


def _never(case: Case, starts: Thetas) -> Which:
    """Which starts have no feature that blows up under GD."""
    mu = case.mu
    return ~((read(starts, mu, 0.0).surplus > 0) & (mu != 0)).any(axis=-1)


def _line_ends(case: Case, starts: Starts) -> Ends:
    """Ends of two features by the roots of their line."""
    mu = case.mu
    rule = case.rule
    first, second = np.flatnonzero(mu)
    pair = Pair(float(abs(mu[second] / mu[first])), rule.rho, rule.p, case.depth)
    size = np.abs(starts[:, 0])
    end, v = pair.ends(np.log(size[:, second] / size[:, first]))
    label = np.select(
        [end == 1, end == 2, end == 0], [first + 1, second + 1, OTHER], -2
    )
    direction = np.tile(np.sign(mu), (len(starts), 1))
    direction[:, second] *= np.exp(case.depth * np.where(end == 0, v, 0.0))
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    return Ends(label, direction)


def _followed(case: Case, starts: Starts) -> Ends:
    """Follow directions, all starts at once, each with a clock of its own."""
    flow = case.flow
    theta = np.where(flow.mu == 0, 0.0, starts)
    label = np.full(len(theta), Label.UNDECIDED)
    left = np.arange(len(theta))
    for step in range(MOST):
        if step % LOOK == 0 and left.size:
            theta[left] /= np.abs(theta[left]).max(axis=(1, 2), keepdims=True)
            label[left] = _told(case, theta[left])
            left = left[label[left] == Label.UNDECIDED]
        if not left.size:
            break
        theta[left] = _stepped(flow, theta[left])
    beta = np.prod(theta, axis=1)
    length = np.linalg.norm(beta, axis=-1, keepdims=True)
    return Ends(label, beta / np.where(length > 0, length, 1.0))


def _ran(case: Case, starts: Starts) -> Ends:
    """Follow starts one by one where features tie, p = 1: those that end tied blow up together."""
    mu = case.mu
    labels = []
    directions = []
    solve = case.ask("solve")
    for theta in starts:
        for _ in range(ROUNDS):
            theta = theta / np.abs(theta[:, mu != 0]).max()
            far = Request(FAR / np.abs(mu).max(), "tau_end", rtol=1e-7, atol=1e-10)
            theta = solve(theta, far, 2).theta[-1]
            beta = np.prod(theta, axis=0)
            size = np.abs(mu * beta)
            tied = size >= size.max() * (1 - EVEN)
            label = OTHER if tied.sum() > 1 else int(_certain(case, theta[None])[0])
            if label != Label.UNDECIDED:
                break
        labels.append(label)
        directions.append(beta / np.linalg.norm(beta))
    return Ends(np.array(labels), np.array(directions))


def _turning(flow: Flow, theta: Starts) -> Starts:
    """Velocity of the direction of theta, in units of its own rate."""
    field = flow.field(theta)
    square = (theta * theta).sum(axis=(1, 2), keepdims=True)
    rate = (theta * field).sum(axis=(1, 2), keepdims=True) / square
    unit = np.abs(field).max(axis=(1, 2), keepdims=True) / np.sqrt(square)
    return (field - rate * theta) / unit


def _stepped(flow: Flow, theta: Starts) -> Starts:
    """One step of the classical fourth-order method."""
    first = _turning(flow, theta)
    second = _turning(flow, theta + STEP / 2 * first)
    third = _turning(flow, theta + STEP / 2 * second)
    fourth = _turning(flow, theta + STEP * third)
    return theta + STEP / 6 * (first + 2 * second + 2 * third + fourth)


def _certain(case: Case, theta: Starts) -> Codes:
    """Labels of features that are certain to blow up first; else UNDECIDED.

    Bounds of the speeds are (1 - g)^(L-1) and (1 + g)^(L-1) of GD's, g = rho L^(-1/p) the largest
    rho r.
    """
    gate = case.rule.gate(case.depth)
    w = np.moveaxis(theta, 0, -1)
    power = (case.depth - 1) / (case.depth - 2)
    bounds = (np.abs(w) * (1 + side * gate) ** power for side in (-1, 1))
    found = foremost(case.flow, w, *bounds)
    return np.where(found < 0, Label.UNDECIDED, found + 1)


def _told(case: Case, theta: Starts) -> Codes:
    """Labels that directions prove, or rest at; else UNDECIDED."""
    found = _certain(case, theta)
    still = (
        np.abs(_turning(case.flow, theta)).max(axis=(1, 2))
        < STILL * np.abs(theta).max()
    )
    for row in np.flatnonzero(still & (found == Label.UNDECIDED)):
        attracts = _attracts(case.flow, theta[row])
        found[row] = OTHER if attracts else Label.SEPARATRIX
    return found


def _attracts(flow: Flow, theta: Theta) -> bool:
    """Whether no small change of a direction at rest grows, by differences."""
    size = theta.size
    step = 1e-5 * float(np.abs(theta).max())
    moved = step * np.eye(size).reshape(size, *theta.shape)
    slope = (_turning(flow, theta + moved) - _turning(flow, theta - moved)) / (2 * step)
    return bool(np.linalg.eigvals(slope.reshape(size, size)).real.max() < 1e-6)
