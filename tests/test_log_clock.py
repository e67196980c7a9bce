"""The clock log(1 + t) with many examples: Jacobians, two integrators, late times, ends."""

from __future__ import annotations

import numpy as np
import pytest

from flowsam.data import Data, single_example, split_signs
from flowsam.endings import Ending
from flowsam.engines.run import Request
from flowsam.flow import Flow
from flowsam.losses import exponential
from flowsam.many_examples.hessian import ascent_slope, rescaled_hessian
from flowsam.many_examples.late_path import LateRun
from flowsam.many_examples.log_clock import LogClock, late_run
from flowsam.margin import margin_certificate
from flowsam.perturbations import asam, gradient_flow, l2, lp, unnormalised
from flowsam.solver import solve

RULES = [gradient_flow(), l2(0.05), lp(0.05, p=3.0), lp(0.05, p=1.5), unnormalised(0.05)]
SMOOTH = pytest.mark.parametrize("rule", RULES, ids=repr)


def separable(seed: int, n: int = 20, d: int = 5) -> Data:
    """Gaussian examples on the side of a hidden vector, both signs of every feature."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, d))
    return split_signs(Data(z * np.sign(z @ rng.standard_normal(d))[:, None]))


def start(seed: int, depth: int) -> np.ndarray:
    """A random balanced start."""
    return np.random.default_rng(seed).uniform(0.3, 1.0, (1, 10)).repeat(depth, axis=0)


@SMOOTH
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("loss", [None, exponential])
def test_jacobian_is_the_derivative(rule, depth, loss) -> None:
    """The Jacobian of the clocked field equals central differences, off balance too."""
    data = separable(1, n=6, d=2)
    flow = Flow(data, rule) if loss is None else Flow(data, rule, loss)
    theta = np.random.default_rng(depth).standard_normal((depth, 4))
    system, state, h = LogClock(flow, theta), np.append(theta, 0.3), 1e-6
    columns = [
        (system.rates(0.5, state + h * e) - system.rates(0.5, state - h * e)) / (2 * h)
        for e in np.eye(state.size)
    ]
    jacobian = system.jacobian(0.5, state)
    np.testing.assert_allclose(jacobian, np.transpose(columns), atol=2e-8 * np.abs(jacobian).max())


def test_hessian_at_margins_beyond_doubles() -> None:
    """Where |ell'| underflows the rescaled Hessian is that of the exponential loss, symmetric."""
    theta = np.full((2, 2), 30.0)
    flow = Flow(Data([[1.0, 2.0], [2.0, 1.0]]), gradient_flow())
    hessian, slope, log_scale = rescaled_hessian(flow, theta)
    late = rescaled_hessian(Flow(flow.data, gradient_flow(), exponential), theta)
    np.testing.assert_allclose(hessian, late[0], rtol=1e-12)
    np.testing.assert_allclose(hessian, hessian.T)
    assert log_scale == pytest.approx(-2700.0, rel=1e-3)
    assert np.isfinite(slope).all()
    assert (ascent_slope(flow, theta) == 0).all()


@pytest.mark.parametrize(
    ("rule", "depth"),
    [(RULES[0], 1), (RULES[1], 1), (RULES[1], 2), (RULES[2], 2), (RULES[3], 2), (RULES[4], 3)],
    ids=repr,
)
def test_two_integrators_agree(rule, depth) -> None:
    """Implicit and explicit runs agree to 1e-7 at all times up to log t = 3."""
    flow, theta, times = Flow(separable(2), rule), start(2, depth), np.linspace(0, 3, 40)
    runs = [late_run(flow, theta, Request(3.0, method=method)) for method in ("Radau", "DOP853")]
    states = [run.states(times) for run in runs]
    size = np.abs(states[0]).max(axis=(1, 2), keepdims=True)
    assert np.max(np.abs(states[0] - states[1]) / size) < 1e-7
    np.testing.assert_allclose(runs[0].tau(times), runs[1].tau(times), rtol=1e-6, atol=1e-9)


def test_one_example_has_its_closed_form() -> None:
    """For n = 1, depth 1 and the exponential loss: e^m = 1 + |mu|^2 t under gradient flow."""
    flow = Flow(single_example([3.0, 4.0]), gradient_flow(), exponential)
    run = late_run(flow, np.zeros((1, 2)), Request(200.0))
    times = np.linspace(0.1, 200.0, 30)
    margins = run.states(times)[:, 0] @ [3.0, 4.0]
    exact = np.logaddexp(0.0, np.log(25.0) + times + np.log(-np.expm1(-times)))
    np.testing.assert_allclose(margins, exact, rtol=1e-7)
    np.testing.assert_allclose(run.tau(times), exact / 25.0, rtol=1e-7)


@pytest.mark.parametrize("method", ["auto", "DOP853", "Radau"])
def test_a_calm_of_any_length(method) -> None:
    """At a start whose margin is 900 nothing moves before T = 900: then it does, exactly."""
    flow = Flow(single_example([30.0, 40.0]), gradient_flow(), exponential)
    run = late_run(flow, np.full((1, 2), 90 / 7), Request(2e-3, "tau_end", method=method))
    tau = np.array([1e-9, 1e-4, 2e-3])
    times = run.log_t(tau)
    np.testing.assert_allclose(run.states(times)[:, 0] @ [30.0, 40.0], 900 + 2500 * tau)
    np.testing.assert_allclose(times, 900 + np.log(np.expm1(2500 * tau) / 2500), atol=1e-6)
    assert run.march.steps < 40 or method == "Radau"
    calm = late_run(flow, np.full((1, 2), 90 / 7), Request(50.0, method=method))
    assert calm.edges[-1] == 50.0 and (calm.states(calm.edges) == 90 / 7).all()


def test_a_large_start_with_large_margins() -> None:
    """Beyond 250 weights, with explicit steps alone, the calm is not leapt over."""
    rng = np.random.default_rng(0)
    data, theta = Data(rng.uniform(10.0, 30.0, (5, 130))), rng.uniform(0.9, 1.1, (2, 130))
    runs = [
        late_run(Flow(data, l2(0.1), exponential), theta, Request(5e-5, "tau_end", method=method))
        for method in ("auto", "RK45")
    ]
    assert runs[0].march.status == "finished" and runs[0].march.method == "DOP853"
    last = [run.states(run.edges[-1:]) for run in runs]
    np.testing.assert_allclose(*last, rtol=1e-8)
    assert np.abs(last[0] - theta).max() > 5e-4


@pytest.mark.parametrize(
    ("rule", "depth"),
    [
        (gradient_flow(), 3),
        pytest.param(l2(0.05), 1, marks=pytest.mark.long),
        pytest.param(gradient_flow(), 2, marks=pytest.mark.long),
        pytest.param(gradient_flow(), 1, marks=pytest.mark.long),
        pytest.param(l2(0.05), 2, marks=pytest.mark.long),
        pytest.param(l2(0.05), 3, marks=pytest.mark.long),
    ],
    ids=repr,
)
def test_late_times_are_cheap(rule, depth) -> None:
    """log t = 1e4 takes fewer than 1,000 steps; the direction is a max margin's or near it."""
    data = separable(2)
    run = late_run(Flow(data, rule), start(2, depth), Request(1e4))
    assert run.march.status == "finished"
    assert run.march.steps < 1000
    beta = np.prod(run.states(np.array([1e4]))[0], axis=0)
    original = Data(data.z[:, :5])
    norm = 2 if depth == 1 else 1
    if depth < 3:
        assert margin_certificate(original, norm, beta[:5] - beta[5:]).gap < 1e-3


@pytest.mark.long
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("rule", [gradient_flow(), l2(0.1)], ids=repr)
def test_two_implicit_integrators_agree_throughout(rule, depth) -> None:
    """Collocation and multistep formulas give the same predictor from t = 0 to log t = 1e4."""
    times = np.concatenate([np.linspace(0.5, 10.0, 20), np.geomspace(11.0, 1e4, 40)])
    runs = [
        solve(Flow(separable(4), rule), start(4, depth), log_t_end=1e4, save_at=times, **how)
        for how in ({"method": "Radau", "rtol": 1e-10}, {"method": "BDF", "rtol": 1e-10})
    ]
    assert [run.status for run in runs] == ["finished"] * 2
    size = np.abs(runs[0].beta).max(axis=1)
    assert (np.abs(runs[0].beta - runs[1].beta).max(axis=1) < 1e-7 * size).all()


@pytest.mark.parametrize(("end", "rtol"), [(1e5, 1e-4), (1e7, 1e-6), (1e8, 1e-9)])
@pytest.mark.parametrize("depth", [2, 3])
def test_margins_like_log_t_take_a_tolerance_like_its_inverse(depth, end, rtol) -> None:
    """At 1e-4 gradient flow stuck at log t = 1.6e4, where errors of margins are of order 1."""
    rng = np.random.default_rng(3)
    z = rng.standard_normal((6, 4))
    z *= np.sign(z @ np.ones(4))[:, None]
    start = rng.uniform(0.5, 1.5, (depth, 4))
    how = {"log_t_end": end, "save_at": 2}
    run = solve(Flow(Data(z), gradient_flow()), start, rtol=rtol, **how)
    assert run.status == "finished"
    close = solve(Flow(Data(z), gradient_flow()), start, rtol=1e-12, **how)
    np.testing.assert_allclose(run.beta[-1], close.beta[-1], rtol=1e-4, atol=1e-4 * end)


def test_beyond_that_the_message_says_what_is_lost() -> None:
    rng = np.random.default_rng(3)
    z = rng.standard_normal((6, 4))
    z *= np.sign(z @ np.ones(4))[:, None]
    run = solve(Flow(Data(z), asam(0.1)), rng.uniform(0.5, 1.5, (2, 4)), log_t_end=1e11)
    assert (run.status, run.ending) == ("failed", Ending.TOO_LATE)
    assert "their rounding moves the shares" in run.message


def test_both_clocks_of_one_run() -> None:
    """A run to tau_end ends there, and `log_t` inverts `tau`."""
    flow = Flow(separable(3), l2(0.1))
    run = late_run(flow, start(3, 2), Request(0.7, "tau_end"))
    assert isinstance(run, LateRun)
    assert run.tau(run.edges[-1:])[0] == pytest.approx(0.7, rel=1e-12)
    inside = np.linspace(0.01, 0.69, 9)
    np.testing.assert_allclose(run.tau(run.log_t(inside)), inside, rtol=1e-12)
    whole = late_run(flow, start(3, 2), Request(float(run.edges[-1])))
    np.testing.assert_allclose(whole.states(run.edges[-1:]), run.states(run.edges[-1:]), rtol=1e-7)


@pytest.mark.parametrize("method", ["auto", "Radau", "DOP853"])
def test_collapse_ends_the_run(method) -> None:
    """A small start under a large rho reaches the origin: exact zeros, one event, its time."""
    data = Data(np.abs(separable(0).z[:, :5]))
    flow = Flow(data, l2(1.0))
    run = late_run(flow, np.full((2, 5), 0.1), Request(1e4, method=method))
    assert run.march.status == "collapsed"
    assert [event.kind for event in run.march.events] == ["collapse"]
    assert run.march.events[0].tau == pytest.approx(0.592430228, rel=1e-7)
    assert (run.states(run.edges[-1:]) == 0).all()


def test_a_start_at_rest_collapses_at_once() -> None:
    """At the origin of depth 2 a normalised rule is undefined: the run ends where it starts."""
    run = late_run(Flow(separable(0), l2(0.1)), np.zeros((2, 10)), Request(5.0))
    assert run.march.status == "collapsed"
    assert run.march.steps == 0


def test_idle_features_stay() -> None:
    """A feature that is 0 in every example keeps its weights to the last bit."""
    z = separable(4).z.copy()
    z[:, 3] = 0.0
    run = late_run(Flow(Data(z), l2(0.05)), start(4, 2), Request(100.0))
    assert (run.states(run.edges)[:, :, 3] == start(4, 2)[0, 3]).all()


@pytest.mark.long
def test_large_and_early() -> None:
    """n = d = 1,000 to log t = 50 by explicit steps."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((1000, 1000)) / np.sqrt(1000)
    data = Data(z * np.sign(z @ rng.standard_normal(1000))[:, None])
    run = late_run(Flow(data, l2(0.05)), np.zeros((1, 1000)), Request(50.0))
    assert run.march.status == "finished"
    assert run.march.steps < 400


@pytest.mark.long
def test_a_million() -> None:
    """log t = 1e6 is within reach."""
    run = late_run(Flow(separable(2), l2(0.05)), start(2, 2), Request(1e6))
    assert run.march.status == "finished"
