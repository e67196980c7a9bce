"""The inequalities between sizes that make a balanced start end at a label, in SymPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy as sp
from sympy.logic.boolalg import Boolean

from flowsam.labels import Label
from flowsam.shapes import Vector


@dataclass(frozen=True, eq=False)
class Conditions:
    """The conditions of one example, radius and depth."""

    mu: Vector
    rho: float
    depth: int

    def of(self, label: int) -> Boolean:
        """Return the condition of a label."""
        active = self._active
        if label >= 1:
            return self._wins(label - 1, None)
        if label == Label.TIE:
            pairs = ((j, k) for j in active for k in active if j < k)
            return sp.Or(*(self._wins(*pair) for pair in pairs))
        return self._held(on_edge=label == Label.SEPARATRIX)

    def _held(self, *, on_edge: bool) -> Boolean:
        """What keeps all at rho or below: one at rho, or, as even L asks, none."""
        rho = _decimal(self.rho)
        alpha = [self._alpha[j] for j in self._active]
        within = sp.And(*(a <= rho for a in alpha))
        if on_edge:
            return sp.And(within, sp.Or(*(sp.Eq(a, rho) for a in alpha)))
        return within if self.depth % 2 else sp.And(*(a < rho for a in alpha))

    @property
    def _alpha(self) -> tuple[sp.Symbol, ...]:
        """Symbols of the sizes."""
        return sizes(self.mu.size)

    @property
    def _active(self) -> list[int]:
        """Coordinates with mu_j != 0, counted from 0."""
        return [int(j) for j in np.flatnonzero(self.mu)]

    def _wins(self, j: int, partner: int | None) -> Boolean:
        """What makes coordinate j the only winner, or one together with its partner."""
        how = dict.fromkeys(self._active, "beats" if partner is None else "holds")
        if partner is not None:
            how[partner] = "ties"
        terms = (self._against(j, k, how[k]) for k in self._active if k != j)
        return sp.And(self._alpha[j] > _decimal(self.rho), *terms)

    def _against(self, j: int, k: int, how: str) -> Boolean:
        """What makes coordinate j, above rho, beat k, tie with it, or hold its own."""
        alpha = self._alpha
        rho = _decimal(self.rho)
        ours = _decimal(abs(self.mu[j]))
        theirs = _decimal(abs(self.mu[k]))
        if self.depth > 2:
            line = rho + sp.root(ours / theirs, self.depth - 2) * (alpha[j] - rho)
            return {"beats": sp.Lt, "holds": sp.Le, "ties": sp.Eq}[how](alpha[k], line)
        if how == "ties":
            return sp.And(theirs == ours, alpha[k] > rho)
        weaker = theirs < ours if how == "beats" else theirs <= ours
        return sp.true if weaker else alpha[k] <= rho


def sizes(d: int) -> tuple[sp.Symbol, ...]:
    """Return the symbols alpha_1 to alpha_d, positive."""
    return sp.symbols(f"alpha_1:{d + 1}", positive=True)


def _decimal(value: float) -> sp.Rational:
    """The shortest decimal of a double, as a fraction."""
    return sp.Rational(repr(float(value)))
