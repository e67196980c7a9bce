"""A limit proved: in balls, or by exact comparison, where the table has an equation for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flowsam.outcomes.outcome import Limit, basis
from flowsam.regimes import Case
from flowsam.shapes import Float

__all__ = ["NOT_COVERED", "proved"]

NOT_COVERED = "proofs cover one example under GD and l_p with p > 1, L >= 2"


def proved(case: Case, theta0: Float[np.ndarray, "L d"], found: Limit) -> Limit:
    """Return a limit with its proof, or as it was with the reason why there is none."""
    from flowsam.certify import Problem, Unproved, prove
    from flowsam.certify.plane_proving import agreed

    try:
        if not case.regime.provable:
            raise Unproved(NOT_COVERED)
        proof = prove(Problem.at(case.flow, theta0))
    except Unproved as error:
        return replace(found, reason=f"{found.reason}; not proved: {error}")
    label = agreed(proof.label, found.label)
    direction = found.direction if label == found.label else None
    if label >= 1:
        direction = basis(case.flow.mu, label)
    how = "the doubles, compared exactly, decide"
    if proof.tube:
        count = len(proof.tube.steps)
        how = f"{count} steps in balls, checked, lead to a state that decides"
    reason = f"{how}: {found.reason}" if label == found.label else how
    return replace(
        found,
        label=label,
        direction=direction,
        certificate="proved",
        reason=reason,
        proof=proof,
    )
