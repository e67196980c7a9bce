"""When the starts of a plane are decided: the rescaled time of collapse or blow-up of each."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from flowsam import exact
from flowsam.ensemble import covers
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.outcomes import limits
from flowsam.outcomes.settling import settling_times
from flowsam.portrait.plane_rows import Axis, Start, Starts, starts_of

__all__ = ["settled_rows", "settling"]

BLOCK = 2**15  # cells worked on at once


def settled_rows(flow: Flow, start: Start, axes: tuple[Axis, Axis]) -> Float[np.ndarray, "ny nx"]:
    """Return the rescaled time of collapse or blow-up over a plane.

    Parameters
    ----------
    flow : Flow
        One example.
    start : callable
        The plane.
    axes : tuple of ndarray
        x (nx,) and y (ny,).

    Returns
    -------
    ndarray, shape (ny, nx)
        inf where the limit is asymptotic, nan where it is not known.

    Raises
    ------
    ValueError
        For several examples, and l_1 at L >= 3.
    """
    x, y = axes
    own = hasattr(start, "flow_at")
    rows = 1 if own else max(1, BLOCK // x.size)
    found = []
    for first in range(0, y.size, rows):
        some = y[first : first + rows]
        here = start.flow_at(flow, float(some[0])) if own else flow
        found.append(settling(here, starts_of(start, x, some)))
    return np.concatenate(found)


def settling(flow: Flow, block: Starts) -> Float[np.ndarray, "ny nx"]:
    """Return the first blow-up, or without one the time at which the last coordinate rests."""
    case = exact.case_for(flow, block)
    if case is None:
        if flow.data.z.shape[0] > 1 or not covers(flow, block.shape[-2]):
            raise InputError(
                f"settled_at needs one example and a rule that can be followed, got "
                f"{flow.describe()}; solve follows single starts"
            )
        flat = block.reshape(-1, *block.shape[-2:])
        return settling_times(flow, flat).reshape(block.shape[:2])
    mu, rho = flow.mu, exact.radius_of(flow, block)
    blow_up = case.blow_up_time(block, mu, rho=rho).min(axis=-1)
    rest = case.zero_time(block, mu, rho=rho)
    time = np.minimum(blow_up, np.where(mu == 0, 0.0, rest).max(axis=-1))
    return np.where(limits(flow, block) == Label.UNDECIDED, np.nan, time)
