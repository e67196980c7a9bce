"""Segments joined end to end into polylines."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from flowsam.shapes import Float

__all__ = ["joined", "straight"]

Point = tuple[float, float]


def joined(segments: list[tuple[Point, Point]]) -> list[Float[np.ndarray, "_ 2"]]:
    """Return the polylines that segments with shared ends form, open ones first, by their ends."""
    ends: dict[Point, list[int]] = defaultdict(list)
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
    segments: list[tuple[Point, Point]],
    ends: dict[Point, list[int]],
    free: set[int],
    point: Point,
    k: int | None,
) -> list[Point]:
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
