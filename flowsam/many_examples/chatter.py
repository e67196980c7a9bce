"""SAM where it slides on several surfaces at once, and l_1-SAM: iteration, its step halved.

Filippov's velocity is not unique there. What discrete SAM does as its learning rate tends to 0 is a
limit of its own, without a known formula: it is iterated in the rescaled clock, and the step halved
until two runs agree; the difference is part of the answer. (derivations/discrete_to_flow.py)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flowsam.endings import Ending
from flowsam.engines.path import Path, Piece
from flowsam.engines.run import Request
from flowsam.engines.stepping import March
from flowsam.flow import Flow
from flowsam.many_examples.iteration import Iteration, Walk, iterated
from flowsam.many_examples.late_path import LateRun
from flowsam.regimes import Regime, case_of
from flowsam.shapes import Float, Theta

Points = Float[np.ndarray, " _"]

_MOST_STEPS = 60_000
_WORK = 2_000_000_000  # steps times n d: larger problems get fewer steps
_COMPARED = 200  # points in log t at which two runs are compared
_TOLERANCE = 1e-3
_FALLING = 0.8  # ratio of two differences in a row that still counts as settling


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
    differences: list[float] = []
    total = 0
    fine: Any = None
    most = int(min(_MOST_STEPS, max(2000, _WORK / flow.data.z.size)))
    for halving in range(12):
        coarse = fine
        fine = iterated(Walk(flow, theta0, origin, 0.5**halving), asked, most)
        total += fine.steps
        if coarse is not None:
            differences.append(_difference((coarse, fine), regime, rho))
        if fine.ending == "steps" or 2 * fine.steps > most:
            break
        if differences and differences[-1] <= _TOLERANCE:
            break
    status, note = _verdict(fine, differences, regime)
    rows = fine.rows
    path = Path(
        rows[:, 0],
        (Piece(fine.at, None),) * (len(rows) - 1),
        np.empty(0),
        lambda points: np.tile(rows[-1, 1:], (points.size, 1)),
    )
    march = March(path, (), status, total, 2 * total, "iteration")
    return LateRun(march, theta0.shape, note)


def _verdict(
    fine: Iteration, differences: list[float], regime: Regime
) -> tuple[Ending, str]:
    """Return ending and note: how the finest run ended, and whether halving settled."""
    if fine.ending == "steps":
        late = ", or use method='smoothed' for a late direction"
        late = late if "smoothed" in regime.runs else ""
        note = f"{late}; {fine.steps} steps of the iteration end there"
        return Ending.OUT_OF_STEPS, note
    last = differences[-1] if differences else np.inf
    what = "weights" if regime.smooth_off_axes else "predictor"
    note = f"; iterated, halving the step changed the {what} by {last:.1e} (relative)"
    falling = len(differences) > 1 and last <= _FALLING * differences[-2]
    if last > _TOLERANCE and not falling:
        return Ending.NOT_UNIQUE, note
    rests = "; at rest on average, held to the end" if fine.ending == "rests" else ""
    endings = {"collapsed": Ending.STAYS_AT_0, "rests": Ending.HELD}
    return endings.get(fine.ending, Ending.FINISHED), note + rests


def _difference(runs: tuple[Iteration, Iteration], regime: Regime, rho: float) -> float:
    """Return the largest distance of two runs' predictors, or weights, by size, at equal T."""
    first = runs[1].rows[0, 0]
    points = np.linspace(first, min(run.rows[-1, 0] for run in runs), _COMPARED)
    if regime.smooth_off_axes:
        floor = rho
        coarse, fine = (run.at(points)[:-1].T for run in runs)
    else:
        floor = np.float64(rho) ** runs[0].shape[0]
        coarse, fine = (run.predictor(points) for run in runs)
    largest = np.maximum.accumulate(np.abs(fine).max(axis=1))
    size = np.maximum(np.interp(points + 1.0, points, largest), max(floor, 1e-300))
    return float(np.max(np.abs(coarse - fine).max(axis=1) / size))
