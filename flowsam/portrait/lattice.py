"""Labels on the points of a fine lattice over a plane, and square cells of it.

Each label is asked once; crossings lie on lattice lines, and boundaries cut cells along chords.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from flowsam.labels import Label
from flowsam.portrait.labelled_plane import Portrait
from flowsam.portrait.plane_rows import Grid, labels_at
from flowsam.shapes import Bool, Chosen, Codes, Column, Float, Int, Labels, Which

Points = Int[np.ndarray, "*batch 2"]
Places = Float[np.ndarray, "*batch 2"]
Chords = Float[np.ndarray, "N 2 2"]
Polygons = Float[np.ndarray, "N 5 2"]
_PARTS = 4  # fewer rounds than bisection, in larger batches
_MOST = 16  # where starts go side by side,
_BATCH = 2**15  # of so many weights at once
# in lattice units: off a boundary that runs through a point
_ASIDE = np.array([0.31, 0.17])


UNIT = 4  # lattice units in the tolerance
CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])  # against the clock
ACROSS = np.array([[0, -1], [1, 0], [0, 1], [-1, 0]])
# where a chord is tested: bends and S-shapes show
SHARES = np.array([1 / 3, 2 / 3])[:, None]
# a square cell: its lower left corner, its side, the labels of its corners
CELL = np.dtype([("corner", "i8", 2), ("side", "i8"), ("labels", "i8", 4)])
Cells = np.ndarray


@dataclass(frozen=True, eq=False)
class Lattice:
    """A portrait's plane with every cell cut into `step` x `step`, and the labels known so far."""

    plane: Portrait
    step: int  # a power of 2
    progress: Callable[[int], object] = int
    # by number of point
    known: dict[int, int] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Take the labels of the portrait; those on a boundary are asked again."""
        from scipy.ndimage import maximum_filter, minimum_filter

        labels = self.plane.labels.astype(np.int64)
        cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
        least, most = (
            extreme(labels, footprint=cross)
            for extreme in (minimum_filter, maximum_filter)
        )
        self._learn(self.grid, labels, _thin(labels) & (least < most))

    def _learn(self, points: Points, labels: Labels, thin: Which) -> None:
        """Keep labels; some are asked a fraction of a unit aside, inwards on the upper rim."""
        if thin.any():
            aside = np.where(points[thin] < self.last, _ASIDE, -_ASIDE)
            labels[thin] = self._ask(points[thin] + aside)
        keys = self._keys(points).ravel().tolist()
        self.known.update(zip(keys, labels.ravel().tolist(), strict=True))

    @cached_property
    def _together(self) -> bool:
        """Whether points scattered over the plane go side by side."""
        plane = self.plane
        start: Any = plane.start
        grid = Grid(plane.flow, start, plane.x, plane.y)
        return grid.together and (grid.ratios or not start.varies)

    @property
    def grid(self) -> Int[np.ndarray, "ny nx 2"]:
        """The lattice points of the portrait."""
        rows, columns = np.indices(self.plane.labels.shape)
        return self.step * np.stack([columns, rows], axis=-1)

    @property
    def last(self) -> Int[np.ndarray, " 2"]:
        """The lattice point of the last column and row."""
        return self.step * (np.array(self.plane.labels.shape[::-1]) - 1)

    def place(self, points: Places | Points) -> Places:
        """Return the plane's parameters at lattice points, linear inside a cell."""
        axes = enumerate((self.plane.x, self.plane.y))
        cells = points / self.step
        columns = [np.interp(cells[..., k], np.arange(a.size), a) for k, a in axes]
        return np.stack(columns, axis=-1)

    def labels(self, points: Points) -> Labels:
        """Return the labels at lattice points; what is not known yet is asked in one batch.

        A point on a boundary (separatrix, tie, ...) takes the label next to it, at less than half
        a lattice unit, so that curves have two sides.
        """
        keys = self._keys(points)
        listed = keys.ravel().tolist()
        new = np.array(sorted(set(listed) - self.known.keys()), dtype=np.int64)
        if new.size:
            fresh = np.stack(np.divmod(new, int(self.last[0]) + 1)[::-1], axis=1)
            found = self._ask(fresh)
            self._learn(fresh, found, _thin(found))
            self.progress(new.size)
        found = np.array([self.known[key] for key in listed], dtype=np.int64)
        return found.reshape(keys.shape)

    def between(
        self,
        first: Points,
        last: Points,
    ) -> tuple[Places, Int[np.ndarray, "N 2"]]:
        """Return where labels change between points of a row or column, to half a unit."""
        left = self.labels(first)
        right = self.labels(last)
        rows = np.arange(len(first))
        while (span := np.abs(last - first).max(axis=1, initial=0)).max(initial=0) > 1:
            parts = self._parts(len(first))
            stride = np.maximum(span // parts, 1)
            count = min(parts, int(span.max()))
            steps = np.minimum(stride[:, None] * np.arange(count + 1), span[:, None])
            points = first[:, None] + steps[..., None] * np.sign(last - first)[:, None]
            seen = self.labels(points)
            after = (seen != left[:, None]).argmax(axis=1)
            first = points[rows, after - 1]
            last = points[rows, after]
            right = seen[rows, after]
        return (first + last) / 2, np.stack([left, right], axis=1)

    def _parts(self, spans: int) -> int:
        """Return into how many parts, a power of 2, each of so many spans is cut at a time."""
        if not self._together:
            return _PARTS
        size = self.plane.depth * self.plane.flow.data.z.shape[1]
        few = min(_BATCH // (spans * size), _MOST)
        return 1 << max(few, _PARTS).bit_length() - 1

    def _keys(self, points: Points) -> Labels:
        """One number for each point."""
        return (
            points[..., 1].astype(np.int64) * (int(self.last[0]) + 1) + points[..., 0]
        )

    def _ask(self, points: Places | Points) -> Codes:
        """Compute labels."""
        start: Any = self.plane.start  # `refine` has asked for it
        return labels_at(self.plane.flow, start, *self.place(points).T)

    def inside(self, points: Points) -> Which:
        """Return which points are of the plane."""
        return np.asarray(((points >= 0) & (points <= self.last)).all(axis=-1))

    def cells(self, corner: Points, side: Codes) -> Cells:
        """Return cells with the labels of their corners."""
        found = np.empty(len(corner), CELL)
        found["corner"] = corner
        found["side"] = side
        found["labels"] = self.labels(corners_of(found))
        return found

    def quarters(self, cells: Cells) -> Cells:
        """Return the four parts of each cell."""
        half = cells["side"] // 2
        corner = cells["corner"][:, None] + half[:, None, None] * CORNERS
        return self.cells(corner.reshape(-1, 2), np.repeat(half, 4))

    def entered(self, cells: Cells) -> tuple[Cells, Codes]:
        """Return neighbours a boundary enters by an equal-ended side, and that side's label."""
        half = (cells["side"] // 2)[:, None, None]
        inner = self.labels(cells["corner"][:, None] + half * (1 + ACROSS))
        cell, which = np.nonzero(~crossed(cells) & (inner != cells["labels"]))
        side = cells["side"][cell]
        corner = cells["corner"][cell] + side[:, None] * ACROSS[which]
        known = self.inside(corner) & self.inside(corner + side[:, None])
        labels = cells["labels"][cell, which]
        return self.cells(corner[known], side[known]), labels[known]

    def crossings(self, cells: Cells) -> tuple[Codes, Places, Int[np.ndarray, "M 2"]]:
        """Return cell, place, sorted labels of each crossing; neighbours find the same place."""
        cell, which = np.nonzero(crossed(cells))
        points = corners_of(cells)
        ends = np.stack([points[cell, which], points[cell, (which + 1) % 4]])
        ends = np.where((which < 2)[:, None], ends, ends[::-1])
        place, pair = self.between(*ends)
        return cell, place, np.sort(pair, axis=1)

    def followed(self, cells: Cells, chord: Chords) -> Chosen:
        """Tell whether the boundary follows each chord: 3/4 of a tolerance aside, at its thirds."""
        along = chord[:, 1] - chord[:, 0]
        length = np.maximum(np.hypot(*along.T), 1e-9)
        normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / length[:, None]
        towards = np.sign(((cells["corner"] - chord[:, 0]) * normal).sum(axis=1))
        aside = (0.75 * UNIT * towards)[:, None, None] * normal[:, None]
        on = chord[:, None, 0] + SHARES * along[:, None]
        own = cells["labels"][:, :1]
        least = np.iinfo(np.int64).min
        other = np.where(cells["labels"] == own, least, cells["labels"]).max(axis=1)
        point = np.rint(np.stack([on + aside, on - aside])).astype(np.int64)
        found = self.labels(np.clip(point, 0, self.last))
        wanted = np.stack([own, other[:, None]])
        good = ((found == wanted) | ~self.inside(point)).all(axis=(0, 2))
        return good | (length < 2 * UNIT)


def _thin(labels: Labels) -> Which:
    """Which labels may be those of a boundary itself."""
    return (labels < 0) & (labels != Label.OTHER_DIRECTION) & (labels != Label.FAILED)


def corners_of(cells: Cells) -> Int[np.ndarray, "N 4 2"]:
    """Return the corners, against the clock from the lower left."""
    return cells["corner"][:, None] + cells["side"][:, None, None] * CORNERS


def crossed(cells: Cells) -> Bool[np.ndarray, "N 4"]:
    """Return which sides (lower, right, upper, left) have ends that differ."""
    return cells["labels"] != np.roll(cells["labels"], -1, axis=1)


def halves(cells: Cells, chord: Chords) -> tuple[Polygons, Polygons]:
    """Return both parts a chord cuts a cell into, the lower left first."""
    parts = np.empty((2, len(cells), 5, 2))
    own = cells["labels"] == cells["labels"][:, :1]
    corners = corners_of(cells).astype(float)
    for pattern in np.unique(own, axis=0):
        some = (own == pattern).all(axis=1)
        ends = iter((0, 1))
        rings: tuple[list[Any], list[Any]] = ([], [])
        for k in range(4):
            rings[not pattern[k]].append(corners[some, k])
            if pattern[k] != pattern[(k + 1) % 4]:
                end = chord[some, next(ends)]
                rings[0].append(end)
                rings[1].append(end)
        for part, ring in zip(parts, rings, strict=True):
            part[some] = np.stack(ring + ring[-1:] * (5 - len(ring)), axis=1)
    return parts[0], parts[1]


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
