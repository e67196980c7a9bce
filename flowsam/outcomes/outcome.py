"""Limit: what is said about where one start ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from flowsam.cards import Card
from flowsam.labels import kind_of
from flowsam.shapes import Mask, Vector

if TYPE_CHECKING:
    from flowsam.certify import Proof
    from flowsam.outcomes.directions import Direction


_WHOLE = 8  # entries of a direction that are shown


@dataclass(frozen=True, eq=False, repr=False)
class Limit(Card):
    """The limit of one start as t -> inf.

    Parameters
    ----------
    label : int
        j >= 1: basis vector of coordinate j, counted from 1; else a member of `Label`.
    direction : ndarray, shape (d,), or None
        Limit of beta / ||beta||_2; None where there is none, or it is not known. Several examples
        at L >= 2: that at the end of the run, whose distance from the max margin is in `reason`.
    certificate : str
        "proved", "theorem", "monotone", "numerical", "conditional" (several examples at L = 2: if
        directions converge, as Theorem 4.2 assumes), "limit of discrete SAM" (l_inf-SAM at L >= 3
        where Filippov's solution is not unique), or "none".
    reason : str
        What decided, or which hypothesis fails.
    evidence : Direction or None
        Several examples at L >= 2: the numbers in `reason`, and the direction of the run's end
        whether it is certified or not.
    features : tuple of str
        Names of the coordinates, where the data have them.
    proof : Proof or None
        What proves the label, for `flowsam.certify.save_proof`, where it was asked for.
    """

    label: int
    direction: Vector | None
    certificate: str
    reason: str
    evidence: Direction | None = None
    features: tuple[str, ...] = ()
    proof: Proof | None = None

    @property
    def kind(self) -> str:
        """The word for the label."""
        return kind_of(self.label)

    def _rows(self) -> list[tuple[str, str]]:
        """Return the facts both representations show."""
        named = self.features and self.label >= 1
        feature = f": {self.features[self.label - 1]}" if named else ""
        return [
            ("label", f"{self.label} ({self.kind}{feature})"),
            ("direction", _shown(self.direction, self.features)),
            ("certificate", self.certificate),
            ("reason", self.reason),
        ]


def _shown(direction: Vector | None, features: tuple[str, ...]) -> str:
    """A short direction whole; else its largest entries with their signs and coordinates."""
    if direction is None:
        return "none"
    if direction.size <= _WHOLE and not features:
        return ", ".join(f"{x:.6g}" for x in direction)
    order = np.argsort(-np.abs(direction), kind="stable")
    moving = [int(j) for j in order if direction[j]]
    entries = [
        f"{direction[j]:+.6g} {features[j] if features else f'e_{j + 1}'}"
        for j in moving[:_WHOLE]
    ]
    if len(moving) > _WHOLE:
        entries.append(f"... ({len(moving)} of {direction.size} are not 0)")
    return ", ".join(entries)


def basis(mu: Vector, label: int) -> Vector:
    """Return sign(mu_j) e_j for a label j >= 1."""
    direction = np.zeros(mu.size)
    direction[label - 1] = np.sign(mu[label - 1])
    return direction


def of_label(
    mu: Vector,
    label: int,
    certificate: str,
    reason: str,
    other: Vector | None = None,
) -> Limit:
    """Return the limit with a label: along e_j for j >= 1, else in a direction that is given."""
    direction = basis(mu, label) if label >= 1 else other
    return Limit(label, direction, certificate, reason)


def shared(mu: Vector, together: Mask, depth: int) -> Vector:
    """Return the direction of coordinates that blow up together, beta_j ~ |mu_j|^(-L/(L-2))."""
    power = -depth / (depth - 2)
    size = np.where(together, np.abs(np.where(together, mu, 1.0)) ** power, 0.0)
    return np.sign(mu) * size / np.linalg.norm(size)
