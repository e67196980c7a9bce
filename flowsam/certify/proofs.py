"""Proofs of labels: a problem, its doubles exactly, its label, a tube to a state that decides.

The critical scale of a start of l_2-SAM at L = 2 lies between two doubles whose labels are proved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from math import isfinite

from flowsam.cards import Card, Rows
from flowsam.certify.balls import Written, precision
from flowsam.certify.checking import GUARD, Field, Refused, Tube, Unproved, checked
from flowsam.certify.following import LEVELS, first_that_holds
from flowsam.certify.l2_equation import two_layers
from flowsam.certify.linf_labels import exact_label
from flowsam.certify.lp_equation import layers
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.inputs import listed
from flowsam.labels import Label
from flowsam.shapes import Theta, Vector

LARGEST = 4  # coordinates of l_p-SAM that are followed together
WIDER = 8.0  # of a margin that was too narrow
WIDEST = 1e-9  # relative margin at which a proof is given up

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Problem(Written):
    """One start of one flow of one example.

    Parameters
    ----------
    mu : tuple of float
    rho : float
    p : float
        Of the ball; gradient flow is rho = 0.
    theta : tuple of tuple of float
        Layers,
    scale : float
        times this, without a rounding (l_2 at L = 2).
    """

    mu: Numbers
    rho: float
    p: float
    theta: tuple[Numbers, ...]
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no start: a file may hold anything."""
        numbers = [self.rho, self.scale, *self.mu, *chain(*self.theta)]
        widths = {len(row) for row in self.theta}
        if (
            not all(map(isfinite, numbers))
            or widths != {len(self.mu)}
            or len(self.theta) < 2
        ):
            raise InputError("numbers that are no start of a flow")

    @classmethod
    def at(cls, flow: Flow, theta: Theta) -> Problem:
        """Return the problem of a start of a flow of one example."""
        rule = flow.perturbation
        return cls.of_arrays(flow.mu, rule.rho, rule.p, theta)

    @classmethod
    def of_arrays(
        cls,
        mu: Vector,
        rho: float,
        p: float,
        theta: Theta,
    ) -> Problem:
        """Return the problem of a start, example and rule."""
        rows = tuple(map(tuple, theta.tolist()))
        return cls(tuple(mu.tolist()), float(rho), float(p), rows)

    @property
    def jumps(self) -> bool:
        """Return whether the sign of the gradient is all that counts."""
        return self.rho == 0 or self.p == float("inf")

    def field(self) -> Field:
        """Return its equation, at the present precision."""
        if self.p == 2 and len(self.theta) == 2:
            return two_layers(self.theta, self.mu, self.rho, scale=self.scale)
        return layers(self.theta, self.mu, self.rho, self.p)

    def describe(self) -> str:
        """Return the problem in a line."""
        mu = listed(self.mu, 8, "{:g}".format)
        return f"mu = ({mu}), rho = {self.rho:g}, p = {self.p:g}, L = {len(self.theta)}"


@dataclass(frozen=True)
class Proof(Written):
    """A problem, its label, and the tube that leads there.

    Parameters
    ----------
    problem : Problem
    label : int
    tube : Tube or None
        None where the doubles decide.
    """

    FORMAT = "flowsam proof 1"
    problem: Problem
    label: int
    tube: Tube | None

    def describe(self) -> str:
        """Return what is proved, in a line."""
        return f"label {self.label} of {self.problem.describe()}"


def prove(problem: Problem) -> Proof:
    """Return a proof that has been checked, or raise `Unproved` with the reason."""
    if problem.jumps:
        label = exact_label(problem.theta, problem.mu, problem.rho)
        if label is None:
            raise Unproved("the doubles alone do not decide this start")
        return Proof(problem, int(label), None)
    moving = sum(m != 0 for m in problem.mu)
    scalar = len(problem.theta) == 2 and problem.p == 2
    if moving > LARGEST and not scalar:
        raise Unproved(
            f"l_p paths are followed in balls for d <= {LARGEST}, got {moving}"
        )
    why = "no state that decides was reached: it may linger at an equilibrium"
    return first_that_holds(
        problem.field,
        LEVELS,
        lambda tube: Proof(problem, _label(problem, tube), tube),
        why,
    )


def _label(problem: Problem, tube: Tube) -> int:
    """The label that the end of a tube proves, once the tube is checked."""
    with precision(tube.bits + GUARD):
        field = problem.field()
        end = checked(field, tube)
        label = field.decided(end.x, end.balls)
    if label is None:
        raise Refused("the state at the end decides nothing")
    return int(label)


def check(proof: Proof) -> None:
    """Raise `Refused` where a proof does not hold."""
    problem = proof.problem
    if problem.jumps == (proof.tube is not None):
        raise Refused("a tube is needed, and holds, where the field does not jump")
    if proof.tube:
        label: int | None = _label(problem, proof.tube)
    else:
        label = exact_label(problem.theta, problem.mu, problem.rho)
    if label != proof.label:
        raise Refused(f"the label is {label}, not {proof.label}")


@dataclass(frozen=True, repr=False)
class ProvedScale(Card, Written):
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

    def _rows(self) -> Rows:
        """The enclosure, of what, and how long its proofs are."""
        steps = [
            len(side.tube.steps) if side.tube else 0
            for side in (self.below, self.above)
        ]
        return [
            ("c* above", repr(self.low)),
            ("c* below", repr(self.high)),
            ("problem", self.below.problem.describe()),
            ("certificate", "proved, in {} and {} steps in balls".format(*steps)),
        ]

    def describe(self) -> str:
        """Return what is proved, in a line."""
        between = f"{self.low!r} < c* < {self.high!r}"
        return f"{between} of {self.below.problem.describe()}"


def prove_scale(
    problem: Problem,
    value: float,
    *,
    error: float,
) -> ProvedScale:
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
