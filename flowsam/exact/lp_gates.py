"""Where balanced weights rest under l_p-SAM, one example.

On each support S there is one point with w_hat = 0 and all w_j > 0 on S,

    w_j = rho mu_j^(1/(p-L)) / (L sum_S mu_i^(p/(p-L)))^(1/p),    p != L;

alone, the gate rho L^(-1/p) e_j; p -> inf: the corner rho (1, ..., 1). (derivations/lp_gates.py)
"""

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.inputs import real_array
from flowsam.shapes import Vectors


def rest_weights(
    mu: ArrayLike,
    *,
    rho: float,
    p: float,
    depth: int,
) -> Vectors:
    """Return the balanced point of rest with w_j > 0 where mu_j, shape (..., d), is not 0."""
    size = np.abs(np.atleast_1d(real_array(mu, "mu")))
    top = size.max(axis=-1, keepdims=True)
    ratio = np.where(size > 0, size, top) / top
    if p == depth and (ratio < 1).any():
        raise InputError(
            f"no point of rest has several weights where p = L = {p:g} and |mu| differ, got "
            f"{size.tolist()}; give one entry"
        )
    logs = np.log(ratio) / (p - depth or 1.0)
    w = np.exp(logs - logs.max(axis=-1, keepdims=True)) * (size > 0)
    return rho * w / (depth * (w**p).sum(axis=-1, keepdims=True)) ** (1 / p)
