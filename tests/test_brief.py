"""Runs to a tau_end: the steps of `solve_ivp`, nothing more, and whatever ends them is found."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from flowsam import (
    Data,
    Flow,
    balanced,
    exponential,
    gradient_flow,
    l2,
    lp,
    single_example,
    solve,
    solve_many,
    unnormalised,
)  # fmt: skip
from flowsam.engines import stepping
from flowsam.engines.deaths import Deaths
from flowsam.engines.run import Request
from flowsam.engines.stepping import Unasked
from flowsam.many_examples.brief import brief_run
from flowsam.many_examples.fading_clock import fading_run
from flowsam.many_examples.log_clock import late_run
from flowsam.regimes import case_of

RULES = {
    "GD": gradient_flow(),
    "l_2": l2(0.2),
    "l_1.5": lp(0.2, p=1.5),
    "unnormalised": unnormalised(0.3),
}


def drawn(rule, depth, *, loss=exponential, seed=0):
    """Return a flow of 20 examples and a start with signs."""
    rng = np.random.default_rng([seed, depth])
    start = rng.uniform(0.4, 0.9, (depth, 5)) * rng.choice([-1.0, 1.0], (depth, 5))
    return Flow(Data(rng.standard_normal((20, 5)) + 0.5), rule, loss), start


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_steps_are_those_of_solve_ivp(rule, depth):
    flow, start = drawn(rule, depth)
    alone = solve_ivp(
        lambda _, y: flow.field(y.reshape(start.shape)).ravel(),
        (0, 0.3), start.ravel(), "DOP853", rtol=1e-9, atol=1e-12,
    )  # fmt: skip
    run = solve(flow, start, tau_end=0.3)
    assert run.nfev <= 1.1 * alone.nfev and run.steps == alone.t.size - 1
    assert np.allclose(run.theta[-1].ravel(), alone.y[:, -1], rtol=1e-12, atol=1e-13)
    assert run.method == "DOP853" and run.status == "finished" and run.tau[-1] == 0.3


@pytest.mark.parametrize("loss", [exponential, Flow(Data([[1.0]]), l2(1)).loss])
@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_both_clocks_agree(rule, depth, loss):
    """States and original time of the run in tau, and of the engine that integrates in T."""
    flow, start = drawn(rule, depth, loss=loss, seed=1)
    late = late_run(flow, start, Request(0.3, "tau_end", rtol=1e-12, atol=1e-14))
    times = np.linspace(0, 0.3, 7)
    run = solve(flow, start, tau_end=0.3, rtol=1e-11, save_at=times)
    log_t = late.log_t(times)
    assert np.abs(run.log_t - log_t).max() < 1e-8
    assert np.abs(run.theta - late.states(log_t)).max() < 1e-8


def test_equal_layers_stay_equal():
    flow, _ = drawn(l2(0.2), 3)
    run = solve(flow, balanced(np.full(5, 0.7), 3), tau_end=0.5, save_at=9)
    assert (run.theta == run.theta[:, :1]).all()


def test_what_ends_a_run_is_left_to_the_engine_in_log_t():
    """A collapse, and a minimum at a finite loss: no run in tau, and the old answers."""
    small, flow = np.full((2, 2), 0.1), Flow(Data([[1.0, 9.0], [1.1, -0.01]]), l2(1))
    assert brief_run(case_of(flow, 2), small, Request(5.0, "tau_end")) is None
    run = solve(flow, small, tau_end=5.0)
    assert run.status == "collapsed" and not run.theta[-1].any()
    line = Flow(Data([[1.0], [-1.0], [2.0], [-2.0]]), l2(0.1))
    assert brief_run(case_of(line, 1), np.ones((1, 1)), Request(50.0, "tau_end")) is None
    assert solve(line, np.ones((1, 1)), tau_end=50.0).status == "finished"


def test_a_run_that_crawls_is_given_up():
    """Weights of three layers grow without bound before tau_end: steps shrink to nothing."""
    flow = Flow(Data([[1.0, 0.5], [0.8, 1.0]]), gradient_flow())
    assert brief_run(case_of(flow, 3), np.ones((3, 2)), Request(1e6, "tau_end")) is None


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("p", [2.5, 3, 10])
@pytest.mark.parametrize("count", [1, 20])
def test_weights_that_could_die_and_do_not_cost_no_calls(count, p, depth):
    """Above p = 2 too the steps are those of `solve_ivp`, which looks for no death."""
    flow, start = drawn(lp(0.1, p=p), depth)
    if count == 1:
        flow = Flow(single_example([1.0, 2.0, 0.5, 0.0, 1.5]), flow.perturbation)
    rng = np.random.default_rng(count)
    calls = np.zeros(2)
    for _ in range(6):  # where weights turn fast, rounding alone moves the calls of one run by 20 %
        theta = np.abs(start) * (1 + 1e-15 * rng.standard_normal(start.shape))
        alone = solve_ivp(
            lambda _, y: flow.field(y.reshape(start.shape)).ravel(),
            (0, 0.6), theta.ravel(), "DOP853", rtol=1e-9, atol=1e-12,
        )  # fmt: skip
        run = solve(flow, theta, tau_end=0.6)
        calls += run.nfev, alone.nfev
        assert np.abs(run.theta[-1].ravel() - alone.y[:, -1]).max() < 1e-7
    assert calls[0] <= 1.1 * calls[1], calls
    assert run.method == "DOP853" and run.status == "finished" and not run.events


@pytest.mark.parametrize("depth", [2, 3])
def test_deaths_are_left_to_the_engine_that_knows_them(depth):
    """A feature that dies before tau_end: no run in tau, and the states of the run in T."""
    flow, start = drawn(lp(0.5, p=3), depth)
    start = np.abs(start)
    start[:2, 0] = 0.04, 0.02
    asked = Request(1.5, "tau_end")
    late = fading_run(flow, start, asked)
    assert "zero" in {event.kind for event in late.march.events}
    assert brief_run(case_of(flow, depth), start, asked) is None
    run = solve(flow, start, tau_end=1.5)
    assert run.events == late.march.events and (run.theta[-1, :2, 0] == 0).all()


@pytest.mark.parametrize("p", [2.1, 3, 10, 80])
def test_above_a_size_no_death_and_no_slave_is_near(p):
    """The bound holds whatever the other weights and the pulls, and roles begin not far below."""
    rng = np.random.default_rng(7)
    near = 0
    for _ in range(200):
        rule = lp(10.0 ** rng.uniform(-3, 0), p=p)
        flow = Flow(Data(rng.standard_normal((6, 4)) + 0.5), rule)
        deaths = Deaths(flow, 1e-12)
        size = deaths.low * 10.0 ** rng.uniform(0, 1, 4)
        theta = np.sort(size * 10.0 ** rng.uniform(0, 1, (3, 4)), axis=0)
        theta[1] = size
        theta[0] = size * 10.0 ** rng.uniform(-9, 0, 4)
        theta = rng.permuted(theta * rng.choice([-1.0, 1.0], (3, 4)), axis=0)
        free = deaths.start(theta).mode.slaves
        bound = np.abs(theta) == np.abs(theta).min(axis=0)
        assert (deaths.signals(theta, free) > 0).all()
        assert (deaths.signals(theta, bound)[0] < 0).all()
        near += (deaths._error(deaths._pair(theta, free)) < 1e-2).sum()
    assert near > 5


def test_dense_output_is_made_when_asked_and_once():
    calls = []

    def rotation(t, y):
        calls.append(t)
        return np.array([y[1], -y[0]])

    stepper = Unasked(rotation, 0.0, np.array([0.0, 1.0]), 9.0, rtol=1e-9, atol=1e-12)
    stepper.step()
    dense, left, right = stepper.dense_output(), stepper.t_old, stepper.t
    stepper.step()
    before = len(calls)
    middle = (left + right) / 2
    assert np.abs(dense(middle) - [np.sin(middle), np.cos(middle)]).max() < 1e-9
    assert np.abs(dense(right) - [np.sin(right), np.cos(right)]).max() < 1e-9
    assert len(calls) == before + 3


def test_steps_of_many_numbers_are_taken_again_to_the_last_bit(monkeypatch):
    def states(wide):
        monkeypatch.setattr(stepping, "_WIDE", wide)
        stepper = Unasked(lambda t, y: y[::-1] * [1.0, -1.0], 0.0, np.array([0.3, 1.0]), 9.0)
        outputs = []
        while stepper.status == "running":
            stepper.step()
            outputs.append((stepper.dense_output(), np.linspace(stepper.t_old, stepper.t, 5)))
        return np.array([[dense(t) for t in times] for dense, times in outputs])

    np.testing.assert_array_equal(states(1), states(1000))


@pytest.mark.parametrize("z", [[[1.0], [-3.0]], [[1.1], [-2.3]]])
def test_a_pace_that_no_step_in_log_t_can_have_is_followed_in_tau(z):
    """Unnormalised steps of the exponential loss: log Lambda is 1e7 and more at theta_hat."""
    flow, theta = Flow(Data(z), unnormalised(0.3), exponential), np.array([[1.3], [1.2], [1.5]])
    assert flow.log_lambda(theta) > 1e6
    run = solve(flow, theta, tau_end=0.4)
    assert run.status == "finished" and 0.2 < run.log_t[-1] < 0.4
    many = solve_many(flow, [theta], tau_end=0.4)
    assert run.theta[-1] == pytest.approx(many.theta[0], rel=1e-6)
