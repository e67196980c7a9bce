"""What a ball of states of l_p-SAM, 1 < p < inf, proves about the limit, by `outcomes`' bounds.

(derivations/decided_states.py, derivations/l2_deep_limits.py, derivations/sinking.py)
"""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import TYPE_CHECKING

from flowsam.certify.balls import arb
from flowsam.labels import Label

if TYPE_CHECKING:
    from flowsam.certify.layers import Layers

__all__ = ["decided"]

Rows = list[list[arb]]
SHARE = arb(1) / 10  # by which the product of the layers that stay may change


def decided(field: Layers, w: Rows) -> int | None:
    """Return the label that a ball of states proves, or None."""
    if not field.mu:
        return int(Label.ZERO)
    if field.depth == 2:
        return _two_layers(field, w)
    first = _first(field, w)
    if first is not None:
        return field.places[first]
    if not field.balanced:
        return int(Label.ZERO) if _sinks(field, w) else None
    return _balanced(field, w[0]) if field.p == 2 else None


def _first(field: Layers, w: Rows) -> int | None:
    """The coordinate that is certain to blow up first."""
    share = arb(field.depth) ** (-1 / field.p) if field.balanced else arb(1)
    radius = share * field.rho
    power = arb(field.depth - 2)
    low = []
    high = []
    for j, m in enumerate(field.mu):
        column = [row[j] for row in w]
        inner = prod(abs(x) - radius for x in column)
        outer = sum((abs(x) + radius) ** 2 for x in column) / len(column)
        rises = m * prod(x**field.copies for x in column) > 0
        clear = rises and all(abs(x) > radius for x in column)
        low.append(abs(m) * inner ** (power / len(w)) if clear else arb(0))
        high.append(abs(m) * outer ** (power / 2))
    best = _largest(low)
    others = high[:best] + high[best + 1 :]
    ahead = all(low[best] > other for other in others)
    return best if low[best] > 0 and ahead else None


def _balanced(field: Layers, w: list[arb]) -> int | None:
    """The limit of a balanced state under l_2, by its ratios r_j = rho score_j / N."""
    depth = field.depth
    scores = [m * x ** (depth - 2) for m, x in zip(field.mu, w, strict=True)]
    square = sum(((s * x) ** 2 for s, x in zip(scores, w, strict=True)), arb(0))
    norm = (depth * square).sqrt()
    ratios = [field.rho * s / norm for s in scores]
    if depth % 2 == 0 and all(r > 1 for r in ratios):
        return int(Label.ZERO)
    root = arb(depth).sqrt()
    gates = _gates(field) if depth % 2 else [field.rho / root] * len(w)
    escapes = any(x > gate for x, gate in zip(w, gates, strict=True))
    if not (escapes or all(r < 1 for r in ratios)):
        return None
    best = _largest(scores)
    others = scores[:best] + scores[best + 1 :]
    return field.places[best] if all(scores[best] > s for s in others) else None


def _gates(field: Layers) -> list[arb]:
    """|w_j| at rest with all alive: rho mu_j^-k / (L sum_i mu_i^-2k)^(1/2), k = 1/(L-2)."""
    shares = [m ** (arb(-1) / (field.depth - 2)) for m in field.mu]
    norm = (field.depth * sum((s * s for s in shares), arb(0))).sqrt()
    return [field.rho * s / norm for s in shares]


def _largest(sizes: list[arb]) -> int:
    """The place of what looks largest."""
    return max(range(len(sizes)), key=lambda j: float(sizes[j]))


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
            return int(Label.ZERO)
        # one escape releases every coordinate with s != 0
        escapes = [x > 0 and any(escapes) for x in s]
        dies = [x.is_zero() for x in s]
    else:
        dies = _dies(field, u, v)
    return _of_fates(field, escapes, dies)


def _of_fates(field: Layers, escapes: list[bool], dies: list[bool]) -> int | None:
    """The label that fates leave open in no way: the largest |mu_j| that escapes."""
    if all(dies):
        return int(Label.ZERO)
    sizes = [abs(m) for m in field.mu]
    alive = [j for j, gone in enumerate(dies) if not gone]
    top = max(alive, key=lambda j: float(sizes[j]))
    clear = all(sizes[top] > sizes[j] for j in alive if j != top)
    return field.places[top] if escapes[top] and clear else None


def _shrinks(field: Layers, weights: list[arb]) -> bool:
    """Whether |theta| falls for ever, p < 2."""
    sizes = [abs(m) for m in field.mu]
    count = arb(2 * len(sizes))
    most = reduce(arb.max, sizes)
    least = reduce(arb.min, sizes)
    spread = count ** (arb(1) / 2 - 1 / field.p)
    norm = (sum((x * x for x in weights), arb(0)) * field.copies).sqrt()
    return bool(most * norm < field.rho * least * spread)


def _dies(field: Layers, u: list[arb], v: list[arb]) -> list[bool]:
    """Which coordinates reach 0 in finite tau whatever the others do, p > 2."""
    q = field.p / (field.p - 1)
    sizes = [abs(m) for m in field.mu]
    most = reduce(arb.max, sizes)
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
    columns = [sorted((abs(x) for x in c), key=float) for c in zip(*w, strict=True)]
    rest = [column[2:] for column in columns]
    pulls = [abs(m) * prod(c) for m, c in zip(field.mu, rest, strict=True)]
    count = arb(2 * len(columns))
    kappa = arb(1).min(count ** (arb(1) / 2 - 1 / field.p))
    small = [x for column in columns for x in column[:2]]
    r = sum((x * x for x in small), arb(0)).sqrt()
    least = kappa * reduce(arb.min, pulls)
    rates = [a / reduce(arb.min, c) for a, c in zip(pulls, rest, strict=True)]
    rate = reduce(arb.max, rates)
    share = r * rate / (2 * least)
    drift = 4 * (r + field.rho) ** 2 * rate * r / (field.rho * least)
    change = field.rho * share ** (1 / (field.p - 1)) + drift
    others = field.depth - 2
    smallest = reduce(arb.min, [x for c in rest for x in c])
    return bool(
        all(x < SHARE * field.rho for x in small)
        and 12 * reduce(arb.max, pulls) * r <= field.rho * least
        and share <= SHARE / (2 * others)
        and change <= SHARE / others * smallest
    )
