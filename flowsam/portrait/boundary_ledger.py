"""What a refinement has found so far: segments of boundaries, areas of regions, cells to cut."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from flowsam.labels import kind_of
from flowsam.portrait.lattice import (
    CORNERS,
    UNIT,
    Cells,
    Chords,
    Lattice,
    area_of,
    cells_at,
    squares,
)
from flowsam.portrait.refinement import Tiling
from flowsam.shapes import Chosen, Codes, Curve, Curves, Float, Int

_SLACK = 1.0  # lattice units by which a line may leave crossings known to half a unit


Place = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Ledger:
    """Running totals of one refinement, in lattice coordinates and by label."""

    lattice: Lattice
    area: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    # of the strips in which boundaries lie
    error: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    segments: defaultdict[tuple[int, int], list] = field(
        default_factory=lambda: defaultdict(list)
    )
    # labels (N,) and polygons (N, 5, 2): a later one covers earlier ones
    tiles: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    seen: set[tuple[int, int, int]] = field(default_factory=set)  # all mixed cells
    settled: set[tuple[int, int, int]] = field(default_factory=set)  # to be cut no more

    def coarse(self) -> Cells:
        """Return the portrait's cells whose corners differ; count the others as they are."""
        step, (columns, rows) = (
            self.lattice.step,
            self.lattice.last // self.lattice.step,
        )
        corner = step * np.stack(
            np.divmod(np.arange(rows * columns), columns)[::-1], axis=1
        )
        return self._mixed(cells_at(self.lattice, corner, np.full(len(corner), step)))

    def _mixed(self, cells: Cells) -> Cells:
        """Return the mixed cells among some; count the others."""
        mixed = np.any(cells.crossed, axis=1)
        even = cells.keep(~mixed)
        self._count(self.area, even.labels[:, 0], even, even.side.astype(float) ** 2)
        small = even.keep(even.side < self.lattice.step)  # the grid shows the others
        self.tiles.append((small.labels[:, 0], squares(small.corner, small.side)))
        found = cells.keep(mixed)
        self.seen.update(found.keys)
        return found

    def _count(
        self,
        totals: dict,
        labels: Codes,
        cells: Cells,
        units: np.ndarray,
    ) -> None:
        """Add areas given in square lattice units."""
        plane = self.lattice.plane
        step = self.lattice.step
        column, row = (cells.corner // step).T
        size = units * np.diff(plane.x)[column] * np.diff(plane.y)[row] / step**2
        for label in np.unique(labels):
            totals[int(label)] += float(size[labels == label].sum())

    def accept(self, cells: Cells) -> Cells:
        """Take down cells whose one chord fits, and the smallest; return the cells to cut."""
        small = cells.side == UNIT
        simple = cells.crossed.sum(axis=1) == 2
        done = np.zeros(small.shape, dtype=bool)
        plain = cells.keep(simple)
        _, place, pair = plain.crossings(self.lattice)
        chord = place.reshape(-1, 2, 2)
        pair = pair.reshape(-1, 2, 2)
        fits = (pair[:, 0] == pair[:, 1]).all(axis=1)
        fits &= small[simple] | plain.followed(self.lattice, chord)
        done[simple] = fits
        self._take_chords(plain.keep(fits), chord[fits], pair[fits, 0])
        self._take_points(cells.keep(small & ~done))
        self.settled.update(cells.keep(done | small).keys)
        return cells.keep(~(done | small))

    def _take_chords(
        self,
        cells: Cells,
        chord: Chords,
        pair: Int[np.ndarray, "N 2"],
    ) -> None:
        """Count both sides of chords, and the strip of one tolerance along them."""
        parts = cells.halves(chord)
        first = area_of(parts[0])
        own = cells.labels[:, 0]
        other = np.where(pair[:, 0] == own, pair[:, 1], pair[:, 0])
        strip = UNIT * np.hypot(*(chord[:, 1] - chord[:, 0]).T)
        self._count(self.area, own, cells, first)
        self._count(self.area, other, cells, cells.side.astype(float) ** 2 - first)
        for label, part in zip((own, other), parts, strict=True):
            self._count(self.error, label, cells, strip)
            self.tiles.append((label, part))
        for ends, labels in zip(chord.tolist(), pair.tolist(), strict=True):
            self.segments[tuple(labels)].append((tuple(ends[0]), tuple(ends[1])))

    def _take_points(self, cells: Cells) -> None:
        """Count smallest cells where several regions meet: a quarter for each corner."""
        quarter = cells.side.astype(float) ** 2 / 4
        for k in range(4):
            self._count(self.area, cells.labels[:, k], cells, quarter)
            self._count(self.error, cells.labels[:, k], cells, 4 * quarter)
            place = cells.corner + cells.side[:, None] / 2 * CORNERS[k]
            self.tiles.append((cells.labels[:, k], squares(place, cells.side / 2)))
        cell, place, pair = cells.crossings(self.lattice)
        centre = (cells.corner + cells.side[:, None] / 2)[cell]
        for end, middle, labels in zip(
            place.tolist(), centre.tolist(), pair.tolist(), strict=True
        ):
            self.segments[tuple(labels)].append((tuple(end), tuple(middle)))

    def cut(self, cells: Cells) -> Cells:
        """Return the mixed quarters of cells, and neighbours that a boundary was seen to enter."""
        quarters = self._mixed(cells.quarters(self.lattice))
        entered, label = cells.entered(self.lattice)
        new = self._unknown(entered)
        entered = entered.keep(new)
        self._count(self.area, label[new], entered, -(entered.side.astype(float) ** 2))
        self.seen.update(entered.keys)
        return quarters.join(entered)

    def _unknown(self, cells: Cells) -> Chosen:
        """Cells that were taken as even, once each."""
        found = np.zeros(len(cells.side), dtype=bool)
        asked: set[tuple[int, int, int]] = set()
        for k, (x, y, side) in enumerate(cells.keys):
            sizes = [
                side << n
                for n in range(self.lattice.step.bit_length())
                if side << n <= self.lattice.step
            ]
            parents = {(x // size * size, y // size * size, size) for size in sizes}
            found[k] = not (
                {(x, y, side)} & (self.seen | asked) or parents & self.settled
            )
            asked.add((x, y, side))
        return found

    def curves(self) -> Curves:
        """Return the boundaries in the plane's parameters, named after their two sides."""
        found = []
        for pair, segments in sorted(self.segments.items()):
            name = " | ".join(f"e_{k}" if k > 0 else kind_of(k) for k in pair)
            found += [
                (name, self.lattice.place(straight(line, _SLACK)))
                for line in joined(segments)
            ]
        return tuple(found)

    def regions(self) -> Tiling:
        """Return the labels of the grid, and the tiles that fill the cells a boundary crosses."""
        rows, columns = np.indices(self.lattice.plane.labels.shape)
        points = self.lattice.step * np.stack([columns.ravel(), rows.ravel()], axis=1)
        labels, tiles = (
            np.concatenate(parts) for parts in zip(*self.tiles, strict=True)
        )
        corners = self.lattice.place(tiles.reshape(-1, 2)).reshape(tiles.shape)
        grid = self.lattice.labels(points).reshape(rows.shape)
        return Tiling(grid.astype(np.int16), labels.astype(np.int16), corners)

    def shares(self) -> tuple[dict[int, float], dict[int, float]]:
        """Return the share of the plane's area for each label, and its error."""
        plane = self.lattice.plane
        whole = float(np.ptp(plane.x) * np.ptp(plane.y))
        labels = sorted(label for label, size in self.area.items() if size > 0)
        return (
            {label: self.area[label] / whole for label in labels},
            {label: self.error[label] / whole for label in labels},
        )


def joined(segments: list[tuple[Place, Place]]) -> list[Curve]:
    """Return the polylines that segments with shared ends form, open ones first, by their ends."""
    ends: dict[Place, list[int]] = defaultdict(list)
    for k, (first, last) in enumerate(segments):
        ends[first].append(k)
        ends[last].append(k)
    free = set(range(len(segments)))
    lines = []
    starts = sorted(point for point, touching in ends.items() if len(touching) != 2)
    for point in [*starts, *ends]:  # open lines from their ends; what is left is closed
        for k in ends[point]:
            if k in free:
                lines.append(np.array(_walk(segments, ends, free, point, k)))
    return lines


def _walk(
    segments: list[tuple[Place, Place]],
    ends: dict[Place, list[int]],
    free: set[int],
    point: Place,
    k: int | None,
) -> list[Place]:
    """Follow segments from a point until a junction, an end, or the point itself."""
    line = [point]
    while k is not None:
        free.discard(k)
        first, last = segments[k]
        point = last if point == first else first
        line.append(point)
        touching = ends[point]
        k = (
            next((m for m in touching if m in free), None)
            if len(touching) == 2
            else None
        )
    return line


def straight(line: Float[np.ndarray, "n 2"], slack: float) -> Float[np.ndarray, "m 2"]:
    """Return a polyline without the points it can do without (Ramer, Douglas and Peucker)."""
    kept = np.zeros(len(line), dtype=bool)
    spans = [(0, len(line) - 1)]
    kept[[0, -1]] = True
    while spans:
        first, last = spans.pop()
        inner = line[first + 1 : last]
        along = line[last] - line[first]
        off = inner - line[first]
        size = along @ along
        share = np.clip(off @ along / size, 0, 1) if size else np.zeros(len(inner))
        distance = np.hypot(*(off - share[:, None] * along).T)
        if len(inner) and distance.max() > slack:
            middle = first + 1 + int(distance.argmax())
            kept[middle] = True
            spans += [(first, middle), (middle, last)]
    return line[kept]
