"""Where members of an ensemble end: the tests of one run, on a batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np

from flowsam.engines.range_ends import FALLEN, RADIUS, range_end
from flowsam.ensemble.batched_steps import Control, Steps, beside
from flowsam.falls import TOGETHER, second_layer
from flowsam.flow import Flow
from flowsam.shapes import Bool, Chosen, Column, Float, Int, Mask, Weights


class Ending(IntEnum):
    """How a member ended: codes, for arrays, of `flowsam.endings`, and SETTLED by the caller.

    FINISHED
        at tau_end.
    COLLAPSED
        every active weight reached 0, or two of each coordinate, or is certain to at `tau`.
    ESCAPED
        a coordinate blew up at `tau` (L >= 3), or left the range of doubles.
    SETTLED
        the caller's `settled` said so at `tau`.
    FAILED
        the steps became too small.
    OUT_OF_STEPS
        the member has had all the steps it may try at `tau`: it is stiff, or the end far.
    SLIDING_AMBIGUOUS
        it fell into 0, from where many paths lead on; or as below.
    TOO_MANY_EVENTS
        where the field jumps: as the status of `solve`.

    Examples
    --------
    >>> Ending(1).name
    'COLLAPSED'
    """

    FINISHED = 0
    COLLAPSED = 1
    ESCAPED = 2
    SETTLED = 3
    FAILED = 4
    OUT_OF_STEPS = 5
    SLIDING_AMBIGUOUS = 6
    TOO_MANY_EVENTS = 7


@dataclass(frozen=True, eq=False)
class Ends:
    """Sizes at which each of N members ends: a certain collapse, a blow-up in sight."""

    flow: Flow
    control: Control
    # largest active |w| at a collapse; 0 where none can happen
    floor: Column
    ceiling: Column  # largest |w| before a blow-up
    # largest second |w| of a coordinate that comes to rest alone; 0 where none can
    pin: float

    @classmethod
    def of(cls, flow: Flow, control: Control, w: Weights) -> Ends:
        """Read the sizes off the starts."""
        rule = flow.perturbation
        depth = len(w)
        z = flow.data.z
        size = np.abs(w).max(axis=(0, 1))
        known = flow.kind != "own"
        falls = known and rule.keeps_length and depth > 1
        moving = np.abs(w[:, flow.data.moving]).max(axis=(0, 1), initial=0.0)
        floor = falls * np.minimum(FALLEN * control.atol, 1e-3 * moving)
        pin = falls * (0.0 if control.deaths or depth < 3 else 10 * control.atol)
        last = range_end(float(np.abs(z).sum(axis=1).max()), depth)
        far = RADIUS * np.maximum(size, rule.rho) if depth > 2 and known else np.inf
        ceiling = np.minimum(last, far)
        return cls(flow, control, floor, np.broadcast_to(ceiling, size.shape), pin)

    @property
    def active(self) -> Mask:
        """Coordinates that some example sees: the others never move."""
        return self.flow.data.moving

    def resting(self, w: Weights) -> Chosen:
        """Return which starts have no gradient under a normalised rule."""
        rule = self.flow.perturbation
        if self.flow.kind == "own" or not rule.keeps_length:
            return np.zeros(w.shape[-1], dtype=bool)
        return (self.flow.descent(np.moveaxis(w, -1, 0))[0] == 0).all(axis=(-2, -1))

    def open(self, w: Weights) -> Chosen:
        """Return which members, of all, are between a certain collapse and a blow-up."""
        size = np.abs(w[:, self.active])
        second = second_layer(size)
        low = (second <= self.floor).all(axis=0) & (self.floor > 0)
        return ~low & (size.max(axis=(0, 1), initial=0.0) < self.ceiling)

    def judge(
        self, before: Steps, steps: Steps, stuck: Bool[np.ndarray, " B"]
    ) -> tuple[Int[np.ndarray, " B"], Steps]:
        """Return an `Ending` or -1 for each member, and the members, moved to their ends."""
        size = np.abs(steps.w[:, self.active])
        high = size.max(axis=(0, 1), initial=0.0) >= self.ceiling[steps.member]
        ending = np.where(
            steps.tried >= self.control.most_steps, Ending.OUT_OF_STEPS, -1
        )
        ending[stuck] = Ending.FAILED
        ending[steps.tau >= self.control.tau_end] = Ending.FINISHED
        second = second_layer(size)
        w = steps.w
        steps = self._pinned(steps, second)
        if steps.w is not w:
            second = second_layer(np.abs(steps.w[:, self.active]))
        top = size.max(axis=0) if self.control.deaths else second
        steps, collapsed = self._fallen(steps, top)
        ending[collapsed] = Ending.COLLAPSED
        falls = self.control.falls
        if falls and collapsed.any():
            forks = falls.forks(w, self.floor[steps.member])
            ending[collapsed & forks] = Ending.SLIDING_AMBIGUOUS
        if self.control.deaths:
            steps, forks = self._changed(before, steps)
            gone = second_layer(np.abs(steps.w[:, self.active])) == 0
            ending[gone.all(axis=0) & ~collapsed] = Ending.COLLAPSED
            ending[forks] = Ending.SLIDING_AMBIGUOUS
        if len(steps.w) == 2:
            ending[high] = Ending.ESCAPED
        elif (high | stuck).any():
            steps, escaped = self._blown_up(steps, high, stuck)
            ending[escaped] = Ending.ESCAPED
        return ending, steps

    def _pinned(self, steps: Steps, second: Float[np.ndarray, "a B"]) -> Steps:
        """Put to rest the single coordinates that have come to 0 while others live, at L >= 3.

        Two weights at the tolerance decay, stiff, and none can outgrow a blow-up.
        """
        near = (second <= self.pin) & (second > 0)
        if not near.any():
            return steps
        w = steps.w.copy()
        slope = steps.slope.copy()
        mask = np.zeros(w.shape[1:], dtype=bool)
        mask[self.active] = near
        small = mask & (np.abs(w) <= self.pin)
        inward = -(small * w * slope).sum(axis=0)
        mask &= inward * steps.size > (small * w * w).sum(axis=0)
        w[small & mask] = 0.0
        slope[:, mask] = 0.0
        return replace(steps, w=w, slope=slope)

    def _changed(self, before: Steps, steps: Steps) -> tuple[Steps, Chosen]:
        """Give weights their roles and let features die; return who may leave 0 again."""
        deaths: Any = self.control.deaths
        forks = np.zeros(steps.member.size, dtype=bool)
        second = second_layer(np.abs(steps.w))
        near = ((second > 0) & (second <= deaths.low))[self.active].any(axis=0)
        if falls := self.control.falls:
            near &= ~falls.passes(steps.w, steps.lone)
        if not near.any():
            return steps, forks
        parts = steps.w[..., near], steps.slaves[..., near]
        signals = beside(deaths.signals, *parts)
        due = signals <= 0
        # a pair that dies is where its master turns, to the error of a step
        turned = np.sign(before.w) * steps.w < 0
        master = (turned & (np.abs(steps.w) == second)).any(axis=0)
        master &= steps.slaves.any(axis=0) | (turned.sum(axis=0) > 1)
        due[1] |= master[:, near] & np.isfinite(signals[1])
        some = due.any(axis=(0, 1))
        if not some.any():
            return steps, forks
        who = np.flatnonzero(near)[some]
        here = steps.w[..., who]
        low = 10.0 * self.control.atol
        if falls:
            forks[who] = falls.forks(here, low)
        w = steps.w.copy()
        slope = steps.slope.copy()
        slaves = steps.slaves.copy()
        after = beside(deaths.after, here, slaves[..., who], due[..., some])
        w[..., who], slaves[..., who] = after
        w[:, :, forks] *= np.abs(w[:, :, forks]) > low
        shown, rates = self.control.held(slaves[..., who])
        w[..., who] = shown(w[..., who])
        slope[..., who] = beside(rates, w[..., who])
        return replace(steps, w=w, slope=slope, slaves=slaves), forks

    def _fallen(self, steps: Steps, second: np.ndarray) -> tuple[Steps, np.ndarray]:
        """Follow to the end of the gradient who is certain to reach it, and return who is."""
        floor = self.floor[steps.member]
        collapsed = (second <= floor).all(axis=0) & (floor > 0)
        at = np.flatnonzero(collapsed)
        if not at.size:
            return steps, collapsed
        rows = np.ix_(np.arange(len(steps.w)), np.flatnonzero(self.active), at)
        w = steps.w[rows]
        slope = steps.slope[rows]
        small = np.abs(w) <= np.maximum(floor[at], TOGETHER * second[:, at])
        small &= second[:, at] > 0  # with two layers at 0 the others rest
        square = (small * w * w).sum(axis=0)
        inward = -(small * w * slope).sum(axis=0)
        certain = ((inward > 0) | (second[:, at] == 0)).all(axis=0)
        tau = steps.tau.copy()
        new = steps.w.copy()
        new[rows] = np.where(small & certain, 0.0, w)
        moving = certain & (square > 0).any(axis=0)
        tau[at] += np.where(moving, square.sum(axis=0) / inward.sum(axis=0), 0.0)
        collapsed[at] = certain
        return replace(steps, tau=tau, w=new), collapsed

    def _blown_up(
        self, steps: Steps, high: np.ndarray, stuck: np.ndarray
    ) -> tuple[Steps, np.ndarray]:
        """Follow the end of a blow-up: `tau* - tau = |z|^2 / ((L - 2) <z, z'>)`, z the w_hat."""
        near = np.flatnonzero(high | stuck)
        w = steps.w[..., near]
        slope = steps.slope[..., near]
        hat = np.moveaxis(self.flow.perturbed(np.moveaxis(w, -1, 0)), 0, -1)
        growth = (len(w) - 2) * (hat * slope).sum(axis=(0, 1))
        left = np.where(growth > 0, (hat * hat).sum(axis=(0, 1)) / growth, np.inf)
        inside = steps.tau[near] + left <= self.control.tau_end
        escaped = inside & (high[near] | (left < 1e-9 * steps.tau[near]))
        near = near[escaped]
        w = w[..., escaped]
        left = left[escaped]
        tau = steps.tau.copy()
        new = steps.w.copy()
        tau[near] += left
        moved = w + left * slope[..., escaped]
        if self.flow.data.z.shape[0] == 1:
            winner = np.abs(w).min(axis=0).argmax(axis=0)
            rows = np.arange(winner.size)
            moved[:, winner, rows] = np.copysign(np.inf, w[:, winner, rows])
        new[..., near] = moved
        return replace(steps, tau=tau, w=new), np.isin(np.arange(tau.size), near)
