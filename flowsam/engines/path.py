"""The states of a run, one dense output a step, and what happens to it between steps."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from flowsam.events import Event
from flowsam.shapes import Bool, Float, Int, State

Points = Float[np.ndarray, " k"]
Tail = Callable[[Points], Float[np.ndarray, "k m"]]


@dataclass(frozen=True, eq=False)
class Piece:
    """Dense output of one step, `x (k,) -> states (m, k)`, and the region it was taken in."""

    dense: Callable[[Any], Any]
    mode: Any

    def __call__(self, x: Any) -> Any:
        """Return states at points of the step."""
        return self.dense(x)


@dataclass(frozen=True, eq=False)
class Path:
    """The states of a run, step by step, with the region each step was taken in."""

    edges: Float[np.ndarray, " S1"]  # ends of the steps
    pieces: tuple[Piece, ...]
    breaks: Float[np.ndarray, " E"]  # where events were: the states have a kink there
    tail: Tail  # states at and beyond the last edge, x (k,) -> (k, m)
    mode: Any = None  # the region at and beyond the last edge
    # states at the edges, by the step that ended there; () to have them from the steps
    nodes: tuple[State, ...] = ()

    def __call__(self, x: Points) -> Float[np.ndarray, "k m"]:
        """Return states at points of the run, shape (k, m)."""
        out = self.tail(x)
        inside = x < self.edges[-1]
        if self.nodes:
            place = np.searchsorted(self.edges, x)
            at_edge = inside & (self.edges[np.minimum(place, len(self.pieces))] == x)
            for k in np.flatnonzero(at_edge):
                out[k] = self.nodes[place[k]]
            inside &= ~at_edge
        if not inside.any():
            return out
        points = np.flatnonzero(inside)
        owner = self._alike[self._owners(x[points])]
        order = np.argsort(owner, kind="stable")
        found, first = np.unique(owner[order], return_index=True)
        parts = np.split(points[order], first[1:])
        for index, chosen in zip(found, parts, strict=True):
            out[chosen] = self.pieces[index](x[chosen]).T
        return out

    def regions(self, x: Points) -> list[tuple[Any, Bool[np.ndarray, " k"]]]:
        """Return each region that points of the run are in, with the points it has."""
        owner = self._modes[self._owners(x)]
        steps = (*self.pieces, self)
        return [(steps[index].mode, owner == index) for index in np.unique(owner)]

    def seen(
        self,
        x: Points,
        shown: Callable[[Any, Any], Float[np.ndarray, "k L d"]],
    ) -> Float[np.ndarray, "k L d"]:
        """Return weights at points of the run, by what shows them: `(states, mode) -> weights`."""
        flat = self(x)
        regions = self.regions(x) or [(self.mode, np.ones(0, dtype=bool))]
        parts = [(at, shown(flat[at], mode)) for mode, at in regions]
        out = np.empty((x.size, *parts[0][1].shape[1:]))
        for chosen, weights in parts:
            out[chosen] = weights
        return out

    @cached_property
    def _alike(self) -> Int[np.ndarray, " S1"]:
        """The first step with the dense output of each, which is asked once."""
        return _firsts((*self.pieces, None))

    @cached_property
    def _modes(self) -> Int[np.ndarray, " S1"]:
        """The first step with the region of each."""
        return _firsts((*(piece.mode for piece in self.pieces), self.mode))

    def _owners(self, x: Points) -> Int[np.ndarray, " k"]:
        """Return the place of the step each point is in; from the last edge on, one beyond."""
        owner = np.maximum(np.searchsorted(self.edges, x, side="left") - 1, 0)
        return np.where(x < self.edges[-1], owner, len(self.pieces))


def _firsts(objects: tuple[Any, ...]) -> Int[np.ndarray, " k"]:
    """Return the place of the first of objects that each is."""
    seen: dict[int, int] = {}
    return np.array([seen.setdefault(id(x), k) for k, x in enumerate(objects)])


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
