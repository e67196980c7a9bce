"""Iteration with halved steps: smooth flows, sliding ones, and honest ends."""

from __future__ import annotations

import numpy as np
import pytest

from flowsam.data import Data, single_example, split_signs
from flowsam.flow import Flow
from flowsam.losses import exponential
from flowsam.many_examples.halving import HalvedRun, halved_run
from flowsam.many_examples.log_clock import late_run
from flowsam.perturbations import l2, linf


def separable(seed: int, n: int = 8, d: int = 3) -> Data:
    """Gaussian examples on the side of a hidden vector, both signs of every feature."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, d))
    return split_signs(Data(z * np.sign(z @ rng.standard_normal(d))[:, None]))


@pytest.mark.parametrize("depth", [1, 2])
def test_smooth_flows_are_followed(depth) -> None:
    """For l_2 the run agrees with the implicit one within a few of its own differences."""
    flow, theta = Flow(separable(2), l2(0.05)), np.full((depth, 6), 0.5)
    run = halved_run(flow, theta, end=(5.0, "log_t_end"))
    assert isinstance(run, HalvedRun)
    assert run.status == "finished"
    times = np.linspace(0.5, 5.0, 12)
    exact = np.prod(late_run(flow, theta, end=(5.0, "log_t_end")).states(times), axis=1)
    error = np.abs(np.prod(run.at(times), axis=1) - exact).max(axis=1)
    assert (error < 3 * max(run.difference, 1e-4) * np.abs(exact).max(axis=1)).all()


def test_original_time_by_areas() -> None:
    """Depth 1, one example, exponential loss: e^m = 1 + |mu|^2 t whatever the step."""
    flow = Flow(single_example([3.0, 4.0]), linf(0.0), exponential)
    run = halved_run(flow, np.zeros((1, 2)), end=(0.3, "tau_end"))
    assert run.tau[-1] == pytest.approx(0.3)
    margin = run.theta[-1, 0] @ [3.0, 4.0]
    assert run.log_t[-1] == pytest.approx(np.log1p(np.expm1(margin) / 25.0), rel=1e-12)


def test_a_sliding_pull_stays_at_zero() -> None:
    """Two mirrored examples pin the pull of their odd feature: its weight stays at 0."""
    flow = Flow(Data([[1.0, 0.3], [1.0, -0.3]]), linf(0.2))
    run = halved_run(flow, np.array([[0.1, 0.02]]), end=(5.0, "log_t_end"))
    assert run.status == "finished"
    late = run.at(np.linspace(4.0, 5.0, 5))
    assert np.abs(late[:, 0, 1]).max() < 0.03
    assert (late[:, 0, 0] > 1.0).all()


def test_margins_that_stop_growing_are_said() -> None:
    """Where too few features survive the end is out of reach and the message says what to ask."""
    flow = Flow(Data([[1.0, 0.1], [-0.5, 0.2]]), linf(1.0))
    run = halved_run(flow, np.array([[0.5, 0.4]] * 2), end=(60.0, "log_t_end"))
    assert run.status == "failed"
    assert "out of reach" in run.message
