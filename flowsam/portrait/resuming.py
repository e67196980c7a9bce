"""Finish a portrait that an interrupt cut short, by rows.

These rows were in memory and are a portrait that can be drawn; only Ctrl-C leaves them. Rows that
outlive a kill are those of `flowsam.portrait.streaming`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowsam import archive
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.portrait import theory_curves
from flowsam.portrait.labelled_plane import Portrait
from flowsam.portrait.labelling import phase_portrait
from flowsam.portrait.own_plane import as_plane
from flowsam.portrait.planes import Start
from flowsam.regimes import case_of
from flowsam.signatures import public

__all__ = ["resume"]


@public
def resume(
    kept: Portrait,
    flow: Flow,
    *,
    axes: tuple[ArrayLike, ArrayLike],
    start: Start,
    progress: Callable[[int], object] = int,
) -> Portrait:
    """Compute the rows a portrait lacks, and return the whole.

    Parameters
    ----------
    kept : Portrait
        As an interrupted `phase_portrait` returned it, or as `load` read it.
    flow : Flow
        Data, rule and loss.
    axes : tuple of array_like
        x (nx,) and y (ny,).
    start : callable
        The plane.
    progress : callable, optional
        Told how many cells each finished piece has.

    Returns
    -------
    Portrait
        Equal to one that was never interrupted; one more interrupt keeps what is finished then.

    Raises
    ------
    ValueError
        Where flow, axes or plane are not those of `kept`, with the first that differs.

    Examples
    --------
    >>> from flowsam import linf, phase_portrait, single_example
    >>> from flowsam.portrait.planes import BalancedPlane
    >>> flow, x = Flow(single_example([1, 2]), linf(1)), np.array([0.5, 1.5])
    >>> kept = replace(phase_portrait(flow, x, x), unfinished=1)  # as if stopped after one row
    >>> resume(kept, flow, axes=(x, x), start=BalancedPlane(2)).labels.tolist()
    [[0, 1], [2, 2]]
    """
    x, y = (np.asarray(values, dtype=np.float64) for values in axes)
    plane = as_plane(start)
    before = _about(kept.flow, (kept.x, kept.y), kept.plane)
    other = archive.difference(before, _about(flow, (x, y), plane.name(x, y)))
    if other:
        name, was, asked = other
        raise InputError(
            f"resume needs the same {name}: kept rows have {was}, asked are {asked}; give the "
            "options of the first run, or start anew without them"
        )
    done = y.size - kept.unfinished
    if not kept.unfinished:
        return replace(kept, start=plane)
    rest = phase_portrait(flow, x, y[done:], start=plane, progress=progress)
    labels = np.vstack([kept.labels[:done], rest.labels])
    curves = theory_curves.boundaries(case_of(flow, kept.depth), plane, x, y)
    return replace(rest, y=y, labels=labels, boundaries=curves, plane=kept.plane)


def _about(
    flow: Flow, axes: tuple[np.ndarray, np.ndarray], plane: str
) -> dict[str, Any]:
    """What rows have in common that can be joined."""
    x, y = (values.tolist() for values in axes)
    about = {"rule": flow.perturbation, "loss": flow.loss.name, "x": x, "y": y}
    return about | {"data": flow.data.z.tolist(), "plane": plane}
