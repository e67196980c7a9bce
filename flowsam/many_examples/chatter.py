"""SAM where it slides on several surfaces at once, and l_1-SAM: iteration, its step halved.

Filippov's velocity is not unique there. What discrete SAM does as its learning rate tends to 0 is a
limit of its own, without a known formula: it is iterated in the rescaled clock, and the step halved
until two runs agree; the difference is part of the answer. (derivations/discrete_to_flow.py)
"""

from typing import Any, NamedTuple

import numpy as np

from flowsam.endings import Ending
from flowsam.engines.path import Path, Piece
from flowsam.engines.run import Request
from flowsam.engines.stepping import March
from flowsam.flow import Flow
from flowsam.many_examples.iteration import Iteration, Walk, iterated
from flowsam.many_examples.late_path import LateRun
from flowsam.regimes import Regime, case_of
from flowsam.shapes import Float, Points, Theta

_MOST_STEPS = 60_000
_WORK = 2_000_000_000  # steps times n d: larger problems get fewer steps
_COMPARED = 200  # points in log t at which two runs are compared
_TOLERANCE = 1e-3
_GROWTH = 2.5  # of steps by halving, at most: a burst of them is no trend
_FALLING = 0.8  # ratio of two differences in a row that still counts as settling,
_FALLEN = (
    0.05  # where the last is no larger: at that ratio four times as much may be left
)


class Change(NamedTuple):
    """What halving the step changed, by size."""

    predictor: float
    weights: float


def chatter_run(
    flow: Flow,
    theta0: Theta,
    asked: Request,
    *,
    origin: tuple[float, float] = (0.0, 0.0),
) -> LateRun:
    """Iterate `theta += h F(theta_hat)`, of first order in h, until two runs agree."""
    regime = case_of(flow, len(theta0)).regime
    rho = flow.perturbation.radius_at(0.0)
    changes: list[Change] = []
    total = 0
    fine: Any = None
    growth = 2.0  # steps of a run over those of the one before
    most = int(min(_MOST_STEPS, max(2000, _WORK / flow.data.z.size)))
    for halving in range(12):
        run = iterated(Walk(flow, theta0, origin, 0.5**halving), asked, most)
        total += run.steps
        short = run.ending == "steps"
        if fine is not None and not (short and changes):
            changes.append(_change(fine, run, rho))
        if fine is not None:
            if short:  # the coarser one has arrived
                break
            growth = min(_GROWTH, run.steps / fine.steps)
        fine = run
        if short or _settled(changes, regime) or growth * fine.steps > most:
            break
    status, note = _verdict(fine, changes, regime)
    rows = fine.rows
    path = Path(
        rows[:, 0],
        (Piece(fine.at, None),) * (len(rows) - 1),
        np.empty(0),
        lambda points: np.tile(rows[-1, 1:], (points.size, 1)),
    )
    march = March(path, (), status, total, 2 * total, "iteration")
    shape = theta0.shape
    return LateRun(march, lambda states, mode: states[:, :-1].reshape(-1, *shape), note)


def _settled(changes: list[Change], regime: Regime) -> bool:
    """Whether halving has done what it can: along minima weights differ at any step."""
    if not changes or changes[-1].predictor > _TOLERANCE:
        return False
    weights = [change.weights for change in changes[-3:]]
    stand = len(weights) == 3 and weights[-1] > _FALLING * weights[0]
    return weights[-1] <= _TOLERANCE or (stand and not regime.smooth_off_axes)


def _verdict(
    fine: Iteration, changes: list[Change], regime: Regime
) -> tuple[Ending, str]:
    """Return ending and note: how the finest run ended, and whether halving settled."""
    if fine.ending == "steps":
        late = ", or use method='smoothed' for a late direction"
        late = late if "smoothed" in regime.runs else ""
        note = f"{late}; {fine.steps} steps of the iteration end there"
        return Ending.OUT_OF_STEPS, note
    last = changes[-1] if changes else Change(np.inf, np.inf)
    note = (
        f"; iterated, halving the step changed the predictor by {last.predictor:.1e} "
        f"and weights by {last.weights:.1e} (relative)"
    )
    # along minima the predictor stands still
    judged = [c.weights if regime.smooth_off_axes else c.predictor for c in changes]
    most = _TOLERANCE
    if len(judged) > 1:
        most = max(most, min(_FALLEN, _FALLING * judged[-2]))
    if not judged or judged[-1] > most:
        return Ending.NOT_UNIQUE, note
    rests = "; at rest on average, held to the end" if fine.ending == "rests" else ""
    endings = {"collapsed": Ending.STAYS_AT_0, "rests": Ending.HELD}
    return endings.get(fine.ending, Ending.FINISHED), note + rests


def _change(coarse: Iteration, fine: Iteration, rho: float) -> Change:
    """Return how far two runs are apart at equal T."""
    end = min(coarse.rows[-1, 0], fine.rows[-1, 0])
    points = np.linspace(fine.rows[0, 0], end, _COMPARED)
    return Change(
        _distance(
            coarse.predictor(points),
            fine.predictor(points),
            points,
            np.float64(rho) ** fine.shape[0],
        ),
        _distance(coarse.at(points)[:-1].T, fine.at(points)[:-1].T, points, rho),
    )


def _distance(
    coarse: Float[np.ndarray, "k m"],
    fine: Float[np.ndarray, "k m"],
    points: Points,
    floor: float,
) -> float:
    """Return the largest distance of two curves by the size that the finer has had so far."""
    largest = np.maximum.accumulate(np.abs(fine).max(axis=1))
    size = np.maximum(np.interp(points + 1.0, points, largest), max(floor, 1e-300))
    return float(np.max(np.abs(coarse - fine).max(axis=1) / size))
