"""What happens on the way of a run, at its rescaled time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from flowsam.shapes import Bool


@dataclass(frozen=True)
class Event:
    """Something that happened on the way.

    Parameters
    ----------
    tau : float
        Rescaled time.
    kind : str
        "cross", "slide", "leave", "zero" (a coordinate comes to rest at 0), "turn", "collapse"
        (all of them at rest), "blow-up".
    layer, coordinate : int or None
        Place in theta, counted from 0; None where it concerns all.

    Examples
    --------
    >>> Event(1.5, "zero", None, 1)
    Event(tau=1.5, kind='zero', layer=None, coordinate=1)
    """

    tau: float
    kind: str
    layer: int | None = None
    coordinate: int | None = None

    @classmethod
    def each(
        cls, kind: str, tau: float, chosen: Bool[np.ndarray, "*L d"]
    ) -> tuple[Event, ...]:
        """Return one event for every coordinate, or weight, chosen."""
        places = ((None, *place)[-2:] for place in np.argwhere(chosen).tolist())
        return tuple(cls(float(tau), kind, *place) for place in places)


def first(kind: str, events: Iterable[Event]) -> float:
    """Return the time of the first event of a kind, inf without one."""
    return min((event.tau for event in events if event.kind == kind), default=math.inf)
