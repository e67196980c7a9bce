"""The columns of the table of regimes: all that verbs may ask of a row.

Functions are written "module:function" within flowsam and loaded when asked, so that the table can
stand below all that it names.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from flowsam.exact import Form
from flowsam.labels import Label


@dataclass(frozen=True, eq=False)
class Regime:
    """One row of the table."""

    labels: str  # (case, starts (N, L, d)) -> int (N,)
    verdict: str  # (case, theta0) -> Limit
    label: int = Label.UNDECIDED  # where that of every start is known
    # (case, theta0, request, rows wanted) -> Trajectory
    solve: str = "solver:of_one_example"
    forms: tuple[Form, ...] = ()  # closed forms, the most accurate first
    # one example: the velocity with its events, as `OneExample` asks for it
    system: str = "one_example.smooth:Smooth"
    # several examples: method to engine; "any" is "auto" and SciPy's methods
    runs: Mapping[str, str] = field(default_factory=dict)
    # (flow, theta0, request) -> Run or None, tried first to a tau_end
    brief: str = ""
    late: str = "auto"  # the method of a run to late times
    # (case, starts (N, L, d)) -> tau (N,) of starts that no form covers
    settled: str = "outcomes.settling:settling_times"
    time: float = math.nan  # where that of every start is known
    # kind of plane to what decides its rows; so are bounds and areas
    rows: Mapping[str, str] = field(default_factory=dict)
    curves: Mapping[str, str] = field(default_factory=dict)
    shares: Mapping[str, str] = field(default_factory=dict)
    many: bool = True  # whether `solve_many` has its field for a batch
    fades: bool = False  # weights die one by one, braked without bound
    analytic: bool = False  # whether Taylor's method follows it
    scale_free: bool = True  # the limit depends on theta / rho alone
    # several examples: that whose margin a theorem says is maximised
    norm: int | None = None
    # several examples that do not separate: (case, theta0) -> reason or ""
    finite: str = ""
    dies: bool = False  # features are suppressed at a gate
    rests: bool = False  # a run can end at rest at a finite loss
    slides: bool = False  # the field is Filippov's on switching surfaces
    glides: bool = False  # several examples: the field jumps at minima, nowhere else
    smooth_off_axes: bool = True  # the field jumps nowhere but where a weight is 0
    surfaces: str = "many_examples.switching:JointSwitching"  # those of a slide
    escapes: str = ""  # what lets a coordinate escape at L = 2, with the brake in {}
    # one example: what is said where weights can shrink, from rho = L^(1/p) on
    braked: str = ""
    falls: bool = False  # weights can fall to 0 at once, in finite tau
    apart: bool = False  # one example: equal layers come apart
    # a coordinate at 0 rests, signs are kept, blow-ups are those of w' = |mu| w^(L-1)
    known: bool = True
    # one example: the first feature to blow up, in finite tau, wins
    races: bool = False
    amplifies: bool = False  # `amplification` has its closed forms
    provable: bool = False  # `certify` has its equation


@cache
def loaded(name: str) -> Callable[..., Any]:
    """Return a function of the package by "module:function"."""
    module, _, function = name.partition(":")
    return getattr(import_module(f"flowsam.{module}"), function)
