"""Where members of an ensemble end: the tests of one run, on a batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from flowsam.engines.range_ends import FALLEN, RADIUS, range_end
from flowsam.ensemble.batched_steps import Control, Steps
from flowsam.falls import TOGETHER, second_layer
from flowsam.flow import Flow
from flowsam.shapes import Bool, Chosen, Column, Float, Int, Mask, Weights

# p > 2, in units of rho: smaller weights are slaved to others, and stiff
LOW = 1e-3
PIN = 1e-6


NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)
NODES = (NODES + 1.0) / 2.0
WEIGHTS = WEIGHTS / 2.0


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
        moving = np.abs(w[:, (z != 0).any(axis=0)]).max(axis=(0, 1), initial=0.0)
        smooth = np.minimum(FALLEN * control.atol, 1e-3 * moving)
        floor = falls * (np.full(size.shape, LOW * rule.rho) if rule.steep else smooth)
        small = 10 * control.atol if depth > 2 else 0.0
        pin = falls * (PIN * rule.rho if rule.steep else small)
        last = range_end(float(np.abs(z).sum(axis=1).max()), depth)
        far = RADIUS * np.maximum(size, rule.rho) if depth > 2 and known else np.inf
        ceiling = np.minimum(last, far)
        return cls(flow, control, floor, np.broadcast_to(ceiling, size.shape), pin)

    @property
    def active(self) -> Mask:
        """Coordinates that some example sees: the others never move."""
        return (self.flow.data.z != 0).any(axis=0)

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
        self, steps: Steps, stuck: Bool[np.ndarray, " B"]
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
        before = steps
        steps = self._pinned(steps, second)
        if steps is not before:
            second = second_layer(np.abs(steps.w[:, self.active]))
        steps, collapsed = self._fallen(steps, second)
        ending[collapsed] = Ending.COLLAPSED
        falls = self.control.falls
        if falls and collapsed.any():
            forks = falls.forks(before.w, self.floor[steps.member])
            ending[collapsed & forks] = Ending.SLIDING_AMBIGUOUS
            if falls.steep:
                steps = self._timed(before, steps, collapsed & ~forks)
        if len(steps.w) == 2:
            ending[high] = Ending.ESCAPED
        elif (high | stuck).any():
            steps, escaped = self._blown_up(steps, high, stuck)
            ending[escaped] = Ending.ESCAPED
        return ending, steps

    def _pinned(self, steps: Steps, second: Float[np.ndarray, "a B"]) -> Steps:
        """Put to rest the single coordinates that have come to 0 while others live.

        p > 2: w' ~ -|w|^(q-1), q < 2: two weights at 0 absorb the rest, below (pin / rho)^2. p <=
        2, L >= 3: two weights at the tolerance decay, stiff, and none can outgrow a blow-up.
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
        steep = self.flow.perturbation.steep
        stiff = 0.0 if steep else (small * w * w).sum(axis=0)
        mask &= inward * steps.size > stiff
        w[small & mask] = 0.0
        slope[:, mask] = 0.0
        return replace(steps, w=w, slope=slope)

    def _last(self, w: Float[np.ndarray, "L d B"]) -> Float[np.ndarray, "k B"]:
        """Return sizes of the feature of largest gradient, v <= u <= others, and rho |G R|."""
        pull = self.flow.pull(np.moveaxis(w, -1, 0))[0].T
        sizes = np.sort(np.abs(w), axis=0)
        rest = np.prod(sizes[2:], axis=0)
        speed = self.flow.rho * np.abs(pull) * rest
        last = np.argmax(sizes[1] * speed, axis=0)
        every = np.arange(last.size)
        return np.vstack([sizes[:, last, every], speed[last, every]])

    def _timed(self, before: Steps, steps: Steps, who: Chosen) -> Steps:
        """Tell when the last pair is at 0: |u'| = rho |G| prod_k (|w_k| - u^q |w_k|^(1-q))."""
        # p > 2, beside a slave v = u^p / rho^(p-1), the others w_k parted from it
        p = self.flow.perturbation.p
        _, u, *others, speed = self._last(before.w[..., who])
        parted = (speed > 0) & (u < 0.9 * others[0])
        slower = np.ones((NODES.size, u.size))
        for size in others:
            ratio = u / np.where(parted, size, np.inf)
            slower *= 1.0 - np.outer(NODES, ratio) ** (p / (p - 1.0))
        mean = WEIGHTS @ (1.0 / slower)
        left = np.divide(u * mean, speed, out=np.zeros_like(u), where=parted)
        tau = steps.tau.copy()
        tau[who] = np.where(parted, before.tau[who] + left, tau[who])
        return replace(steps, tau=tau)

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
        steep = self.flow.perturbation.steep
        reached = TOGETHER * second[:, at]
        reach = second[:, at] if steep else np.maximum(floor[at], reached)
        small = np.abs(w) <= reach
        small &= second[:, at] > 0  # with two layers at 0 the others rest
        square = (small * w * w).sum(axis=0)
        inward = -(small * w * slope).sum(axis=0)
        certain = ((inward > 0) | (second[:, at] == 0)).all(axis=0)
        certain &= self._led(steps.w[..., at])
        if steep and len(w) > 2:  # u falls at its pace only beside a slave
            rule = self.flow.perturbation
            v, u, *_ = self._last(steps.w[..., at])
            slaved = rule.rho * (u / rule.rho) ** rule.p
            certain &= v <= 2.0 * slaved + 10.0 * self.control.atol
        tau = steps.tau.copy()
        new = steps.w.copy()
        new[rows] = np.where(small & certain, 0.0, w)
        moving = certain & (square > 0).any(axis=0)
        tau[at] += np.where(moving, square.sum(axis=0) / inward.sum(axis=0), 0.0)
        collapsed[at] = certain
        return replace(steps, tau=tau, w=new), collapsed

    def _led(self, w: Float[np.ndarray, "L d B"]) -> Bool[np.ndarray, " B"]:
        """Whether one gradient component is all the rule sees (asked for p > 2 alone)."""
        p = self.flow.perturbation.p
        if not self.flow.perturbation.steep:
            return np.ones(w.shape[-1], dtype=bool)
        size = np.abs(self.flow.descent(np.moveaxis(w, -1, 0))[0]).reshape(
            w.shape[-1], -1
        )
        top = size.max(axis=1)
        share = size / np.where(top > 0, top, 1.0)[:, None]
        return (share ** (p / (p - 1))).sum(axis=1) <= 1 + 1e-6

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
