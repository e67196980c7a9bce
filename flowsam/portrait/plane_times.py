"""When the starts of a plane are decided: the rescaled time of collapse or blow-up of each."""

from __future__ import annotations

import numpy as np

from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.portrait.planes import Axis, Plane, Starts
from flowsam.regimes import case_of
from flowsam.shapes import Float

__all__ = ["settled_rows", "settling"]

BLOCK = 2**15  # cells worked on at once


def settled_rows(
    flow: Flow, plane: Plane, axes: tuple[Axis, Axis]
) -> Float[np.ndarray, "ny nx"]:
    """Return the rescaled time of collapse or blow-up over a plane."""
    x, y = axes
    rows = 1 if plane.varies else max(1, BLOCK // x.size)
    found = []
    for first in range(0, y.size, rows):
        some = y[first : first + rows]
        here = plane.flow_at(flow, float(some[0]))
        found.append(settling(here, plane.starts(x, some)))
    return np.concatenate(found)


def settling(flow: Flow, block: Starts) -> Float[np.ndarray, "ny nx"]:
    """Return the first blow-up, or without one the time at which the last coordinate rests."""
    starts = block.reshape(-1, *block.shape[-2:])
    case = case_of(flow, starts.shape[1])
    found = np.empty(len(starts))
    for form, mine in case.split(starts):
        some = starts[mine]
        if form is None:
            found[mine] = case.ask("settled")(some)
        else:
            open_ = case.labels(some) == Label.UNDECIDED
            found[mine] = np.where(open_, np.nan, form.time(flow, some))
    return found.reshape(block.shape[:2])
