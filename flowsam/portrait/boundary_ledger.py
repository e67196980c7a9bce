"""What a refinement has found so far: segments of boundaries, areas of regions, cells to cut."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from flowsam.portrait.lattice import (
    CORNERS,
    UNIT,
    Cells,
    Chords,
    Lattice,
    area_of,
    crossed,
    halves,
    squares,
)
from flowsam.portrait.refinement import Tiling, region
from flowsam.shapes import Codes, Column, Curve, Curves, Int

_SLACK = 1.0  # lattice units by which a line may leave crossings known to half a unit


Place = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Ledger(Lattice):
    """Running totals of one refinement, in lattice coordinates and by label."""

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
        corner = self.grid[:-1, :-1].reshape(-1, 2)
        step = np.full(len(corner), self.step)
        return self._mixed(self.cells(corner, step))

    def _mixed(self, cells: Cells) -> Cells:
        """Return the mixed cells among some; count the others."""
        mixed = crossed(cells).any(axis=1)
        even = cells[~mixed]
        self._count(self.area, even["labels"][:, 0], even, _areas(even))
        small = even[even["side"] < self.step]  # the grid shows the others
        tiles = squares(small["corner"], small["side"])
        self.tiles.append((small["labels"][:, 0], tiles))
        self.seen.update(_keys(cells[mixed]))
        return cells[mixed]

    def _count(
        self,
        totals: dict,
        labels: Codes,
        cells: Cells,
        units: np.ndarray,
    ) -> None:
        """Add areas given in square lattice units."""
        plane = self.plane
        step = self.step
        column, row = (cells["corner"] // step).T
        size = units * np.diff(plane.x)[column] * np.diff(plane.y)[row] / step**2
        for label in np.unique(labels).tolist():
            totals[label] += float(size[labels == label].sum())

    def accept(self, cells: Cells) -> Cells:
        """Take down cells whose one chord fits, and the smallest; return the cells to cut."""
        small = cells["side"] == UNIT
        done = crossed(cells).sum(axis=1) == 2
        plain = cells[done]
        _, place, pair = self.crossings(plain)
        chord = place.reshape(-1, 2, 2)
        pair = pair.reshape(-1, 2, 2)
        fits = (pair[:, 0] == pair[:, 1]).all(axis=1)
        fits &= small[done] | self.followed(plain, chord)
        done[done] = fits
        self._take_chords(plain[fits], chord[fits], pair[fits, 0])
        self._take_points(cells[small & ~done])
        done |= small
        self.settled.update(_keys(cells[done]))
        return cells[~done]

    def _take_chords(
        self,
        cells: Cells,
        chord: Chords,
        pair: Int[np.ndarray, "N 2"],
    ) -> None:
        """Count both sides of chords, and the strip of one tolerance along them."""
        parts = halves(cells, chord)
        first = area_of(parts[0])
        own = cells["labels"][:, 0]
        labels = (own, np.where(pair[:, 0] == own, pair[:, 1], pair[:, 0]))
        strip = UNIT * np.hypot(*(chord[:, 1] - chord[:, 0]).T)
        for label, part, area in zip(
            labels, parts, (first, _areas(cells) - first), strict=True
        ):
            self._count(self.area, label, cells, area)
            self._count(self.error, label, cells, strip)
            self.tiles.append((label, part))
        self._join(chord, pair)

    def _take_points(self, cells: Cells) -> None:
        """Count smallest cells where several regions meet: a quarter for each corner."""
        half = cells["side"] / 2
        for labels, place in zip(cells["labels"].T, CORNERS, strict=True):
            self._count(self.area, labels, cells, _areas(cells) / 4)
            self._count(self.error, labels, cells, _areas(cells))
            quarter = squares(cells["corner"] + half[:, None] * place, half)
            self.tiles.append((labels, quarter))
        cell, place, pair = self.crossings(cells)
        centre = (cells["corner"] + half[:, None])[cell]
        self._join(np.stack([place, centre], axis=1), pair)

    def _join(self, ends: Chords, pair: Int[np.ndarray, "N 2"]) -> None:
        """Take down pieces of boundaries, by the labels on their sides."""
        for segment, labels in zip(ends.tolist(), pair.tolist(), strict=True):
            self.segments[tuple(labels)].append(tuple(map(tuple, segment)))

    def cut(self, cells: Cells) -> Cells:
        """Return the mixed quarters of cells, and neighbours that a boundary was seen to enter."""
        quarters = self._mixed(self.quarters(cells))
        entered, label = self.entered(cells)
        new = self._unknown(entered)
        entered = entered[new]
        self._count(self.area, label[new], entered, -_areas(entered))
        self.seen.update(_keys(entered))
        return np.concatenate([quarters, entered])

    def _unknown(self, cells: Cells) -> list[int]:
        """Places of the cells that were taken as even, once each."""
        found: dict[tuple[int, int, int], int] = {}
        for k, (x, y, side) in enumerate(_keys(cells)):
            sizes = [side << n for n in range(self.step.bit_length())]
            parents = {(x // n * n, y // n * n, n) for n in sizes}
            if (x, y, side) not in self.seen and not parents & self.settled:
                found.setdefault((x, y, side), k)
        return list(found.values())

    def curves(self) -> Curves:
        """Return the boundaries in the plane's parameters, named after their two sides."""
        found = []
        for pair, segments in sorted(self.segments.items()):
            name = " | ".join(map(region, pair))
            lines = (straight(line, _SLACK) for line in joined(segments))
            found += [(name, self.place(line)) for line in lines]
        return tuple(found)

    def regions(self) -> Tiling:
        """Return the labels of the grid, and the tiles that fill the cells a boundary crosses."""
        labels, tiles = map(np.concatenate, zip(*self.tiles, strict=True))
        grid = self.labels(self.grid).astype(np.int16)
        return Tiling(grid, labels.astype(np.int16), self.place(tiles))

    def shares(self) -> tuple[dict[int, float], dict[int, float]]:
        """Return the share of the plane's area for each label, and its error."""
        plane = self.plane
        whole = float(np.ptp(plane.x) * np.ptp(plane.y))
        labels = sorted(label for label, size in self.area.items() if size > 0)
        area, error = (
            {label: totals[label] / whole for label in labels}
            for totals in (self.area, self.error)
        )
        return area, error


def _areas(cells: Cells) -> Column:
    """The areas of cells in square lattice units."""
    return cells["side"].astype(float) ** 2


def _keys(cells: Cells) -> list[tuple[int, int, int]]:
    """A name for each cell."""
    return list(map(tuple, np.column_stack([cells["corner"], cells["side"]]).tolist()))


def joined(segments: list[tuple[Place, Place]]) -> list[Curve]:
    """Return the polylines that segments with shared ends form, open ones first, by their ends."""
    touching: dict[Place, list[int]] = defaultdict(list)
    for k, segment in enumerate(segments):
        for point in segment:
            touching[point].append(k)
    free = set(range(len(segments)))
    starts = sorted(point for point, near in touching.items() if len(near) != 2)
    return [  # open lines from their ends; what is left is closed
        _walk(segments, touching, free, point, k)
        for point in [*starts, *touching]
        for k in touching[point]
        if k in free
    ]


def _walk(
    segments: list[tuple[Place, Place]],
    touching: dict[Place, list[int]],
    free: set[int],
    point: Place,
    k: int | None,
) -> Curve:
    """Follow segments from a point until a junction, an end, or the point itself."""
    line = [point]
    while k is not None:
        free.discard(k)
        first, last = segments[k]
        point = last if point == first else first
        line.append(point)
        near = touching[point]
        k = next((m for m in near if m in free), None) if len(near) == 2 else None
    return np.array(line)


def straight(line: Curve, slack: float) -> Curve:
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
