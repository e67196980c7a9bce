"""phase_portrait: which limit each initialisation of a plane has, proved where that is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.inputs import checked_grid, real_axis
from flowsam.outcomes.answers import NOT_COVERED
from flowsam.portrait import plane_rows, planes, theory_curves
from flowsam.portrait.labelled_plane import Portrait
from flowsam.portrait.planes import Axis, Plane, Start
from flowsam.regimes import Case, case_of
from flowsam.shapes import Int
from flowsam.signatures import public

if TYPE_CHECKING:
    from flowsam.certify import PlaneProof

__all__ = ["layer_plane", "phase_portrait", "proved"]

layer_plane = planes.layer_plane


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
    >>> from flowsam import Flow, linf, single_example
    >>> flow = Flow(single_example([1.0]), linf(1))
    >>> phase_portrait(flow, [-1, 1.5], [3, 0.4], start=layer_plane).labels.tolist()
    [[1, 1], [0, 0]]
    """
    x = real_axis(x, "x")
    y = real_axis(y, "y")
    instead = (
        "use flowsam.portrait.stream_portrait, or `flowsam portrait --out labels.npy`"
    )
    checked_grid(y.size, x.size, instead)
    plane = plane_rows.plane_of(flow, start, depth)
    depth = plane_rows.checked_depth(flow, plane, (x, y), depth)
    name = plane.name(x, y)
    labels, finished = plane_rows.labels_by_rows(flow, plane, (x, y), progress)
    case = case_of(flow, depth)
    curves = theory_curves.boundaries(case, plane, x, y)
    proof = None
    if prove and finished == y.size:
        proof = proved(case, plane, (x, y), labels, progress)
        labels = proof.labels.reshape(labels.shape).astype(labels.dtype)
    about: dict[str, Any] = {
        "proof": proof,
        "unfinished": y.size - finished,
        "plane": name,
        "radius_axis": plane.radius_axis,
    }
    grid = (x, y, labels, curves)
    return Portrait(flow, *grid, plane.axes, depth, plane, **about)


def proved(
    case: Case,
    start: Plane,
    axes: tuple[Axis, Axis],
    labels: Int[np.ndarray, "ny nx"],
    told: Callable[[int], object],
) -> PlaneProof:
    """Return the proof of a plane's labels, with the reason where some have none."""
    from flowsam.certify import PlaneProof, prove_plane

    if start.radius_axis:
        raise InputError(
            "prove needs one flow, got a plane over rho; prove its starts by limit"
        )
    starts = start.starts(*axes)
    starts = starts.reshape(-1, *starts.shape[2:])
    rule = case.flow.perturbation
    none = np.zeros(labels.size, dtype=bool)
    numbers = (case.flow.data.z[0], float(rule.rho), float(rule.p))
    plane = PlaneProof(
        *numbers, starts, labels.ravel().astype(np.int64), none, {}, NOT_COVERED
    )
    return prove_plane(plane, told) if case.regime.provable else plane
