"""refine: the boundaries of a portrait as curves, at a cost that grows with their length.

Cells whose corners differ are cut in four until the chord between two crossings is the boundary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from flowsam.errors import InputError
from flowsam.portrait.boundary_ledger import Ledger
from flowsam.portrait.labelled_plane import Portrait
from flowsam.portrait.lattice import UNIT
from flowsam.portrait.plane_rows import Grid
from flowsam.portrait.refinement import Refinement
from flowsam.shapes import Axis
from flowsam.signatures import public

_LEVELS = 16


@public
def refine(
    portrait: Portrait,
    *,
    levels: int = 10,
    progress: Callable[[int], object] = int,
) -> Portrait:
    """Locate the boundaries of a portrait to 2^-levels of its cells.

    Parameters
    ----------
    portrait : Portrait
        With its start function, increasing x and y, and all rows finished.
    levels : int
        1 to 16; at 10 a boundary is known to a thousandth of a cell.
    progress : callable, optional
        Told how many labels each batch has added.

    Returns
    -------
    Portrait
        The same grid; `boundaries` are theory's curves and the located ones, `fractions` come
        from the located regions, and `refinement` says how well and at what cost. A region that
        no grid point of the portrait sees, or a strip thinner than its cells, is not found; along a
        strip about as thin as the tolerance, curves come in pieces, and at a higher cost.

    Raises
    ------
    ValueError
        For a portrait read from a file or interrupted, axes that do not increase, or other levels.

    Examples
    --------
    >>> from flowsam import Flow, l2, layer_plane, phase_portrait, single_example
    >>> x = np.linspace(0.0, 3.0, 13)
    >>> plane = phase_portrait(Flow(single_example([1]), l2(1)), x, x, start=layer_plane)
    >>> [(name, line)] = refine(plane).refinement.curves
    >>> name, bool(np.abs(line[0] - [0, 1.311029]).max() < 1e-3)
    ('zero | e_1', True)
    """
    grid = _checked(portrait, levels)
    ledger = Ledger(portrait, UNIT << levels, progress)
    cells = ledger.coarse()
    while cells.size:
        # a cell before its parts: none is taken twice
        largest = cells["side"] == cells["side"].max()
        parts = ledger.cut(ledger.accept(cells[largest]))
        cells = np.concatenate([cells[~largest], parts])
    curves = ledger.curves()
    asked = len(ledger.known) - portrait.labels.size
    found = Refinement(curves, 2.0**-levels, asked, *ledger.shares(), ledger.regions())
    return replace(portrait, boundaries=grid.theory + curves, refinement=found)


def _checked(portrait: Portrait, levels: int) -> Grid:
    """Return the plane, or refuse what has no lattice."""
    grid = portrait._grid("refine")
    if portrait.unfinished:
        raise InputError(
            f"refine needs every row, got {portrait.unfinished} left by an interrupt"
        )
    if not 1 <= levels <= _LEVELS:
        raise InputError(
            f"refine needs 1 <= levels <= {_LEVELS}, got {levels}; 10 is a thousandth"
        )
    check_axes(portrait.x, portrait.y)
    return grid


def check_axes(x: Axis, y: Axis) -> None:
    """Refuse axes without cells between their points: before the work, where it can be known."""
    for name, axis in (("x", x), ("y", y)):
        if axis.size < 2:
            raise InputError(
                f"refine needs two points of {name} or more, got 1; take a finer grid"
            )
        if not (np.diff(axis) > 0).all():
            raise InputError(
                f"refine needs {name} to increase, got {axis[0]:g} to {axis[-1]:g}; sort it"
            )
