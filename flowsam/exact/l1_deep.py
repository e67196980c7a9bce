"""l_1-SAM of three and more layers, one example, equal layers in one feature or two: who blows up.

rho is on the largest |g_j| = mu_j w_j^(L-1), shared by its layers, which come back to equality:

    w_j' = mu_j w_j^(L-2) (w_j - lambda_j c),   c = rho (L-1)/L,   sum lambda = 1 where they tie.

The one on top, j, is braked alone and the other, k, is free until they tie:

    mu_j tau = F(w_j(0)) - F(w_j),   F' = -w^(2-L)/(w - c),
    (L-2) mu_k tau = w_k(0)^(2-L) - w_k^(2-L).  Here times are in units of c^(2-L).

w_j > c: both grow. Where mu_j > mu_k feature j wins, else the first of those two blow-up times.
w_j < c: j falls until they tie; from there both fall to 0 iff w_1 + w_2 < c, else the larger mu
wins. (derivations/l1_deep.py)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from flowsam.exact.first_escape import TIE
from flowsam.labels import Label
from flowsam.shapes import Codes, Column, Float

QUIET: dict[str, Any] = {"over": "ignore", "divide": "ignore", "invalid": "ignore"}
SHORT = 0.5  # of c/w: below, the logarithm and its first terms cancel
TERMS = 60  # of the series there: 2^-60
POINTS = 200  # of a curve


def gate(rho: float, depth: int) -> float:
    """Return c."""
    return rho * (depth - 1) / depth


def lone_labels(size: Column, c: float) -> Codes:
    """Return 1, 0 or the separatrix for a feature alone."""
    return np.select([size > c, size < c], [1, 0], Label.SEPARATRIX)


@dataclass(frozen=True, eq=False)
class Duel:
    """Two features, mu > 0, equal layers."""

    mu: Float[np.ndarray, " 2"]
    rho: float
    depth: int

    @property
    def gate(self) -> float:
        """c."""
        return gate(self.rho, self.depth)

    @property
    def saddle(self) -> Float[np.ndarray, " 2"]:
        """Where they tie and w_1 + w_2 = c."""
        share = self.mu ** (-1 / (self.depth - 1))
        return self.gate * share / share.sum()

    def clock(self, w: Column) -> Column:
        """Return c^(L-2) F(w): beyond c the time to a blow-up, times mu; infinite at c.

        -log |1 - c/w| - sum_{0 < i < L-2} (c/w)^i / i
        """
        power = self.depth - 2
        with np.errstate(**QUIET):
            x = self.gate / np.asarray(w, dtype=float)
            whole = -np.log(np.abs(1.0 - x))
            whole = whole - sum(x**i / i for i in range(1, power))
            return np.where(x < SHORT, np.exp(self._log_short(x)), whole)

    def _log_short(self, x: Column) -> Column:
        """Return the log of the rest of the logarithm's series, x = c/w."""
        power = self.depth - 2
        orders = np.arange(TERMS)
        small = np.where(x < SHORT, x, SHORT)
        terms = small[..., None] ** orders / (power + orders)
        return power * np.log(small) + np.log(terms.sum(axis=-1))

    def free(self, w: Column, rate: Column | float) -> Column:
        """Return c^(L-2) times the time to a blow-up without a brake."""
        power = self.depth - 2
        with np.errstate(**QUIET):
            return (np.asarray(w) / self.gate) ** -power / (power * rate)

    def labels(self, w: Float[np.ndarray, "N 2"]) -> Codes:
        """Return 1 or 2 for the winner, 0, the separatrix, a tie; undecided beyond doubles."""
        power = self.depth - 2
        with np.errstate(**QUIET):
            logs = np.log(w / self.gate)
            lead = (np.log(self.mu) + (power + 1) * logs).argmax(axis=1)
            rows = np.arange(len(w))
            top = w[rows, lead]
            mine = self.mu[lead]
            theirs = self.mu[1 - lead]
            rises = top > self.gate
            own = self.clock(top)
            brief = np.where(
                top * SHORT > self.gate,
                self._log_short(self.gate / top),
                np.log(np.abs(own)),
            )
            later = -power * logs[rows, 1 - lead] - np.log(power * theirs)
            later = later - brief + np.log(mine)
            ahead = np.where(rises, later, self._late(w, lead))
        even = np.abs(ahead) <= TIE
        best = int(self.mu.argmax()) + 1
        if self.mu[0] == self.mu[1]:
            best = Label.TIE
        sure = rises & (mine > theirs)
        told = [
            (sure, lead + 1),
            (np.isnan(ahead), Label.UNDECIDED),
            (rises & even, Label.TIE),
            (rises & (ahead > 0), lead + 1),
            (even & ~rises, Label.SEPARATRIX),
            (rises | (ahead > 0), best),
        ]
        where, label = zip(*told, strict=True)
        return np.select(where, label, 0)

    def _late(self, w: Float[np.ndarray, "N 2"], lead: Codes) -> Column:
        """Return by how much the other is beyond the saddle when the falling one is there."""
        rows = np.arange(len(w))
        top = w[rows, lead]
        rate = self.mu[1 - lead]
        fall = self.clock(top) - self.clock(self.saddle)[lead]
        spent = fall / self.mu[lead]
        free = self.free(w[rows, 1 - lead], rate)
        due = self.free(self.saddle, self.mu)[1 - lead]
        gap = (due - (free - spent)) / (due + np.abs(spent))
        gap = np.where(top < self.saddle[lead], -1.0, gap)
        return np.where(spent == np.inf, np.inf, gap)

    def separatrix(self) -> Float[np.ndarray, "n 2"]:
        """Return the curve from (0, c) by the saddle to (c, 0)."""
        away = np.expm1(-np.geomspace(1e-6, 36.0, POINTS)) * -1.0
        halves = []
        for j in (0, 1):
            top = self.saddle[j] + (self.gate - self.saddle[j]) * away
            spent = (self.clock(top) - self.clock(self.saddle)[j]) / self.mu[j]
            left = self.free(self.saddle, self.mu)[1 - j] + spent
            halves.append(self._against(j, top, left))
        ends = self.gate * np.eye(2)
        first, second = halves
        return np.vstack([ends[1], second[::-1], self.saddle, first, ends[0]])

    def equal_times(self, reach: float) -> list[np.ndarray]:
        """Return the curves from (c, 0) on which both blow up at once; of equal mu both."""
        top = self.gate + (reach - self.gate) * np.geomspace(1e-12, 1.0, POINTS)
        minor = [
            j for j in (0, 1) if self.mu[j] <= self.mu[1 - j] and reach > self.gate
        ]
        return [
            np.vstack(
                [
                    self.gate * np.eye(2)[j],
                    self._against(j, top, self.clock(top) / self.mu[j]),
                ]
            )
            for j in minor
        ]

    def _against(
        self,
        j: int,
        top: Column,
        left: Column,
    ) -> Float[np.ndarray, "n 2"]:
        """Return points: j at top, the other with a time left to its free blow-up."""
        power = self.depth - 2
        points = np.empty((top.size, 2))
        points[:, j] = top
        rate = power * self.mu[1 - j]
        points[:, 1 - j] = self.gate * (rate * left) ** (-1 / power)
        return points
