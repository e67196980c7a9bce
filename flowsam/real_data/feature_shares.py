"""Which features a predictor leans on: shares of the mean prediction, by strength of feature."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flowsam.data import Data
from flowsam.errors import InputError
from flowsam.inputs import real_array
from flowsam.shapes import Float

__all__ = ["share_by_rank"]


def share_by_rank(
    data: Data, beta: ArrayLike, groups: int = 4
) -> Float[np.ndarray, "*T groups"]:
    """Return |beta_j mean_i z_ij| / sum_k |beta_k mean_i z_ik| by ranks of |mean_i z_ij|."""
    beta = real_array(beta, "beta")
    strength = np.abs(data.z.mean(axis=0))
    if beta.shape[-1:] != strength.shape:
        raise InputError(
            f"beta needs {strength.size} features, got {beta.shape}; see split_signs"
        )
    active = np.flatnonzero(data.z.any(axis=0))
    order = active[np.argsort(-strength[active], kind="stable")]
    parts = np.array_split(np.abs(beta * strength)[..., order], groups, axis=-1)
    sums = np.stack([part.sum(axis=-1) for part in parts], axis=-1)
    total = sums.sum(axis=-1, keepdims=True)
    return np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0)
