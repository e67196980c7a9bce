"""Where balanced weights rest under l_p-SAM, one example.

On each support S there is one point with w_hat = 0 and all w_j > 0 on S,

    w_j = rho mu_j^(1/(p-L)) / (L sum_S mu_i^(p/(p-L)))^(1/p),    p != L;

alone, the gate rho L^(-1/p) e_j; p -> inf: the corner rho (1, ..., 1). (derivations/lp_gates.py)
"""

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.inputs import real_array
from flowsam.shapes import Vector


def rest_weights(
    mu: ArrayLike,
    *,
    rho: float | int,
    p: float | int,
    depth: int,
) -> Vector:
    """Return the balanced point of rest with every w_j > 0."""
    size = np.abs(np.atleast_1d(real_array(mu, "mu")))
    if not (size > 0).all() or not p > 1 or depth < 2:
        raise InputError(
            f"rest_weights needs non-zero mu, p > 1 and depth >= 2, got {size.tolist()}, {p} and "
            f"{depth}; leave idle coordinates out"
        )
    ratio = size / size.max()
    if p == depth and (ratio < 1).any():
        raise InputError(
            f"no point of rest has several weights where p = L = {p:g} and |mu| differ, got "
            f"{size.tolist()}; give one entry"
        )
    equal = (ratio == 1).all() or np.isinf(p)
    logs = np.zeros(size.size) if equal else np.log(ratio) / (p - depth)
    logs = logs - logs.max()
    spread = 1.0 if np.isinf(p) else (depth * np.exp(p * logs).sum()) ** (1 / p)
    return rho * np.exp(logs) / spread
