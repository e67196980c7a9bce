"""The scalar equation of l_2-SAM at L = 2 in balls, and the states that decide.

A' = rho/N(tau, A), (N/rho)^2 = sum_k weight_k exp(2 nu_k (tau - nu_k A)), over rates nu = mu_j of
s_j = u_j + v_j and -mu_j of e_j = u_j - v_j. (derivations/l2_two_layer.py)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import mul
from typing import Any

import numpy as np

from flowsam.certify.balls import Place, Row, arb, each, objects
from flowsam.labels import Label
from flowsam.shapes import Codes, Starts, Vector


@dataclass(frozen=True, eq=False)
class TwoLayers:
    """One start's equation."""

    rates: Row  # nu_k, of both signs
    weights: Row  # (nu_k a_k / rho)^2 / 2
    winner: int  # the label of an escape

    @property
    def start(self) -> tuple[arb, ...]:
        """Return A at the start."""
        return (arb(0),)

    @cached_property
    def doubles(self) -> Row:
        """Return 2 nu."""
        return 2 * self.rates

    @cached_property
    def brakes(self) -> Row:
        """Return 2 nu^2."""
        return 2 * self.rates**2

    @property
    def units(self) -> tuple[float, ...]:
        """Return the size of A below which no exponent moves."""
        fastest = max((abs(float(nu)) for nu in self.rates), default=1.0)
        return (1 / fastest**2,)

    @property
    def patience(self) -> float:
        """Return the share of tau below which a step is none: stiff parts are passed."""
        return 2.0**-40

    def terms(self, tau: Place, a: Place) -> list[Any]:
        """Return the terms of (N/rho)^2."""
        pairs = zip(self.weights, self.doubles, self.brakes, strict=True)
        return [weight * (nu * tau - brake * a).exp() for weight, nu, brake in pairs]

    def slope(self, x: Place, y: Sequence[Place]) -> list[Any]:
        """Return dA/dtau."""
        return [sum(self.terms(x, y[0])).rsqrt()]

    def slope_and_jacobian(self, tau: Place, a: Place) -> tuple[Any, Any]:
        """Return dA/dtau and how it grows with A."""
        terms = self.terms(tau, a)
        slope = sum(terms).rsqrt()
        brake = sum(map(mul, self.brakes, terms))
        return slope, brake * slope * slope * slope / 2

    def decided(self, x: arb, y: Sequence[arb]) -> int | None:
        """Return the proved label: N' > 0 is escape, N <= rho min {nu > 0} collapse."""
        growing = [nu for nu in self.rates if nu > 0]
        if not growing:
            return Label.ZERO
        terms = objects(self.terms(x, y[0]))
        norm = terms.sum().sqrt()
        if norm <= min(growing, key=float):
            return Label.ZERO
        pull = (self.rates * terms).sum()
        brake = (self.rates * self.rates * terms).sum()
        return self.winner if pull * norm > brake else None


def two_layers(
    theta: Sequence[Sequence[float]],
    mu: Sequence[float],
    rho: float,
    *,
    scale: float = 1.0,
) -> TwoLayers:
    """Return the equation of a start times a scale, all doubles taken exactly."""
    m = each(arb, np.array(mu))
    u, v = each(arb, np.array(theta))
    times: Any = arb(scale)
    radius: Any = arb(rho)
    rates = np.stack([m, -m], axis=1).ravel()
    # a sum of two doubles that is 0 is exact, whatever the precision
    amplitudes = np.stack([u + v, u - v], axis=1).ravel()
    moving = ~((rates == 0) | (amplitudes == 0))
    rates = rates[moving]
    sizes = rates * amplitudes[moving] * times / radius
    winner = winners(np.array([theta]), np.array(mu))[0]
    return TwoLayers(rates, sizes**2 / 2, int(winner))


def winners(starts: Starts, mu: Vector) -> Codes:
    """Return the label of each start if it escapes: the largest |mu_j| with s_j != 0, or a tie."""
    u = starts[:, 0]
    v = starts[:, 1]
    grows = np.where(mu > 0, u != -v, u != v) & (mu != 0)
    size = np.where(grows, np.abs(mu), -1.0)
    first = size == size.max(axis=1, keepdims=True)
    return np.where(first.sum(axis=1) > 1, Label.TIE, first.argmax(axis=1) + 1)
