"""Filippov's solution of l_inf-SAM, one example: which side of every surface, cross, slide, leave.

`eps = rho sign(g)` jumps where a weight is 0; between, the signs are constants held in a `Mode`. On
a surface whose two fields both point at it the velocity is their combination that stays on it, and
dt/dtau is its mean over both values of eps, as for discrete SAM with a step of 0; `sign(0) = 0`
would be wrong by tens of per cent. (derivations/linf_two_layer.py, derivations/rescaled_clock.py)
"""

from dataclasses import dataclass, replace

import numpy as np

from flowsam.engines.path import Entry, Turn
from flowsam.engines.two_sides import change, upper_share
from flowsam.events import Event
from flowsam.network import other_products
from flowsam.one_example.smooth import Smooth
from flowsam.shapes import (
    Float,
    Int,
    Marks,
    Mask,
    Numbers,
    Signals,
    Theta,
    Thetas,
    Vectors,
)

Rates = Float[np.ndarray, "*batch K"]
_ROUNDING = 1e-13  # of a signal's own size


@dataclass(frozen=True, eq=False)
class Mode:
    """The region a state is in: the sign of every weight and of every pull G_j."""

    # +1 or -1; 0 where the weight is pinned to 0 (sliding or at rest)
    sides: Int[np.ndarray, "L d"]
    pulls: Int[np.ndarray, " d"]  # sign of G_j; 0 for idle coordinates
    # coordinates at rest at the origin
    resting: Mask

    @property
    def pinned(self) -> Mask:
        """Coordinates that slide: one weight at 0, not at rest."""
        return (self.sides == 0).any(axis=0) & ~self.resting

    @property
    def free(self) -> Marks:
        """Weights away from 0 whose sign changes are watched: not those of idle coordinates."""
        return (self.sides != 0) & ~self.resting & (self.pulls != 0)


@dataclass(frozen=True)
class Switching(Smooth):
    """l_inf-SAM for one example, rho > 0, as a flow with events."""

    low = np.inf

    def sided(self, theta: Thetas, mode: Mode, side: int) -> Thetas:
        """Return the velocity with pinned weights on a side of 0: a step whose signs are held."""
        sides = np.where(mode.sides == 0, side, mode.sides).astype(np.float64)
        step = -self.flow.rho * mode.pulls * other_products(sides)
        velocity = self.flow.descent(theta + np.where(mode.resting, 0.0, step))[0]
        return np.where(mode.resting, 0.0, velocity)

    def field(self, theta: Thetas, mode: Mode) -> Thetas:
        """Return the velocity: `lambda f+ + (1 - lambda) f-`, lambda = b / (b - a), on slides."""
        above = self.sided(theta, mode, 1)
        if not mode.pinned.any():
            return above
        below = self.sided(theta, mode, -1)
        a, b = (_pinned_rates(side, mode) for side in (above, below))
        share = upper_share(a, b, where=mode.pinned)[..., None, :]
        return np.where(mode.sides == 0, 0.0, share * above + (1.0 - share) * below)

    def signals(self, theta: Thetas, mode: Mode) -> Rates:
        """Return what stays positive: `side * w` of free weights, then `-a`, `b` of slides."""
        distance = np.where(mode.free, mode.sides * theta, np.inf)
        flat = distance.reshape(*theta.shape[:-2], -1)
        holds = np.full((*theta.shape[:-2], 2 * theta.shape[-1]), np.inf)
        if mode.pinned.any():
            a = _pinned_rates(self.sided(theta, mode, 1), mode)
            b = _pinned_rates(self.sided(theta, mode, -1), mode)
            pinned = np.tile(mode.pinned, 2)
            holds = np.where(pinned, np.concatenate([-a, b], axis=-1), np.inf)
        return np.concatenate([flat, holds], axis=-1)

    def log_pace(self, theta: Thetas, still: Mask) -> Numbers:
        """Return log dt/dtau, on sliding segments and at rest too: what slides is exactly 0.

            e^m -> prod_j (lambda_j e^{m_j+} + (1 - lambda_j) e^{m_j-}),  lambda = b / (b - a)

        over the coordinates with a weight at 0, switching independently. At rest m_j is that of
        equal layers that fell, |mu_j| rho^L, or 0 if it is `still`, at 0 from the start. The path
        does not depend on it.
        """
        if theta.all() or not self.flow.perturbation.perturbs or theta.shape[-2] == 1:
            return np.asarray(-self.flow.log_lambda(theta))
        mu = self.flow.mu
        rho = self.flow.rho
        zero = theta == 0
        resting = zero.all(axis=-2)
        sides = (np.where(zero, side, np.sign(theta)) for side in (1, -1))
        hats = [theta - rho * np.sign(mu) * other_products(side) for side in sides]
        a, b = (
            np.where(zero, mu * other_products(hat), 0.0).sum(axis=-2) for hat in hats
        )
        # a <= 0 <= b slides; elsewhere the weight passes through 0, to the side both point to
        whole = np.where((a < 0) & (b <= 0), 0.0, 1.0)
        slides = zero.any(axis=-2) & ~resting & (a * b < 0)
        share = upper_share(a, b, where=slides, other=whole)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            logs = [
                np.where(
                    weight > 0, np.log(weight) + mu * np.prod(hat, axis=-2), -np.inf
                )
                for weight, hat in zip((share, 1.0 - share), hats, strict=True)
            ]
            depth = theta.shape[-2]
            rest = np.where(still, 0.0, np.abs(mu) * np.float64(rho) ** depth)
        log_means = np.where(resting, rest, np.logaddexp(*logs))
        return np.asarray(-self.flow.loss.log_slope(log_means.sum(axis=-1)))

    def start(self, theta: Theta) -> Entry:
        """Return the mode of a start: weights that are exactly 0 are resolved as at an event.

        A coordinate with every weight 0 rests (its gradient is 0). A single zero weight crosses
        to the side both fields point to, or slides if they point at the surface.
        """
        pulls = np.sign(self.flow.mu).astype(int)
        sides = np.where(pulls == 0, 1, np.sign(theta).astype(int))
        mode = Mode(sides, pulls, (sides == 0).all(axis=0))
        zero = (mode.sides == 0) & ~mode.resting
        at_rest = Event.each("zero", 0.0, mode.resting)
        mode, events, status = self._resolved(theta, mode, zero, 0.0)
        return Entry(mode, at_rest + events, status)

    def transition(self, theta: Theta, mode: Mode, tau: float) -> Turn:
        """Return state, mode, events and "" or "sliding_ambiguous" after an event."""
        distance = self.signals(theta, mode) / self._units(theta)
        reached = distance <= max(_ROUNDING, distance.min())
        due = reached[: theta.size].reshape(theta.shape)
        freed = reached[theta.size :].reshape(-1, theta.shape[1]).any(axis=0)
        theta = np.where(due, 0.0, theta)
        zero = due | ((mode.sides == 0) & ~mode.resting)
        whole = zero.all(axis=0)
        if len(theta) % 2:  # odd depth: a balanced coordinate passes through the origin
            if (whole & mode.pinned).any():
                return Turn(theta, mode, (), "sliding_ambiguous")
            mode = replace(mode, sides=np.where(whole, -mode.sides, mode.sides))
        else:
            resting = mode.resting | whole
            sides = np.where(whole, 0, mode.sides)
            mode = replace(mode, resting=resting, sides=sides)
        events = Event.each("cross" if len(theta) % 2 else "zero", tau, whole)
        touched = (due.any(axis=0) | freed) & ~whole
        mode, more, status = self._resolved(theta, mode, zero & touched, tau)
        return Turn(theta, mode, events + more, status)

    def _units(self, theta: Theta) -> Signals:
        """Return the size of each signal: weights, then twice velocities, of its coordinate."""
        size = np.maximum(self.flow.rho, np.abs(theta).max(axis=0))
        speed = np.where(self.flow.mu == 0, 1.0, np.abs(self.flow.mu)) * size ** (
            len(theta) - 1
        )
        return np.concatenate([np.tile(size, len(theta)), np.tile(speed, 2)])

    def rests(self, theta: Theta, mode: Mode) -> bool:
        """Tell whether every active coordinate is at rest."""
        return bool(mode.resting[self.flow.mu != 0].all())

    def _resolved(
        self,
        theta: Theta,
        mode: Mode,
        zero: Marks,
        tau: float,
    ) -> Entry:
        """Decide cross, slide or leave for each coordinate with one weight at 0."""
        if (zero.sum(axis=0) > 1).any():
            return Entry(mode, (), "sliding_ambiguous")
        probe = replace(mode, sides=np.where(zero, 0, mode.sides))
        above = self.sided(theta, probe, 1)
        below = self.sided(theta, probe, -1)
        sides = mode.sides.copy()
        events: list[Event] = []
        for layer, j in np.argwhere(zero):
            new = _side(above[layer, j], below[layer, j])
            if new is None:
                return Entry(mode, tuple(events), "sliding_ambiguous")
            kind = change(int(mode.sides[layer, j]), new, tau)
            sides[layer, j] = new
            if kind:
                events.append(Event(float(tau), kind, int(layer), int(j)))
        return Entry(replace(mode, sides=sides), tuple(events))


def _side(a: float, b: float) -> int | None:
    """Return the side that velocities a above and b below lead to: 0 slides, None is not unique."""
    if a > 0 > b or a == b == 0:
        return None
    if a <= 0 <= b:
        return 0
    return 1 if a > 0 else -1


def _pinned_rates(velocity: Thetas, mode: Mode) -> Vectors:
    """Return the velocity of each coordinate's pinned weight, 0 where there is none."""
    return np.where((mode.sides == 0) & ~mode.resting, velocity, 0.0).sum(axis=-2)
