"""Taylor's method as a SciPy step object, by heyoka: smooth rules, one example, few coordinates."""

from functools import partial
from typing import Any

import numpy as np
from scipy.integrate import DenseOutput, OdeSolver

from flowsam.engines import taylor
from flowsam.engines.equal_layers import EqualLayers
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.regimes import Case
from flowsam.shapes import Float, State, Theta

LARGEST = 64  # weights: larger fields compile too long, and DOP853 is as fast


def taylor_steps(case: Case, theta0: Theta) -> Any:
    """Return what makes step objects of a run, in the place of a class of SciPy."""
    flow = case.flow
    if not case.regime.analytic:
        raise InputError(
            f"method='heyoka' takes GD, l_2 and unnormalised SAM, got {flow.perturbation.name}; "
            "use DOP853"
        )
    if theta0.size > LARGEST:
        raise InputError(
            f"method='heyoka' takes up to {LARGEST} weights, got {theta0.size}; use DOP853"
        )
    taylor.demand()
    return partial(TaylorSteps, flow=flow, layers=EqualLayers.of(theta0))


class TaylorSteps(OdeSolver):
    """Steps of Taylor's method, series as dense output; error rtol max(|w|, 1), no atol."""

    t: float
    y: State

    def __init__(  # noqa: PLR0913 - SciPy's
        self, fun: Any, t0: float, y0: Any, t_bound: float,
        *, rtol: float, atol: float, flow: Flow, layers: EqualLayers,
    ) -> None:  # fmt: skip
        super().__init__(fun, t0, y0, t_bound, vectorized=False)
        self.run = taylor.integrator(
            taylor.kind_of(flow, len(layers.source)), rtol, batch=False
        )
        self.numbers = taylor.numbers(flow)
        self.layers = layers
        self.series = np.empty((0, 0))

    def _step_impl(self) -> tuple[bool, str | None]:
        """One step, never beyond the bound."""
        run = self.run
        run.time = self.t
        run.pars[:] = self.numbers
        run.state[:] = 0.0
        run.state[: self.layers.source.size] = self.layers.whole(self.y).ravel()
        _, size = run.step(max_delta_t=self.t_bound - self.t, write_tc=True)
        self.nfev += 1
        if not (size > 0 and np.isfinite(run.state).all() and self.t + size > self.t):
            return False, self.TOO_SMALL_STEP
        self.series = np.array(run.tc[self.layers.kept])
        self.y = np.array(run.state[self.layers.kept])
        self.t = self.t_bound if size == self.t_bound - self.t else self.t + size
        return True, None

    def _dense_output_impl(self) -> DenseOutput:
        """The series of the step."""
        return _Series(self.t_old, self.t, self.series)


class _Series(DenseOutput):
    """A polynomial in t - t_old for every weight."""

    def __init__(
        self,
        t_old: float,
        t: float,
        series: Float[np.ndarray, "m K"],
    ) -> None:
        super().__init__(t_old, t)
        self.series = series

    def _call_impl(self, t: Any) -> Any:
        """Horner's rule."""
        inside = np.asarray(t - self.t_old)
        return np.polynomial.polynomial.polyval(inside, self.series.T)
