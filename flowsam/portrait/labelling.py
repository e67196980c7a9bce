"""phase_portrait: which limit each initialisation of a plane has, proved where that is asked.

An interrupt leaves the rows that are finished, and `resume` computes the others; rows that outlive
a kill are those of `flowsam.portrait.streaming`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from flowsam import archive
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.inputs import checked_grid
from flowsam.outcomes.answers import NOT_COVERED
from flowsam.portrait import plane_rows
from flowsam.portrait.labelled_plane import Portrait
from flowsam.portrait.own_plane import as_plane
from flowsam.portrait.plane_rows import Grid
from flowsam.portrait.planes import Start
from flowsam.shapes import Axis, LabelGrid
from flowsam.signatures import public

if TYPE_CHECKING:
    from flowsam.certify import PlaneProof


@public
def phase_portrait(  # noqa: PLR0913 - the contract's verb
    flow: Flow,
    x: ArrayLike,
    y: ArrayLike,
    *,
    depth: int = 2,
    start: Start | None = None,
    progress: Callable[[int], object] = int,
    prove: bool = False,
) -> Portrait:
    """Map a plane of initialisations to their limits as t -> inf.

    Parameters
    ----------
    flow : Flow
        Data, rule and loss.
    x, y : array_like, shapes (nx,) and (ny,)
        Parameters of the plane, in the units of w.
    depth : int
        Number of layers of the default plane; those of another are its own.
    start : callable, optional
        `start(x (1, nx), y (block, 1)) -> theta (block, nx, L, d)`, such as those of
        `flowsam.portrait.planes`; default for d = 2: balanced, x = alpha_1, y = alpha_2.
    progress : callable, optional
        Told how many cells each finished piece has.
    prove : bool
        Prove the labels, as `limit` does; under l_2 at L = 2 few starts prove all others, by
        order. `Portrait.proof` has what is proved, and from how many starts; a proved label
        stands also where doubles call it a tie or the separatrix.

    Returns
    -------
    Portrait
        Labels are exact where a theorem decides; grid points on a boundary carry its label. An
        interrupt keeps the finished rows, and `unfinished` counts the others.

    Raises
    ------
    TypeError, ValueError
        For bad input, a plane that does not fit the data, or a grid too large for memory.

    Notes
    -----
    Derivations: derivations/linf_limit.py, derivations/linf_two_layer.py.
    Source: arXiv:2603.08290, Corollary 3.5; any signs, other rules: flowsam.

    Examples
    --------
    >>> from flowsam import Flow, layer_plane, linf, single_example
    >>> flow = Flow(single_example([1.0]), linf(1))
    >>> phase_portrait(flow, [-1, 1.5], [3, 0.4], start=layer_plane).labels.tolist()
    [[1, 1], [0, 0]]
    """
    grid = plane_rows.grid_of(flow, (x, y), start, depth)
    instead = (
        "use flowsam.portrait.stream_portrait, or `flowsam portrait --out labels.npy`"
    )
    checked_grid(grid.y.size, grid.x.size, instead)
    name = grid.plane.name(grid.x, grid.y)
    labels, finished = plane_rows.labels_by_rows(grid, progress)
    proof = None
    if prove and finished == grid.y.size:
        proof = proved(grid, labels, progress)
        labels = proof.labels.reshape(labels.shape).astype(labels.dtype)
    return Portrait(
        *(flow, grid.x, grid.y, labels, grid.theory),
        *(grid.plane.axes, grid.depth, grid.plane),
        unfinished=grid.y.size - finished,
        plane=name,
        radius_axis=grid.plane.radius_axis,
        proof=proof,
    )


def proved(grid: Grid, labels: LabelGrid, told: Callable[[int], object]) -> PlaneProof:
    """Return the proof of a plane's labels, with the reason where some have none."""
    from flowsam.certify import PlaneProof, prove_plane

    if grid.plane.radius_axis:
        raise InputError(
            "prove needs one flow, got a plane over rho; prove its starts by limit"
        )
    starts = grid.starts.reshape(labels.size, grid.depth, -1)
    none = np.zeros(labels.size, dtype=bool)
    rule = grid.case.rule
    numbers = (grid.flow.data.z[0], rule.rho, rule.p)
    given = labels.ravel().astype(np.int64)
    plane = PlaneProof(*numbers, starts, given, none, {}, NOT_COVERED)
    return prove_plane(plane, told) if grid.case.regime.provable else plane


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
    >>> from flowsam import Flow, linf, single_example
    >>> from flowsam.portrait.planes import BalancedPlane
    >>> flow, x = Flow(single_example([1, 2]), linf(1)), np.array([0.5, 1.5])
    >>> kept = replace(phase_portrait(flow, x, x), unfinished=1)  # as if stopped after one row
    >>> resume(kept, flow, axes=(x, x), start=BalancedPlane(2)).labels.tolist()
    [[0, 1], [2, 2]]
    """
    x, y = (np.asarray(values, dtype=np.float64) for values in axes)
    grid = Grid(flow, as_plane(start), x, y)
    before = _about(kept.flow, kept.x, kept.y, kept.plane)
    other = archive.difference(before, _about(flow, x, y, grid.plane.name(x, y)))
    if other:
        name, was, asked = other
        raise InputError(
            f"resume needs the same {name}: kept rows have {was}, asked are {asked}; give the "
            "options of the first run, or start anew without them"
        )
    if not kept.unfinished:
        return replace(kept, start=grid.plane)
    done = y.size - kept.unfinished
    rest = phase_portrait(flow, x, y[done:], start=grid.plane, progress=progress)
    labels = np.vstack([kept.labels[:done], rest.labels])
    curves = grid.theory
    return replace(rest, y=y, labels=labels, boundaries=curves, plane=kept.plane)


def _about(flow: Flow, x: Axis, y: Axis, plane: str) -> dict[str, Any]:
    """What rows have in common that can be joined."""
    about = {"rule": flow.perturbation, "loss": flow.loss.name}
    about |= {"x": x.tolist(), "y": y.tolist()}
    return about | {"data": flow.data.z.tolist(), "plane": plane}
