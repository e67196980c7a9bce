"""One example, one layer: every rule moves along mu, at a speed of its own."""

from __future__ import annotations

import numpy as np

from flowsam.labels import Label
from flowsam.outcomes.outcome import Limit
from flowsam.regimes import Case
from flowsam.shapes import Float, Int

__all__ = ["labels", "times", "verdict"]

_WHY = "L = 1: every rule moves along mu, so beta / ||beta|| tends to mu / ||mu||"


def labels(
    case: Case, starts: Float[np.ndarray, "*batch L d"]
) -> Int[np.ndarray, "*batch"]:
    """Return the one label."""
    return np.full(starts.shape[:-2], Label.OTHER_DIRECTION, dtype=np.int64)


def verdict(case: Case, theta0: Float[np.ndarray, "L d"]) -> Limit:
    """Return the verdict of the theorem."""
    direction = case.flow.mu / np.abs(case.flow.mu).max()
    return Limit(
        int(Label.OTHER_DIRECTION),
        direction / np.linalg.norm(direction),
        "theorem",
        _WHY,
    )


def times(case: Case, starts: Float[np.ndarray, "N L d"]) -> Float[np.ndarray, " N"]:
    """Return inf: nothing rests or blows up in finite rescaled time."""
    return np.full(len(starts), np.inf)
