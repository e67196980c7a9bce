"""Filippov's solution of l_inf-SAM: which side of every switching surface, cross, slide, leave.

The ascent step `eps = rho sign(g)` jumps where a weight is 0 (the other layers' gradients change
sign there) and, for several examples, where a component of `G = sum_i q_i z_i` is 0. Between
those surfaces the signs are constants of a `Mode`. Where both fields point at a surface the
velocity is the convex combination that stays on it. Derivations: derivations/linf_two_layer.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from flowsam.flow import Flow
from flowsam.network import other_products
from flowsam.trajectory import Event

__all__ = ["Mode", "Switching"]

Theta = Float[np.ndarray, "*batch L d"]
Rates = Float[np.ndarray, "*batch K"]


@dataclass(frozen=True, eq=False)
class Mode:
    """The region a state is in: the sign of every weight and of every pull G_j.

    Parameters
    ----------
    sides : ndarray of int, shape (L, d)
        +1 or -1; 0 where the weight is pinned to 0 (sliding or at rest).
    pulls : ndarray of int, shape (d,)
        Sign of G_j; 0 where it is pinned to 0, and for idle coordinates.
    resting : ndarray of bool, shape (d,)
        Coordinates at rest at the origin, where eps = 0 by convention.

    Examples
    --------
    >>> Mode(np.array([[1], [1]]), np.array([1]), np.array([False])).pinned.any()
    np.False_
    """

    sides: Int[np.ndarray, "L d"]
    pulls: Int[np.ndarray, " d"]
    resting: Bool[np.ndarray, " d"]

    @property
    def pinned(self) -> Bool[np.ndarray, " d"]:
        """Coordinates that slide: one weight at 0, not at rest."""
        return (self.sides == 0).any(axis=0) & ~self.resting

    @property
    def free(self) -> Bool[np.ndarray, "L d"]:
        """Weights away from 0 whose sign changes are watched: not those of idle coordinates."""
        return (self.sides != 0) & ~self.resting & (self.pulls != 0)


@dataclass(frozen=True)
class Switching:
    """l_inf-SAM for one example as a flow with events.

    Parameters
    ----------
    flow : Flow
        With an l_inf perturbation, rho > 0, and one example.
    """

    flow: Flow

    def sided(self, theta: Theta, mode: Mode, side: int) -> Theta:
        """Return the rescaled velocity with every pinned weight taken as `side` of 0."""
        sides = np.where(mode.sides == 0, side, mode.sides).astype(np.float64)
        step = -self.flow.perturbation.rho * mode.pulls * other_products(sides)
        velocity = self.flow.descent(theta + np.where(mode.resting, 0.0, step))[0]
        return np.where(mode.resting, 0.0, velocity)

    def field(self, theta: Theta, mode: Mode) -> Theta:
        """Return Filippov's rescaled velocity: `lambda f+ + (1 - lambda) f-` where it slides.

        lambda = b / (b - a) with a, b the velocities of the pinned weight on its two sides;
        for one example the coordinates are independent and so are their lambdas.
        """
        above = self.sided(theta, mode, 1)
        if not mode.pinned.any():
            return above
        below = self.sided(theta, mode, -1)
        share = self._shares(above, below, mode)[..., None, :]
        return np.where(mode.sides == 0, 0.0, share * above + (1.0 - share) * below)

    def _shares(self, above: Theta, below: Theta, mode: Mode) -> Float[np.ndarray, "*batch d"]:
        """Return lambda of each coordinate, 1 where it does not slide."""
        a, b = _pinned_rates(above, mode), _pinned_rates(below, mode)
        return np.divide(b, b - a, out=np.ones_like(b), where=mode.pinned & (b != a))

    def signals(self, theta: Theta, mode: Mode) -> Rates:
        """Return what stays positive inside the mode, shape (..., L d + 2 d).

        First `side * w` of every free weight, then `-a` and `b` of every sliding coordinate.
        """
        distance = np.where(mode.free, mode.sides * theta, np.inf)
        flat = distance.reshape(*theta.shape[:-2], -1)
        if not mode.pinned.any():
            return flat
        a = _pinned_rates(self.sided(theta, mode, 1), mode)
        b = _pinned_rates(self.sided(theta, mode, -1), mode)
        holds = np.concatenate([-a, b], axis=-1)
        return np.concatenate([flat, np.where(np.tile(mode.pinned, 2), holds, np.inf)], axis=-1)

    def log_pace(self, theta: Theta) -> Float[np.ndarray, "*batch"]:
        """Return log dt/dtau, on sliding segments and after a collapse too.

        For one example dt/dtau is `1 + e^m` (logistic) or `e^m` (exponential) averaged over the
        fast switching of eps. The coordinates switch independently (product weights), so the
        mean of e^m is the product over coordinates of `lambda_j e^{m_j+} + (1-lambda_j) e^{m_j-}`.
        A coordinate at rest at the origin contributes e^0.
        """
        batch = theta.reshape(-1, *theta.shape[-2:])
        patterns, owner = np.unique(batch == 0, axis=0, return_inverse=True)
        out = np.empty(len(batch))
        for index, zero in enumerate(patterns):
            chosen = owner.ravel() == index
            out[chosen] = self._pattern_pace(batch[chosen], zero)
        return out.reshape(theta.shape[:-2])

    def _pattern_pace(
        self, theta: Float[np.ndarray, "m L d"], zero: Bool[np.ndarray, "L d"]
    ) -> Float[np.ndarray, " m"]:
        """Return log dt/dtau of states that share their pattern of pinned weights."""
        mu, rho = self.flow.mu, self.flow.perturbation.rho
        resting = zero.all(axis=0) if theta.shape[1] > 1 else np.zeros(mu.size, bool)
        log_means = np.zeros((len(theta), mu.size))
        above, below = (
            np.where(theta == 0, side, np.where(theta > 0, 1.0, -1.0)) for side in (1, -1)
        )
        pinned = zero.any(axis=0) & ~resting
        hats = [theta - rho * np.sign(mu) * other_products(sides) for sides in (above, below)]
        rates = [np.where(zero, mu * other_products(hat), 0.0).sum(axis=1) for hat in hats]
        share = np.divide(
            rates[1],
            rates[1] - rates[0],
            out=np.ones_like(log_means),
            where=pinned & (rates[1] != rates[0]),
        )
        with np.errstate(divide="ignore"):
            logs = [
                np.log(weight) + mu * np.prod(hat, axis=1)
                for weight, hat in zip((share, 1.0 - share), hats, strict=True)
            ]
        log_means = np.where(resting, 0.0, np.logaddexp(*logs))
        return -self.flow.loss.log_slope(log_means.sum(axis=1))

    def start(self, theta: Float[np.ndarray, "L d"]) -> tuple[Mode, tuple[Event, ...], str]:
        """Return the mode of a start: weights that are exactly 0 are resolved as at an event.

        A coordinate with every weight 0 rests (its gradient is 0). A single zero weight crosses
        to the side both fields point to, or slides if they point at the surface.
        """
        sides = np.where(theta == 0, 0, np.where(theta > 0, 1, -1))
        mu = self.flow.mu
        idle = mu == 0
        mode = Mode(
            np.where(idle, 1, sides),
            np.where(idle, 0, np.where(mu > 0, 1, -1)),
            (sides == 0).all(axis=0) & ~idle,
        )
        zero = (mode.sides == 0) & ~mode.resting
        return self._resolved(theta, mode, zero, 0.0)

    def transition(
        self, theta: Float[np.ndarray, "L d"], mode: Mode, tau: float, tolerance: float
    ) -> tuple[Float[np.ndarray, "L d"], Mode, tuple[Event, ...], str]:
        """Return state, mode, events and "" (or "sliding_ambiguous") after an event at `tau`.

        Every surface reached within `tolerance` is resolved together, so simultaneous events
        are neither missed nor doubled.
        """
        signals = self.signals(theta, mode)
        count = theta.size
        due = (signals[:count] <= tolerance).reshape(theta.shape)
        theta = np.where(due, 0.0, theta)
        zero = due | ((mode.sides == 0) & ~mode.resting)
        whole = zero.all(axis=0)
        if whole.any() and len(theta) % 2 and len(theta) > 1:
            # odd depth, all layers at once: a balanced coordinate passes through the origin
            mode = replace(mode, sides=np.where(whole, -mode.sides, mode.sides))
            events = _events("cross", tau, np.flatnonzero(whole))
        else:
            mode = replace(
                mode,
                resting=mode.resting | whole,
                sides=np.where(whole, 0, mode.sides),
            )
            events = _events("zero", tau, np.flatnonzero(whole))
        left = signals[count:] <= tolerance
        freed = left.reshape(2, -1).any(axis=0) if left.size else np.zeros(theta.shape[1], bool)
        touched = (due.any(axis=0) | freed) & ~whole
        mode, more, status = self._resolved(theta, mode, zero & touched, tau)
        return theta, mode, events + more, status

    def _resolved(
        self, theta: Float[np.ndarray, "L d"], mode: Mode, zero: Bool[np.ndarray, "L d"], tau: float
    ) -> tuple[Mode, tuple[Event, ...], str]:
        """Decide cross, slide or leave for each coordinate with one weight at 0."""
        if (zero.sum(axis=0) > 1).any():
            return mode, (), "sliding_ambiguous"
        probe = replace(mode, sides=np.where(zero, 0, mode.sides))
        above, below = self.sided(theta, probe, 1), self.sided(theta, probe, -1)
        sides, events = mode.sides.copy(), []
        for layer, j in np.argwhere(zero):
            a, b, old = above[layer, j], below[layer, j], mode.sides[layer, j]
            if (a == 0 and b == 0) or (a > 0 > b):
                return mode, tuple(events), "sliding_ambiguous"
            new = 0 if a <= 0 <= b else (1 if a > 0 else -1)
            sides[layer, j] = new
            kind = "slide" if new == 0 else "leave" if old == 0 and tau > 0 else "cross"
            if new != old or kind == "slide" and old != 0:
                events.append(Event(float(tau), kind, int(layer), int(j)))
        return replace(mode, sides=sides), tuple(events), ""


def _pinned_rates(velocity: Theta, mode: Mode) -> Float[np.ndarray, "*batch d"]:
    """Return the velocity of each coordinate's pinned weight, 0 where there is none."""
    return np.where((mode.sides == 0) & ~mode.resting, velocity, 0.0).sum(axis=-2)


def _events(kind: str, tau: float, coordinates: Int[np.ndarray, " k"]) -> tuple[Event, ...]:
    """Return one event a coordinate."""
    return tuple(Event(float(tau), kind, None, int(j)) for j in coordinates)
