"""Where ASAM of two layers ends on one example: water-filling, and the robust margin it solves.

With `lambda` the root of `sum_j ((1 - lambda/mu_j)_+ / rho)^p = 1/2` and `r_j = (1 - lambda/mu_j)_+
/ rho`, the limit has `mu_j beta_j` proportional to `r_j^(p-1)`: the maximiser, of value lambda, of

    min over ||delta||_p <= rho 2^(-1/p) of <mu (1 + delta), beta>,   ||beta||_1 = 1.

(derivations/adaptive_limit.py; beyond arXiv:2603.08290. ASAM: Kwon et al. 2021)
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from flowsam.shapes import Masks, Thetas, Vector

RTOL = 4 * float(np.finfo(float).eps)
_STEEPEST = 1e300  # of two |mu|: beyond, the smaller takes no part


@dataclass(frozen=True, eq=False)
class Level:
    """The water level of one example."""

    value: float  # lambda, in the units of mu: the robust margin
    shares: Vector  # r_j, with sum r_j^p = 1/2
    direction: Vector  # the limit of beta / ||beta||_2


def moving(theta: Thetas, mu: Vector) -> Masks:
    """Return which features grow in the end: all but u_j = -sign(mu_j) v_j and mu_j = 0."""
    return (theta[..., 0, :] + np.sign(mu) * theta[..., 1, :] != 0) & (mu != 0)


def water_level(mu: Vector, *, rho: float, p: float) -> Level:
    """Return lambda, the shares r_j, and the limit of the direction."""
    size = np.abs(mu)
    top = size.max()
    ratio = np.divide(top, size, where=size > 0, out=np.ones_like(size))
    ratio = np.minimum(ratio, _STEEPEST)
    alone = rho * 2 ** (-1 / p)  # 1 - lambda / max mu where the largest stands alone

    def shares(depth: float) -> Vector:
        over = np.where(size > 0, (1 - ratio) + depth * ratio, 0.0)
        return np.maximum(over, 0.0) / alone

    def surplus(depth: float) -> float:
        return float((shares(depth) ** p).sum()) - 1.0

    depth = alone
    if surplus(alone) > 0:
        depth = float(brentq(surplus, 0.0, alone, xtol=1e-300, rtol=RTOL))
    found = shares(depth)
    pull = np.where(found > 0, (found / found.max()) ** (p - 1), 0.0)
    beta = np.divide(pull * top, mu, where=size > 0, out=np.zeros_like(mu))
    beta = beta / np.linalg.norm(beta)
    return Level(float(top * (1 - depth)), found * 2 ** (-1 / p), beta)
