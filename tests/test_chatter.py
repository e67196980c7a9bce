"""Iteration with halved steps: where Filippov's solution is not unique, and honest ends."""

from __future__ import annotations

import numpy as np
import pytest

from flowsam.data import Data, single_example
from flowsam.discrete import iterate
from flowsam.endings import Ending
from flowsam.engines.run import Request
from flowsam.flow import Flow
from flowsam.losses import exponential
from flowsam.many_examples import chatter, iteration
from flowsam.many_examples.chatter import chatter_run
from flowsam.perturbations import linf, lp
from flowsam.regimes import case_of
from flowsam.solver import solve
from tests.test_sliding import predictors, separable, start


def test_a_second_surface_hands_over() -> None:
    """From two sliding components on the run is iterated, and says so with its difference."""
    flow, theta = Flow(separable(3), linf(0.2)), start(3, 1)
    run = solve(flow, theta, log_t_end=5.0, save_at=1000)
    assert run.status == "finished"
    assert "several surfaces from log t = 3.26" in run.message
    assert "halving the step changed the predictor by" in run.message
    assert run.method == "Filippov (DOP853), then iteration"
    assert run.log_t[-1] == pytest.approx(5.0)
    assert (np.diff(run.tau) > 0).all()
    steps = iterate(flow, theta, learning_rate=0.02, steps=int(np.expm1(5.0) / 0.02))
    error = np.abs(steps.beta - predictors(run, steps.log_t)).max()
    assert error < 4e-3 < 2e-3 * np.abs(steps.beta).max()


@pytest.mark.parametrize(
    ("changes", "ending"),
    [
        ((0.71, 0.57), Ending.NOT_UNIQUE),  # said to be settling once: falls, from nowhere
        ((0.09, 0.06), Ending.NOT_UNIQUE),
        ((0.03, 0.02), Ending.FINISHED),
        ((0.03, 0.029), Ending.NOT_UNIQUE),
        ((0.5, 9e-4), Ending.FINISHED),
        ((0.02,), Ending.NOT_UNIQUE),
        ((), Ending.NOT_UNIQUE),
    ],
)
def test_changes_that_fall_settle_only_where_they_are_small(
    changes: tuple[float, ...], ending: Ending
) -> None:
    flow = Flow(separable(3), linf(0.2))
    fine = iteration.Iteration(np.zeros((2, 4)), (1, 2), 9, "end")
    found = [chatter.Change(change, change) for change in changes]
    assert chatter._verdict(fine, found, case_of(flow, 2).regime)[0] == ending


def test_one_surface_agrees_with_filippov() -> None:
    """Where Filippov's solution is unique the iteration finds it, in both clocks."""
    flow, theta = Flow(separable(1), linf(0.2)), start(1, 1)
    exact = solve(flow, theta, log_t_end=6.0, save_at=400)
    run = solve(flow, theta, log_t_end=6.0, save_at=60, method="discrete")
    assert run.method == "iteration"
    assert np.abs(run.beta - predictors(exact, run.log_t)).max() < 3e-3 * np.abs(run.beta).max()
    np.testing.assert_allclose(run.tau, np.interp(run.log_t, exact.log_t, exact.tau), atol=0.02)


def test_original_time_by_steps() -> None:
    """Depth 1, one example, exponential loss: e^m = e^(rho |mu|_1) + |mu|^2 t to first order."""
    flow = Flow(single_example([3.0, 4.0]), linf(0.05), exponential)
    run = chatter_run(flow, np.full((1, 2), 0.1), Request(0.3, "tau_end"))
    state = run.states(run.edges[-1:])[0, 0]
    assert run.tau(run.edges[-1:])[0] == pytest.approx(0.3)
    np.testing.assert_allclose(state, 0.1 + 0.3 * np.array([3.0, 4.0]))
    area = np.exp(0.7 - 0.35) * np.expm1(25 * 0.3) / 25
    assert run.edges[-1] == pytest.approx(np.log1p(area), rel=1e-2)


def test_a_state_at_rest_is_held(monkeypatch) -> None:
    """A feature that cannot separate comes to rest on average: the run says so and goes on."""
    monkeypatch.setattr(iteration, "_LOOK", 1024)
    flow = Flow(Data([[1.0], [-0.5]]), linf(0.3))
    run = chatter_run(flow, np.array([[0.5]]), Request(60.0))
    assert run.march.status == Ending.HELD
    assert "at rest on average" in run.note
    assert run.edges[-1] == 60.0
    settled = run.states(np.array([30.0, 60.0]))[:, 0, 0]
    assert settled[0] == pytest.approx(settled[1], abs=1e-6)


def test_too_many_steps_are_said(monkeypatch) -> None:
    """An end that takes too many steps is a failure with the time reached."""
    monkeypatch.setattr(chatter, "_MOST_STEPS", 500)
    flow = Flow(separable(3), linf(0.2))
    run = solve(flow, start(3, 1), log_t_end=1e7, method="discrete")
    assert run.status == "failed"
    assert run.message.startswith("the iteration has taken all the steps it may by log t = ")
    assert "method='smoothed'" in run.message and "500 steps" in run.message


def test_two_axes_at_once() -> None:
    """Two copies of one example, sliding on two axes: the exact path, and halving settles."""
    theta = np.array([[-0.4, 1.3], [0.9, -0.2]])
    one, two = (
        solve(Flow(Data(rows), linf(1.0)), theta, tau_end=0.7, save_at=30)
        for rows in ([[1.0, 2.0]], [[1.0, 2.0], [1.0, 2.0]])
    )
    assert two.status == "finished"
    assert "several surfaces" in two.message
    np.testing.assert_allclose(two.theta, one.theta, atol=0.05)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_l1_is_iterated(depth) -> None:
    """l_1-SAM of several examples: discrete SAM's path, ties of equal layers included."""
    data = Data(np.random.default_rng(1).normal(size=(6, 2)) + 1.0)
    flow, theta = Flow(data, lp(0.1, p=1)), np.full((depth, 2), 0.5)
    run = solve(flow, theta, log_t_end=2.0)
    assert run.status == "finished" and "halving the step changed" in run.message
    rate = 1e-3
    walk = iterate(flow, theta, learning_rate=rate, steps=round(np.expm1(2.0) / rate))
    np.testing.assert_allclose(run.beta[-1], walk.beta[-1], rtol=3e-3)


def test_weights_near_zero_are_as_exact_as_the_predictor() -> None:
    """Halving goes on until weights settle too: a small predictor settles long before."""
    z = np.array([[-0.3310674531973751, -0.4713440516556924], [2.1079633114051948, -0.289211155]])
    theta = [[-1.000427348, -0.094353678], [0.152090167, -0.328837712], [0.730425690, -0.506906643]]
    flow, theta = Flow(Data(z), lp(1.3, p=1)), np.array(theta)
    run = solve(flow, theta, log_t_end=np.log1p(4.0))
    assert run.status == "finished" and "and weights by" in run.message
    walk = iterate(flow, theta, learning_rate=4.0 / 64_000, steps=64_000)
    np.testing.assert_allclose(run.theta[-1], walk.theta[-1], atol=2e-3)
    np.testing.assert_allclose(run.beta[-1], walk.beta[-1], rtol=0, atol=1e-4)


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_l1_of_equal_layers_follows_filippov(depth) -> None:
    """Equal layers tie: iterates and equal rows end where one example slides, not between."""
    theta = np.tile([[0.8, 0.5]], (depth, 1))
    one, two = (Flow(Data(rows), lp(1.0, p=1)) for rows in ([[1.0, 1.5]], [[1.0, 1.5]] * 2))
    exact = solve(one, theta, log_t_end=np.log1p(1.0)).theta[-1]
    run = solve(two, theta, log_t_end=np.log1p(1.0))
    np.testing.assert_allclose(run.theta[-1], exact, atol=1e-3)
    errors = []
    for steps in (500, 1000):
        walk = iterate(one, theta, learning_rate=1.0 / steps, steps=steps)
        errors.append(np.abs(walk.theta[-1] - exact).max())
    assert errors[1] < 0.6 * errors[0] < 1e-3


def test_l1_with_equal_rows_is_one_example() -> None:
    """Iterated, it ends where the exact sliding path of one example does."""
    theta = np.array([[0.4, 1.3], [0.9, 0.2]])
    one, two = (
        solve(Flow(Data(rows), lp(0.5, p=1)), theta, tau_end=1.0, save_at=20)
        for rows in ([[1.0, 2.0]], [[1.0, 2.0], [1.0, 2.0]])
    )
    np.testing.assert_allclose(two.theta, one.theta, atol=0.01)


def test_l1_refuses_steps_that_cannot_follow_it() -> None:
    """One line, with what to do."""
    with pytest.raises(ValueError, match="'DOP853' cannot follow l_1-SAM of several examples"):
        solve(Flow(separable(3), lp(0.2, p=1)), start(3, 2), log_t_end=5.0, method="DOP853")


@pytest.mark.parametrize("end", [1e-300, 1e-6, 1e-2])
def test_a_short_run_takes_several_steps_on_either_clock(end) -> None:
    flow, theta = Flow(Data([[1, 2], [2, 0.5]]), lp(0.3, p=1)), np.array([[1.5, 0.6]] * 2)
    run = solve(flow, theta, tau_end=end)
    again = solve(flow, theta, log_t_end=float(run.log_t[-1]))
    assert run.steps > 20 and again.tau[-1] == pytest.approx(end, rel=1e-3)
    assert "by 0.0e+00" not in run.message or end < 1e-5
    if end == 1e-2:  # 40,000 steps of the argmax; 1 % of the way
        assert run.theta[-1] == pytest.approx(np.array([[1.51667892, 0.61003179]] * 2), abs=1e-4)
