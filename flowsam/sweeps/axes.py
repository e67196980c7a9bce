"""The axes of a sweep, and the grid of cells they span, cut into blocks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Shaped

from flowsam.errors import InputError
from flowsam.inputs import real_array
from flowsam.sweeps.names import check_names

__all__ = ["Grid", "axis_values"]

Values = Shaped[np.ndarray, " _"]
RANGE = ("start", "stop", "points", "spacing")


def axis_values(name: str, given: object) -> Values:
    """Return the values of an axis from a list, or from a range.

    Parameters
    ----------
    name : str
        For messages.
    given : list or dict
        Numbers or words; or `{start, stop, points, spacing}`, spacing "linear" or "log".

    Returns
    -------
    ndarray, shape (k,)
        float64, int64 where all are whole by type, or text.

    Raises
    ------
    TypeError, ValueError
        For anything else, an empty axis, or a value that is there twice.

    Examples
    --------
    >>> axis_values("rho", {"start": 0.01, "stop": 1, "points": 3, "spacing": "log"})
    array([0.01, 0.1 , 1.  ])
    """
    if isinstance(given, dict):
        return _spread(name, given)
    values = np.asarray(given)
    if values.ndim != 1 or not values.size:
        raise InputError(f"axis {name} needs a list or a range, got {given!r}; e.g. [0.5, 1.0]")
    if values.dtype.kind in "UO":
        values = np.array([str(value) for value in given], dtype=str)
    elif values.dtype.kind not in "iub":
        values = real_array(values, f"axis {name}")
    if np.unique(values).size < values.size:
        raise InputError(f"axis {name} needs different values, got one of them twice; remove it")
    return values.astype(np.int64) if values.dtype.kind in "iub" else values


def _spread(name: str, given: dict[str, Any]) -> Values:
    """Equal steps, or equal ratios."""
    check_names(given, RANGE, f"the range of {name}")
    missing = [key for key in RANGE[:3] if key not in given]
    if missing:
        raise InputError(f"the range of {name} needs start, stop and points, got no {missing[0]}")
    start, stop = (float(real_array(given[key], f"{name}.{key}")) for key in RANGE[:2])
    points, spacing = given["points"], given.get("spacing", "linear")
    if not isinstance(points, int) or points < 1:
        raise InputError(f"the range of {name} needs a whole number of points, got {points!r}")
    check_names([spacing], ("linear", "log"), f"the spacing of {name}")
    if spacing == "log" and not min(start, stop) > 0:
        raise InputError(f"a log range of {name} needs positive ends, got {start:g} to {stop:g}")
    return (np.geomspace if spacing == "log" else np.linspace)(start, stop, points)


@dataclass(frozen=True, eq=False)
class Grid:
    """All combinations of the values of axes, in blocks that are worked on as one.

    Parameters
    ----------
    names : tuple of str
        Axes, the slowest first.
    values : tuple of ndarray
        Values of each.
    block : tuple of int
        Shape of a block, one entry an axis.

    Examples
    --------
    >>> grid = Grid(("rho", "depth"), (np.array([0.5, 1.0]), np.array([2, 3, 4])), (1, 2))
    >>> grid.cells, len(grid.blocks), dict(grid.at((1, 2)))
    (6, 4, {'rho': 1.0, 'depth': 4})
    """

    names: tuple[str, ...]
    values: tuple[Values, ...]
    block: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each axis."""
        return tuple(v.size for v in self.values)

    @property
    def cells(self) -> int:
        """Number of cells."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def blocks(self) -> list[tuple[int, ...]]:
        """Places of the blocks, in the order of the work."""
        counts = (-(-n // size) for n, size in zip(self.shape, self.block, strict=True))
        return list(itertools.product(*(range(count) for count in counts)))

    def region(self, block: tuple[int, ...]) -> tuple[slice, ...]:
        """Return the cells of a block as slices."""
        edges = zip(block, self.block, self.shape, strict=True)
        return tuple(slice(k * size, min((k + 1) * size, n)) for k, size, n in edges)

    def at(self, place: tuple[int, ...]) -> dict[str, Any]:
        """Return the value of every axis at one cell, as plain numbers and words."""
        entries = zip(self.names, self.values, place, strict=True)
        return {name: values[k].item() for name, values, k in entries}

    def spread(self, number: int) -> Iterator[tuple[int, ...]]:
        """Yield places spread evenly over the grid, the first cell and the last among them."""
        chosen = np.unique(np.linspace(0, self.cells - 1, min(number, self.cells)).round())
        for k in chosen.astype(int):
            yield tuple(int(i) for i in np.unravel_index(k, self.shape))

    def cut(self, cells: int) -> Grid:
        """Return the grid in blocks of at most `cells` cells, long in the last axes."""
        block, left = [], max(1, cells)
        for n in reversed(self.shape):
            block.append(min(n, left))
            left = max(1, left // n)
        return Grid(self.names, self.values, tuple(reversed(block)))
