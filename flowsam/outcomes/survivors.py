"""Which features a run with several examples can still use, and with which signs."""

from __future__ import annotations

import numpy as np

from flowsam.data import Data
from flowsam.margin.farkas import separability
from flowsam.margin.vertices import lightest_separator
from flowsam.regimes import Case
from flowsam.shapes import Float

__all__ = ["alive", "blocked_because", "reachable_signs", "restriction"]

# |beta_j| over the largest, below which a feature of l_inf-SAM counts as dead
_SURVIVES = 1e-6


def reachable_signs(theta0: Float[np.ndarray, "L d"]) -> Float[np.ndarray, " d"]:
    """Return the signs of beta_j a start can reach: +-1, 0 where both, nan where none."""
    size = np.abs(theta0)
    if len(theta0) == 1:
        return np.zeros(size.shape[1])
    balanced = (size == size[:1]).all(axis=0)
    signs = np.where(balanced, np.prod(np.sign(theta0), axis=0), 0.0)
    return np.where((size == 0).sum(axis=0) > 1, np.nan, signs)


def alive(case: Case, beta: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
    """Return 1 for features that l_inf-SAM has not suppressed below (1.5 rho)^L, nan for others."""
    if not case.regime.dies:
        return np.ones(beta.size)
    size = np.abs(beta)
    gate = (1.5 * case.flow.perturbation.rho) ** case.depth
    return np.where(size > max(_SURVIVES * size.max(), gate), 1.0, np.nan)


def blocked_because(data: Data, signs: Float[np.ndarray, " d"]) -> str:
    """Say why the loss stays finite, or "" where nothing keeps it from 0."""
    usable = ~np.isnan(signs)
    kept = data.z[:, usable]
    if not kept.any(axis=1).all() or not separability(Data(kept)).separable:
        return (
            f"the {int(usable.sum())} features that survive do not separate the data: the loss "
            "stays finite; start larger, or lower rho"
        )
    if np.any(signs[usable]):
        try:
            lightest_separator(kept, signs[usable])
        except ValueError:
            return (
                "a balanced start keeps the sign of every beta_j, and no vector of these signs "
                "separates the data: the loss stays finite; use split_signs"
            )
    return ""


def restriction(signs: Float[np.ndarray, " d"]) -> str:
    """Say which predictors a comparison is with, or "" where it is with all; features from 1."""
    usable = np.flatnonzero(~np.isnan(signs))
    signed = np.flatnonzero(np.nan_to_num(signs))
    words = ""
    if usable.size < signs.size:
        words += f" of features {_listed([str(j + 1) for j in usable])} that survive"
    if signed.size:
        bounds = [f"beta_{j + 1} {'>' if signs[j] > 0 else '<'} 0" for j in signed]
        words += f"{',' if words else ''} with {_listed(bounds)}"
    return words


def _listed(words: list[str]) -> str:
    """Join the first twelve."""
    return ", ".join(words[:12]) + (", ..." if len(words) > 12 else "")
