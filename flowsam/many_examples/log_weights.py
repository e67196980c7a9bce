"""Balanced starts of several examples in `y_j = log|w_j|`: one number a feature.

No stiffness where weights die: near a collapse of l_2-SAM the strong features fall like `(tau_c -
tau)^k`, k up to the square of their pull over that of the weakest.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from flowsam.engines.path import Entry
from flowsam.engines.run import Request
from flowsam.flow import Flow
from flowsam.many_examples.dual_steps import Curvature, live
from flowsam.many_examples.late_path import LateRun
from flowsam.many_examples.log_clock import LogClock, late_run
from flowsam.many_examples.log_march import CALM, COLLAPSED
from flowsam.many_examples.poise import TINY
from flowsam.many_examples.pulls import Pull, live_ones
from flowsam.many_examples.rest import LIVELY
from flowsam.shapes import (
    Examples,
    Float,
    Jacobian,
    Mask,
    PerExample,
    State,
    Theta,
    Vector,
)

Matrix = Float[np.ndarray, "d d"]

_PLAIN = 1e-200  # squares that are doubles
_NO_MARGIN = 1e-4  # of its terms without their signs


def even(flow: Flow, theta0: Theta) -> bool:
    """Return whether a start under GD or l_2-SAM stays balanced and away from 0."""
    size = np.abs(theta0[:, flow.data.moving])
    return bool((size > 0).all() and (size == size[:1]).all())


def smooth_run(flow: Flow, theta0: Theta, asked: Request) -> LateRun:
    """Integrate GD or l_2-SAM at L >= 2: in the logarithms of its weights where layers are even."""
    return (balanced_run if even(flow, theta0) else late_run)(flow, theta0, asked)


class _Point(NamedTuple):
    """A state's r_j = rho G_j w_j^(L-2) / N, N = sqrt(L) ||G w^(L-1)||, and pulls on both sides."""

    w: Vector
    r: Vector
    hat: Vector
    pull: Pull
    hat_pull: Pull
    log_norm: float  # nan for GD, which needs none


@dataclass(frozen=True, eq=False)
class LogWeights(LogClock):
    """A balanced flow in the clock T: the state is (log|w|, tau).

        dy_j/dT = e^(T + log Lambda(theta_hat)) G_hat_j w_j^(L-2) (1 - r_j)^(L-1),

    G the pull of the examples towards the sign of beta_j. (derivations/l2_limit.py)
    """

    few = False  # its slopes are of logarithms

    @cached_property
    def z(self) -> Examples:
        """Examples of the moving features, turned to the signs of beta."""
        return (self.flow.data.z * np.prod(np.sign(self.theta0), axis=0))[
            :, self.moving
        ]

    @property
    def start(self) -> State:
        """The state at T = 0."""
        return np.append(np.log(np.abs(self.theta0[0, self.moving])), 0.0)

    def begun(self) -> Entry:
        """Return mode, events and status of the start: to go on."""
        return Entry(None)

    def errors(self, asked: Request) -> State:
        """Return the absolute errors of a step: a log's is the relative one of its weight."""
        return np.append(np.full(self.start.size - 1, asked.rtol), asked.atol)

    def weights(self, state: State) -> Theta:
        """Return the weights of a state; idle ones stay where they were."""
        theta = self.theta0.copy()
        theta[:, self.moving] = np.sign(theta[:, self.moving]) * np.exp(state[:-1])
        return theta

    def ascended(self, state: State) -> tuple[float, float]:
        """Return the gradient's norm at theta_hat, and the norm of what it cancels from."""
        depth = len(self.theta0)
        at = self._point(state[:-1])
        reach = math.sqrt(depth) * at.hat ** (depth - 1)
        norms = (at.hat_pull.sum * reach, self.flow.data.sizes[self.moving] * reach)
        return float(np.linalg.norm(norms[0])), float(np.linalg.norm(norms[1]))

    def norm(self, state: State) -> float:
        """Return log N."""
        y = state[:-1]
        w = np.exp(y)
        return _log_norm(self._pull(w).sum, y, len(self.theta0) - 1)

    def calm(self, log_t: float, state: State, mode: Any) -> bool:
        """Tell whether rest, rounding and a collapse are far."""
        y = state[:-1]
        power = len(self.theta0) - 1
        most = _log_norm(self.flow.data.sizes[self.moving], y, power)
        low = max(self.lowest + np.log(CALM), most + np.log(LIVELY))
        lively = bool(self.norm(state) > low)
        return not self.poise.seen(log_t, state, mode) and lively

    def tiny(self, numbers: State) -> Mask:
        """Return which weights die or grow by rates of their own."""
        return numbers <= numbers.max() + math.log(TINY)

    def growth(self, rates: State, numbers: State) -> State:
        """Return what is positive where a weight grows."""
        return rates

    def rates(self, log_t: float, state: State) -> State:
        """Return the velocity of (y, tau) in T."""
        point = self._point(state[:-1])
        depth = len(self.theta0)
        pace = math.exp(min(log_t + point.hat_pull.log_scale, 600.0))
        lead = point.w ** (depth - 2)
        out = np.full_like(state, pace)
        out[:-1] *= point.hat_pull.sum * lead * (1.0 - point.r) ** (depth - 1)
        return out

    def jacobian(self, log_t: float, state: State) -> Jacobian:
        """Return the derivative of `rates` by the state."""
        at = self._point(state[:-1])
        depth = len(self.theta0)
        out = np.zeros((state.size,) * 2)
        kept = 1.0 - at.r
        pull = at.hat_pull.sum
        lead = at.w ** (depth - 2)
        reach = depth * at.hat ** (depth - 1) * at.w
        growth = pull * lead * kept ** (depth - 1)
        turn = reach * kept  # d margin_hat / d log w, by z
        if self.flow.rho:
            bent = self._bent(at, state[:-1])
            turn = np.diag(turn) - reach[:, None] * bent
            slope = (depth - 1) * pull * lead * kept ** (depth - 2)
            out[:-1, :-1] -= slope[:, None] * bent
        bend = self._bend(at.hat_pull)
        hat_pull = _pull_change(self.z, bend, pull, turn)
        out[:-1, :-1] += (lead * kept ** (depth - 1))[:, None] * hat_pull
        out[:-1, :-1] += (depth - 2) * np.diag(growth)
        moved = bend @ self.z
        out[-1, :-1] = moved * turn if turn.ndim == 1 else moved @ turn
        out[:-1, :-1] += np.outer(growth, out[-1, :-1])
        return np.exp(min(log_t + at.hat_pull.log_scale, 600.0)) * out

    def curvature(self, log_t: float, state: State) -> Curvature:
        """Return the stiff part of `jacobian`: P is w^(L-1), and logs are weights over w."""
        depth = len(self.theta0)
        rho = self.flow.rho
        at = self._point(state[:-1])
        z, along = live(self.pulls, at.hat_pull)
        into = depth * at.hat ** (depth - 1) * at.w
        # not hat^(L-1) / w: weights that die underflow
        out = at.w ** (depth - 2) * (1.0 - at.r) ** (depth - 1)
        ratio = rho * np.exp(-at.log_norm) if rho else 0.0
        pace = np.exp(min(log_t + at.hat_pull.log_scale, 600.0))
        turn = along if rho else None
        return Curvature(z, turn, into[None], out[None], pace, ratio)

    def _bent(self, at: _Point, y: Vector) -> Matrix:
        """Return the derivative of r by log w."""
        depth = len(self.theta0)
        rho = self.flow.rho
        along = at.pull.sum
        bend = self._bend(at.pull)
        pull = _pull_change(self.z, bend, along, depth * at.w**depth)
        square = np.exp(2 * (depth - 1) * y + np.log(depth) - 2 * at.log_norm)
        norm = (square * along) @ pull + (depth - 1) * square * along**2
        scale = rho * np.exp((depth - 2) * y - at.log_norm)
        return (
            scale[:, None] * pull + (depth - 2) * np.diag(at.r) - np.outer(at.r, norm)
        )

    def largest(self, move: State, numbers: State) -> float:
        """Return the largest move: of a log if it grows, of a weight else."""
        shrinks = np.exp(numbers - numbers.max()) * np.minimum(-move, 1.0)
        return float(np.where(move > 0, move, shrinks).max())

    @cached_property
    def lowest(self) -> float:
        """The log of the norm N at which a run counts as collapsed."""
        return self.norm(self.start) + (len(self.theta0) - 1) * np.log(COLLAPSED)

    def at_origin(self, state: State) -> State | None:
        """Return the state after a collapse, margins of 0; features that rest keep theirs."""
        large = state[:-1] > self.start[:-1].max() + np.log(COLLAPSED) / 2
        beta = np.where(large, np.exp(len(self.theta0) * state[:-1]), 0.0)
        if np.abs(self.z @ beta).max() > _NO_MARGIN * (np.abs(self.z) @ beta).max():
            return None
        return np.append(np.where(large, state[:-1], -np.inf), state[-1])

    def _pull(self, w: Vector) -> Pull:
        """Return what the examples say at equal layers."""
        # cubes by `**` are slow
        return self.pulls.at(w ** (len(self.theta0) - 1) * w)

    def _bend(self, at: Pull) -> PerExample:
        """Return q_i s_i, s = d log|ell'| / dm."""
        return at.shares * self.flow.loss.log_slope_derivative(at.margins)

    def _point(self, y: Vector) -> _Point:
        """Evaluate one state."""
        depth = len(self.theta0)
        rho = self.flow.rho
        w = np.exp(y)
        pull = self._pull(w)
        if not rho:
            return _Point(w, np.zeros_like(w), w, pull, pull, math.nan)
        log_norm = _log_norm(pull.sum, y, depth - 1)
        r = rho * pull.sum * np.exp((depth - 2) * y - log_norm)
        hat = w * (1.0 - r)
        return _Point(w, r, hat, pull, self._pull(hat), log_norm)


balanced_run = LogWeights.run


def _pull_change(
    z: Examples, bend: PerExample, pull: Vector, turn: Float[np.ndarray, "d *k"]
) -> Matrix:
    """Return `(d G_j / d beta) turn`, d G_j / d beta_k = sum_i q_i s_i (z_ij - G_j) z_ik."""
    live = live_ones(np.abs(bend))
    z, bend = (z, bend) if live is None else (z[live], bend[live])
    moved = z * turn if turn.ndim == 1 else z @ turn
    return (z * bend[:, None]).T @ moved - np.outer(pull, bend @ moved)


def _log_norm(pull: Vector, y: Vector, power: int) -> float:
    """Return the log of `sqrt(L) ||G w^(L-1)||`, also where every weight underflows."""
    reach = pull * np.exp(power * y)
    square = float(np.vdot(reach, reach))
    if _PLAIN < square < 1 / _PLAIN:
        return 0.5 * math.log((power + 1) * square)
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(pull)) + power * y
    top = logs.max()
    return float(top + 0.5 * np.log((power + 1) * np.exp(2 * (logs - top)).sum()))
