"""The columns of the table of regimes: all that verbs may ask of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from flowsam.exact import Form

__all__ = ["Regime", "loaded"]


@dataclass(frozen=True)
class Regime:
    """One row of the table.

    Parameters
    ----------
    labels, verdict : str
        `(case, starts (..., L, d)) -> int (...)` and `(case, theta0) -> Limit`.
    solve : str
        `(case, theta0, span=, how=, wanted=) -> Trajectory`.
    forms : tuple of Form
        Closed forms, the most accurate first.
    system : str
        One example: the velocity with its events, as `OneExample` asks for it.
    runs : mapping
        Several examples: method to engine; "any" is "auto" and SciPy's methods.
    brief : str
        Several examples: `(flow, theta0, end=tau, how=) -> Run or None`, tried first to a tau_end.
    late : str
        The method of a run to late times.
    settled : str
        `(flow, starts (N, L, d)) -> tau (N,)` of starts that no form covers.
    rows, curves, shares : mapping
        Kind of plane ("balanced", "layers", "pair") to what decides rows, bounds, and areas.
    fades : bool
        Whether weights die one by one, braked without bound.
    many, analytic : bool
        Whether `solve_many` follows it, and whether Taylor's method does.
    scale_free : bool
        Whether the limit depends on theta / rho alone.
    norm : int or None
        Several examples: the norm whose margin a theorem says is maximised.
    finite : str
        Several examples that do not separate: `(flow, theta0) -> reason or ""`.
    dies, rests, slides : bool
        Whether features are suppressed at a gate, a run can end at rest at a finite loss, and
        the field is that of Filippov on switching surfaces.
    glides : bool
        Several examples: whether the field jumps at minima, and nowhere else.
    smooth_off_axes : bool
        Whether the field jumps nowhere but where a weight is 0.
    falls, apart : bool
        One example: whether all weights can fall to 0 at once, and equal layers come apart.
    known : bool
        Whether the field is the package's: a coordinate at 0 rests, signs are kept, a blow-up is
        that of w' = |mu_j| w^(L-1).
    amplifies : bool
        Whether `amplification` has its closed forms.
    provable : bool
        Whether `certify` has its equation: labels can be proved.
    """

    labels: str
    verdict: str
    solve: str = "solver:of_one_example"
    forms: tuple[Form, ...] = ()
    system: str = "one_example.smooth:Smooth"
    runs: Mapping[str, str] = field(default_factory=dict)
    brief: str = ""
    late: str = "auto"
    settled: str = "outcomes.settling:settling_times"
    rows: Mapping[str, str] = field(default_factory=dict)
    curves: Mapping[str, str] = field(default_factory=dict)
    shares: Mapping[str, str] = field(default_factory=dict)
    many: bool = True
    fades: bool = False
    analytic: bool = False
    scale_free: bool = True
    norm: int | None = None
    finite: str = ""
    dies: bool = False
    rests: bool = False
    slides: bool = False
    glides: bool = False
    smooth_off_axes: bool = True
    falls: bool = False
    apart: bool = False
    known: bool = True
    amplifies: bool = False
    provable: bool = False


@cache
def loaded(name: str) -> Callable[..., Any]:
    """Return a function of the package by "module:function"."""
    module, _, function = name.partition(":")
    return getattr(import_module(f"flowsam.{module}"), function)
