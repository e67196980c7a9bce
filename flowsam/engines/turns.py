"""What happens to a run between its steps."""

from __future__ import annotations

from typing import Any, NamedTuple

from flowsam.trajectory import Event

__all__ = ["Entry", "Place", "Turn"]


class Place(NamedTuple):
    """Where a run is: a point of its clock, the state there, and the region."""

    x: float
    state: Any
    mode: Any


class Entry(NamedTuple):
    """A region that a run enters, with the events there, and an ending, "" to go on."""

    mode: Any
    events: tuple[Event, ...] = ()
    status: str = ""


class Turn(NamedTuple):
    """The state after an event, or the states from there on, and what a run enters with it."""

    state: Any
    mode: Any
    events: tuple[Event, ...] = ()
    status: str = ""
