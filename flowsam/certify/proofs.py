"""Proofs of labels: a problem, its doubles exactly, its label, a tube to a state that decides."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

from flowsam.certify.balls import precision
from flowsam.certify.checking import GUARD, Field, Refused, Tube, Unproved, checked
from flowsam.certify.following import LEVELS, tube_of
from flowsam.certify.l2_equation import two_layers
from flowsam.certify.linf_labels import exact_label
from flowsam.certify.lp_equation import layers
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.shapes import Theta

FORMAT = "flowsam proof 1"
LARGEST = 4  # coordinates of l_p-SAM that are followed together

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Problem:
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

    @classmethod
    def at(cls, flow: Flow, theta: Theta) -> Problem:
        """Return the problem of a start of a flow of one example."""
        rule = flow.perturbation
        rows = tuple(map(tuple, theta.tolist()))
        return cls(tuple(flow.mu.tolist()), float(rule.rho), float(rule.p), rows)

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
        mu = ", ".join(f"{m:g}" for m in self.mu[:8])
        mu += ", ..." if len(self.mu) > 8 else ""
        return f"mu = ({mu}), rho = {self.rho:g}, p = {self.p:g}, L = {len(self.theta)}"

    def facts(self) -> dict[str, Any]:
        """Return the problem as text, doubles in hexadecimal."""
        return {
            "mu": [m.hex() for m in self.mu],
            "rho": self.rho.hex(),
            "p": self.p.hex(),
            "theta": [[w.hex() for w in row] for row in self.theta],
            "scale": self.scale.hex(),
        }

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Problem:
        """Return the problem of a text."""
        number = float.fromhex
        theta = tuple(tuple(map(number, row)) for row in facts["theta"])
        mu = tuple(map(number, facts["mu"]))
        rho, p, scale = (number(facts[key]) for key in ("rho", "p", "scale"))
        finite = all(isfinite(x) for row in (mu, *theta, (rho, scale)) for x in row)
        if not finite or {len(row) for row in theta} != {len(mu)} or len(theta) < 2:
            raise InputError("numbers that are no start of a flow")
        return cls(mu, rho, p, theta, scale)


@dataclass(frozen=True)
class Proof:
    """A problem, its label, and the tube that leads there.

    Parameters
    ----------
    problem : Problem
    label : int
    tube : Tube or None
        None where the doubles decide.
    """

    problem: Problem
    label: int
    tube: Tube | None

    def describe(self) -> str:
        """Return what is proved, in a line."""
        return f"label {self.label} of {self.problem.describe()}"

    def facts(self) -> dict[str, Any]:
        """Return the proof as text."""
        tube = self.tube.facts() if self.tube else None
        rest = {"label": self.label, "tube": tube}
        return {"format": FORMAT} | self.problem.facts() | rest

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Proof:
        """Return the proof of a text."""
        tube = facts["tube"]
        kept = Tube.of(tube) if tube is not None else None
        return cls(Problem.of(facts), int(facts["label"]), kept)


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
    tube = tube_of(problem.field, LEVELS, why)
    return Proof(problem, _label(problem, tube), tube)


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
    if proof.tube is None:
        if not problem.jumps:
            raise Refused("this problem needs a tube")
        label = exact_label(problem.theta, problem.mu, problem.rho)
    else:
        if problem.jumps:
            raise Refused("no tube holds where the field jumps")
        label = _label(problem, proof.tube)
    if label != proof.label:
        raise Refused(f"the label is {label}, not {proof.label}")
