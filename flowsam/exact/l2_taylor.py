"""Taylor series of the planar flow (tau, A) of l_2-SAM at L = 2, in a clock of its own scale.

With `unit` the largest rate that carries weight and `g = log(N / (rho unit))`, the clock `sigma =
unit tau + unit^2 A` is regular on the way through collapse as well as escape:

    unit dtau/dsigma = y,   unit^2 dA/dsigma = 1 - y,   y = expit(g).

The moments `F_m = sum_k weight_k (nu_k/unit)^m` have `F_m' = 2 y (F_{m+1} + F_{m+2}) - 2 F_{m+2}`:
one pass over the rates gives every derivative; the series of `engines.series` are convolved.
(derivations/l2_two_layer.py)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from flowsam.exact.l2_spectrum import BLOCK, Spectrum
from flowsam.shapes import Column, Float, Int

ORDER = 20
FEW = 1000  # rates of all starts whose powers are one small table
LIVE = -60.0  # log of the relative weight below which a rate is left out of the series
LONGEST = 16.0  # a step of the clock; beyond, rates below LIVE could grow unseen


@dataclass(frozen=True, eq=False)
class Pieces:
    """One Taylor expansion for each of b starts."""

    unit: Column  # the rate that sets the clock
    y: Float[np.ndarray, "order N"]  # coefficients of expit(g)
    # expit(-g) at the start of the step, without the cancellation of 1 - y
    z: Column
    g: Float[np.ndarray, "orderplus N"]  # its coefficients

    def select(self, rows: Int[np.ndarray, " c"]) -> Pieces:
        """Return the expansions of some of the starts."""
        return Pieces(self.unit[rows], self.y[:, rows], self.z[rows], self.g[:, rows])

    def advance(
        self, sigma: Float[np.ndarray, "*t N"]
    ) -> tuple[Float[np.ndarray, "*t N"], Float[np.ndarray, "*t N"]]:
        """Return the increments of tau and A after a stretch of the clock."""
        tail = _horner(self.y[1:] / np.arange(2, len(self.y) + 1)[:, None], sigma)
        return (self.y[0] + tail) * sigma / self.unit, (
            self.z - tail
        ) * sigma / self.unit**2

    def log_norm_gain(
        self, sigma: Float[np.ndarray, "*t N"]
    ) -> Float[np.ndarray, "*t N"]:
        """Return the change of log N after a stretch of the clock."""
        return _horner(self.g[1:], sigma)

    def log_norm_slope(self, sigma: Column) -> tuple[Column, Column]:
        """Return dg/dsigma after a stretch of the clock, the sign of N', and its derivative."""
        slope, bend = np.zeros((2, *sigma.shape))
        for k in range(self.g.shape[0] - 1, 0, -1):
            bend = bend * sigma + slope
            slope = slope * sigma + k * self.g[k]
        return slope, bend


def _moments(
    x: Float[np.ndarray, "N m"],
    weight: Float[np.ndarray, "N m"],
    count: int,
) -> Float[np.ndarray, "count N"]:
    """Moments 0 to count - 1 of the weights, a block of rates at a time."""
    if x.size <= FEW:
        powers = np.broadcast_to(x, (count, *x.shape)).copy()
        powers[0] = weight
        return np.multiply.accumulate(powers, axis=0).sum(axis=2)
    total = np.zeros((count, x.shape[0]))
    for start in range(0, x.shape[1], BLOCK):
        rate = x[:, start : start + BLOCK]
        power = weight[:, start : start + BLOCK].copy()
        for k in range(count):
            total[k] += power.sum(axis=1)
            power *= rate
    return total


def _horner(
    rows: Float[np.ndarray, "k N"], sigma: Float[np.ndarray, "*t N"]
) -> Float[np.ndarray, "*t N"]:
    """Return sum_k rows_k sigma^(k + 1); at one point in plain numbers, to the same last bit."""
    if sigma.size == 1:
        total = 0.0
        x = sigma.item()
        for row in rows[::-1, 0].tolist():
            total = (total + row) * x
        return np.full_like(sigma, total)
    sums = np.zeros_like(sigma)
    for row in rows[::-1]:
        sums = (sums + row) * sigma
    return sums


def _sums(left: Float[np.ndarray, "i *N"], right: Float[np.ndarray, "i *mb"]) -> Any:
    """Sum over i of the products; of one start, which has no axis, a product of matrices."""
    if left.ndim == 1:
        return left @ right
    return np.einsum("ib,i...b->...b", left, right)


def _series(
    moments: Float[np.ndarray, "count *N"], g: Float[np.ndarray, "*N"]
) -> tuple[Float[np.ndarray, "order *N"], Float[np.ndarray, "orderplus *N"]]:
    """Coefficients of y = expit(g) and of g, from the moments (moment 0 equal to 1)."""
    order = (moments.shape[0] - 1) // 2
    f = np.zeros((order + 1, *moments.shape))
    f[0] = moments
    both = np.zeros_like(f)  # F_{m+1} + F_{m+2}
    y, yz, dg = np.zeros((3, order, *g.shape))
    y[0] = expit(g)
    balance = expit(-g) - expit(g)
    yz[0] = y[0] * expit(-g)
    for k in range(order):
        width = 2 * (order - k) - 1
        both[k, :width] = f[k, 1 : width + 1] + f[k, 2 : width + 2]
        growth = _sums(y[k::-1], both[: k + 1, :width])
        f[k + 1, :width] = (growth - f[k, 2 : width + 2]) * (2 / (k + 1))
        # 2 g' F_0 = F_0', and y' = y (1 - y) g'
        dg[k] = f[k + 1, 0] * ((k + 1) / 2) - _sums(dg[:k], f[k:0:-1, 0])
        if k + 1 < order:
            y[k + 1] = _sums(yz[k::-1], dg[: k + 1]) / (k + 1)
            square = _sums(y[1 : k + 1], y[k:0:-1])
            yz[k + 1] = y[k + 1] * balance - square
    dg = (dg.T / np.arange(1, order + 1)).T
    return y, np.concatenate([g[None], dg])


def expand(
    spectrum: Spectrum,
    exponents: Float[np.ndarray, "N m"],
    *,
    order: int = ORDER,
) -> Pieces:
    """Return the Taylor expansions at one point for each of some starts."""
    top = exponents.max(axis=1)
    exponents = exponents - top[:, None]
    live = exponents > LIVE
    weight = np.where(live, np.exp(exponents), 0.0)
    unit = np.where(live, np.abs(spectrum.nu), 0.0).max(axis=1)
    moments = _moments(spectrum.nu / unit[:, None], weight, 2 * order + 1)
    g = (top + np.log(moments[0])) / 2 - np.log(unit)
    moments = moments / moments[0]
    if g.size == 1:
        y, g = (x[:, None] for x in _series(moments[:, 0], g.reshape(())))
    else:
        y, g = _series(moments, g)
    return Pieces(unit, y, expit(-g[0]), g)
