"""One run of l_inf-SAM or l_1-SAM in steps of the rescaled clock: the inner loop of `chatter`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowsam.engines.equal_layers import EqualLayers
from flowsam.engines.lean_field import single_shares
from flowsam.engines.run import Request
from flowsam.flow import Flow
from flowsam.regimes import case_of
from flowsam.shapes import Float, Points, Theta

# share of the largest weight that a step of the first run may move
_STRIDE = 1.0 / 32.0
_STABLE = 2.0  # step of the first run times the rate at which the shares relax
_LEAST = float(np.nextafter(0.0, 1.0))
_FEWEST = 8  # steps of the first run, however short its span
_HELD = 16  # steps for which h is held: on which side of a surface the state is must not matter
_FADING = 0.01  # what a step forgets of the log of the fastest rate seen
_EXACT = 4  # layers
_BURST = 1.0  # log of how much faster than foreseen a step may be
_ROWS = 2048  # rows kept: two become their mean when there are more
_LOOK = 16384  # steps after which, and at every doubling, a state is looked at for rest


@dataclass(frozen=True, eq=False)
class Iteration:
    """One run: rows of (log(1 + t), theta, tau), its steps, and how it ended."""

    rows: Float[np.ndarray, "K m"]
    shape: tuple[int, int]
    steps: int
    # "end", "rests" (on average), "collapsed" (rests at the origin), or "steps": out of them
    ending: str

    def at(self, log_t: Float[np.ndarray, "*k"] | float) -> Float[np.ndarray, "m *k"]:
        """Return states (theta, tau) at values of T, linear between rows."""
        times = self.rows[:, 0]
        right = np.clip(np.searchsorted(times, log_t), 1, times.size - 1)
        width = times[right] - times[right - 1]
        share = np.clip(
            (log_t - times[right - 1]) / np.where(width > 0, width, 1.0), 0.0, 1.0
        )
        before = self.rows[right - 1, 1:].T
        after = self.rows[right, 1:].T
        return before + share * (after - before)

    def predictor(self, log_t: Points) -> Float[np.ndarray, "k d"]:
        """Return beta at values of T."""
        return np.prod(self.at(log_t)[:-1].T.reshape(-1, *self.shape), axis=1)


def iterated(walk: Walk, asked: Request, most: int) -> Iteration:
    """Walk to the end, to rest, or for `most` steps; a row is the mean of a block of steps."""
    goal = asked.end
    in_tau = asked.in_tau
    walk.spend(goal - (walk.tau if in_tau else walk.log_t), in_tau)
    rows = [walk.row()]
    block = np.zeros_like(rows[0])
    thinning = 1
    look = _LOOK
    ending = ""
    while not ending:
        walk.advance(goal if in_tau else np.inf)
        block += walk.row()
        if walk.steps % thinning == 0:
            rows.append(block / thinning)
            block[:] = 0.0
        if len(rows) > _ROWS:  # the start, then means of two
            rows = [rows[0], *(np.add(rows[1::2], rows[2::2]) / 2)]
            thinning = 2 * thinning
        if (walk.tau if in_tau else walk.log_t) >= goal * (1 - 1e-15):
            ending = "end"
        elif walk.steps == look:
            ending = walk.rested(rows, goal, in_tau)
            look = 2 * look
        elif walk.steps >= most:
            ending = "steps"
    if ending in ("end", "steps"):
        rows.append(walk.row())
    return Iteration(np.array(rows), walk.theta.shape, walk.steps, ending)


class Walk:
    """The state of an iteration: weights, both clocks, and the step h held."""

    def __init__(
        self,
        flow: Flow,
        theta: Theta,
        origin: tuple[float, float],
        share: float,
    ) -> None:
        """Start the clocks; the first step sets its own size."""
        self.flow = flow
        self.rule = flow.perturbation.iterated
        self.theta = theta
        self.log_share = float(np.log(share))
        (self.log_t, self.tau) = origin
        self.steps = 0
        self.fastest = -np.inf
        self.log_step = np.inf
        # of T and tau, for the first run's longest steps
        self.log_spans = (0.0, np.inf)
        self.z = flow.data.z
        self.powers = np.hstack([self.z, self.z**2])
        self.shares = single_shares(flow)
        # up to four layers all other products are the same to the last bit
        apart = len(theta) <= _EXACT or flow.perturbation.cornered
        self.layers = EqualLayers.of(theta, apart=apart)
        even = not np.ptp(np.abs(theta), axis=0).any()
        self.gated = even and case_of(flow, len(theta)).gated
        self.careful = self.gated or not self.layers.apart

    def spend(self, span: float, in_tau: bool) -> None:
        """Take a few steps at least for a span of one of the clocks."""
        longest = float(np.log(max(span / _FEWEST, _LEAST)))
        self.log_spans = (0.0, longest) if in_tau else (min(0.0, longest), np.inf)

    def row(self) -> Points:
        """Return log(1 + t), the weights, and the rescaled time."""
        return np.concatenate([[self.log_t], self.theta.ravel(), [self.tau]])

    def advance(self, tau_end: float) -> None:
        """Take one step, a shorter one where rescaled time would pass its end.

        The fastest of three rates at theta_hat sets h: of the weights over _STRIDE of the largest,
        of the shares, `sum_lj P_lj^2 var_q(z_j)`, over _STABLE, and of the clocks.
        """
        products, shares, _ = self.shares(self.theta)
        descent = shares.dot(self.z) * products
        hat = self.theta + self.rule.ascent(self.theta, -descent)
        products, shares, top = self.shares(hat)
        total = np.add.reduce(shares)
        means = shares.dot(self.powers) / total
        log_scale = top + float(np.log(total / shares.size))
        pull, square = means.reshape(2, -1)
        velocity = pull * products
        moving = np.maximum.reduce(np.abs(velocity), None) / self._reach() / _STRIDE
        relaxing = np.add.reduce(products * products).dot(square - pull * pull)
        rate = max(moving, float(relaxing) / _STABLE, 1e-300)
        of_t, of_tau = self.log_spans
        log_rate = max(float(np.log(rate)), -log_scale - self.log_t - of_t, -of_tau)
        self.fastest = max(self.fastest - _FADING, log_rate)
        if (
            self.steps % _HELD == 0
            or self.log_step + log_rate > self.log_share + _BURST
        ):
            self.log_step = self.log_share - self.fastest
        left = tau_end - self.tau
        pace = min(float(np.exp(self.log_step)), left)
        log_pace = min(self.log_step, float(np.log(left)))
        move = pace * velocity
        self.theta = self._after(move, hat) if self.careful else self.theta + move
        self.tau = self.tau + pace
        self.steps = self.steps + 1
        # in logs: a margin of 1000 is left in rescaled times of 0
        self.log_t = float(np.logaddexp(self.log_t, log_pace - log_scale))

    def _after(self, move: Theta, hat: Theta) -> Theta:
        """Return the weights after a step: equal layers stay so, and at odd L before their gate."""
        if self.gated and (far := np.abs(move) > np.abs(hat)).any():
            ratio = np.divide(move, hat, out=np.zeros_like(hat), where=far & (hat != 0))
            move = np.where(ratio < -1.0, hat * ratio / (1.0 - ratio), move)
        theta = self.theta + move
        if self.layers.apart:
            return theta
        return self.layers.whole(self.layers.flat(theta))

    def _reach(self) -> float:
        """Return how far theta_hat is from 0, or there how far a margin of 1 is."""
        size = float(np.maximum.reduce(np.abs(self.theta), None))
        reach = size + self.flow.perturbation.radius_at(size)
        return reach or 1.0 / float(self.flow.data.sizes.max())

    def rested(self, rows: list[Points], goal: float, in_tau: bool) -> str:
        """Say whether the state rests on average, by two quarters; if so, rest to the end."""
        quarter = len(rows) // 4
        half = np.array(rows[-2 * quarter :])[:, 1:-1]
        earlier, later = half.reshape(2, quarter, -1).mean(axis=1)
        stride = float(np.exp(self.log_share) * _STRIDE * self._reach())
        if np.abs(later - earlier).max() > stride:
            return ""
        active = np.tile(self.flow.data.moving, len(self.theta))
        collapsed = np.abs(later[active]).max(initial=0.0) <= 4.0 * stride
        before = rows[-quarter]
        last = rows[-1]
        last[1:-1] = np.where(active & collapsed, 0.0, later)
        # log of t gained per unit of rescaled time, from the last quarter
        spent = last[-1] - before[-1]
        grown = -np.expm1(before[0] - last[0])
        gain = -float(self.flow.log_lambda(self.theta))
        if spent > 0 and grown > 0:  # else both are less than their last digits
            gain = float(np.log(grown / spent)) + last[0]
        if in_tau:
            log_t = np.logaddexp(last[0], gain + np.log(goal - last[-1]))
            tau = goal
        else:
            log_t = goal
            tau = last[-1] + np.exp(min(goal - gain, 600.0))
        rows.append(np.concatenate([[log_t], last[1:-1], [tau]]))
        return "collapsed" if collapsed else "rests"
