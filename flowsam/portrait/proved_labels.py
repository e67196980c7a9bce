"""A plane of starts with its labels proved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from flowsam.errors import InputError
from flowsam.outcomes.answers import NOT_COVERED
from flowsam.portrait.planes import Plane
from flowsam.regimes import Case
from flowsam.shapes import Float, Int

if TYPE_CHECKING:
    from flowsam.certify import PlaneProof

__all__ = ["proved"]

Axis = Float[np.ndarray, " _"]


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
