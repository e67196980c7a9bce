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
    """Return the share of the mean prediction in groups of features, strongest first.

    share_j = |beta_j mean_i z_ij| / sum_k |beta_k mean_i z_ik|, features sorted by |mean_i z_ij|
    and cut into groups of equal size; a feature that is 0 in every example is left out.

    Examples
    --------
    >>> share_by_rank(Data([[4.0, 1.0]]), [1.0, 4.0], groups=2)
    array([0.5, 0.5])
    """
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
