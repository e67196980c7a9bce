"""What is said where no theorem is known and no path proves a limit."""

from __future__ import annotations

import numpy as np

from flowsam.errors import InputError
from flowsam.labels import Label
from flowsam.outcomes.outcome import Limit
from flowsam.regimes import Case
from flowsam.shapes import Float, Int

__all__ = ["labels", "refused", "times", "verdict"]


def labels(
    case: Case, starts: Float[np.ndarray, "*batch L d"]
) -> Int[np.ndarray, "*batch"]:
    """Return UNDECIDED for every start."""
    return np.full(starts.shape[:-2], Label.UNDECIDED, dtype=np.int64)


def verdict(case: Case, theta0: Float[np.ndarray, "L d"]) -> Limit:
    """Return UNDECIDED."""
    reason = (
        f"no theorem is known for {case.flow.describe()}; solve shows where a run goes"
    )
    return Limit(int(Label.UNDECIDED), None, "none", reason)


def times(case: Case, starts: Float[np.ndarray, "N L d"]) -> Float[np.ndarray, " N"]:
    """Return nan for every start."""
    return np.full(len(starts), np.nan)


def refused(case: Case, starts: Float[np.ndarray, "N L d"]) -> Float[np.ndarray, " N"]:
    """Say that no start can be followed to its end."""
    raise InputError(
        "settled_at needs one example and a rule that can be followed, got "
        f"{case.flow.describe()}; solve follows single starts"
    )
