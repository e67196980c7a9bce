"""What is said of any start: by the theorem of one layer, and where no theorem is known."""

import numpy as np

from flowsam.errors import InputError
from flowsam.outcomes.outcome import Limit
from flowsam.regimes import Case
from flowsam.shapes import Column, Labels, Starts, Theta, Thetas


def labels(case: Case, starts: Thetas) -> Labels:
    """Return the label of the table for every start."""
    return np.full(starts.shape[:-2], case.regime.label, dtype=np.int64)


def times(case: Case, starts: Starts) -> Column:
    """Return the time of the table for every start."""
    return np.full(len(starts), case.regime.time)


def along_mu(case: Case, theta0: Theta) -> Limit:
    """Return the verdict on one example and one layer, at a speed of each rule's own."""
    direction = case.mu / np.abs(case.mu).max()
    reason = "L = 1: every rule moves along mu, so beta / ||beta|| tends to mu / ||mu||"
    unit = direction / np.linalg.norm(direction)
    return Limit(int(case.regime.label), unit, "theorem", reason)


def unknown(case: Case, theta0: Theta) -> Limit:
    """Return UNDECIDED."""
    reason = (
        f"no theorem is known for {case.flow.describe()}; solve shows where a run goes"
    )
    return Limit(int(case.regime.label), None, "none", reason)


def refused(case: Case, starts: Starts) -> Column:
    """Say that no start can be followed to its end."""
    raise InputError(
        "settled_at needs one example and a rule that can be followed, got "
        f"{case.flow.describe()}; solve follows single starts"
    )
