"""The equation of l_p-SAM, 1 < p < inf, in balls, any depth, and the states that decide.

w_kj' is pull_kj = mu_j prod_{l != k} w_lj at w - rho sign(pull) |pull|^(q-1) / ||pull||_q^(q-1).
(derivations/l2_deep.py)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from math import prod
from typing import Any

from flowsam.certify.balls import Place, arb
from flowsam.labels import Label

Rows = list[list[Any]]
SHARE = arb(1) / 10  # by which the product of the layers that stay may change


@dataclass(frozen=True)
class Layers:
    """One start's equation; the state is one row of coordinates after the other."""

    mu: tuple[arb, ...]  # of the coordinates that move
    rho: arb
    p: arb
    depth: int
    # one positive row, which counts depth times, where all layers are equal in size
    weights: tuple[tuple[arb, ...], ...]
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
        return tuple(w for row in self.weights for w in row)

    @property
    def units(self) -> tuple[float, ...]:
        """Return the radius of the perturbation."""
        return (float(self.rho),) * len(self.start)

    @property
    def patience(self) -> float:
        """Return the share of tau below which a step is none: a weight reaches 0, or all do."""
        return 2.0**-12

    def rows(self, y: Sequence[Place]) -> Rows:
        """Return a state as rows of coordinates."""
        d = len(self.mu)
        return [list(y[k : k + d]) for k in range(0, len(y), d)]

    def slope(self, x: Place, y: Sequence[Place]) -> list[Any]:
        """Return the derivative of the state."""
        w = self.rows(y)
        pulls = self._pulls(w)
        steps = _normalised(pulls, self.p, self.copies)
        moved = [
            [w_j - self.rho * step for w_j, step in zip(row, along, strict=True)]
            for row, along in zip(w, steps, strict=True)
        ]
        return [pull for row in self._pulls(moved) for pull in row]

    def _pulls(self, w: Rows) -> Rows:
        """mu times the product of the other layers."""
        own = self.copies - 1
        return [
            [
                m * w[k][j] ** own * prod(w[i][j] for i in range(len(w)) if i != k)
                for j, m in enumerate(self.mu)
            ]
            for k in range(len(w))
        ]

    def decided(self, x: arb, y: Sequence[arb]) -> int | None:
        """Return the label that a ball of states proves, or None."""
        return _decided(self, self.rows(y))


def _normalised(pulls: Rows, p: arb, copies: int) -> Rows:
    """sign(pull) |pull|^(q-1) / ||pull||_q^(q-1); nan where a sign is not certain."""
    if p == 2:
        square = copies * sum(x * x for row in pulls for x in row)
        return [[x * square.rsqrt() for x in row] for row in pulls]
    power = 1 / (p - 1)  # q - 1
    logs = [[(_sign(x) * x).log() for x in row] for row in pulls]
    total = copies * sum((log * (power + 1)).exp() for row in logs for log in row)
    norm = total.log() / p  # (q-1)/q = 1/p
    return [
        [_sign(x) * (log * power - norm).exp() for x, log in zip(*pair, strict=True)]
        for pair in zip(pulls, logs, strict=True)
    ]


def _sign(x: Any) -> int:
    """The sign of a number, or of a series, that is not 0."""
    return 1 if x[0] > 0 else -1


def layers(
    theta: Sequence[Sequence[float]],
    mu: Sequence[float],
    rho: float,
    p: float,
) -> Layers:
    """Return the equation of a start, its doubles taken exactly.

    Idle coordinates, and those with two layers at 0, rest and are left out.
    """
    columns = list(zip(*theta, strict=True))
    moving = [j for j, w in enumerate(columns) if mu[j] and w.count(0) < 2]
    rates = [mu[j] for j in moving]
    rows = [[row[j] for j in moving] for row in theta]
    if all(_even(columns[j], mu[j]) for j in moving):
        rates = list(map(abs, rates))
        rows = [list(map(abs, rows[0]))]
    weights = tuple(tuple(map(arb, row)) for row in rows)
    places = tuple(j + 1 for j in moving)
    return Layers(tuple(map(arb, rates)), arb(rho), arb(p), len(theta), weights, places)


def _even(weights: Sequence[float], m: float) -> bool:
    """Whether all layers of a coordinate are equal in size, and mu_j beta_j > 0."""
    return len(set(map(abs, weights))) == 1 and m * prod(map(_direction, weights)) > 0


def _direction(x: float) -> int:
    """The sign of a double; -1 for 0."""
    return 1 if x > 0 else -1


def _decided(field: Layers, w: Rows) -> int | None:
    """Return the label that a ball of states proves, or None."""
    if not field.mu:
        return Label.ZERO
    if field.depth == 2:
        return _two_layers(field, w)
    first = _first(field, w)
    if first is not None:
        return field.places[first]
    if not field.balanced:
        return Label.ZERO if _sinks(field, w) else None
    return _balanced(field, w[0]) if field.p == 2 else None


def _first(field: Layers, w: Rows) -> int | None:
    """The coordinate that is certain to blow up first."""
    share = arb(field.depth) ** (-1 / field.p) if field.balanced else arb(1)
    radius = share * field.rho
    columns = zip(field.mu, zip(*w, strict=True), strict=True)
    paces = [_pace(field, m, column, radius) for m, column in columns]
    low, high = zip(*paces, strict=True)
    best = _ahead(low, high)
    return best if best is not None and low[best] > 0 else None


def _pace(
    field: Layers,
    m: arb,
    weights: Sequence[arb],
    radius: arb,
) -> tuple[arb, arb]:
    """|mu_j| prod |w_hat|^((L-2)/L) from below, 0 where it may not rise, and from above."""
    power = arb(field.depth - 2)
    outer = sum((abs(x) + radius) ** 2 for x in weights) / len(weights)
    high = abs(m) * outer ** (power / 2)
    rises = m * prod(x**field.copies for x in weights) > 0
    if not (rises and all(abs(x) > radius for x in weights)):
        return arb(0), high
    inner = prod(abs(x) - radius for x in weights)
    return abs(m) * inner ** (power / len(weights)), high


def _ahead(low: Sequence[arb], high: Sequence[arb]) -> int | None:
    """The place whose lower bound is above all others' upper bounds."""
    best = max(range(len(low)), key=lambda j: float(low[j]))
    clear = all(low[best] > other for j, other in enumerate(high) if j != best)
    return best if clear else None


def _balanced(field: Layers, w: list[arb]) -> int | None:
    """The limit of a balanced state under l_2, by its ratios r_j = rho score_j / N."""
    depth = field.depth
    scores = [m * x ** (depth - 2) for m, x in zip(field.mu, w, strict=True)]
    square = sum(((s * x) ** 2 for s, x in zip(scores, w, strict=True)), arb(0))
    norm = (depth * square).sqrt()
    ratios = [field.rho * s / norm for s in scores]
    if depth % 2 == 0 and all(r > 1 for r in ratios):
        return Label.ZERO
    if not (_escapes(field, w) or all(r < 1 for r in ratios)):
        return None
    best = _ahead(scores, scores)
    return None if best is None else field.places[best]


def _escapes(field: Layers, w: list[arb]) -> bool:
    """Whether a weight is above its gate: at rest with all alive at odd L, else alone."""
    alone = field.rho / arb(field.depth).sqrt()
    gates = _gates(field) if field.depth % 2 else [alone] * len(w)
    return any(x > gate for x, gate in zip(w, gates, strict=True))


def _gates(field: Layers) -> list[arb]:
    """|w_j| at rest with all alive: rho mu_j^-k / (L sum_i mu_i^-2k)^(1/2), k = 1/(L-2)."""
    shares = [m ** (arb(-1) / (field.depth - 2)) for m in field.mu]
    norm = (field.depth * sum((s * s for s in shares), arb(0))).sqrt()
    return [field.rho * s / norm for s in shares]


def _two_layers(field: Layers, w: Rows) -> int | None:
    """The limit at L = 2, p != 2, from what is certain about each coordinate."""
    u = w[0]
    v = w[-1]
    sign = [1 if field.balanced or m > 0 else -1 for m in field.mu]
    s = [abs(a + k * b) for a, b, k in zip(u, v, sign, strict=True)]
    edge = arb(2) ** (1 - 1 / field.p) * field.rho
    escapes = [x > edge for x in s]
    if field.p < 2:
        if _shrinks(field, u + v):
            return Label.ZERO
        # one escape releases every coordinate with s != 0
        escapes = [x > 0 and any(escapes) for x in s]
        dies = [x.is_zero() for x in s]
    else:
        dies = _dies(field, u, v)
    return _of_fates(field, escapes, dies)


def _of_fates(field: Layers, escapes: list[bool], dies: list[bool]) -> int | None:
    """The label that fates leave open in no way: the largest |mu_j| that escapes."""
    if all(dies):
        return Label.ZERO
    alive = [j for j, gone in enumerate(dies) if not gone]
    sizes = [abs(field.mu[j]) for j in alive]
    first = _ahead(sizes, sizes)
    if first is None or not escapes[alive[first]]:
        return None
    return field.places[alive[first]]


def _shrinks(field: Layers, weights: list[arb]) -> bool:
    """Whether |theta| falls for ever, p < 2."""
    sizes = [abs(m) for m in field.mu]
    count = arb(2 * len(sizes))
    most = _most(sizes)
    least = _least(sizes)
    spread = count ** (arb(1) / 2 - 1 / field.p)
    norm = (sum((x * x for x in weights), arb(0)) * field.copies).sqrt()
    return bool(most * norm < field.rho * least * spread)


def _dies(field: Layers, u: list[arb], v: list[arb]) -> list[bool]:
    """Which coordinates reach 0 in finite tau whatever the others do, p > 2."""
    q = field.p / (field.p - 1)
    sizes = [abs(m) for m in field.mu]
    most = _most(sizes)
    count = arb(2 * len(sizes))
    spare = most * count ** (1 / q - 1 / field.p) * field.rho
    terms = [
        (m * abs(a)) ** q + (m * abs(b)) ** q
        for m, a, b in zip(sizes, u, v, strict=True)
    ]
    norm = sum(terms) ** (1 / q) + spare
    dies = []
    for m, a, b in zip(sizes, u, v, strict=True):
        x = (abs(a) + abs(b)) ** (2 - q)
        brake = (2 - q) * m**q * field.rho / norm ** (q - 1)
        dies.append(bool(x * ((2 - q) * m + (q - 1) * most) < brake))
    return dies


def _sinks(field: Layers, w: Rows) -> bool:
    """Whether two layers of every coordinate reach 0 for good, at L >= 3."""
    columns = [sorted(map(abs, c), key=float) for c in zip(*w, strict=True)]
    small = [x for column in columns for x in column[:2]]
    rest = [column[2:] for column in columns]
    pulls = [abs(m) * prod(c) for m, c in zip(field.mu, rest, strict=True)]
    rate = _most(a / _least(c) for a, c in zip(pulls, rest, strict=True))
    count = arb(2 * len(columns))
    kappa = arb(1).min(count ** (arb(1) / 2 - 1 / field.p))
    least = kappa * _least(pulls)
    r = sum((x * x for x in small), arb(0)).sqrt()
    share = r * rate / (2 * least)
    drift = 4 * (r + field.rho) ** 2 * rate * r / (field.rho * least)
    change = field.rho * share ** (1 / (field.p - 1)) + drift
    others = field.depth - 2
    return bool(
        all(x < SHARE * field.rho for x in small)
        and 12 * _most(pulls) * r <= field.rho * least
        and share <= SHARE / (2 * others)
        and change <= SHARE / others * _least(chain(*rest))
    )


def _most(sizes: Iterable[arb]) -> arb:
    """The largest."""
    return reduce(arb.max, sizes)


def _least(sizes: Iterable[arb]) -> arb:
    """The smallest."""
    return reduce(arb.min, sizes)
