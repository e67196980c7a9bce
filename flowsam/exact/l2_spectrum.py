"""The planar flow (tau, A) of l_2-SAM at L = 2: N as a sum of exponentials, and Taylor series.

With A = int rho/N dtau and N = ||mu w|| that of the rescaled gradient,

    (N/rho)^2 = sum_k exp(log_weight_k + 2 nu_k tau - 2 nu_k^2 A),

a positive measure on signed rates: nu = mu_j carries s_j = u + v, -mu_j carries e_j = u - v. Signs
of mu, zero weights and idle coordinates need no case of their own.

With `unit` the largest rate that carries weight and `g = log(N / (rho unit))`, the clock `sigma =
unit tau + unit^2 A` is regular on the way through collapse as well as escape:

    unit dtau/dsigma = y,   unit^2 dA/dsigma = 1 - y,   y = expit(g).

The moments `F_m = sum_k weight_k (nu_k/unit)^m` have `F_m' = 2 y (F_{m+1} + F_{m+2}) - 2 F_{m+2}`:
one pass over the rates gives every derivative; the series of `engines.series` are convolved.
(derivations/l2_two_layer.py)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.polynomial.polynomial import polyval
from numpy.typing import ArrayLike
from scipy.special import expit

from flowsam.errors import InputError
from flowsam.inputs import real_example
from flowsam.network import checked_theta
from flowsam.shapes import Chosen, Codes, Column, Float, Int, Vector

# of the rates: their squares and 1/squares stay in the range of doubles
SMALLEST = 1e-140
BLOCK = 32768  # rates summed at a time: a block and its powers stay in cache
FEW = 1000  # rates of all starts whose powers are one small table
ORDER = 20
LIVE = -60.0  # log of the relative weight below which a rate is left out of the series
LONGEST = 16.0  # a step of the clock; beyond, rates below LIVE could grow unseen
PerRate = Float[np.ndarray, "N m"]
Moved = Float[np.ndarray, "*t N"]


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The measure on signed rates behind `N(tau, A)`, for many starts with one `mu`."""

    nu: Float[np.ndarray, " m"]  # rates, non-zero, in units of 1/tau
    # log(nu^2 amplitude^2 / (2 rho^2)); -inf where a start lacks the rate
    log_weight: Float[np.ndarray, "starts m"]

    @cached_property
    def log_gate(self) -> Float[np.ndarray, " starts"]:
        """`log min {mu_j : s_j != 0}`, log(N/rho) at the saddle; inf without s."""
        grows = (self.nu > 0) & np.isfinite(self.log_weight)
        return np.log(np.where(grows, self.nu, np.inf).min(axis=1))


def log_sum(exponents: PerRate) -> Column:
    """Return the log of the sum of exponentials in each row, shifted by the largest."""
    top = exponents.max(axis=1)
    return top + np.log(np.exp(exponents - top[:, None]).sum(axis=1))


def positive_radius(rho: float) -> float:
    """Return rho as a positive float."""
    if not 0 < rho < np.inf:
        raise InputError(
            f"needs to be finite and > 0, got {rho}; at 0 every start escapes",
            of="rho",
        )
    return float(rho)


def checked_start(
    theta0: ArrayLike,
    mu: ArrayLike,
    rho: float,
) -> tuple[Float[np.ndarray, "*batch 2 d"], Vector, float]:
    """Return starts, example and radius as floats, or say what is wrong with them."""
    mu = real_example(mu)
    theta0 = checked_theta(theta0, mu.size)
    if theta0.shape[-2] != 2:
        raise InputError(
            f"the l_2 curve needs two layers, got {theta0.shape[-2]}; see solve"
        )
    return theta0, mu, positive_radius(rho)


def spectrum_of(
    theta: Float[np.ndarray, "starts 2 d"],
    mu: Vector,
    rho: float,
) -> Spectrum:
    """Return the measure of a batch of starts; rates that no start carries are left out."""
    amplitude = np.concatenate(
        [theta[:, 0] + theta[:, 1], theta[:, 0] - theta[:, 1]], axis=1
    )
    nu = np.concatenate([mu, -mu])
    kept = (nu != 0) & (amplitude != 0).any(axis=0)
    if not kept.any():  # at the origin: one rate that carries nothing
        return Spectrum(np.ones(1), np.full((theta.shape[0], 1), -np.inf))
    nu = nu[kept]
    size = np.abs(amplitude[:, kept])
    extreme = nu[(np.abs(nu) < SMALLEST) | (np.abs(nu) > 1 / SMALLEST)]
    if extreme.size:
        raise InputError(
            f"l_2-SAM at L = 2 needs {SMALLEST:g} <= |mu_j| <= {1 / SMALLEST:g} unless mu_j = 0, "
            f"got {abs(extreme[0]):g}: A, about 1/mu^2, has to be a double; scale the features"
        )
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        # one rounding of the ratio costs less than those of two large logarithms
        log_weight = np.log(size / rho)
        apart = np.log(size) - np.log(rho)
    log_weight = np.where(np.isfinite(log_weight), log_weight, apart)
    log_weight += np.log(np.abs(nu) / np.sqrt(2))
    log_weight *= 2
    return Spectrum(nu, log_weight)


@dataclass(frozen=True, eq=False)
class Front:
    """Where each of some starts has got to."""

    spectrum: Spectrum
    rows: Codes  # which of its starts
    tau: Column
    a: Column

    @cached_property
    def exponents(self) -> PerRate:
        """Of (N/rho)^2, at each start's own `(tau, A)`."""
        nu = self.spectrum.nu
        drift = 2 * nu * (self.tau[:, None] - nu * self.a[:, None])
        return self.spectrum.log_weight[self.rows] + drift

    @cached_property
    def log_norm(self) -> Column:
        """log(N/rho), N > 0."""
        return log_sum(self.exponents) / 2

    @property
    def log_gate(self) -> Column:
        """log(N/rho) at the saddle."""
        return self.spectrum.log_gate[self.rows]

    @cached_property
    def weight(self) -> PerRate:
        """The measure, of sum 1."""
        return np.exp(self.exponents - 2 * self.log_norm[:, None])

    @property
    def square(self) -> Column:
        """The mean of nu^2, -d log N / dA."""
        return self.weight @ self.spectrum.nu**2

    @cached_property
    def slope(self) -> Column:
        """d log N / dtau, the mean of `nu (1 - rho nu / N)` over the measure."""
        with np.errstate(over="ignore"):
            inverse = np.exp(-self.log_norm)
        return self.weight @ self.spectrum.nu - inverse * self.square

    def select(self, some: Chosen | Codes) -> Front:
        """Return the front of some of the starts."""
        front = Front(self.spectrum, self.rows[some], self.tau[some], self.a[some])
        # the costly ones, known by now
        vars(front).update(exponents=self.exponents[some], log_norm=self.log_norm[some])
        return front


@dataclass(frozen=True, eq=False)
class Pieces:
    """One Taylor expansion for each of b starts."""

    tau: Column  # where it begins
    a: Column
    length: Column  # in the clock
    unit: Column  # the rate that sets the clock
    y: Float[np.ndarray, "order N"]  # coefficients of expit(g)
    # expit(-g) at the start of the step, without the cancellation of 1 - y
    z: Column
    g: Float[np.ndarray, "orderplus N"]  # its coefficients

    @classmethod
    def none(cls) -> Pieces:
        """Return the expansions of no start."""
        no = np.zeros(0)
        y = np.zeros((ORDER, 0))
        return cls(no, no, no, no, y, no, np.zeros((ORDER + 1, 0)))

    def select(self, rows: Int[np.ndarray, " c"]) -> Pieces:
        """Return the expansions of some of the starts."""
        return Pieces(*(part[..., rows] for part in vars(self).values()))

    def advance(self, sigma: Moved) -> tuple[Moved, Moved]:
        """Return the increments of tau and A after a stretch of the clock."""
        rest = self.y[1:] / np.arange(2, len(self.y) + 1)[:, None]
        tail = _horner(rest, sigma) * sigma
        dtau = (self.y[0] + tail) * sigma / self.unit
        return dtau, (self.z - tail) * sigma / self.unit**2

    def at(self, sigma: Moved) -> tuple[Moved, Moved]:
        """Return tau and A there."""
        dtau, da = self.advance(sigma)
        return self.tau + dtau, self.a + da

    def log_norm_gain(self, sigma: Moved) -> Moved:
        """Return the change of log N after a stretch of the clock."""
        return _horner(self.g[1:], sigma) * sigma

    def log_norm_slope(self, sigma: Column) -> tuple[Column, Column]:
        """Return dg/dsigma after a stretch of the clock, the sign of N', and its derivative."""
        k = np.arange(1, len(self.g))[:, None]
        slope = k * self.g[1:]
        bend = np.zeros_like(slope)
        bend[:-1] = k[:-1] * slope[1:]
        slope, bend = polyval(sigma, np.stack([slope, bend], axis=1), tensor=False)
        return slope, bend


def _horner(rows: Float[np.ndarray, "k N"], sigma: Moved) -> Moved:
    """Return sum_k rows_k sigma^k; at one point in plain numbers, which are quicker."""
    if sigma.size != 1:
        return polyval(sigma, rows, tensor=False)
    total = 0.0
    x = sigma.item()
    for row in rows[::-1, 0].tolist():
        total = total * x + row
    return np.full_like(sigma, total)


def _moments(
    x: PerRate,
    weight: PerRate,
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


def expand(front: Front, *, order: int = ORDER) -> Pieces:
    """Return the Taylor expansions at a front, as long as the clock is safe."""
    top = front.exponents.max(axis=1)
    exponents = front.exponents - top[:, None]
    live = exponents > LIVE
    nu = front.spectrum.nu
    weight = np.where(live, np.exp(exponents), 0.0)
    unit = np.where(live, np.abs(nu), 0.0).max(axis=1)
    moments = _moments(nu / unit[:, None], weight, 2 * order + 1)
    g = (top + np.log(moments[0])) / 2 - np.log(unit)
    moments = moments / moments[0]
    if g.size == 1:
        y, g = (x[:, None] for x in _series(moments[:, 0], g.reshape(())))
    else:
        y, g = _series(moments, g)
    length = np.full(unit.shape, LONGEST)
    return Pieces(front.tau, front.a, length, unit, y, expit(-g[0]), g)
