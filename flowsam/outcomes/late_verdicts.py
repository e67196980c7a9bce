"""The verdict on one start with several examples: a theorem at depth 1, a late run elsewhere."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.margin.farkas import Separability, separability
from flowsam.margin.least_distance import shortest_separator
from flowsam.outcomes.directions import Direction, late_direction
from flowsam.outcomes.finite_ends import finite_because
from flowsam.outcomes.path_verdicts import Verdict
from flowsam.outcomes.weak_duality import compared

__all__ = ["by_late_run"]


def by_late_run(flow: Flow, theta0: Float[np.ndarray, "L d"]) -> Verdict:
    """Return the verdict on one start with several examples.

    L = 1: the l_2 max margin, from every start, for the ascent step is bounded and adds a bounded
    offset to a line of that slope. L >= 2: what a run to log t = 1e4 proves by weak duality.
    Data that do not separate: stalled where a theorem or a run of l_2-SAM at rest says so.

    Parameters
    ----------
    flow : Flow
        Several examples.
    theta0 : ndarray, shape (L, d)
        The start.

    Returns
    -------
    Verdict
        With the run's `Direction` as evidence where there was one.

    Notes
    -----
    Derivations: derivations/depth_one_margin.py, derivations/l2_limit.py.
    Source: arXiv:2603.08290, Theorems 3.1, 4.1, 4.2.

    Examples
    --------
    >>> from flowsam import Data, linf
    >>> verdict = by_late_run(Flow(Data([[1.0, 0.0], [0.0, 2.0]]), linf(1)), np.zeros((1, 2)))
    >>> verdict.label, verdict.direction.round(4), verdict.certificate
    (-5, array([0.8944, 0.4472]), 'theorem')
    """
    verdict = separability(flow.data)
    finite = "" if verdict.separable else finite_because(flow, theta0)
    if finite:
        reason = f"{finite}, for the data are {verdict.message}"
        return Verdict(int(Label.STALLED), None, "theorem", reason)
    if len(theta0) == 1:
        return _depth_one(flow, verdict)
    if ((theta0 == 0).sum(axis=0) > 1)[flow.data.z.any(axis=0)].all():
        reason = "two layers of every active coordinate are 0: the gradient is 0, nothing moves"
        return Verdict(int(Label.ZERO), None, "theorem", reason)
    found = late_direction(flow, theta0)
    known = found.direction if found.label == Label.OTHER_DIRECTION else None
    proven = found.norm is not None or found.label != Label.OTHER_DIRECTION
    certificate = "numerical" if proven else "none"
    if found.label in (Label.UNDECIDED, Label.FAILED):
        certificate = "none"
    return Verdict(int(found.label), known, certificate, _reason(found), found)


def _depth_one(flow: Flow, verdict: Separability) -> Verdict:
    """Return the verdict of the theorems for one layer."""
    if not verdict.separable:
        reason = f"no theorem applies: the data are {verdict.message}"
        return Verdict(int(Label.UNDECIDED), None, "none", reason)
    best = shortest_separator(flow.data.z)[0]
    ratios, angles = compared(flow.data, best, np.zeros(best.size))
    reason = (
        "L = 1: every rule follows a line whose slope is the l_2 max margin; of the largest l_1 "
        f"margin it has {ratios[0]:.5f}, at an angle of {angles[0]:.2g} (radians)"
    )
    unit = best / np.linalg.norm(best)
    return Verdict(int(Label.OTHER_DIRECTION), unit, "theorem", reason)


def _reason(found: Direction) -> str:
    """Return what decided, what the end of the run looks like, and how far it had to go."""
    if np.isnan(found.ratios[0]):
        return found.reason
    far = f", from log t = {found.settled_at:.4g} on" if np.isfinite(found.settled_at) else ""
    return f"{found.reason}{far}; {found.comparison}"
