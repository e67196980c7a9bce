"""l_inf-SAM with several examples where it slides on many surfaces: iteration, steps halved.

On two or more surfaces at once Filippov's velocity is not unique; what discrete SAM does there as
its step tends to 0 is a limit of its own, for which no formula is known. So it is iterated, in
the rescaled clock, and the step halved until two runs agree. The difference is part of the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from flowsam.flow import Flow
from flowsam.losses import softmax
from flowsam.network import other_products

__all__ = ["HalvedRun", "halved_run"]

Points = Float[np.ndarray, " _"]
Theta = Float[np.ndarray, "L d"]

_COARSEST = 0.5  # step times the fastest rate of the field
_MOST_STEPS = 50_000
_COMPARED = 200  # points in log t at which two runs are compared


@dataclass(frozen=True, eq=False)
class HalvedRun:
    """The finest of a sequence of iterations, and how far it was from the one before.

    Parameters
    ----------
    log_t : ndarray, shape (K,)
        log(1 + t) after every step, from 0.
    tau : ndarray, shape (K,)
        Rescaled time after every step.
    theta : ndarray, shape (K, L, d)
        Weights.
    difference : float
        Largest distance between the predictors of the last two runs at equal log t, over the
        largest entry of the predictor at that time.
    status : str
        "finished"; "sliding_ambiguous" where halving did not settle; "failed" where `log_t_end`
        is out of reach because the margins stopped growing.
    message : str
        One sentence with the difference.
    steps : int
        Steps of all runs together.
    """

    log_t: Points
    tau: Points
    theta: Float[np.ndarray, "K L d"]
    difference: float
    status: str
    message: str
    steps: int

    def at(self, log_t: Points) -> Float[np.ndarray, "k L d"]:
        """Return weights at values of log(1 + t), linear between steps."""
        return _between(log_t, self.log_t, self.theta)

    def tau_at(self, log_t: Points) -> Points:
        """Return rescaled times at values of log(1 + t)."""
        return np.interp(log_t, self.log_t, self.tau)


def halved_run(
    flow: Flow, theta0: Theta, *, end: tuple[float, str], tolerance: float = 1e-2
) -> HalvedRun:
    """Iterate SAM in the rescaled clock with ever smaller steps until two runs agree.

    theta_{k+1} = theta_k + h_k F(theta_hat_k), h_k a fraction of the inverse of the fastest rate
    `sum_lj P_lj^2 var_q(z_j)`, so that the shares q of the examples stay on their slow path.

    Parameters
    ----------
    flow : Flow
        Any rule; meant for l_inf.
    theta0 : ndarray, shape (L, d)
        Start.
    end : tuple of float and str
        The end and its clock, "log_t_end" or "tau_end".
    tolerance : float
        Relative difference of two predictors at which the halving stops.

    Returns
    -------
    HalvedRun
        Error: about `difference`; chatter of the order of the step remains on every surface.

    Notes
    -----
    Derivation: derivations/discrete_to_flow.py.

    Examples
    --------
    >>> from flowsam import Data, linf
    >>> flow = Flow(Data([[1.0, 0.2], [0.2, 1.0]]), linf(0.1))
    >>> run = halved_run(flow, np.array([[0.3, 0.0]]), end=(6.0, "log_t_end"))
    >>> run.status, bool(run.difference < 1e-2)
    ('finished', True)
    """
    coarse, fraction, total, difference = None, _COARSEST, 0, np.inf
    while True:
        run = _iterated(flow, theta0, end, fraction)
        total += len(run[0])
        reached = run[0][-1] >= end[0] if end[1] == "log_t_end" else run[1][-1] >= end[0]
        if coarse is not None:
            difference = _difference(coarse, run)
        settled = difference <= tolerance
        if settled or not reached or 3 * len(run[0]) > _MOST_STEPS:
            break
        coarse, fraction = run, fraction / 2
    status = "failed" if not reached else "finished" if settled else "sliding_ambiguous"
    message = _MESSAGES[status].format(difference=difference, log_t=run[0][-1])
    return HalvedRun(*run, difference, status, message, total)


_MESSAGES = {
    "finished": "halving the step changed the predictor by {difference:.1e} (relative)",
    "sliding_ambiguous": "halving the step still changes the predictor by {difference:.1e} "
    "(relative); shorten the run, or ask limit(flow, theta0)",
    "failed": "margins stopped growing by log t = {log_t:.3g}: the end is out of reach; "
    "limit(flow, theta0) says whether the surviving features separate",
}


def _iterated(
    flow: Flow, theta: Theta, end: tuple[float, str], fraction: float
) -> tuple[Points, Points, Float[np.ndarray, "K L d"]]:
    """Return log_t, tau and theta after every step of one run."""
    goal, in_log_t = end[0], end[1] == "log_t_end"
    clock, tau = 0.0, 0.0
    rows = [(clock, tau, theta)]
    while (clock if in_log_t else tau) < goal and len(rows) < _MOST_STEPS:
        hat = flow.perturbed(theta)
        direction, log_scale = flow.descent(hat)
        clock_rate = float(np.exp(min(-float(log_scale) - clock, 600.0)))
        step = fraction / max(_fastest_rate(flow, hat, direction), clock_rate)
        step = step if in_log_t else min(step, max(goal - tau, 1e-15 * goal))
        theta, tau = theta + step * direction, tau + step
        left, right = -float(log_scale), -float(flow.log_lambda(theta))
        clock = float(np.logaddexp(clock, _log_area(left, right, step)))
        rows.append((clock, tau, theta))
        if len(rows) % 1000 == 0 and _hopeless(rows, goal, 0 if in_log_t else 1):
            break
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def _hopeless(rows: list[tuple], goal: float, column: int) -> bool:
    """Say whether the last 500 steps, repeated to the most allowed, stay short of the end."""
    now, before = rows[-1][column], rows[-500][column]
    return now + (now - before) / 500 * (_MOST_STEPS - len(rows)) < goal


def _fastest_rate(flow: Flow, hat: Theta, direction: Theta) -> float:
    """Bound the rates of the field: that of the shares, and that of the weights themselves."""
    products, z = other_products(hat), flow.data.z
    q = softmax(flow.loss.log_slope(z @ np.prod(hat, axis=0)))
    shares = float((q @ z**2 - (q @ z) ** 2) @ (products**2).sum(axis=0))
    size = np.maximum(np.abs(hat), flow.perturbation.rho)
    growth = float(np.max(np.abs(direction) / size)) if len(hat) > 1 else 0.0
    return max(shares, growth)


def _log_area(left: float, right: float, width: float) -> float:
    """Return the log of the integral of `e^phi`, phi linear from `left` to `right`."""
    change = abs(right - left)
    mean = -np.expm1(-change) / change if change > 1e-12 else 1.0
    return max(left, right) + float(np.log(width * mean))


def _between(x: Points, grid: Points, values: Float[np.ndarray, "K L d"]) -> np.ndarray:
    """Interpolate states linearly."""
    right = np.clip(np.searchsorted(grid, x), 1, len(grid) - 1)
    width = grid[right] - grid[right - 1]
    share = np.clip((x - grid[right - 1]) / np.where(width > 0, width, 1.0), 0.0, 1.0)
    share = share[:, None, None]
    return (1.0 - share) * values[right - 1] + share * values[right]


def _difference(coarse: tuple, fine: tuple) -> float:
    """Return the largest relative distance of two runs' predictors at equal log t."""
    points = np.linspace(0.0, min(coarse[0][-1], fine[0][-1]), _COMPARED)
    first, second = (np.prod(_between(points, run[0], run[2]), axis=1) for run in (coarse, fine))
    size = np.maximum.accumulate(np.abs(second).max(axis=1))
    return float(np.max(np.abs(first - second).max(axis=1) / np.where(size > 0, size, 1.0)))
