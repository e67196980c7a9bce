"""Solved cases, one file each: pure functions of arrays, in rescaled time, for one example.

A case offers `applies`, `weights`, `blow_up_time`, `zero_time` and `events`; `solution` finds the
one that covers a start and wraps it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from jaxtyping import Float

from flowsam.flow import Flow
from flowsam.trajectory import Event

__all__ = ["Solution", "case_for", "radius_of", "solution"]


@dataclass(frozen=True, eq=False)
class Solution:
    """A closed form for one start.

    Parameters
    ----------
    name : str
        The solved case.
    states : callable
        `tau (k,) -> theta (k, L, d)`; frozen from a blow-up on, with the winner infinite.
    events : tuple of Event
        In order, none later than `blow_up`.
    blow_up : float
        First blow-up time; inf where there is none.
    valid_until : float
        Rescaled time at which the formulas stop to hold; inf where they never do.
    """

    name: str
    states: Callable[[Float[np.ndarray, " k"]], Float[np.ndarray, "k L d"]]
    events: tuple[Event, ...]
    blow_up: float
    valid_until: float

    def covers(self, end: float) -> bool:
        """Whether the formulas hold to `end`, or to a blow-up before it."""
        return min(end, self.blow_up) <= self.valid_until


def radius_of(flow: Flow, theta0s: Float[np.ndarray, "*batch L d"]) -> float:
    """Return the radius a solved case holds with: `rho L^(-1/p)` for one coordinate, else rho.

    A balanced coordinate alone has L gradient components of one size, so that every l_p rule
    moves each of its weights by `rho L^(-1/p)`, its gate.

    Examples
    --------
    >>> from flowsam import Flow, l2, single_example
    >>> radius_of(Flow(single_example([2.0]), l2(1.0)), np.ones((4, 1)))
    0.5
    """
    from flowsam.exact import linf_balanced

    rule, alone = flow.perturbation, np.count_nonzero(flow.mu) == 1
    shared = rule.p > 1 or theta0s.shape[-2] < 3  # p = 1 mixes vertices: another field at L >= 3
    if not (
        rule.normalised and alone and shared and np.all(linf_balanced.applies(theta0s, flow.mu))
    ):
        return rule.rho
    return rule.rho * theta0s.shape[-2] ** (-1.0 / rule.p)


def _cases(flow: Flow, theta0s: Float[np.ndarray, "*batch L d"]) -> tuple[ModuleType, ...]:
    """Return the solved cases of a rule, the most accurate first."""
    from flowsam.exact import l2_two_layer, linf_balanced, linf_deep, linf_two_layer

    rule, depth = flow.perturbation, theta0s.shape[-2]
    lone = np.count_nonzero(flow.mu) == 1 and np.all(linf_balanced.applies(theta0s, flow.mu))
    if rule.normalised and lone and (rule.p > 1 or depth < 3):
        return (linf_balanced,)
    if math.isinf(rule.p) and rule.normalised:
        return (linf_balanced, linf_two_layer, linf_deep)
    return (l2_two_layer,) if rule.p == 2 and rule.normalised and depth == 2 else ()


def case_for(flow: Flow, theta0s: Float[np.ndarray, "*batch L d"]) -> ModuleType | None:
    """Return the solved case that covers every start of a batch, or None."""
    if flow.data.z.shape[0] > 1:
        return None
    cases = _cases(flow, theta0s)
    return next((case for case in cases if np.all(case.applies(theta0s, flow.mu))), None)


def solution(flow: Flow, theta0: Float[np.ndarray, "L d"]) -> tuple[Solution | None, str]:
    """Return the closed form for one start, or None and the hypothesis that fails.

    Parameters
    ----------
    flow : Flow
        Data, rule and loss.
    theta0 : ndarray, shape (L, d)
        The start.

    Returns
    -------
    Solution or None
    str
        Why there is none; empty where there is one.

    Examples
    --------
    >>> from flowsam import Flow, lp, single_example
    >>> solution(Flow(single_example([1.0, 2.0]), lp(1.0, p=3)), np.ones((2, 2)))
    (None, 'l_3-SAM has no solved case at depth 2 (GD, l_inf and, at depth 2, l_2 have)')
    """
    n, depth = flow.data.z.shape[0], len(theta0)
    if n > 1:
        return None, f"closed forms need one example, got n = {n}"
    if not _cases(flow, theta0):
        solved = "GD, l_inf and, at depth 2, l_2 have"
        return None, f"{flow.perturbation.name} has no solved case at depth {depth} ({solved})"
    case = case_for(flow, theta0)
    if case is not None:
        return _wrapped(case, flow, theta0), ""
    return None, f"depth {depth} needs equal |w| or positive aligned weights in every coordinate"


def _wrapped(case: ModuleType, flow: Flow, theta0: Float[np.ndarray, "L d"]) -> Solution:
    """Return a case at one start, frozen from the first blow-up on."""
    mu, rho = flow.mu, radius_of(flow, theta0)
    blow_up = float(np.min(case.blow_up_time(theta0, mu, rho=rho)))
    valid_until = (
        float(case.valid_until(theta0, mu, rho=rho)) if hasattr(case, "valid_until") else math.inf
    )
    last = min(blow_up, valid_until)
    events = tuple(e for e in case.events(theta0, mu, rho=rho) if e.tau <= last)
    rest = float(np.where(mu == 0, 0.0, case.zero_time(theta0, mu, rho=rho)).max())
    if rest <= last and math.isfinite(rest) and "collapse" not in {e.kind for e in events}:
        events = (*events, Event(rest, "collapse"))

    traced = case.path(theta0, mu, rho=rho) if hasattr(case, "path") else None

    def states(tau: Float[np.ndarray, " k"]) -> Float[np.ndarray, "k L d"]:
        if traced is not None:
            return traced(tau)
        return case.weights(theta0, mu, rho=rho, tau=np.minimum(tau, blow_up))

    return Solution(case.__name__.rsplit(".", 1)[-1], states, events, blow_up, valid_until)
