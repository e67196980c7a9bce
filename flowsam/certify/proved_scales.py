"""The critical scale of a start of l_2-SAM at L = 2, between two doubles that are proved."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flowsam.certify.checking import Refused, Unproved
from flowsam.certify.exact_text import Written
from flowsam.certify.proofs import Problem, Proof, check, prove
from flowsam.labels import Label

WIDER = 8.0  # of a margin that was too narrow
WIDEST = 1e-9  # relative margin at which a proof is given up


@dataclass(frozen=True)
class ProvedScale(Written):
    """An enclosure of a critical scale.

    Parameters
    ----------
    below, above : Proof
        Of the start times a scale that collapses, and times one that escapes.

    Examples
    --------
    >>> problem = Problem((1.0, 2.0), 1.0, 2.0, ((1.0, 1.0), (1.0, 1.0)))
    >>> found = prove_scale(problem, 0.5213212825996665, error=1e-15)
    >>> found.low < 0.521321282599666543 < found.high, found.high - found.low < 1e-14
    (True, True)
    """

    FORMAT = "flowsam scale proof 1"
    below: Proof
    above: Proof

    @property
    def low(self) -> float:
        """Return a scale below."""
        return self.below.problem.scale

    @property
    def high(self) -> float:
        """Return a scale above."""
        return self.above.problem.scale

    def describe(self) -> str:
        """Return what is proved, in a line."""
        between = f"{self.low!r} < c* < {self.high!r}"
        return f"{between} of {self.below.problem.describe()}"


def prove_scale(problem: Problem, value: float, *, error: float) -> ProvedScale:
    """Return an enclosure of the critical scale of a start, given about where it is.

    Parameters
    ----------
    problem : Problem
        l_2, two layers; its own scale does not count.
    value, error : float
        An estimate, and how good it may be.

    Returns
    -------
    ProvedScale

    Raises
    ------
    Unproved
        Where nothing within a relative 1e-9 of the estimate is proved on one side.
    """
    margin = max(error / value, 4e-16)
    sides = (_side(problem, value, sign * margin) for sign in (-1, 1))
    return ProvedScale(*sides)


def _side(problem: Problem, value: float, margin: float) -> Proof:
    """The proof on one side, as near as it is found."""
    while abs(margin) < WIDEST:
        try:
            found = prove(replace(problem, scale=value * (1 + margin)))
        except Unproved:
            found = None
        if found and (found.label == Label.ZERO) == (margin < 0):
            return found
        margin *= WIDER
    side = "collapse" if margin < 0 else "escape"
    raise Unproved(f"no {side} is proved within {WIDEST:g} of the scale {value:g}")


def check_scale(scale: ProvedScale) -> None:
    """Raise `Refused` where the proof of a critical scale does not hold."""
    check(scale.below)
    check(scale.above)
    one = scale.below.problem
    other = scale.above.problem
    if replace(one, scale=1.0) != replace(other, scale=1.0):
        raise Refused("the two sides are of different starts")
    if scale.below.label != Label.ZERO or scale.above.label == Label.ZERO:
        raise Refused("one side has to collapse and the other to escape")
