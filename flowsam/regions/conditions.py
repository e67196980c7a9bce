"""The inequalities between sizes that make a balanced start end at a label, in SymPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy as sp
from sympy.logic.boolalg import Boolean

from flowsam.labels import Label

if TYPE_CHECKING:
    from flowsam.regions.inequalities import Regions


def condition(of: Regions, label: int) -> Boolean:
    """Return the condition of a label."""
    if label >= 1:
        return _wins(of, label - 1, None)
    if label == Label.TIE:
        pairs = ((j, k) for j in of.active for k in of.active if j < k)
        return sp.Or(*(_wins(of, *pair) for pair in pairs))
    return _held(of, on_edge=label == Label.SEPARATRIX)


def _held(of: Regions, *, on_edge: bool) -> Boolean:
    """What keeps all at rho or below: one at rho, or, as even L asks, none."""
    rho = _decimal(of.rho)
    alpha = [of.alpha[j] for j in of.active]
    within = sp.And(*(a <= rho for a in alpha))
    if on_edge:
        return sp.And(within, sp.Or(*(sp.Eq(a, rho) for a in alpha)))
    return within if of.depth % 2 else sp.And(*(a < rho for a in alpha))


def _wins(of: Regions, j: int, partner: int | None) -> Boolean:
    """What makes coordinate j the only winner, or one together with its partner."""
    how = dict.fromkeys(of.active, "beats" if partner is None else "holds")
    if partner is not None:
        how[partner] = "ties"
    terms = (_against(of, j, k, how[k]) for k in of.active if k != j)
    return sp.And(of.alpha[j] > _decimal(of.rho), *terms)


def _against(of: Regions, j: int, k: int, how: str) -> Boolean:
    """What makes coordinate j, above rho, beat k, tie with it, or hold its own."""
    alpha = of.alpha
    rho = _decimal(of.rho)
    ours = _decimal(abs(of.mu[j]))
    theirs = _decimal(abs(of.mu[k]))
    if of.depth > 2:
        line = rho + sp.root(ours / theirs, of.depth - 2) * (alpha[j] - rho)
        return {"beats": sp.Lt, "holds": sp.Le, "ties": sp.Eq}[how](alpha[k], line)
    if how == "ties":
        return sp.And(theirs == ours, alpha[k] > rho)
    weaker = theirs < ours if how == "beats" else theirs <= ours
    return sp.true if weaker else alpha[k] <= rho


def _decimal(value: float) -> sp.Rational:
    """The shortest decimal of a double, as a fraction."""
    return sp.Rational(repr(float(value)))
