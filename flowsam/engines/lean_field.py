"""`Flow.field` of smooth rules on thousands of starts: no checks, and batch last, (L, d, B).

Each operation runs over long rows, several times faster where L and d are small.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from flowsam.engines.tied_field import tied_field
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.losses import log_mean_exp, softmax
from flowsam.shapes import Float

__all__ = ["lean_field", "single_descent", "single_field"]

Weights = Float[np.ndarray, "L d B"]
State = Float[np.ndarray, "L d"]
Field = Callable[[Weights], Weights]
DEEP = 8  # from here on the squares of a product of weights may underflow


def lean_field(flow: Flow, rtol: float = 1e-9) -> Field:
    """Return `w (L, d, B) -> dw/dtau (L, d, B)`, equal to `flow.field` up to rounding."""
    rule = flow.perturbation
    if flow.kind == "l_1" and len(flow.data.z) == 1:
        return tied_field(flow.mu, rule.rho, rtol)
    if flow.kind in ("l_1", "l_inf"):
        raise InputError(
            f"an ensemble needs a smooth rule, got {rule.name}; limits and phase_portrait take it"
        )
    if flow.kind in ("own", "adaptive"):
        return lambda w: np.moveaxis(flow.field(np.moveaxis(w, -1, 0)), 0, -1)
    pull = _pull(flow)
    if not rule.rho:
        return lambda w: pull(w) * _others(w)
    away = (
        _scaled(flow, pull)
        if not rule.normalised
        else _normalised(rule.p, rule.rho, pull)
    )

    def field(w: Weights) -> Weights:
        hat = w - away(w)
        return pull(hat) * _others(hat)

    return field


def single_field(flow: Flow) -> Callable[[State], State]:
    """Return `flow.field` of one state (L, d) without its checks and without the clock."""
    rule = flow.perturbation
    if flow.kind == "own" or not rule.normalised:
        return flow.field
    descent = single_descent(flow)
    if not rule.rho:
        return descent
    return lambda w: descent(w - rule.ascent(w, descent(w)))


def single_descent(flow: Flow) -> Callable[[State], State]:
    """Return the direction `(sum_i q_i z_i) prod_{k != l} w^(k)` of one state (L, d)."""
    z = flow.data.z
    log_slope = flow.loss.log_slope
    if len(z) == 1:
        mu = z[0]
        return lambda w: mu * _others(w)

    def descent(w: State) -> State:
        others = _others(w)
        logs = log_slope(z @ (w[0] * others[0]))
        raised = np.exp(logs - np.maximum.reduce(logs))
        return raised @ z / np.add.reduce(raised) * others

    return descent


def _others(w: Float[np.ndarray, "L d *B"]) -> Float[np.ndarray, "L d *B"]:
    """Product of the other layers, by prefix and suffix."""
    if len(w) <= 2:
        return w[::-1] if len(w) == 2 else np.ones_like(w)
    if len(w) == 3:
        around = np.concatenate([w, w])
        return around[1:4] * around[2:5]
    products = np.empty_like(w)
    after = w[-1]
    products[1] = w[0]
    for layer in range(2, len(w)):
        np.multiply(products[layer - 1], w[layer - 1], out=products[layer])
    for layer in range(len(w) - 2, 0, -1):
        products[layer] *= after
        after = after * w[layer]
    products[0] = after
    return products


def _pull(flow: Flow) -> Callable[[Weights], Float[np.ndarray, "d B"]]:
    """`sum_i q_i z_i`, constant for one example."""
    z = flow.data.z
    if len(z) == 1:
        mu = z[0][:, None]
        return lambda w: mu

    def pull(w: Weights) -> Float[np.ndarray, "d B"]:
        return z.T @ softmax(flow.loss.log_slope(z @ np.prod(w, axis=0)), axis=0)

    return pull


def _normalised(p: float, rho: float, pull: Callable) -> Field:
    """-eps of an l_p ball: rho |g|^(q-1) sign(g) / ||g||_q^(q-1) along the descent g."""
    power = 1.0 / (p - 1.0)  # q - 1

    def euclidean(w: Weights) -> Weights:
        g = pull(w) * _others(w)
        if len(w) > DEEP:
            g = g / np.abs(g).max(axis=(0, 1))
        return g * (rho / np.sqrt(np.einsum("ldb,ldb->b", g, g)))

    def general(w: Weights) -> Weights:
        g = pull(w) * _others(w)
        size = np.abs(g)
        size /= size.max(axis=(0, 1))
        raised = size**power
        norm = np.einsum("ldb,ldb->b", raised, size) ** (1.0 / p)
        return np.copysign(raised, g) * (rho / norm)

    return euclidean if p == 2 else general


def _scaled(flow: Flow, pull: Callable) -> Field:
    """-eps of unnormalised SAM: rho times the descent in original time."""
    z = flow.data.z
    rho = flow.perturbation.rho

    def away(w: Weights) -> Weights:
        logs = flow.loss.log_slope(z @ np.prod(w, axis=0))
        scale = np.exp(np.asarray(log_mean_exp(logs.T)))
        return rho * scale * (pull(w) * _others(w))

    return away
