"""ASAM with p = 1, one example: all of rho on the feature of the largest |mu_j beta_j|.

|w g| is the same in every layer of a feature, so that the best step is never unique; it is shared
equally, as for p -> 1+: w_hat = w (1 - rho s_j / L) in that feature, s_j = sign(mu_j beta_j). With

    c_j = 1 - lambda_j K_j,   K_j = 1 - (1 - rho s_j / L)^(L-1),   D_j = s_j mu_j^2 sum_l P_lj^2,

|mu_j beta_j| grows at the rate c_j D_j: features that tie stay together at one rate c,

    lambda_j = (D_j - c) / (D_j K_j) >= 0,   sum_j lambda_j = 1.
"""

from dataclasses import dataclass

import numpy as np

from flowsam.engines.path import Entry, Turn
from flowsam.network import other_products
from flowsam.one_example.smooth import Smooth, regrouped
from flowsam.shapes import Mask, Numbers, Signals, Theta, Thetas, Vector, Vectors

_TIE = 1e-12  # relative difference of |mu beta| that counts as none


@dataclass(frozen=True, eq=False)
class Tied:
    """Which features are largest, and the side of 0 on which every one of them began."""

    largest: Mask
    signs: Vector
    live: Mask  # features that move
    # what rounding left of the distance below the largest, for those that just left
    slack: Vector
    held: bool = False  # rho > L: all at 0, to which both sides point


@dataclass(frozen=True)
class RelativeTies(Smooth):
    """The velocity between ties, along them, and who joins or leaves."""

    low = np.inf

    def start(self, theta: Theta) -> Entry:
        """Return the largest features of a start."""
        live = (self.flow.mu * other_products(theta) != 0).any(axis=0)
        size = np.abs(self._signed(theta))
        if not live.any():
            return Entry(Tied(live, np.ones(live.size), live, size, held=True))
        top = size.max(where=live, initial=0.0)
        mode = self._settled(theta, live & (size >= top * (1 - _TIE)), live)
        return Entry(mode, regrouped(None, mode.largest, 0.0))

    def field(self, theta: Theta, mode: Tied) -> Theta:
        """Return `c_j mu_j P_lj`."""
        if mode.held:
            return np.zeros_like(theta)
        shares, _ = self._shares(theta, mode)
        left = 1.0 - shares * self._grip(mode, len(theta))
        return left * self.flow.mu * other_products(theta)

    def signals(self, theta: Theta, mode: Tied) -> Signals:
        """Return the shares of the largest, the others' distances below, and the size on top."""
        if mode.held:
            return np.empty(0)
        signed = self._signed(theta)
        top = float((mode.signs * signed)[mode.largest].mean())
        # >= |mu_j beta_j|, and not 0 with it: beyond 0 a distance must not return
        sizes = np.abs(self.flow.mu) * (theta**2).mean(axis=0) ** (len(theta) / 2)
        below = (top - np.abs(signed) + mode.slack) / sizes.max()
        below[~mode.live] = np.inf
        tied = mode.largest
        shares, _ = self._shares(theta, mode)
        below[tied] = shares[tied]
        return np.append(below, top / sizes.max())

    def transition(self, theta: Theta, mode: Tied, tau: float) -> Turn:
        """Return state, mode and events after one joined or left, or all are at 0."""
        signals = self.signals(theta, mode)
        reached = signals <= max(_TIE, signals.min())
        through = bool(reached[-1])
        largest = mode.largest ^ reached[:-1]
        # rounding: at the located point nothing is reached
        if through or not largest.any():
            largest = mode.largest
        after = self._settled(theta, largest, mode.live, through=through)
        return Turn(theta, after, regrouped(mode.largest, after.largest, tau))

    def log_pace(self, theta: Thetas, still: Mask) -> Numbers:
        """Return log dt/dtau: the perturbed margin is the same at every tied feature."""
        margins = self._signed(theta)
        place = np.abs(margins).argmax(axis=-1)[..., None]
        top = np.take_along_axis(margins, place, axis=-1)[..., 0]
        depth = theta.shape[-2]
        left = (1.0 - self.flow.rho / depth * np.sign(top)) ** depth
        margin = margins.sum(axis=-1) - top * (1.0 - left)
        return np.asarray(-self.flow.loss.log_slope(margin))

    def _signed(self, theta: Thetas) -> Vectors:
        """Return mu_j beta_j."""
        return self.flow.mu * np.prod(theta, axis=-2)

    def _grip(self, mode: Tied, depth: int) -> Vector:
        """Return K_j."""
        rho = self.flow.rho
        return 1.0 - (1.0 - rho / depth * mode.signs) ** (depth - 1)

    def _shares(self, theta: Theta, mode: Tied) -> tuple[Vector, float]:
        """Return lambda and the common rate c, with a weak pull that keeps the ties together."""
        mu = self.flow.mu
        tied = mode.largest
        pulls = mu * other_products(theta)
        rates = mode.signs * (pulls**2).sum(axis=0)
        rates = rates[tied]
        grip = self._grip(mode, len(theta))[tied]
        lone = tied / tied.sum()
        if rates.size == 1 or not (np.isfinite(rates) & (rates != 0)).all():
            return lone, float(rates[0] * (1.0 - grip[0]))
        size = (mode.signs * self._signed(theta))[tied]
        reach = np.abs(theta[:, tied]).max()
        fastest = reach ** (len(theta) - 2)
        fastest *= np.abs(mu[tied]).max()
        unit = np.abs(rates).max()
        mean = max(abs(size.mean()), 1e-300)
        pull = min(fastest, unit / mean)
        weight = 1.0 / (rates * grip)
        level = rates + pull * (size - size.mean())
        common = (level @ weight - 1.0) / weight.sum()
        shares = np.zeros(tied.size)
        shares[tied] = (level - common) * weight
        return shares, float(common)

    def _settled(
        self,
        theta: Theta,
        largest: Mask,
        live: Mask,
        *,
        through: bool = False,
    ) -> Tied:
        """Choose which of those that tie stay: a dry one goes, and the level rises."""
        signed = self._signed(theta)
        signs = np.where((signed < 0) & ~(through & largest), -1.0, 1.0)
        size = np.abs(signed)
        top = float(size[largest].mean())
        left = largest
        while True:
            mode = Tied(left, signs, live, np.zeros(size.size))
            shares, common = self._shares(theta, mode)
            if not (shares < 0).any():
                break
            left = left & (shares >= 0)
        at_zero = through or top == 0
        over = np.maximum(size - top, 0.0)
        slack = np.where(largest & ~left, over + _TIE * top, 0.0)
        held = at_zero and common < 0
        return Tied(left, signs, live, slack, held)
