"""l_1-SAM of three and more layers, one example, equal layers in one feature or two: who blows up.

rho is on the largest |g_j| = mu_j w_j^(L-1), shared by its layers, which come back to equality:

    w_j' = mu_j w_j^(L-2) (w_j - lambda_j c),   c = rho (L-1)/L,   sum lambda = 1 where they tie.

The one on top, j, is braked alone and the other, k, is free until they tie:

    mu_j tau = F(w_j(0)) - F(w_j),   F' = -w^(2-L)/(w - c),
    (L-2) mu_k tau = w_k(0)^(2-L) - w_k^(2-L).

w_j > c: both grow. Where mu_j > mu_k feature j wins, else the first of those two blow-up times.
w_j < c: j falls until they tie; from there both fall to 0 iff w_1 + w_2 < c, else the larger mu
wins. (derivations/l1_deep.py)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowsam.exact.first_escape import TIE
from flowsam.labels import Label
from flowsam.shapes import Float, Int

__all__ = ["Duel", "gate", "lone_labels"]

Row = Float[np.ndarray, " N"]
SHORT = 0.5  # of c/w: below, the logarithm and its first terms cancel
TERMS = 60  # of the series there: 2^-60


def gate(rho: float, depth: int) -> float:
    """Return c."""
    return rho * (depth - 1) / depth


def lone_labels(size: Row, c: float) -> Int[np.ndarray, " N"]:
    """Return 1, 0 or the separatrix for a feature alone."""
    return np.select([size > c, size < c], [1, 0], int(Label.SEPARATRIX))


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

    def clock(self, w: Row) -> Row:
        """Return F(w), 0 at infinity and infinite at c: the time to a blow-up, times mu, beyond c.

        c^(2-L) (-log |1 - c/w| - sum_{0 < i < L-2} (c/w)^i / i)
        """
        power = self.depth - 2
        x = self.gate / np.asarray(w, dtype=float)
        orders = np.arange(power, power + TERMS)
        small = np.where(x < SHORT, x, 0.0)
        series = (small[..., None] ** orders / orders).sum(axis=-1)
        with np.errstate(divide="ignore"):
            whole = -np.log(np.abs(1.0 - x))
        whole = whole - sum(x**i / i for i in range(1, power))
        return np.where(x < SHORT, series, whole) / self.gate**power

    def free(self, w: Row, rate: Row | float) -> Row:
        """Return the time to a blow-up without a brake."""
        power = self.depth - 2
        return w ** (-power) / (power * rate)

    def labels(self, w: Float[np.ndarray, "N 2"]) -> Int[np.ndarray, " N"]:
        """Return 1 or 2 for the winner, 0, the separatrix, or a tie of both."""
        lead = (self.mu * w ** (self.depth - 1)).argmax(axis=1)
        rows = np.arange(len(w))
        top = w[rows, lead]
        other = w[rows, 1 - lead]
        mine = self.mu[lead]
        theirs = self.mu[1 - lead]
        rises = top > self.gate
        free = self.free(other, theirs)
        own = self.clock(top) / mine
        # falling: what the other has left at the saddle's time, against its time from the saddle
        spent = own - self.clock(self.saddle)[lead] / mine
        due = self.free(self.saddle[1 - lead], theirs)
        ahead = np.where(rises, free - own, due - free + spent)
        scale = np.where(rises, own, due + np.abs(spent))
        even = np.isfinite(ahead)
        even &= np.abs(ahead) <= TIE * scale
        best = int(self.mu.argmax()) + 1
        if self.mu[0] == self.mu[1]:
            best = int(Label.TIE)
        label = np.where(ahead > 0, best, 0)
        label[even] = Label.SEPARATRIX
        label[rises] = best
        wins = rises & ((mine > theirs) | (ahead > 0))
        label[wins] = lead[wins] + 1
        label[rises & even & (mine <= theirs)] = Label.TIE
        return label

    def separatrix(self, count: int = 200) -> Float[np.ndarray, "n 2"]:
        """Return the curve from (0, c) by the saddle to (c, 0)."""
        away = np.expm1(-np.geomspace(1e-6, 36.0, count)) * -1.0
        halves = []
        for j in (0, 1):
            top = self.saddle[j] + (self.gate - self.saddle[j]) * away
            spent = (self.clock(top) - self.clock(self.saddle)[j]) / self.mu[j]
            left = self.free(self.saddle, self.mu)[1 - j] + spent
            halves.append(self._against(j, top, left))
        ends = self.gate * np.eye(2)
        first, second = halves
        return np.vstack([ends[1], second[::-1], self.saddle, first, ends[0]])

    def equal_times(self, reach: float, count: int = 200) -> list[np.ndarray]:
        """Return the curves from (c, 0) on which both blow up at once; of equal mu both."""
        top = self.gate + (reach - self.gate) * np.geomspace(1e-12, 1.0, count)
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

    def _against(self, j: int, top: Row, left: Row) -> Float[np.ndarray, "n 2"]:
        """Return points: j at top, the other with a time left to its free blow-up."""
        power = self.depth - 2
        points = np.empty((top.size, 2))
        points[:, j] = top
        points[:, 1 - j] = (power * self.mu[1 - j] * left) ** (-1 / power)
        return points
