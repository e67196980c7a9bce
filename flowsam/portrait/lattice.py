"""Labels on the points of a fine lattice over a plane, each asked once; crossings on its lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flowsam.labels import Label
from flowsam.portrait.labelled_plane import Portrait
from flowsam.portrait.plane_rows import at_boundary, labels_at
from flowsam.shapes import Float, Int

__all__ = ["Lattice"]

Points = Int[np.ndarray, "N 2"]
Labels = Int[np.ndarray, " N"]
_PARTS = 4  # fewer rounds than bisection, in larger batches
# in lattice units: off a boundary that runs through a point
_ASIDE = np.array([0.31, 0.17])


@dataclass(frozen=True, eq=False)
class Lattice:
    """A portrait's plane with every cell cut into `step` x `step`, and the labels known so far."""

    plane: Portrait
    step: int  # a power of 2
    progress: Callable[[int], object] = int
    # by number of point
    known: dict[int, int] = field(default_factory=dict, repr=False)

    @classmethod
    def over(
        cls, plane: Portrait, step: int, progress: Callable[[int], object] = int
    ) -> Lattice:
        """Return the lattice with the labels of the portrait, those on a boundary asked again."""
        lattice = cls(plane, step, progress)
        rows, columns = np.indices(plane.labels.shape)
        points = step * np.stack([columns.ravel(), rows.ravel()], axis=1)
        labels = plane.labels.ravel().astype(np.int64)
        thin = _thin(labels) & at_boundary(plane.labels).ravel()
        labels[thin] = lattice._beside(points[thin])
        lattice.known.update(
            zip(lattice._keys(points).tolist(), labels.tolist(), strict=True)
        )
        return lattice

    @property
    def last(self) -> Int[np.ndarray, " 2"]:
        """The lattice point of the last column and row."""
        return self.step * (np.array(self.plane.labels.shape[::-1]) - 1)

    @property
    def asked(self) -> int:
        """Labels computed beyond those of the portrait."""
        return len(self.known) - self.plane.labels.size

    def place(
        self, points: Float[np.ndarray, "N 2"] | Points
    ) -> Float[np.ndarray, "N 2"]:
        """Return the plane's parameters at lattice points, linear inside a cell."""
        cells = points / self.step
        axes = (self.plane.x, self.plane.y)
        columns = [
            np.interp(c, np.arange(a.size), a)
            for c, a in zip(cells.T, axes, strict=True)
        ]
        return np.stack(columns, axis=1)

    def labels(self, points: Points) -> Labels:
        """Return the labels at lattice points; what is not known yet is asked in one batch.

        A point on a boundary (separatrix, tie, ...) takes the label next to it, at less than half
        a lattice unit, so that curves have two sides.
        """
        keys = self._keys(points)
        new = np.array(sorted(set(keys.tolist()) - self.known.keys()), dtype=np.int64)
        if new.size:
            width = int(self.last[0]) + 1
            fresh = np.stack([new % width, new // width], axis=1)
            found = self._ask(fresh)
            thin = _thin(found)
            found[thin] = self._beside(fresh[thin])
            self.known.update(zip(new.tolist(), found.tolist(), strict=True))
            self.progress(new.size)
        return np.array([self.known[key] for key in keys.tolist()], dtype=np.int64)

    def crossings(
        self, first: Points, last: Points
    ) -> tuple[Float[np.ndarray, "N 2"], Int[np.ndarray, "N 2"]]:
        """Return where labels change between points of a row or column, to half a unit."""
        left = self.labels(first)
        right = self.labels(last)
        rows = np.arange(len(first))
        while (span := np.abs(last - first).max(axis=1, initial=0)).max(initial=0) > 1:
            stride = np.maximum(span // _PARTS, 1)
            steps = np.minimum(stride[:, None] * np.arange(_PARTS + 1), span[:, None])
            points = first[:, None] + steps[..., None] * np.sign(last - first)[:, None]
            seen = self.labels(points.reshape(-1, 2)).reshape(steps.shape)
            after = (seen != left[:, None]).argmax(axis=1)
            first = points[rows, after - 1]
            last = points[rows, after]
            right = seen[rows, after]
        return (first + last) / 2, np.stack([left, right], axis=1)

    def _keys(self, points: Points) -> Int[np.ndarray, " N"]:
        """One number for each point."""
        return points[:, 1].astype(np.int64) * (int(self.last[0]) + 1) + points[:, 0]

    def _ask(self, points: Float[np.ndarray, "N 2"] | Points) -> Labels:
        """Compute labels."""
        x, y = self.place(points).T
        start: Any = self.plane.start  # `refine` has asked for it
        return labels_at(self.plane.flow, start, x, y).astype(np.int64)

    def _beside(self, points: Points) -> Labels:
        """Labels a fraction of a unit aside, inwards on the upper rim."""
        aside = np.where(points < self.last, _ASIDE, -_ASIDE)
        return self._ask(points + aside) if len(points) else np.empty(0, dtype=np.int64)


def _thin(labels: Labels) -> np.ndarray:
    """Which labels may be those of a boundary itself."""
    return (labels < 0) & (labels != Label.OTHER_DIRECTION) & (labels != Label.FAILED)
