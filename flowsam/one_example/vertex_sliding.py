"""l_1-SAM: the ascent step sits on the largest |g|, and slides where the largest ones tie.

With all of rho on a, |g_b| changes at a rate D_ba. Where several are largest the velocity is sum_a
lambda_a f_a, lambda >= 0, `sum_a lambda_a D_ba` equal to one rate c where lambda_b > 0 and at most
c elsewhere; at L = 2 water poured on the fast ones. One balanced coordinate has lambda = 1/L, a
gate at rho (L-1)/L, and its layers come back to equality.
"""

from dataclasses import dataclass

import numpy as np

from flowsam.endings import Ending
from flowsam.engines.path import Entry, Turn
from flowsam.network import other_products, pair_products
from flowsam.one_example.smooth import Smooth, regrouped
from flowsam.shapes import (
    Bool,
    Float,
    Int,
    Marks,
    Mask,
    Numbers,
    Signals,
    Theta,
    Thetas,
)

Vertices = Float[np.ndarray, "m L d"]
Places = Int[np.ndarray, " m"]
_TIE = 1e-12  # relative difference of |g| that counts as none where ties are looked for


@dataclass(frozen=True, eq=False)
class Ties:
    """Which components of the gradient are the largest, and on which side of 0 all of them are."""

    tied: tuple[Places, Places]  # places of those
    # of mu prod_{k != l} w^(k) where the region began; the tied ones keep theirs
    signs: Theta
    # what rounding left of the distance below the largest, for those that just left
    slack: Theta

    @property
    def largest(self) -> Marks:
        """The same as marks."""
        marks = np.zeros(self.signs.shape, bool)
        marks[self.tied] = True
        return marks


@dataclass(frozen=True)
class VertexSliding(Smooth):
    """l_1-SAM for one example, rho > 0, L >= 2, in the terms of `filippov.Switching`."""

    low = np.inf

    def start(self, theta: Thetas) -> Entry:
        """Return the ties of a start; equal components slide at once."""
        size = self._sizes(theta)
        places = np.argwhere((size >= size.max() * (1 - _TIE)) & (self.flow.mu != 0))
        mode, status = self._settled(theta, places, np.ones(len(places), bool))
        return Entry(mode, regrouped(None, mode.largest, 0.0), status)

    def field(self, theta: Thetas, mode: Ties) -> Thetas:
        """Return the rescaled velocity `sum_a lambda_a f_a`."""
        return np.tensordot(
            self._shares(theta, mode)[0], self._vertices(theta, mode), 1
        )

    def signals(self, theta: Thetas, mode: Ties) -> Signals:
        """Return the shares of the tied components, the others' distances below, and the top."""
        size = self._sizes(theta)
        top = (mode.signs * self.flow.mu * other_products(theta))[mode.tied].mean()
        below = np.where(
            self.flow.mu == 0, np.inf, 1.0 - size / (top or 1.0) + mode.slack
        )
        below[mode.tied] = np.inf
        return np.concatenate([self._shares(theta, mode)[0], below.ravel(), [top]])

    def transition(self, theta: Thetas, mode: Ties, tau: float) -> Turn:
        """Return state, mode, events and a status after a share or a distance reached 0."""
        signals = self.signals(theta, mode)
        m = mode.tied[0].size
        reached = signals <= max(_TIE, signals.min())
        joined = np.argwhere(reached[m:-1].reshape(theta.shape))
        places = np.concatenate([np.stack(mode.tied, axis=1), joined])
        kept = np.append(~reached[:m], np.ones(len(joined), bool))
        # rounding: at the located point nothing is reached
        if not (kept.any() or len(joined)):
            return Turn(theta, mode)
        after, status = self._settled(theta, places, kept)
        return Turn(theta, after, regrouped(mode.largest, after.largest, tau), status)

    def log_pace(self, theta: Thetas, still: Mask) -> Numbers:
        """Return log dt/dtau: the perturbed margin is `m - rho max|g|` at every tied vertex."""
        margin = np.prod(theta, axis=-2) @ self.flow.mu
        top = self._sizes(theta).max(axis=(-2, -1))
        return np.asarray(-self.flow.loss.log_slope(margin - self.flow.rho * top))

    def _sizes(self, theta: Thetas) -> Thetas:
        """Return |g| of every component, over Lambda."""
        return np.abs(self.flow.mu * other_products(theta))

    def _vertices(self, theta: Thetas, mode: Ties) -> Vertices:
        """Return the velocity with all of rho on each tied component."""
        hats = np.tile(theta, (mode.tied[0].size, 1, 1))
        hats[np.arange(len(hats)), *mode.tied] -= self.flow.rho * mode.signs[mode.tied]
        return self.flow.descent(hats)[0]

    def _rates(self, theta: Thetas, mode: Ties, velocities: Vertices) -> Vertices:
        """Return the rate of every |g| along each velocity, shape (m, L, d)."""
        # the product rule: one factor at a time gives way to its rate
        rates = np.einsum("dlk,mkd->mld", pair_products(theta), velocities)
        return rates * self.flow.mu * mode.signs

    def _shares(
        self, theta: Thetas, mode: Ties
    ) -> tuple[Float[np.ndarray, " m"], float]:
        """Return lambda and the common rate c, with a weak pull that keeps the ties together."""
        m = mode.tied[0].size
        g = self.flow.mu * other_products(theta)
        rates = self._rates(theta, mode, self._vertices(theta, mode))[:, *mode.tied].T
        # a trial step that overflows is shortened
        if m == 1 or not np.isfinite(rates).all():
            return np.full(m, 1.0 / m), float(rates[0, 0])
        # one scale, or lstsq takes large rates for a rank lost
        unit = float(np.abs(rates).max()) or 1.0
        _, who = mode.tied
        reach = max(self.flow.rho, float(np.abs(theta[:, who]).max()))
        fastest = float(np.abs(self.flow.mu[who]).max()) * reach ** (len(theta) - 2)
        # beyond 0 it goes on: steps may look across a collapse
        size = (mode.signs * g)[mode.tied]
        pull = unit * (size - size.mean()) / max(size.mean(), unit / fastest)
        border = np.full((m, 1), unit)
        system = np.block([[rates, -border], [border.T, np.zeros((1, 1))]])
        solution = np.linalg.lstsq(system, np.append(-pull, unit), rcond=None)[0]
        return solution[:m], unit * float(solution[m])

    def _settled(
        self,
        theta: Thetas,
        places: Int[np.ndarray, "m 2"],
        kept: Bool[np.ndarray, " m"],
    ) -> tuple[Ties, str]:
        """Choose which ties stay: the most negative share goes, one that gets ahead returns."""
        signs = np.sign(self.flow.mu * other_products(theta))
        for _ in range(4 * len(places)):
            mode = Ties(tuple(places[kept].T), signs, np.zeros(theta.shape))
            shares, common = self._shares(theta, mode)
            rates = self._rates(theta, mode, self.field(theta, mode)[None])[0]
            ahead = np.where(kept, -np.inf, rates[tuple(places.T)])
            if shares.min() < 0:
                kept[np.flatnonzero(kept)[shares.argmin()]] = False
            elif ahead.max() > common + _TIE * np.abs(rates).max():
                kept[ahead.argmax()] = True
            else:
                fallen = tuple(places[~kept].T)
                top = self._sizes(theta)[mode.tied].mean()
                over = self._sizes(theta) / (top or 1.0) - 1.0
                mode.slack[fallen] = np.maximum(over[fallen], 0.0) + _TIE
                return mode, ""
        return mode, Ending.NO_TIES
