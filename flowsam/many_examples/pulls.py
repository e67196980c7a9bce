"""The pull G = sum_i q_i z_i and its derivative, by the few examples that hold all of the loss."""

import numpy as np

from flowsam.shapes import Bool, Examples, Float, Vector

_FEW = 200  # examples that cost less than a look at them
_NO_SHARE = 1e-20  # thousands of such examples are less than an ulp of the mean

Shares = Float[np.ndarray, " n"]


def mean_pull(shares: Shares, z: Examples) -> Vector:
    """Return G = sum_i q_i z_i, shape (d,)."""
    live = _live(shares)
    return shares @ z if live is None else shares[live] @ z[live]


def pull_change(
    z: Examples, bend: Shares, pull: Vector, turn: Float[np.ndarray, "d *k"]
) -> Float[np.ndarray, "d d"]:
    """Return `(d G_j / d beta) turn`, d G_j / d beta_k = sum_i q_i s_i (z_ij - G_j) z_ik."""
    live = _live(np.abs(bend))
    z, bend = (z, bend) if live is None else (z[live], bend[live])
    moved = z * turn if turn.ndim == 1 else z @ turn
    return (z * bend[:, None]).T @ moved - np.outer(pull, bend @ moved)


def _live(shares: Shares) -> Bool[np.ndarray, " n"] | None:
    """Return which examples count, None where leaving the others out would save nothing."""
    if shares.size < _FEW:
        return None
    live = shares > _NO_SHARE
    return live if 8 * live.sum() < live.size else None  # they are copied
