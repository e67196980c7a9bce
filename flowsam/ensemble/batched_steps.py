"""DOP853 on a batch, each member with the steps SciPy's `solve_ivp` would take for it alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy.integrate import DOP853

from flowsam.engines.deaths import Deaths
from flowsam.engines.equal_layers import copied, copies
from flowsam.falls import Falls
from flowsam.shapes import Bool, Float, Int

Weights = Float[np.ndarray, "L d B"]
Row = Float[np.ndarray, " B"]
Work = Callable[[Weights], Weights]
# Stages 1 and 2 are used by the next two stages alone: kept ahead of stage 0, every combination
# reads one contiguous range of finished rows, nearly without the columns of zeros.
ORDER = np.array([2, 1, 0, *range(3, DOP853.n_stages)])
SAFETY = 0.9
SHRINK = 0.2
GROW = 10.0
EXPONENT = -1.0 / (DOP853.error_estimator_order + 1)


def _combination(weights: np.ndarray) -> tuple[slice, np.ndarray]:
    """The rows a combination reads, and its weights there."""
    row = np.zeros(len(ORDER))
    row[ORDER[: weights.size]] = weights
    used = np.flatnonzero(row)
    rows = slice(int(used[0]), int(used[-1]) + 1)
    return rows, row[rows]


COMBINATIONS = [_combination(DOP853.A[s][:s]) for s in range(1, DOP853.n_stages)]
LAST = np.zeros((3, len(ORDER)))
LAST[:, ORDER] = DOP853.B, DOP853.E5[:-1], DOP853.E3[:-1]
LAST = LAST[:, 2:]


@dataclass(frozen=True)
class Control:
    """What every member shares: field `w (L, d, B) -> dw/dtau`, end in tau, tolerances."""

    field: Work
    tau_end: float
    rtol: float
    atol: float
    most_steps: int
    apart: bool = False  # layers of equal size need not stay so
    falls: Falls | None = None  # through 0, on no one path
    deaths: Deaths | None = None  # of weights one by one

    def held(self, slaves: Bool[np.ndarray, "L s B"]) -> tuple[Work, Work]:
        """Return what reads the slaves off their masters, and dw/dtau with them held there."""
        some = np.flatnonzero(slaves.any(axis=(0, 1)))
        if self.deaths is None or not some.size:
            return lambda w: w, self.field
        part = slaves[..., some]
        read = self.deaths.shown

        def shown(w: Weights) -> Weights:
            w = w.copy()
            w[..., some] = beside(read, w[..., some], part)
            return w

        return shown, lambda w: np.where(slaves, 0.0, self.field(shown(w)))

    def scale(self, *states: Weights) -> Weights:
        """Return `atol + rtol max|w|` over the states given."""
        size = np.abs(states[0])
        for state in states[1:]:
            np.maximum(size, np.abs(state), out=size)
        size *= self.rtol
        size += self.atol
        return size


@dataclass(frozen=True, eq=False)
class Steps:
    """Members under way, batch last."""

    member: np.ndarray  # place among all starts
    tau: Row
    size: Row  # the next step to try
    w: Weights
    slope: Weights
    retry: Bool[np.ndarray, " B"]  # whether the last attempt was rejected
    count: np.ndarray  # steps accepted; `tried` has all
    tried: np.ndarray
    # which layer a weight copies, of equal ones, k of d features
    layer: Int[np.ndarray, "L k B"]
    sign: Float[np.ndarray, "L k B"]
    lone: Bool[np.ndarray, " B"]  # as `Falls` tells
    slaves: Bool[np.ndarray, "L s B"]  # as `Deaths` tells, of all or no features

    @classmethod
    def start(cls, control: Control, member: np.ndarray, w: Weights) -> Steps:
        """Return new members at tau = 0 with their first step chosen."""
        w = np.ascontiguousarray(w)
        slope = beside(control.field, w)
        zero = np.zeros(w.shape[-1])
        none = np.zeros(w.shape[-1], dtype=np.int64)
        size = beside(partial(_first_size, control), w, slope)
        equal = copies(w[:, :0] if control.apart else w)
        never = zero > 0
        lone = control.falls.lone(w) if control.falls else never
        free = np.zeros_like(w if control.deaths else w[:, :0], dtype=bool)
        return cls(member, zero, size, w, slope, never, none, none, *equal, lone, free)

    def keep(self, chosen: np.ndarray) -> Steps:
        """Return the members a mask chooses, in the one layout sums are taken in."""
        places = np.flatnonzero(chosen)
        return Steps(*(part.take(places, axis=-1) for part in vars(self).values()))

    def join(self, others: Steps) -> Steps:
        """Return both groups as one."""
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        return Steps(*(np.concatenate(pair, axis=-1) for pair in pairs))

    def advance(self, control: Control) -> tuple[Steps, Bool[np.ndarray, " B"]]:
        """Try one step with each member; return them and which can shrink no further."""
        least = 10 * np.spacing(self.tau)
        stuck = self.retry & (self.size < least)
        after = np.minimum(self.tau + np.maximum(self.size, least), control.tau_end)
        size = after - self.tau
        parts = (self.w, self.slope, size, self.layer, self.sign, self.slaves)
        w, slope, error = beside(partial(_attempt, control), *parts)
        passed = np.zeros(after.size, dtype=bool)
        if control.falls:
            passed = control.falls.through(self.w, w, self.lone)
        if control.deaths:
            passed |= self._caught(control.deaths, w)
        accepted = (error < 1) & ~passed
        factor = np.where(passed, 0.5, SAFETY * error**EXPONENT)
        top = np.where(self.retry, 1.0, GROW)
        factor = np.where(accepted, np.minimum(factor, top), np.fmax(factor, SHRINK))
        moved = replace(
            self,
            tau=np.where(accepted, after, self.tau),
            size=size * factor,
            w=np.where(accepted, w, self.w),
            slope=np.where(accepted, slope, self.slope),
            retry=~accepted,
            count=self.count + accepted,
            tried=self.tried + 1,
        )
        return moved, stuck

    def _caught(self, deaths: Deaths, after: Weights) -> Bool[np.ndarray, " B"]:
        """Tell of whom a weight turned that was to stay."""
        turned = (np.sign(self.w) * after < 0) & ~self.slaves
        caught = turned.any(axis=(0, 1))
        some = np.flatnonzero(caught)
        if some.size:
            parts = (part[..., some] for part in (self.w, after, self.slaves))
            caught[some] = beside(deaths.catches, *parts)
        return caught


def beside(work: Callable[..., Any], *parts: np.ndarray) -> Any:
    """Work on members; one alone gets a copy beside it, or its sums are taken in another order."""
    if parts[0].shape[-1] > 1:
        return work(*parts)
    found = work(*(np.repeat(part, 2, axis=-1) for part in parts))
    first = [part[..., :1] for part in found] if isinstance(found, tuple) else None
    return first or found[..., :1]


def _rms(values: Weights) -> Row:
    """Root mean square over the weights of each member."""
    return np.sqrt(
        np.einsum("ldb,ldb->b", values, values) / (values.shape[0] * values.shape[1])
    )


def _first_size(control: Control, w: Weights, slope: Weights) -> Row:
    """SciPy's choice of the first step (Hairer, Norsett and Wanner, II.4)."""
    scale = control.scale(w)
    d0 = _rms(w / scale)
    d1 = _rms(slope / scale)
    h0 = np.where((d0 < 1e-5) | (d1 < 1e-5), 1e-6, 0.01 * d0 / d1)
    h0 = np.minimum(h0, control.tau_end)
    d2 = _rms((control.field(w + h0 * slope) - slope) / scale) / h0
    flat = np.maximum(1e-6, h0 * 1e-3)
    h1 = np.where(
        (d1 <= 1e-15) & (d2 <= 1e-15), flat, (0.01 / np.maximum(d1, d2)) ** -EXPONENT
    )
    return np.fmin(np.fmin(100 * h0, h1), control.tau_end)


def _attempt(  # noqa: PLR0913 - the state of a step
    control: Control,
    w: Weights,
    slope: Weights,
    size: Row,
    layer: Int[np.ndarray, "L k B"],
    sign: Float[np.ndarray, "L k B"],
    slaves: Bool[np.ndarray, "L s B"],
) -> tuple[Weights, Weights, Row]:
    """One step of order 8: new weights, new slope, and the error in tolerance units."""
    stages = np.empty((len(ORDER), *w.shape))
    rows = stages.reshape(len(ORDER), -1)
    stages[ORDER[0]] = slope
    shown, rates = control.held(slaves)
    for stage, (read, weights) in enumerate(COMBINATIONS, 1):
        # not BLAS, which rounds a column by its place among the others
        point = np.einsum("k,kn->n", weights, rows[read]).reshape(w.shape)
        point *= size
        point += w
        stages[ORDER[stage]] = rates(point)
    new, fifth, third = np.einsum("sk,kn->sn", LAST, rows[2:]).reshape(3, *w.shape)
    new *= size
    new += w
    if not control.apart:
        new = sign * copied(new, layer)
    new = shown(new)
    scale = control.scale(w, new)
    fifth /= scale
    third /= scale
    fifth, third = (np.einsum("ldb,ldb->b", e, e) for e in (fifth, third))
    error = size * fifth / np.sqrt((fifth + 0.01 * third) * (w.shape[0] * w.shape[1]))
    slope = rates(new)
    return new, slope, np.where((fifth == 0) & (third == 0), 0.0, error)
