"""Sizes of the coordinates along one path of l_2-SAM at L = 2, with bounds over a stretch of it.

    log|beta_j| = log|s_j^2 e^{2 mu_j tau} - e_j^2 e^{-2 mu_j tau}| - 2 mu_j^2 A - log 4,

s = u + v, e = u - v (exchanged where mu_j < 0). tau, A, the bracket, its logarithmic derivative
and, between the turns of N, rho/N are monotone: the ends of a stretch enclose sizes and slopes on
it. (derivations/l2_amplification_in_time.py)
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq

from flowsam.exact.l2_curve import Curve
from flowsam.exact.l2_spectrum import Front
from flowsam.labels import Fate
from flowsam.shapes import Bool, Float

DOUBLINGS = 60  # of the time after which A no longer changes

Sizes = Float[np.ndarray, " m"]


@dataclass(frozen=True, eq=False)
class Point:
    """A point of the path."""

    x: float  # parameter of the path
    tau: float
    a: float
    pull: float  # rho/N
    free: Sizes  # sizes without damping, up to log 4
    rate: Sizes  # their derivatives, 2 mu coth
    size: Sizes  # up to log 4
    slope: Sizes  # d size/dtau; where beta_j = 0, the part of it that stays finite
    onset: Sizes  # where beta_j = 0 a time t ago: size - log t as t -> 0; elsewhere 0

    def first(self, side: int) -> int:
        """Return the leader; of equal sizes the one that leads just after, or just before."""
        return int(np.lexsort((side * self.slope, self.onset, self.size))[-1])


@dataclass(frozen=True, eq=False)
class SizePath:
    """The sizes of m coordinates along the path of one start; x is k to k + 1 on piece k."""

    curve: Curve  # of one start, run to its end
    mu: Sizes  # |mu| of the coordinates that count
    # log s^2 and log e^2, exchanged where mu < 0; -inf where 0, not both
    log_squares: Float[np.ndarray, "2 m"]
    offset: Sizes  # added to the sizes: 0, or log|mu| for contributions to the margin

    @cached_property
    def _turn(self) -> tuple[float, float]:
        """Where N is least on the way (0 if it only falls), and rho/N there."""
        turn = float(self.curve.turning_time())
        turn = turn if np.isfinite(turn) else 0.0
        with np.errstate(over="ignore"):
            return turn, float(np.exp(-self.curve.log_norm_at(turn)))

    def point(self, x: float) -> Point:
        """Return a point of the path."""
        last = self.curve.pieces.tau.size
        piece = min(int(x), last - 1)
        part = self.curve.pieces.select(np.array([piece]))
        taus, at = part.at(part.length * min(x - piece, 1.0))
        taus = taus * 2.0 ** max(x - last, 0.0)
        log_norm = Front(self.curve.spectrum, np.array([0]), taus, at).log_norm[0]
        tau = float(taus[0])
        a = float(at[0])
        p, q = self.log_squares + 2 * np.array([[tau], [-tau]]) * self.mu
        square = 2 * self.mu**2
        at_zero = p == q
        with np.errstate(divide="ignore", over="ignore"):  # inf is a bound too
            pull = float(np.exp(-log_norm))
            free = np.maximum(p, q) + np.log(-np.expm1(-np.abs(p - q))) + self.offset
            rate = 2 * self.mu / np.tanh((p - q) / 2)
            slope = np.where(at_zero, 0.0, rate) - square * pull
        onset = np.where(
            at_zero, np.log(4 * self.mu) + p + self.offset - square * a, 0.0
        )
        return Point(x, tau, a, pull, free, rate, free - square * a, slope, onset)

    def slopes(self, a: Point, b: Point, j: int) -> tuple[Sizes, Sizes]:
        """Return bounds of the slope of `size_j - size_k` over a stretch."""
        turn, highest = self._turn
        turned = a.tau < turn < b.tau
        pulls = np.array([min(a.pull, b.pull), max(a.pull, b.pull, turned * highest)])
        low = np.minimum(a.rate, b.rate)
        high = np.maximum(a.rate, b.rate)
        jump = np.where(a.rate * b.rate < 0, np.nan, 0.0)
        # both 0 at a: 0 < 2 mu coth(2 mu t) - 1/t < 2 mu min(1, 2 mu t/3), and 1/t cancels
        begin = np.isneginf(a.size) & np.isneginf(a.size[j])
        double = 2 * self.mu
        excess = double * np.minimum(1.0, double * (b.tau - a.tau) / 3)
        with np.errstate(over="ignore", invalid="ignore"):
            damping = (
                -2 * (self.mu[j] ** 2 - self.mu**2) * pulls[:, None] + jump + jump[j]
            )
            least = np.where(begin, -excess, low[j] - high) + damping.min(axis=0)
            return least, np.where(begin, excess[j], high[j] - low) + damping.max(
                axis=0
            )

    def ahead(self, a: Point, b: Point, j: int) -> Bool[np.ndarray, " m"]:
        """Return over which coordinates j certainly leads all through the open stretch."""
        least, most = self.slopes(a, b, j)
        damping = -2 * (self.mu[j] ** 2 - self.mu**2) * np.array([[a.a], [b.a]])
        lowest = -np.inf if a.rate[j] * b.rate[j] < 0 else min(a.free[j], b.free[j])
        begin = np.isneginf(a.size) & np.isneginf(a.size[j])
        length = b.tau - a.tau
        with np.errstate(invalid="ignore"):
            at_a = np.where(begin, a.onset[j] - a.onset, a.size[j] - a.size)
            at_b = b.size[j] - b.size
            proved = lowest - np.maximum(a.free, b.free) + damping.min(axis=0) > 0
            proved |= at_a + np.minimum(0, least) * length > 0
            proved |= at_b - np.maximum(0, most) * length > 0
        proved |= ((at_a >= 0) & (least > 0)) | ((at_b >= 0) & (most < 0))
        proved[j] = True
        return proved

    def crossing(self, a: Point, b: Point, pair: tuple[int, int]) -> float:
        """Return the time at which the second of a pair passes the first, once, on a stretch."""

        def lead(x: float) -> float:
            here = self.point(x)
            return float(here.size[pair[0]] - here.size[pair[1]])

        return self.point(float(brentq(lead, a.x, b.x, xtol=1e-15, rtol=1e-15))).tau

    def stretches(self) -> list[tuple[Point, Point]]:
        """Return the pieces, and after an escape what more it takes to see the last leader."""
        points = [self.point(float(x)) for x in range(self.curve.pieces.tau.size + 1)]
        log_s = self.log_squares[0]
        alive = np.isfinite(log_s)
        if self.curve.outcome == Fate.ESCAPE:
            strongest = np.lexsort((log_s, np.where(alive, self.mu, 0)))[-1]
            for _ in range(DOUBLINGS):
                end = points[-1]
                if end.first(1) == strongest and (end.rate[alive] > 0).all():
                    break
                points.append(self.point(end.x + 1.0))
        return list(zip(points[:-1], points[1:], strict=True))
