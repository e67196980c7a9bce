"""`Flow.field` of smooth rules on thousands of starts: no checks, and batch last, (L, d, B).

Each operation runs over long rows, several times faster where L and d are small.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from flowsam.engines.tied_field import tied_field
from flowsam.flow import Flow
from flowsam.losses import log_mean_exp, softmax
from flowsam.network import other_products
from flowsam.shapes import Float, PerExample, Theta

Weights = Float[np.ndarray, "L d B"]
Field = Callable[[Weights], Weights]
others = partial(other_products, layers_first=True)
DEEP = 8  # from here on the squares of a product of weights may underflow


def lean_field(flow: Flow, rtol: float = 1e-9) -> Field:
    """Return `w (L, d, B) -> dw/dtau (L, d, B)`, equal to `flow.field` up to rounding."""
    rule = flow.perturbation
    if flow.kind == "l_1" and len(flow.data.z) == 1:
        return tied_field(flow.mu, rule.rho, rtol)
    if flow.kind in ("own", "adaptive", "adaptive l_inf"):
        return lambda w: np.moveaxis(flow.field(np.moveaxis(w, -1, 0)), 0, -1)
    descent = lean_descent(flow)
    if not rule.rho:
        return descent
    away = (
        _scaled(flow, descent)
        if not rule.normalised
        else _normalised(rule.p, rule.rho, descent)
    )

    def field(w: Weights) -> Weights:
        step = away(w)
        return descent(np.subtract(w, step, out=step))

    return field


def single_field(flow: Flow) -> Callable[[Theta], Theta]:
    """Return `flow.field` of one state (L, d) without its checks and without the clock."""
    rule = flow.perturbation
    if flow.kind == "own" or not rule.normalised:
        return flow.field
    if len(flow.data.z) > 1:
        rates = single_rates(flow)
        return lambda w: rates(w)[0]
    hat = _perturbed(flow)
    mu = flow.mu
    return lambda w: mu * others(hat(w))


def single_rates(flow: Flow) -> Callable[[Theta], tuple[Theta, Any]]:
    """Return `flow.rates` of one state (L, d) and several examples without its checks."""
    if flow.own_field or not flow.perturbation.normalised:
        return flow.rates
    z = flow.data.z
    hat = _perturbed(flow)
    shares = single_shares(flow)
    ones = np.ones(len(z))

    def rates(w: Theta) -> tuple[Theta, float]:
        products, raised, top = shares(hat(w))
        total = raised.dot(ones)
        return raised.dot(z) / total * products, top + math.log(total / len(z))

    return rates


def single_shares(flow: Flow) -> Callable[[Theta], tuple[Theta, PerExample, float]]:
    """Return products of other layers, the slopes over the steepest, and the log of that."""
    z = flow.data.z
    log_slope = flow.loss.log_slope

    def shares(w: Theta) -> tuple[Theta, PerExample, float]:
        products = others(w)
        logs = log_slope(z.dot(w[0] * products[0]))
        top = logs[logs.argmax()]  # three times as quick as max of twenty
        return products, np.exp(logs - top), top

    return shares


def _perturbed(flow: Flow) -> Callable[[Theta], Theta]:
    """Return the point of a normalised step, for which no size of the gradient is needed."""
    rule = flow.perturbation
    z = flow.data.z
    if not rule.rho:
        return lambda w: w
    if len(z) == 1:
        mu = z[0]
        return lambda w: w - rule.ascent(w, mu * others(w))
    shares = single_shares(flow)

    def hat(w: Theta) -> Theta:
        products, raised, _ = shares(w)
        return w - rule.ascent(w, raised.dot(z) * products)

    return hat


def lean_descent(flow: Flow) -> Field:
    """Return the direction `(sum_i q_i z_i) prod_{k != l} w^(k)`, of one example without q."""
    z = flow.data.z
    if len(z) == 1:
        mu = z[0][:, None]
        return lambda w: mu * others(w)

    def descent(w: Weights) -> Weights:
        logs = flow.loss.log_slope(z @ np.prod(w, axis=0))
        return z.T @ softmax(logs, axis=0) * others(w)

    return descent


def _normalised(p: float, rho: float, descent: Field) -> Field:
    """-eps along the descent g: `Perturbation.step`, but batch last and without a look at g = 0."""
    power = 1.0 / (p - 1.0)  # q - 1

    def euclidean(w: Weights) -> Weights:
        g = descent(w)
        if len(w) > DEEP:
            g /= np.abs(g).max(axis=(0, 1))
        g *= rho / np.sqrt(np.einsum("ldb,ldb->b", g, g))
        return g

    def general(w: Weights) -> Weights:
        g = descent(w)
        size = np.abs(g)
        size /= size.max(axis=(0, 1))
        raised = size**power
        norm = np.einsum("ldb,ldb->b", raised, size) ** (1.0 / p)
        np.copysign(raised, g, out=raised)
        raised *= rho / norm
        return raised

    return euclidean if p == 2 else general


def _scaled(flow: Flow, descent: Field) -> Field:
    """-eps of unnormalised SAM: rho times the descent in original time."""
    z = flow.data.z
    rho = flow.rho

    # of one example a start's margin must not be rounded by its place, as BLAS does
    product = np.matmul if len(z) > 1 else partial(np.einsum, "nd,db->nb")

    def away(w: Weights) -> Weights:
        logs = flow.loss.log_slope(product(z, np.prod(w, axis=0)))
        mean = log_mean_exp(logs.T) if len(z) > 1 else logs[0]
        return rho * np.exp(np.asarray(mean)) * descent(w)

    return away
