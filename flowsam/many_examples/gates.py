"""The numbers a slide is integrated in: equal layers once, and how far they are from their gate.

At odd L equal layers of l_inf-SAM, beta = x^L, have `x' = G(theta_hat) (x - rho s)^(L-1)`, s the
sign of G(theta): they tend to rho s from one side and never pass it. Weights lose the digits of
that distance z, from which they leave where G(theta_hat) turns; `y = log(z / rho)` has them.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from flowsam.engines.equal_layers import EqualLayers
from flowsam.engines.run import Request
from flowsam.flow import Flow
from flowsam.many_examples.hessian import pull_slope, rescaled_hessian
from flowsam.many_examples.switching import Chart, JointSwitching, Region, Side
from flowsam.shapes import Bool, Float, Int, Jacobian, State, Theta, Thetas

Paces = Float[np.ndarray, "*batch"]
Numbers = Float[np.ndarray, "*batch m"]
_FEW = 40  # numbers whose pairs are worth a look
_FASTEST = 600.0  # log of a rate beyond any that is followed


@dataclass(frozen=True, eq=False)
class Gates:
    """The numbers of a flow's states, by its surfaces and its start."""

    flow: Flow
    surfaces: JointSwitching
    theta0: Theta

    @cached_property
    def layers(self) -> EqualLayers:
        """The weights that are not copies."""
        return EqualLayers.of(self.theta0)

    @cached_property
    def features(self) -> Int[np.ndarray, " m"]:
        """The feature of each number."""
        return self.layers.kept % self.theta0.shape[1]

    @cached_property
    def even(self) -> Bool[np.ndarray, " m"]:
        """Which numbers are all layers of a feature, odd in number."""
        size = np.abs(self.theta0)
        depth = len(size)
        odd = depth > 1 and depth % 2 == 1
        same = (size == size[0]).all(axis=0) & (size[0] > 0)
        same &= self.surfaces.constant and odd
        return same[self.features]

    @cached_property
    def turn(self) -> State:
        """The sign of the layers' product over that of the number."""
        return self.layers.sign.prod(axis=0)[self.features]

    @property
    def rho(self) -> float:
        """The radius."""
        return self.flow.rho

    def errors(self, asked: Request) -> State:
        """Return the absolute errors of a step in (numbers, tau): a log's is relative."""
        relative = max(asked.atol, asked.rtol * min(self.rho, 1.0))
        own = np.where(self.even, relative, asked.atol)
        return np.append(own, asked.atol)

    def charted(self, theta: Theta, region: Region) -> Region:
        """Return a region with what its numbers are: a feature on its own slide has no gate."""
        pulls = self.surfaces.pulls(region)
        up = self.turn * self.even * pulls[self.features]
        left = self.rho - up * self.layers.flat(theta)
        chart = Chart(up * self.rho, -up * np.sign(left))
        return replace(region, chart=chart)

    def numbers(self, theta: Theta, chart: Chart) -> State:
        """Return the numbers of weights."""
        logs = chart.logs
        w = self.layers.flat(theta)
        away = np.abs(w - chart.gate) / self.rho
        y = np.log(np.where(logs, away, 1.0))
        return np.where(logs, y, w)

    def turned(
        self,
        theta: Theta,
        chart: Chart,
        state: State,
        before: Chart,
    ) -> State:
        """Return a state after an event: y is kept where it is that of the same gate."""
        new = self.numbers(theta, chart)
        same = chart.logs & (chart.gate == before.gate) & (chart.slope == before.slope)
        numbers = np.where(same, state[:-1], new)
        return np.append(numbers, state[-1])

    def weights(self, numbers: Numbers, chart: Chart) -> Thetas:
        """Return the weights."""
        away = self.away(numbers, chart)
        gated = chart.gate + chart.slope * away
        w = np.where(chart.logs, gated, numbers)
        return self.layers.whole(w)

    def away(self, numbers: Numbers, chart: Chart) -> Numbers:
        """Return how much a weight is per unit of its number, z for a log."""
        logs = chart.logs
        y = np.where(logs, numbers, 0.0)
        z = self.rho * _raised(y)
        return np.where(logs, z, 1.0)

    def rates(
        self,
        numbers: Numbers,
        chart: Chart,
        side: Side,
        log_pace: Paces,
    ) -> Numbers:
        """Return d numbers / dT, `log_pace` that of tau: `dy/dtau = +-G(theta_hat) z^(L-2)`."""
        pace = _raised(log_pace)[..., None]
        plain = pace * self.layers.flat(side.velocity)
        if not chart.logs.any():
            return plain
        lead = self._lead(numbers, chart, log_pace)
        gated = lead * side.pull[..., self.features]
        return np.where(chart.logs, gated, plain)

    def _lead(
        self,
        numbers: Numbers,
        chart: Chart,
        log_pace: Paces,
    ) -> Numbers:
        """Return the factor of G(theta_hat) in dy/dT."""
        power = len(self.theta0) - 2
        y = np.where(chart.logs, numbers, 0.0)
        log_z = y + np.log(self.rho)
        raised = log_pace[..., None] + power * log_z
        turn = self.turn * chart.slope
        return turn * _raised(raised)

    def tangent(
        self,
        normal: Thetas,
        above: Thetas,
        below: Thetas,
    ) -> Thetas:
        """Return `lambda f+ + (1 - lambda) f-` with n f = 0 to the last digit of a slow f.

        f_i = sum_k n_k (f-_k f+_i - f+_k f-_i) / n (f- - f+): what cancels is left out.
        """
        n = normal.reshape(*normal.shape[:-2], -1)
        if not self.layers.apart:
            n = n @ self._into
        up = self.layers.flat(above)
        down = self.layers.flat(below)
        a = (n * up).sum(axis=-1, keepdims=True)
        b = (n * down).sum(axis=-1, keepdims=True)
        slow = b * up - a * down
        if n.shape[-1] <= _FEW:
            pairs = down[..., :, None] * up[..., None, :]
            pairs = pairs - np.moveaxis(pairs, -1, -2)
            slow = (n[..., None] * pairs).sum(axis=-2)
        gap = b - a
        mean = np.divide(
            slow,
            gap,
            out=up.copy(),
            where=gap != 0,
        )
        return self.layers.whole(mean)

    def farthest(
        self,
        move: State,
        jacobian: Jacobian,
        numbers: State,
        chart: Chart,
    ) -> float:
        """Return how far a weight still moves by an implicit step; inf if one leaves its gate."""
        logs = chart.logs
        leaves = logs & (np.diag(jacobian) > 0)
        if leaves.any():
            return np.inf
        # near its gate y falls by 1/(L - 2) a unit and the step is half of that: z is left
        left = 2.0 * (len(self.theta0) - 2)
        scale = self.away(numbers, chart)
        scale = np.where(logs, left * scale, scale)
        return float(np.abs(scale * move).max())

    def jacobian(
        self,
        log_t: float,
        state: State,
        chart: Chart,
        hat: Thetas,
    ) -> Jacobian:
        """Return the derivative of `rates` and of log(1 + tau)', where eps is constant."""
        hessian, slope, log_scale = rescaled_hessian(self.flow, hat)
        numbers = state[:-1]
        log_pace = np.asarray(log_t + log_scale)
        turn = np.where(chart.logs, chart.slope, 1.0)
        turn = turn * self.away(numbers, chart)
        into = self._into * turn
        rows = hessian[self.layers.kept] @ into
        rows = rows * _raised(log_pace)
        if chart.logs.any():
            lead = self._lead(numbers, chart, log_pace)
            bent = pull_slope(self.flow, hat) @ into
            gated = lead[:, None] * bent[self.features]
            pull = self.flow.pull(hat)[0][self.features]
            own = (len(hat) - 2) * lead * pull
            gated = gated + np.diag(own)
            logs = chart.logs[:, None]
            rows = np.where(logs, gated, rows)
        pace = _raised(np.asarray(log_pace - state[-1]))
        out = np.zeros((state.size,) * 2)
        out[:-1, :-1] = rows
        out[-1, :-1] = pace * slope @ into
        out[-1, -1] = -pace
        return out

    @cached_property
    def _into(self) -> Float[np.ndarray, "k m"]:
        """The derivative of the weights by the numbers, were all of them weights."""
        rows = np.eye(self.layers.kept.size)[self.layers.source.ravel()]
        return rows * self.layers.sign.reshape(-1, 1)


def inflows(normal: Thetas, *sides: Side) -> list[Paces]:
    """Return the rates of the height of a slide's surface on its sides."""
    rises = (normal * side.velocity for side in sides)
    return [np.asarray(rise.sum(axis=(-2, -1))) for rise in rises]


def _raised(logs: Paces) -> Paces:
    """Return the exponential, not beyond a rate that is followed."""
    return np.asarray(np.exp(np.minimum(logs, _FASTEST)))
