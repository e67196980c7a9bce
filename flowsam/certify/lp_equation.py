"""The equation of l_p-SAM, 1 < p < inf, in balls, any depth, and the states that decide.

w_kj' is pull_kj = mu_j prod_{l != k} w_lj at w - rho sign(pull) |pull|^(q-1) / ||pull||_q^(q-1).
(derivations/l2_deep.py)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from flowsam.certify.balls import Place, Row, arb, each, objects
from flowsam.labels import Label
from flowsam.shapes import Chosen, Shaped

Rows = Shaped[np.ndarray, "rows d"]  # of numbers or series
NOTHING: Any = arb(0)
SHARE: Any = arb(1) / 10  # by which the product of the layers that stay may change
_most = np.frompyfunc(arb.max, 2, 1).reduce
_least = np.frompyfunc(arb.min, 2, 1).reduce


@dataclass(frozen=True, eq=False)
class Layers:
    """One start's equation; the state is one row of coordinates after the other."""

    mu: Row  # of the coordinates that move
    rho: Any
    p: Any
    depth: int
    # one positive row, which counts depth times, where all layers are equal in size
    weights: Rows
    places: tuple[int, ...]  # the label of each coordinate

    @property
    def balanced(self) -> bool:
        """Return whether one row stands for all."""
        return len(self.weights) == 1

    @property
    def copies(self) -> int:
        """Return how many layers a row stands for."""
        return self.depth // len(self.weights)

    @property
    def start(self) -> tuple[arb, ...]:
        """Return the state at the start."""
        return tuple(self.weights.ravel())

    @property
    def units(self) -> tuple[float, ...]:
        """Return the radius of the perturbation."""
        return (float(self.rho),) * self.weights.size

    @property
    def patience(self) -> float:
        """Return the share of tau below which a step is none: a weight reaches 0, or all do."""
        return 2.0**-12

    def rows(self, y: Sequence[Place]) -> Rows:
        """Return a state as rows of coordinates."""
        return objects(y).reshape(len(self.weights), -1)

    def slope(self, x: Place, y: Sequence[Place]) -> list[Any]:
        """Return the derivative of the state."""
        w = self.rows(y)
        steps = _normalised(self._pulls(w), self.p, self.copies)
        return [*self._pulls(w - steps * self.rho).ravel()]

    def _pulls(self, w: Rows) -> Rows:
        """mu times the product of the other layers."""
        own = self.mu * w ** (self.copies - 1)
        rows = [row * prod([*w[:k], *w[k + 1 :]]) for k, row in enumerate(own)]
        return np.stack(rows)

    def decided(self, x: arb, y: Sequence[arb]) -> int | None:
        """Return the label that a ball of states proves, or None."""
        if not self.mu.size:
            return Label.ZERO
        w = self.rows(y)
        if self.depth == 2:
            return _two_layers(self, w)
        first = _first(self, w)
        if first is not None:
            return self.places[first]
        if not self.balanced:
            return Label.ZERO if _sinks(self, w) else None
        return _balanced(self, w[0]) if self.p == 2 else None


def _normalised(pulls: Rows, p: arb, copies: int) -> Rows:
    """sign(pull) |pull|^(q-1) / ||pull||_q^(q-1); nan where a sign is not certain."""
    if p == 2:
        root = (copies * (pulls * pulls).sum()).rsqrt()
        return each(lambda pull: pull * root, pulls)
    power = 1 / (p - 1)  # q - 1
    signs = each(lambda pull: 1 if pull[0] > 0 else -1, pulls)
    logs = np.log(signs * pulls)
    total = copies * np.exp(logs * (power + 1)).sum()
    norm = total.log() / p  # (q-1)/q = 1/p
    return signs * each(lambda log: (log * power - norm).exp(), logs)


def layers(
    theta: Sequence[Sequence[float]],
    mu: Sequence[float],
    rho: float,
    p: float,
) -> Layers:
    """Return the equation of a start, its doubles taken exactly.

    Idle coordinates, and those with two layers at 0, rest and are left out.
    """
    moving = [
        j for j, w in enumerate(zip(*theta, strict=True)) if mu[j] and w.count(0) < 2
    ]
    weights = np.array(theta)[:, moving]
    rates = np.array(mu)[moving]
    sizes = np.abs(weights)
    # mu_j beta_j > 0, and all layers of each coordinate equal in size
    aligned = rates * np.where(weights > 0, 1, -1).prod(axis=0) > 0
    if (aligned & (sizes == sizes[0])).all():
        rates = np.abs(rates)
        weights = sizes[:1]
    exact = (each(arb, rates), arb(rho), arb(p), len(theta), each(arb, weights))
    return Layers(*exact, tuple(j + 1 for j in moving))


def _first(field: Layers, w: Rows) -> int | None:
    """The coordinate that is certain to blow up first.

    It moves at |mu_j| prod |w_hat|^((L-2)/L): bounded from below, by 0 where it may not rise, and
    from above.
    """
    share = arb(field.depth) ** (-1 / field.p) if field.balanced else arb(1)
    radius = share * field.rho
    power = arb(field.depth - 2)
    speed = abs(field.mu)
    size = abs(w)
    outer = ((size + radius) ** 2).sum(axis=0) / len(w)
    inner = (size - radius).prod(axis=0)
    rises = field.mu * (w**field.copies).prod(axis=0) > 0
    rises &= (size > radius).all(axis=0)
    low = np.where(rises, speed * inner ** (power / len(w)), NOTHING)
    best = _ahead(low, speed * outer ** (power / 2))
    return best if best is not None and low[best] > 0 else None


def _ahead(low: Row, high: Row) -> int | None:
    """The place whose lower bound is above all others' upper bounds."""
    best = int(low.astype(float).argmax())
    return best if (low[best] > np.delete(high, best)).all() else None


def _balanced(field: Layers, w: Row) -> int | None:
    """The limit of a balanced state under l_2, by its ratios r_j = rho score_j / N."""
    depth = field.depth
    scores = field.mu * w ** (depth - 2)
    norm = (depth * ((scores * w) ** 2).sum()).sqrt()
    ratios = scores * field.rho / norm
    if depth % 2 == 0 and (ratios > 1).all():
        return Label.ZERO
    if not (_escapes(field, w) or (ratios < 1).all()):
        return None
    best = _ahead(scores, scores)
    return None if best is None else field.places[best]


def _escapes(field: Layers, w: Row) -> bool:
    """Whether a weight is above its gate: at rest with all alive at odd L, else alone.

    |w_j| at rest with all alive: rho mu_j^-k / (L sum_i mu_i^-2k)^(1/2), k = 1/(L-2).
    """
    if field.depth % 2 == 0:
        return bool((w > field.rho / arb(field.depth).sqrt()).any())
    shares = field.mu ** (arb(-1) / (field.depth - 2))
    norm = (field.depth * (shares * shares).sum()).sqrt()
    return bool((w > shares * field.rho / norm).any())


def _two_layers(field: Layers, w: Rows) -> int | None:
    """The limit at L = 2, p != 2, from what is certain about each coordinate."""
    u = w[0]
    v = w[-1]
    sign = np.where((field.mu > 0) | field.balanced, 1, -1)
    s = abs(u + sign * v)
    escapes = s > arb(2) ** (1 - 1 / field.p) * field.rho
    if field.p < 2:
        if _shrinks(field, np.concatenate([u, v])):
            return Label.ZERO
        # one escape releases every coordinate with s != 0
        escapes = (s > 0) & escapes.any()
        dies = each(arb.is_zero, s).astype(bool)
    else:
        dies = _dies(field, u, v)
    if dies.all():
        return Label.ZERO
    # what fates leave open in no way: the largest |mu_j| that escapes
    alive = np.flatnonzero(~dies)
    sizes = abs(field.mu[alive])
    first = _ahead(sizes, sizes)
    if first is None or not escapes[alive[first]]:
        return None
    return field.places[alive[first]]


def _shrinks(field: Layers, weights: Row) -> bool:
    """Whether |theta| falls for ever, p < 2."""
    sizes = abs(field.mu)
    spread = arb(2 * sizes.size) ** (arb(1) / 2 - 1 / field.p)
    norm = ((weights * weights).sum() * field.copies).sqrt()
    return bool(_most(sizes) * norm < field.rho * _least(sizes) * spread)


def _dies(field: Layers, u: Row, v: Row) -> Chosen:
    """Which coordinates reach 0 in finite tau whatever the others do, p > 2."""
    q = field.p / (field.p - 1)
    m = abs(field.mu)
    a = abs(u)
    b = abs(v)
    most = _most(m)
    spare = most * arb(2 * m.size) ** (1 / q - 1 / field.p) * field.rho
    norm = ((m * a) ** q + (m * b) ** q).sum() ** (1 / q) + spare
    x = (a + b) ** (2 - q)
    brake = m**q * (2 - q) * field.rho / norm ** (q - 1)
    return x * (m * (2 - q) + (q - 1) * most) < brake


def _sinks(field: Layers, w: Rows) -> bool:
    """Whether two layers of every coordinate reach 0 for good, at L >= 3."""
    size = abs(w)
    order = size.astype(float).argsort(axis=0, kind="stable")
    size = np.take_along_axis(size, order, axis=0)
    small = size[:2].T.ravel()
    rest = size[2:]
    pulls = abs(field.mu) * rest.prod(axis=0)
    rate = _most(pulls / _least(rest))
    kappa = arb(1).min(arb(small.size) ** (arb(1) / 2 - 1 / field.p))
    least = kappa * _least(pulls)
    r = (small * small).sum().sqrt()
    share = r * rate / (2 * least)
    drift = 4 * (r + field.rho) ** 2 * rate * r / (field.rho * least)
    change = field.rho * share ** (1 / (field.p - 1)) + drift
    others = field.depth - 2
    return bool(
        (small < SHARE * field.rho).all()
        and 12 * _most(pulls) * r <= field.rho * least
        and share <= SHARE / (2 * others)
        and change <= SHARE / others * _least(rest.ravel())
    )
