"""Leaders of a run of l_2-SAM at L = 2, in proved order, and enclosures of their switch times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from flowsam.certify.balls import Written, precision
from flowsam.certify.checking import GUARD, Refused, Tube, checked
from flowsam.certify.following import LEVELS, first_that_holds
from flowsam.certify.leader_changes import HandOver, hand_overs, race
from flowsam.certify.proofs import Problem

Times = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class ProvedLeaders(Written):
    """Leaders in order, and between which times they hand over.

    Parameters
    ----------
    problem : Problem
    weighted : bool
        Whether contributions |mu_j beta_j| are compared, not sizes |beta_j|.
    order : tuple of int
        Places, counted from 1.
    times : tuple of (float, float)
        Rescaled times around each switch.
    tube : Tube
    """

    FORMAT = "flowsam leader proof 1"
    problem: Problem
    weighted: bool
    order: tuple[int, ...]
    times: Times
    tube: Tube

    def describe(self) -> str:
        """Return what is proved, in a line."""
        order = " -> ".join(map(str, self.order))
        return f"leaders {order} of {self.problem.describe()}"


def prove_leaders(problem: Problem, *, weighted: bool = False) -> ProvedLeaders:
    """Return the leaders of a run, or raise `Unproved`."""
    why = "no state was reached from where one coordinate leads for good"
    run = partial(race, problem, weighted=weighted)
    found = partial(_told, problem, weighted)
    return first_that_holds(run, LEVELS[1:], found, why)


def check_leaders(found: ProvedLeaders) -> None:
    """Raise `Refused` where the proof of a succession does not hold."""
    told = _told(found.problem, found.weighted, found.tube)
    inside = all(
        low <= one and other <= high
        for (low, high), (one, other) in zip(found.times, told.times, strict=False)
    )
    if told.order != found.order or len(told.times) != len(found.times) or not inside:
        raise Refused(
            f"the leaders are {told.order}, not {found.order}, or switch elsewhere"
        )


def _told(problem: Problem, weighted: bool, tube: Tube) -> ProvedLeaders:
    """What a tube that holds says about leaders."""
    with precision(tube.bits + GUARD):
        run = race(problem, weighted=weighted)
        end = checked(run, tube)
        last = run.decided(end.x, end.balls)
        if last is None:
            raise Refused("at the end of the tube no leader is certain for good")
        found = hand_overs(run, tube) or [HandOver(last)]
    order = tuple(new.place for new in found)
    times = tuple((new.low, new.high) for new in found[1:])
    return ProvedLeaders(problem, weighted, order, times, tube)
