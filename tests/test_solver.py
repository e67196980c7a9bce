"""solve: every engine against the closed forms, rows in both clocks, endings and messages."""

import numpy as np
import pytest

from flowsam import Flow, balanced, exponential, gradient_flow, l2, linf, lp, single_example, solve
from flowsam.engines import METHODS
from tests.cases import CASES, SMALLEST, amplification

PAPER = CASES["paper, l_inf"]


def worst_error(item, rtol, method="DOP853", atol=1e-12):
    """Return the largest error of a stepped run, in tolerance units of the exact state."""
    run = solve(item.flow, item.theta0, tau_end=item.tau_end, method=method, rtol=rtol, atol=atol)
    exact = solve(item.flow, item.theta0, tau_end=item.tau_end, method="exact", save_at=run.tau)
    error = np.abs(run.theta - exact.theta)
    scale = np.maximum(np.abs(exact.theta).max(axis=(1, 2), keepdims=True), SMALLEST)
    return float((error / (rtol * scale + atol)).max())


@pytest.mark.parametrize("rtol", [1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("name", CASES)
def test_steps_agree_with_the_closed_form(name, rtol):
    item = CASES[name]
    assert worst_error(item, rtol) <= 5 * max(1.0, item.amplification), name


@pytest.mark.parametrize("name", ["paper, l_inf", "slide", "depth three, escape", "l_2, escape"])
def test_recorded_amplification_is_the_measured_one(name):
    item = CASES[name]
    measured = amplification(item)
    assert 0.9 * measured <= item.amplification <= 1.1 * measured, measured


@pytest.mark.parametrize("method", METHODS)
def test_every_method_of_solve_ivp(method):
    assert worst_error(PAPER, 1e-6, method, atol=1e-9) <= 5 * PAPER.amplification * 20
    assert solve(PAPER.flow, PAPER.theta0, tau_end=1, method=method).method == method


def test_error_follows_the_tolerance():
    errors = [worst_error(PAPER, rtol) * rtol for rtol in (1e-4, 1e-6, 1e-8, 1e-10)]
    assert all(late < early / 10 for early, late in zip(errors, errors[1:], strict=False)), errors


@pytest.mark.parametrize("rtol", [1e-9, 1e-12])
def test_the_papers_example_takes_few_calls(rtol):
    run = solve(PAPER.flow, PAPER.theta0, tau_end=3, method="DOP853", rtol=rtol)
    assert run.nfev <= 300, run.nfev
    zero = run.events[0]
    assert (zero.kind, zero.coordinate) == ("zero", 1)
    assert abs(zero.tau - np.log(1 / 0.4) / 2) < 1e-9


def test_rule_with_radius_0_is_gradient_flow():
    for rule in (linf(0), l2(0), lp(0, p=3)):
        assert rule == gradient_flow()
    runs = [solve(Flow(PAPER.flow.data, r), PAPER.theta0, tau_end=1) for r in (l2(0), linf(0))]
    np.testing.assert_array_equal(runs[0].theta, runs[1].theta)


def test_rows_as_steps_numbers_and_values():
    steps = solve(PAPER.flow, PAPER.theta0, tau_end=3)
    assert steps.tau[0] == 0 and steps.tau[-1] == 3 and steps.events[0].tau in steps.tau
    counted = solve(PAPER.flow, PAPER.theta0, tau_end=3, save_at=7)
    np.testing.assert_allclose(counted.tau, np.linspace(0, 3, 7))
    valued = solve(PAPER.flow, PAPER.theta0, tau_end=3, save_at=[0.0, 0.25, 2])
    np.testing.assert_array_equal(valued.tau, [0, 0.25, 2])


@pytest.mark.parametrize("method", ["exact", "DOP853"])
def test_rows_in_original_time(method):
    run = solve(PAPER.flow, PAPER.theta0, log_t_end=50, method=method, save_at=6)
    np.testing.assert_allclose(run.log_t, np.linspace(0, 50, 6), rtol=1e-9, atol=1e-12)
    valued = solve(PAPER.flow, PAPER.theta0, log_t_end=50, method=method, save_at=[0, 1, 40])
    np.testing.assert_allclose(valued.log_t, [0, 1, 40], rtol=1e-9, atol=1e-12)


def test_both_engines_share_original_time():
    ends = [
        solve(PAPER.flow, PAPER.theta0, log_t_end=1e3, method=method).tau[-1]
        for method in ("exact", "DOP853")
    ]
    assert abs(ends[0] - ends[1]) < 1e-8


def test_original_time_of_gradient_flow_by_its_definition():
    """T' = Lambda^-1 e^-T with the loss's own slope, integrated by the trapezoid rule."""
    for loss, slope in ((PAPER.flow.loss, lambda m: 1 / (1 + np.exp(m))), (exponential, None)):
        flow = Flow(single_example([1.0]), gradient_flow(), loss)
        run = solve(flow, [[0.5], [0.7]], tau_end=1.0, save_at=20_001)
        margin = run.beta[:, 0]
        pace = np.exp(margin) if slope is None else 1 / slope(margin)
        t = np.concatenate([[0], np.cumsum((pace[1:] + pace[:-1]) / 2 * np.diff(run.tau))])
        np.testing.assert_allclose(run.log_t, np.log1p(t), atol=1e-8)


@pytest.mark.parametrize("method", ["exact", "DOP853"])
def test_a_collapse_is_constant_to_tau_end_and_ends_a_run_in_log_t(method):
    flow, start = Flow(single_example([1, 2]), linf(1)), balanced([0.5, 0.6], 2)
    run = solve(flow, start, tau_end=4, method=method, save_at=9)
    last = np.log(2)  # coordinate 1 comes last: log(rho/(rho - alpha))/mu
    assert run.status == "collapsed" and run.tau[-1] == 4
    assert not run.theta[run.tau > last + 1e-9].any() and run.theta[run.tau < last].any()
    assert [event.kind for event in run.events] == ["zero", "zero", "collapse"]
    early = solve(flow, start, log_t_end=100, method=method)
    assert early.status == "collapsed" and abs(early.tau[-1] - last) < 1e-9


@pytest.mark.parametrize("method", ["exact", "DOP853"])
def test_a_blow_up_ends_the_run(method):
    flow, start = Flow(single_example([1, 1.3]), linf(0.5)), balanced([1, 0.3], 3)
    run = solve(flow, start, tau_end=30, method=method, save_at=11)
    assert run.status == "escaped" and "2" in run.message and "limit(" in run.message
    assert run.tau[-1] == pytest.approx(2.0, abs=1e-8) and run.log_t[-1] == np.inf
    assert np.isinf(run.beta[-1, 0]) and run.beta[-1, 1] == pytest.approx((7 / 19) ** 3, abs=1e-8)
    assert np.isfinite(run.theta[:-1]).all() and run.margins[-1, 0] == np.inf
    assert run.log_loss[-1] == -np.inf


@pytest.mark.parametrize("method", ["exact", "DOP853"])
def test_rows_close_to_a_blow_up(method):
    """A run to tau* (1 - 1e-k): the error grows like 10^k times that of tau*, no more."""
    flow, start = Flow(single_example([1, 1.3]), linf(0.5)), balanced([1, 0.3], 3)
    for k in (3, 6, 9):
        tau = 2 * (1 - 10.0**-k)
        run = solve(flow, start, tau_end=tau, method=method, rtol=1e-11, save_at=2)
        exact = 0.5 + 1 / (2 - tau)
        bound = 1e-12 if method == "exact" else 10.0**k * 1e-10
        assert abs(run.theta[-1, 0, 0] / exact - 1) < bound


def test_margins_to_the_end_of_doubles():
    run = solve(Flow(single_example([1, 2]), gradient_flow()), balanced([1, 1], 2), tau_end=1e4)
    assert run.status == "escaped" and "1e300" in run.message
    assert np.isfinite(run.theta).all() and np.isfinite(run.log_t).all() and run.log_t[-1] > 1e298


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("method", ["exact", "DOP853"])
@pytest.mark.parametrize("mu, alpha, depth", [(1.0, 1e150, 2), (1e300, 1.5, 2), (1e200, 1e101, 1)])
def test_a_start_at_the_end_of_doubles_has_escaped(method, mu, alpha, depth):
    flow, start = Flow(single_example([mu]), linf(1.0)), balanced([alpha], depth)
    for end in ({"tau_end": 1.0}, {"log_t_end": 1.0}):
        run = solve(flow, start, method=method, **end)
        assert (run.status, run.tau.tolist()) == ("escaped", [0.0]) and "1e300" in run.message
        np.testing.assert_array_equal(run.theta[0], start)


def test_a_start_just_inside_the_range_of_doubles_leaves_it():
    flow, start = Flow(single_example([1.0]), gradient_flow()), balanced([1e150 * (1 - 1e-9)], 2)
    run = solve(flow, start, tau_end=1.0, save_at=2)
    assert run.status == "escaped" and run.tau[-1] == pytest.approx(1e-9, rel=1e-5)


@pytest.mark.parametrize("method", ["RK23", "RK45", "DOP853"])
def test_the_smallest_atol_ends_with_a_weight_at_0(method):
    start = [[1.0, 0.5], [0.0, 0.3]]
    run = solve(PAPER.flow, start, tau_end=0.5, method=method, rtol=1e-6, atol=1e-100)
    exact = solve(PAPER.flow, start, tau_end=0.5, save_at=run.tau)
    np.testing.assert_allclose(run.theta, exact.theta, atol=1e-4)


def test_closed_forms_wait_at_rest_to_the_end_of_doubles():
    """w -> rho = 1, and dt/dtau -> 1 + e^0: log t = log tau + log 2."""
    flow, start = Flow(single_example([1.0]), linf(1.0)), balanced([0.5], 3)
    run = solve(flow, start, log_t_end=600, save_at=[0, 200, 600])
    assert run.status == "finished" and run.log_t[0] == 0
    np.testing.assert_allclose(run.log_t[1:], [200, 600], rtol=1e-13)
    np.testing.assert_allclose(np.log(run.tau[1:]) + np.log(2), [200, 600], rtol=1e-13)
    run = solve(flow, start, log_t_end=1e5)
    assert (run.status, run.tau[-1]) == ("failed", 1e300) and "nearly at rest" in run.message
    assert run.log_t[-1] == pytest.approx(300 * np.log(10) + np.log(2), rel=1e-12)


def test_l2_escape_is_stepped_where_no_closed_form_holds():
    run = solve(Flow(single_example([1, 2]), l2(0.5)), [[1, 0.8], [0.7, 0.9], [0.9, 1]], tau_end=9)
    assert run.status == "escaped" and run.method == "DOP853"
    assert run.events[-1].kind == "blow-up" and np.isinf(run.theta[-1]).any()


def test_one_large_layer_is_no_blow_up():
    theta0 = [[3.4e-81, 2e17], [1.3e-23, 1.7e-89], [6.4e-60, 2.4e-12], [4.8e89, -6e46]]
    flow = Flow(single_example([9.6e-115, 1.5e-140]), l2(8.4e70))
    run = solve(flow, theta0, tau_end=18.5)
    assert run.status == "escaped" and not run.events and run.theta[-1].tolist() == theta0
