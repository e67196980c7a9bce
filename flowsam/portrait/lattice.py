"""Codes on the points of a fine lattice over a plane, and square cells of it.

Each label is asked once; crossings lie on lattice lines, and boundaries cut cells along chords.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flowsam.labels import Label
from flowsam.portrait.labelled_plane import Portrait
from flowsam.portrait.plane_rows import at_boundary, labels_at
from flowsam.shapes import Bool, Chosen, Codes, Column, Float, Int

Points = Int[np.ndarray, "N 2"]
Places = Float[np.ndarray, "N 2"]
Chords = Float[np.ndarray, "N 2 2"]
Polygons = Float[np.ndarray, "N 5 2"]
_PARTS = 4  # fewer rounds than bisection, in larger batches
# in lattice units: off a boundary that runs through a point
_ASIDE = np.array([0.31, 0.17])


UNIT = 4  # lattice units in the tolerance
CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
ACROSS = np.array([[0, -1], [1, 0], [0, 1], [-1, 0]])
# where a chord is tested: bends and S-shapes show
SHARES = np.array([1 / 3, 2 / 3])[:, None]


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
        cls,
        plane: Portrait,
        step: int,
        progress: Callable[[int], object] = int,
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
        """Codes computed beyond those of the portrait."""
        return len(self.known) - self.plane.labels.size

    def place(self, points: Places | Points) -> Places:
        """Return the plane's parameters at lattice points, linear inside a cell."""
        cells = points / self.step
        axes = (self.plane.x, self.plane.y)
        columns = [
            np.interp(c, np.arange(a.size), a)
            for c, a in zip(cells.T, axes, strict=True)
        ]
        return np.stack(columns, axis=1)

    def labels(self, points: Points) -> Codes:
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
        self,
        first: Points,
        last: Points,
    ) -> tuple[Places, Int[np.ndarray, "N 2"]]:
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

    def _keys(self, points: Points) -> Codes:
        """One number for each point."""
        return points[:, 1].astype(np.int64) * (int(self.last[0]) + 1) + points[:, 0]

    def _ask(self, points: Places | Points) -> Codes:
        """Compute labels."""
        x, y = self.place(points).T
        start: Any = self.plane.start  # `refine` has asked for it
        return labels_at(self.plane.flow, start, x, y).astype(np.int64)

    def _beside(self, points: Points) -> Codes:
        """Codes a fraction of a unit aside, inwards on the upper rim."""
        aside = np.where(points < self.last, _ASIDE, -_ASIDE)
        return self._ask(points + aside) if len(points) else np.empty(0, dtype=np.int64)


def _thin(labels: Codes) -> np.ndarray:
    """Which labels may be those of a boundary itself."""
    return (labels < 0) & (labels != Label.OTHER_DIRECTION) & (labels != Label.FAILED)


@dataclass(frozen=True, eq=False)
class Cells:
    """Square cells: lower left corners, sides, and the labels of their corners."""

    corner: Int[np.ndarray, "N 2"]
    side: Codes
    labels: Int[np.ndarray, "N 4"]  # against the clock from the lower left

    def keep(self, chosen: Chosen) -> Cells:
        """Return the chosen cells."""
        return Cells(self.corner[chosen], self.side[chosen], self.labels[chosen])

    def join(self, others: Cells) -> Cells:
        """Return both."""
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        return Cells(*(np.concatenate(pair) for pair in pairs))

    @property
    def points(self) -> Int[np.ndarray, "N 4 2"]:
        """The corners, against the clock from the lower left."""
        return self.corner[:, None] + self.side[:, None, None] * CORNERS

    @property
    def crossed(self) -> Bool[np.ndarray, "N 4"]:
        """Which sides (lower, right, upper, left) have ends that differ."""
        return self.labels != np.roll(self.labels, -1, axis=1)

    @property
    def keys(self) -> list[tuple[int, int, int]]:
        """A name for each cell."""
        return list(map(tuple, np.column_stack([self.corner, self.side]).tolist()))

    def quarters(self, lattice: Lattice) -> Cells:
        """Return the four parts of each cell."""
        half = self.side // 2
        corner = self.corner[:, None] + half[:, None, None] * CORNERS
        return cells_at(lattice, corner.reshape(-1, 2), np.repeat(half, 4))

    def entered(self, lattice: Lattice) -> tuple[Cells, Int[np.ndarray, " M"]]:
        """Return neighbours a boundary enters by an equal-ended side, and that side's label."""
        middle = self.corner[:, None] + (self.side // 2)[:, None, None] * (1 + ACROSS)
        inner = lattice.labels(middle.reshape(-1, 2)).reshape(-1, 4)
        cell, which = np.nonzero(~self.crossed & (inner != self.labels))
        side = self.side[cell]
        corner = self.corner[cell] + side[:, None] * ACROSS[which]
        inside = ((corner >= 0) & (corner + side[:, None] <= lattice.last)).all(axis=1)
        found = cells_at(lattice, corner[inside], side[inside])
        return found, self.labels[cell, which][inside]

    def crossings(self, lattice: Lattice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return cell, place, sorted labels of each crossing; neighbours find the same place."""
        cell, which = np.nonzero(self.crossed)
        ends = [self.points[cell, which], self.points[cell, (which + 1) % 4]]
        first = np.where((which < 2)[:, None], ends[0], ends[1])
        last = np.where((which < 2)[:, None], ends[1], ends[0])
        place, pair = lattice.crossings(first, last)
        return cell, place, np.sort(pair, axis=1)

    def followed(self, lattice: Lattice, chord: Chords) -> Chosen:
        """Tell whether the boundary follows each chord: 3/4 of a tolerance aside, at its thirds."""
        along = chord[:, 1] - chord[:, 0]
        length = np.maximum(np.hypot(*along.T), 1e-9)
        normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / length[:, None]
        towards = np.sign(((self.corner - chord[:, 0]) * normal).sum(axis=1))
        aside = (0.75 * UNIT * towards)[:, None, None] * normal[:, None]
        on = chord[:, None, 0] + SHARES * along[:, None]
        own = self.labels[:, :1]
        other = np.where(self.labels == own, np.iinfo(np.int64).min, self.labels).max(
            axis=1
        )
        good = np.ones(length.shape, dtype=bool)
        for point, label in ((on + aside, own), (on - aside, other[:, None])):
            point = np.rint(point).astype(np.int64)
            inside = ((point >= 0) & (point <= lattice.last)).all(axis=2)
            found = lattice.labels(np.clip(point, 0, lattice.last).reshape(-1, 2))
            good &= ((found.reshape(inside.shape) == label) | ~inside).all(axis=1)
        return good | (length < 2 * UNIT)

    def halves(self, chord: Chords) -> tuple[Polygons, Polygons]:
        """Return both parts a chord cuts a cell into, the lower left first."""
        first = np.empty((len(self.side), 5, 2))
        other = first.copy()
        codes = (self.labels == self.labels[:, :1]) @ [1, 2, 4, 8]
        points = self.points.astype(float)
        sides = self.crossed
        for code in np.unique(codes):
            some = codes == code
            ends = iter((0, 1))
            rings: tuple[list[Any], list[Any]] = ([], [])
            for k in range(4):
                rings[1 - (code >> k & 1)].append(points[some, k])
                if sides[some][0, k]:
                    end = chord[some, next(ends)]
                    rings[0].append(end)
                    rings[1].append(end)
            for part, ring in zip((first, other), rings, strict=True):
                part[some] = np.stack(ring + ring[-1:] * (5 - len(ring)), axis=1)
        return first, other


def area_of(polygons: Polygons) -> Column:
    """Return the area of each polygon."""
    x, y = np.moveaxis(polygons, -1, 0)
    return np.abs((x * (np.roll(y, -1, 1) - np.roll(y, 1, 1))).sum(axis=1)) / 2


def squares(
    corner: Places | Points,
    side: Column | Codes,
) -> Polygons:
    """Return squares as polygons of five corners."""
    return 1.0 * corner[:, None] + side[:, None, None] * CORNERS[[0, 1, 2, 3, 3]]


def cells_at(lattice: Lattice, corner: Points, side: Codes) -> Cells:
    """Return cells with the labels of their corners."""
    points = corner[:, None] + side[:, None, None] * CORNERS
    return Cells(corner, side, lattice.labels(points.reshape(-1, 2)).reshape(-1, 4))
