"""Which features a predictor leans on while it trains: SAM beside gradient flow, on real data."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowsam.data import Data, merge_signs, split_signs
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.inputs import real_array
from flowsam.perturbations import Perturbation
from flowsam.regimes import case_of
from flowsam.shapes import Float, Times
from flowsam.solver import solve


@dataclass(frozen=True)
class Uniform:
    """A balanced start with one weight for all."""

    alpha: float
    depth: int


@dataclass(frozen=True, eq=False)
class Leaning:
    """One run, by the features its predictor leans on; rows are nan after a collapse."""

    log_t: Times
    predictor: Float[np.ndarray, "T d"]  # of the original features
    # shares of the mean prediction, strongest first
    ranks: Float[np.ndarray, "T groups"]
    accuracy: Times  # on held-out examples, where there are
    status: str
    facts: str

    @property
    def major(self) -> Times:
        """Share of the strongest quarter of the features."""
        quarter = self.ranks.shape[1] // 4
        return self.ranks[:, :quarter].sum(axis=1)

    @property
    def weakest(self) -> int:
        """Row of the least major share; the first where the run collapsed before it."""
        return int(np.nanargmin(self.major)) if np.isfinite(self.major).any() else 0


def leaning(
    train: Data,
    test: Data | None,
    rule: Perturbation,
    *,
    start: Uniform,
    log_t: Times,
) -> Leaning:
    """Run a uniform balanced start and measure what its predictor leans on."""
    depth = start.depth
    flow = Flow(split_signs(train) if depth > 1 else train, rule)
    theta = np.full((depth, flow.data.z.shape[1]), float(start.alpha))
    # with many features l_inf-SAM slides on many surfaces from the start: iterated at once
    method = "discrete" if "discrete" in case_of(flow, depth).regime.runs else "auto"
    how: dict[str, Any] = {"method": method, "rtol": 1e-6, "atol": 1e-9}
    run = solve(flow, theta, log_t_end=log_t[-1], save_at=log_t, **how)
    whole = run.status in ("finished", "sliding_ambiguous")
    kept = run.beta[: len(log_t)] if whole else run.beta[:-1]
    beta = merge_signs(flow.data, kept) if depth > 1 else kept
    beta = np.where(np.abs(beta).max(axis=1, keepdims=True) > 0, beta, np.nan)
    # at rest it stays
    after = beta[-1:] if whole else np.full((1, beta.shape[1]), np.nan)
    beta = np.vstack([beta, after.repeat(len(log_t) - len(beta), axis=0)])
    judged = test or train
    right = (beta @ judged.z.T > 0).mean(axis=1)
    return Leaning(
        log_t,
        beta,
        share_by_rank(train, np.nan_to_num(beta), groups=8),
        np.where(np.isnan(beta[:, 0]), np.nan, right),
        run.status,
        f"{flow.describe()}, L = {depth}, alpha = {start.alpha:g}",
    )


def share_by_rank(
    data: Data,
    beta: ArrayLike,
    groups: int = 4,
) -> Float[np.ndarray, "*T groups"]:
    """Return |beta_j mean_i z_ij| / sum_k |beta_k mean_i z_ik| by ranks of |mean_i z_ij|."""
    beta = real_array(beta, "beta")
    strength = np.abs(data.z.mean(axis=0))
    if beta.shape[-1:] != strength.shape:
        raise InputError(
            f"beta needs {strength.size} features, got {beta.shape}; see split_signs"
        )
    active = np.flatnonzero(data.moving)
    order = active[np.argsort(-strength[active], kind="stable")]
    parts = np.array_split(np.abs(beta * strength)[..., order], groups, axis=-1)
    sums = np.stack([part.sum(axis=-1) for part in parts], axis=-1)
    total = sums.sum(axis=-1, keepdims=True)
    return np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0)
