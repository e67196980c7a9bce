"""The equation of l_p-SAM, 1 < p < inf, in balls, any depth.

w_kj' is pull_kj = mu_j prod_{l != k} w_lj at w - rho sign(pull) |pull|^(q-1) / ||pull||_q^(q-1).
(derivations/l2_deep.py)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from flowsam.certify.balls import Place, arb

Rows = list[list[Any]]


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
        from flowsam.certify.lp_states import decided

        return decided(self, self.rows(y))


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
    theta: Sequence[Sequence[float]], mu: Sequence[float], rho: float, p: float
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
