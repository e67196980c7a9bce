"""Labels of many starts of two layers at once where a theorem decides: l_inf, GD and l_2."""

from __future__ import annotations

import numpy as np

from flowsam.exact import linf_two_layer
from flowsam.labels import Fate, Label
from flowsam.regimes import Case
from flowsam.shapes import Float, Int

__all__ = [
    "euclidean",
    "fate_labels",
    "l2_labels",
    "two_layers",
]

Theta = Float[np.ndarray, "*batch L d"]
Labels = Int[np.ndarray, "*batch"]


def fate_labels(
    fates: Int[np.ndarray, "*batch d"], mu: Float[np.ndarray, " d"]
) -> Int[np.ndarray, "*batch"]:
    """Return labels at L = 2: the largest escaping |mu_j| (equal: tie), a separatrix, or zero."""
    size = np.where((fates == Fate.ESCAPE) & (mu != 0), np.abs(mu), -1.0)
    top = size.max(axis=-1, keepdims=True)
    winners = (size == top) & (top > 0)
    count = winners.sum(axis=-1)
    held = np.where((fates == Fate.SADDLE).any(axis=-1), Label.SEPARATRIX, Label.ZERO)
    found = np.where(count > 1, Label.TIE, winners.argmax(axis=-1) + 1)
    return np.where(count == 0, held, found)


def l2_labels(theta0s: Theta, mu: Float[np.ndarray, " d"], rho: float) -> Labels:
    """Return labels of l_2 at L = 2: the largest |mu_j| with s_j(0) != 0 escapes (equal: tie)."""
    # and SciPy's functions, which l_inf does without
    from flowsam.exact import l2_outcome

    code = l2_outcome.outcome(theta0s, mu, rho=rho).code
    grows = (theta0s[..., 0, :] + np.sign(mu) * theta0s[..., 1, :] != 0) & (mu != 0)
    size = np.where(grows, np.abs(mu), -1.0)
    winners = size == size.max(axis=-1, keepdims=True)
    found = np.where(winners.sum(axis=-1) > 1, Label.TIE, winners.argmax(axis=-1) + 1)
    found = np.where(code == Fate.SADDLE, Label.SEPARATRIX, found)
    return np.where(code == Fate.COLLAPSE, Label.ZERO, found)


def two_layers(case: Case, starts: Theta) -> Labels:
    """Return the labels of l_inf and GD at L = 2."""
    mu = case.flow.mu
    rho = case.flow.perturbation.rho
    return fate_labels(linf_two_layer.fate(starts, mu, rho=rho), mu)


def euclidean(case: Case, starts: Theta) -> Labels:
    """Return the labels of l_2 at L = 2."""
    return l2_labels(starts, case.flow.mu, case.flow.perturbation.rho)
