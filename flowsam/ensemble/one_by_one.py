"""Members of an ensemble whose field jumps: each by `solve`, with the surfaces it meets."""

import numpy as np

from flowsam import endings
from flowsam.engines.run import Request
from flowsam.ensemble.batch_ends import Ending
from flowsam.ensemble.batched_steps import Control
from flowsam.regimes import Case
from flowsam.shapes import Weights
from flowsam.trajectory import Trajectory


def one_by_one(case: Case, w: Weights, control: Control) -> tuple[np.ndarray, ...]:
    """Return last weights (L, d, N), times, statuses and steps."""
    follow = case.ask("solve")
    asked = Request(
        control.tau_end, "tau_end", rtol=control.rtol, atol=control.atol, method="auto"
    )
    last = w.copy()
    runs = [follow(start, asked, 2) for start in np.moveaxis(w, -1, 0)]
    for place, run in enumerate(runs):
        last[..., place] = run.theta[-1]
    tau = np.array([_end(run) for run in runs])
    status = np.array([_status(run) for run in runs], np.int8)
    return last, tau, status, np.array([run.steps for run in runs], np.int64)


def _end(run: Trajectory) -> float:
    """Return when a run ended: the rows of a collapsed one go on."""
    fall = [event.tau for event in run.events if event.kind == "collapse"]
    return fall[0] if fall else float(run.tau[-1])


def _status(run: Trajectory) -> Ending:
    """Return the code of a run's end."""
    late = run.ending == endings.Ending.OUT_OF_STEPS
    return Ending.OUT_OF_STEPS if late else Ending[run.status.upper()]
