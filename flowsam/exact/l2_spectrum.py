"""The gradient norm of l_2-SAM at L = 2, one example, as a sum of exponentials.

With A = int rho/N dtau and N = ||mu w|| that of the rescaled gradient,

    (N/rho)^2 = sum_k exp(log_weight_k + 2 nu_k tau - 2 nu_k^2 A),

a positive measure on signed rates: nu = mu_j carries s_j = u + v, -mu_j carries e_j = u - v. Signs
of mu, zero weights and idle coordinates need no case of their own. (derivations/l2_two_layer.py)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.inputs import real_example
from flowsam.network import checked_theta
from flowsam.shapes import Codes, Column, Float, Vector

# of the rates: their squares and 1/squares stay in the range of doubles
SMALLEST = 1e-140
BLOCK = 32768  # rates summed at a time: a block and its powers stay in cache


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The measure on signed rates behind `N(tau, A)`, for many starts with one `mu`."""

    nu: Float[np.ndarray, " m"]  # rates, non-zero, in units of 1/tau
    # log(nu^2 amplitude^2 / (2 rho^2)); -inf where a start lacks the rate
    log_weight: Float[np.ndarray, "starts m"]

    def exponents(
        self,
        rows: Codes,
        tau: Column,
        a: Column,
    ) -> Float[np.ndarray, "N m"]:
        """Return the exponents of `(N/rho)^2` for some starts, each at its own `(tau, A)`."""
        drift = 2 * self.nu * (tau[:, None] - self.nu * a[:, None])
        return self.log_weight[rows] + drift

    def log_norm(
        self,
        rows: Codes,
        tau: Column,
        a: Column,
    ) -> Column:
        """Return `log(N/rho)` at one point for each of some starts."""
        return log_sum(self.exponents(rows, tau, a)) / 2


def log_sum(exponents: Float[np.ndarray, "N m"]) -> Column:
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
    if not kept.all():
        nu = nu[kept]
        amplitude = amplitude[:, kept]
    extreme = nu[(np.abs(nu) < SMALLEST) | (np.abs(nu) > 1 / SMALLEST)]
    if extreme.size:
        raise InputError(
            f"l_2-SAM at L = 2 needs {SMALLEST:g} <= |mu_j| <= {1 / SMALLEST:g} unless mu_j = 0, "
            f"got {abs(extreme[0]):g}: A, about 1/mu^2, has to be a double; scale the features"
        )
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        # one rounding of the ratio costs less than those of two large logarithms
        log_weight = np.log(np.abs(amplitude) / rho)
        if not (plain := np.isfinite(log_weight)).all():
            log_weight = np.where(
                plain, log_weight, np.log(np.abs(amplitude)) - np.log(rho)
            )
    log_weight += np.log(np.abs(nu) / np.sqrt(2))
    log_weight *= 2
    return Spectrum(nu, log_weight)
