"""How fast, in original time: rates of the loss and of the direction, predicted and estimated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from flowsam.data import Data
from flowsam.errors import InputError
from flowsam.inputs import real_array, real_axis
from flowsam.margin.least_distance import shortest_separator
from flowsam.perturbations import Perturbation
from flowsam.shapes import Float, Vector
from flowsam.signatures import public

_DEEPEST = 1000  # layers

__all__ = [
    "depth_one_asymptote",
    "depth_one_loss",
    "estimated_exponent",
    "late_log_loss",
]


_ROUND = ("GD", "1<p<2", "l_2", "2<p<inf", "l_inf")  # kinds whose eps stays one point


def _check_covered(verb: str, rule: Perturbation, kinds: tuple[str, ...]) -> None:
    """Refuse a rule that a formula is not about."""
    if rule.kind not in kinds:
        raise InputError(f"{verb} covers {', '.join(kinds)}, got {rule.name}")


@public
def late_log_loss(
    log_t: ArrayLike, mu: float, depth: int, rule: Perturbation
) -> tuple[Float[np.ndarray, "*T"], Float[np.ndarray, "*T"]]:
    """Return the predicted late log loss at theta_hat and at theta, L >= 2 (derivations/rates.py).

    At theta_hat it is 1 / (L M^(2/L) t (log t)^(2-2/L)), M = |mu|; with M z^L = m_hat that at theta
    is smaller by e^-(M [(z + rho_p)^L - z^L]), whose first term alone errs without bound at L >= 3.
    """
    _check_covered("late_log_loss", rule, _ROUND)
    if depth < 2:
        raise InputError(
            f"late_log_loss needs depth >= 2, got {depth}; see depth_one_loss"
        )
    if depth > _DEEPEST:
        raise InputError(f"late_log_loss needs depth <= {_DEEPEST}, got {depth}")
    log_t = real_array(log_t, "log_t")
    size = abs(mu)
    if not (log_t > 1).all() or not 0 < size < np.inf:
        raise InputError(
            f"late_log_loss needs log_t > 1 and mu != 0, got {log_t.min()} and {mu}"
        )
    rate = 2.0 - 2.0 / depth
    scale = np.log(depth) + 2.0 / depth * np.log(size)
    perturbed = -(scale + log_t + rate * np.log(log_t))
    if not (perturbed < 0).all():
        raise InputError(
            f"late_log_loss needs later log_t for mu = {mu:g}, got {log_t.min():g}"
        )
    z = (-perturbed / size) ** (1.0 / depth)
    # M z^L = -perturbed, and powers of large M leave the range of doubles
    drop = -perturbed * np.expm1(depth * np.log1p(rule.gate(depth) / z))
    return np.asarray(perturbed), np.asarray(perturbed - drop)


@public
def depth_one_loss(data: Data, rule: Perturbation) -> float:
    """Return lim t loss = exp(-rho ||mu||_q) / ||mu||_2^2 at L = n = 1 (derivations/rates.py).

    Unnormalised steps vanish late: 1 / ||mu||_2^2, as for GD.
    """
    _check_covered("depth_one_loss", rule, (*_ROUND, "l_1", "unnormalised"))
    if data.z.shape[0] != 1:
        raise InputError(f"depth_one_loss needs one example, got n = {data.z.shape[0]}")
    mu = data.z[0]
    q = 1.0 if np.isinf(rule.p) else np.inf if rule.p == 1 else rule.p / (rule.p - 1.0)
    rho = rule.rho if rule.normalised else 0.0
    return float(np.exp(-rho * np.linalg.norm(mu, q)) / (mu @ mu))


class DepthOneAsymptote(NamedTuple):
    """The line `w = b log t + r` of depth 1, b the l_2 max-margin vector, r the offset."""

    slope: Vector
    offset: Vector
    error_constant: float


@public
def depth_one_asymptote(
    data: Data, rule: Perturbation, weights: ArrayLike
) -> DepthOneAsymptote:
    """Return the asymptote w = b log t + r at L = 1, GD or l_2-SAM (derivations/rates.py).

    b = sum_i a_i z_i, <r, z_i> = -log(n a_i) + rho <b, z_i>/||b|| on {a_i > 0}; the direction's
    error times log t tends to ||(I - b b^T/||b||^2) r||/||b||. Source: arXiv:2603.08290, Thm 3.1.
    """
    _check_covered("depth_one_asymptote", rule, ("GD", "l_2"))
    weights = real_axis(weights, "weights")
    if weights.shape != data.z.shape[1:]:
        raise InputError(
            f"depth_one_asymptote needs weights of shape {data.z.shape[1:]}, got {weights.shape}"
        )
    slope, dual = shortest_separator(data.z)
    support = dual > 0
    if (tight := int((data.z @ slope < 1.0 + 1e-9).sum())) != support.sum():
        got = f"{tight} at the margin, {support.sum()} that support it"
        raise InputError(
            f"depth_one_asymptote needs independent support vectors only, got {got}"
        )
    z = data.z[support]
    length = np.linalg.norm(slope)
    target = -np.log(len(data.z) * dual[support]) + rule.rho * (z @ slope) / length
    inside = np.linalg.lstsq(z, target)[0]
    outside = weights - np.linalg.lstsq(z, z @ weights)[0]
    offset = inside + outside
    across = offset - slope * (slope @ offset) / length**2
    return DepthOneAsymptote(slope, offset, float(np.linalg.norm(across) / length))


@public
def estimated_exponent(log_t: ArrayLike, values: ArrayLike) -> float:
    """Return the exponent k of `values ~ (log t)^k` over the last factor of 10 in log t."""
    log_t = real_axis(log_t, "log_t")
    values = real_axis(values, "values")
    if values.size != log_t.size or not (log_t[0] > 0 and (np.diff(log_t) > 0).all()):
        raise InputError(
            "estimated_exponent needs log_t > 0 that increase, and a value for each"
        )
    if not (values > 0).all():
        raise InputError(f"estimated_exponent needs values > 0, got {values.min()}")
    late = log_t >= log_t[-1] / 10.0 * (1 - 1e-12)
    across = np.log(log_t[late])
    if late.sum() < 2 or not across[-1] > across[0]:
        raise InputError(
            f"estimated_exponent needs two late times or more, got {late.sum()}"
        )
    off = across - across.mean()
    return float(off @ np.log(values[late]) / (off @ off))
