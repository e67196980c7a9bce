"""Original time: T = log(1 + t) against quadrature in 50 digits, and against discrete SAM."""

import itertools

import mpmath
import numpy as np
import pytest

from flowsam import (
    Data,
    Flow,
    balanced,
    exponential,
    gradient_flow,
    iterate,
    l2,
    linf,
    logistic,
    lp,
    single_example,
    solve,
)
from flowsam.engines import clock
from flowsam.engines.clock import log_integrals, log_time


@pytest.mark.parametrize("slope", [0.0, 1.0, -3.0, 40.0, 1e4, -1e5])
def test_exponentials_are_integrated_to_rounding(slope):
    edges = np.array([0.0, 0.3, 0.31, 2.0])
    found = log_integrals(lambda tau: slope * tau, edges)
    for k, (left, right) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        a, b = mpmath.mpf(left), mpmath.mpf(right)
        exact = (
            mpmath.log((mpmath.exp(slope * b) - mpmath.exp(slope * a)) / slope)
            if slope
            else (mpmath.log(b - a))
        )
        assert abs(found[k] - float(exact)) <= 1e-13 * max(1, abs(float(exact)))


def test_peaks_inside_an_interval_are_found():
    found = log_integrals(lambda tau: -((tau - 0.37) ** 2) * 1e6, np.array([0.0, 1.0]))
    assert abs(found[0] - 0.5 * np.log(np.pi / 1e6)) < 1e-12


def test_infinite_times_have_infinite_original_time():
    found = log_time(lambda tau: tau, np.array([0.0, 1.0, np.inf]), np.empty(0))
    assert found[0] == 0 and found[-1] == np.inf


def reference(weight, mu, loss, breaks, rho=0.0):
    """Return log(1 + t) in 50 digits for one balanced coordinate at L = 2."""
    with mpmath.workdps(50):
        pace = mpmath.quad(
            lambda tau: (1 if loss is logistic else 0) + mpmath.exp(mu * (weight(tau) - rho) ** 2),
            breaks,
        )
        return float(mpmath.log(1 + pace))


@pytest.mark.parametrize("loss", [logistic, exponential])
@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_exact_paths_against_50_digits(loss, rho):
    mu, alpha = mpmath.mpf(1.25), mpmath.mpf(0.75)
    flow = Flow(single_example([1.25]), linf(rho), loss)
    for end in (0.1, 1.0, 2.5):
        run = solve(flow, balanced([0.75], 2), tau_end=end, save_at=3)
        exact = reference(
            lambda tau: rho + (alpha - rho) * mpmath.exp(mu * tau),
            mu,
            loss,
            mpmath.linspace(0, end, 30),
            rho,
        )
        assert abs(run.log_t[-1] - exact) <= 1e-13 * max(1.0, exact)


def test_late_times_follow_the_asymptotic():
    """log t ~ m_hat - log(dm_hat/dtau), far beyond t = 1e300."""
    run = solve(Flow(single_example([1.0]), l2(0.5)), balanced([0.8], 2), log_t_end=1e5, save_at=2)
    w_hat = run.theta[-1, 0, 0] - 0.5 / np.sqrt(2)
    margin, speed = w_hat**2, 2 * w_hat * w_hat
    assert run.log_t[-1] == pytest.approx(margin - np.log(speed), rel=1e-9)


@pytest.mark.parametrize("start", [(0.1, 0.9), (-0.4, 0.8), (0.0, 0.7)])
def test_sliding_takes_the_time_discrete_sam_takes(start):
    """One coordinate slides on u = 0; discrete SAM at step h arrives at the same t to order h."""
    mu, rho, step = 1.0, 1.0, 2e-5
    flow = Flow(single_example([mu]), linf(rho))
    theta0 = np.array(start)[:, None]
    tau = 0.9 * solve(flow, theta0, tau_end=9, save_at=2).events[-1].tau
    run = solve(flow, theta0, tau_end=tau, save_at=2)
    assert run.theta[-1, 0, 0] == 0 and run.events[-1].kind == "slide"
    t, goal = 0.0, run.theta[-1, 1, 0]
    (u, v), trace = start, []
    for _ in range(400_000):  # sign(0) would leave u at 0 for ever: begin beside it
        u = u or -1e-12
        u_hat, v_hat = u - rho * np.sign(v), v - rho * np.sign(u)
        pull = mu / (1 + np.exp(mu * u_hat * v_hat))
        u, v, t = u + step * pull * v_hat, v + step * pull * u_hat, t + step
        trace.append((t, v))
        if abs(v) <= goal:
            break
    assert run.log_t[-1] == pytest.approx(np.log1p(trace[-1][0]), abs=1e-4)


def test_time_goes_on_at_the_pace_of_the_fall():
    """At rest beta_hat_j = sign(mu_j) rho^L: dt/dtau = 1 + e^(sum |mu_j| rho^L), as before."""
    for mu, rho, depth in (([1.0, 2.0], 1.0, 2), ([-0.7, 1.3], 0.8, 2), ([0.9, 0.4], 1.1, 4)):
        start = balanced([0.5, 0.6], depth, np.sign(mu))
        flow = Flow(single_example(mu), linf(rho))
        run = solve(flow, start, tau_end=50, save_at=[0, 30, 50])
        t = np.expm1(run.log_t)
        pace = 1 + np.exp(np.abs(mu).sum() * rho**depth)
        assert run.status == "finished" or run.events[-1].kind == "collapse"
        assert t[2] - t[1] == pytest.approx(20 * pace, rel=1e-12)


@pytest.mark.parametrize("rule", [l2(1.0), lp(1.0, p=1.5), lp(1.0, p=3), lp(1.0, p=1)])
@pytest.mark.parametrize("several", [False, True])
def test_time_beyond_a_collapse_goes_on_as_before_it(rule, several):
    data = Data([[1.0, 2.0], [1.2, 1.9]]) if several else single_example([1.0, 2.0])
    if several and rule.p == 1:
        pytest.skip("iterated to the end")
    ends = solve(Flow(data, rule), balanced([0.2, 0.1], 2), tau_end=5)
    end = next(event.tau for event in ends.events if event.kind == "collapse")
    times = end * np.array([0, 1 - 1e-3, 1, 1 + 1e-3])
    run = solve(Flow(data, rule), balanced([0.2, 0.1], 2), tau_end=2 * end, save_at=times)
    assert not run.theta[-1].any()
    before, after = np.diff(np.expm1(run.log_t))[1:]
    assert after == pytest.approx(before, rel=2e-3)


@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("fallen", [False, True])
def test_what_rests_at_0_beside_others_is_as_in_discrete_sam(depth, several, fallen):
    """A coordinate that fell with equal layers, and one that starts at 0, which has no step."""
    data = Data([[1.0, 2.0], [1.2, 0.5]]) if several else single_example([1.0, 2.0])
    flow = Flow(data, linf(0.5))
    start = balanced([1.2, 0.4 / depth**2], depth)
    start[:, 1] *= fallen
    run = solve(flow, start, log_t_end=1.2)
    step = 1e-3
    steps = iterate(flow, start, learning_rate=step, steps=round(np.expm1(1.2) / step))
    assert abs(run.theta[-1, :, 1]).max() < 1e-12
    off = abs(run.beta[-1, 0] / steps.beta[-1, 0] - 1)
    assert off < 2e-3 and run.status == "finished"


def test_gradient_flow_time_is_finite_where_the_margin_is_huge():
    run = solve(Flow(single_example([1, 1]), gradient_flow()), balanced([1, 1], 2), tau_end=300)
    assert np.isfinite(run.log_t).all() and run.log_t[-1] > 1e250


@pytest.mark.parametrize("scale", [1e-2, 1.0, 1e4])
def test_slow_algebraic_changes_are_seen_on_long_panels(scale):
    def pace(tau):
        return 2.0 / (1.0 + tau / scale)

    ends = np.array([0.0, 1.0, 1e3, 1e6])
    with mpmath.workdps(50):
        edges = [0] + [mpmath.mpf(10) ** k for k in range(-3, 7)]
        exact = [
            mpmath.log(
                mpmath.quad(
                    lambda t: mpmath.exp(2 / (1 + t / mpmath.mpf(scale))),
                    [e for e in edges if a <= e <= b],
                )
            )
            for a, b in itertools.pairwise(ends)
        ]
    found = log_integrals(pace, ends)
    np.testing.assert_allclose(np.exp(found - np.array(exact, dtype=float)), 1.0, rtol=1e-13)


@pytest.mark.parametrize(
    ("mu", "alpha", "depth"), [([3, 2], [0.1, 0.9], 3), ([1, 2], [0.5, 0.6], 5)]
)
def test_original_time_does_not_depend_on_the_rows(mu, alpha, depth):
    flow, start = Flow(single_example(mu), linf(1.0)), balanced(alpha, depth)
    late = [solve(flow, start, tau_end=1e6, save_at=k).log_t[-1] for k in (None, 7, 900)]
    np.testing.assert_allclose(late, late[0], rtol=4e-15)
    assert solve(flow, start, log_t_end=12.0).log_t[-1] == pytest.approx(12.0, rel=4e-15)


def test_times_beyond_doubles_end_the_search():
    run = solve(Flow(single_example([1, 2]), linf(1.0)), balanced([1.5, 0.6], 2), log_t_end=1e300)
    assert run.status == "escaped" and "margins pass 1e300" in run.message
    assert 1e299 < run.log_t[-1] < np.inf


def test_the_rounding_of_tau_on_a_steep_path_is_not_chased():
    """phi' = 5e8 at tau = 2: one ulp of tau is 2e-7 of e^phi, and no cut makes it smaller."""
    asked = []

    def pace(tau):
        asked.append(tau.size)
        return 0.25 / (2.001 - tau) ** 2

    log_t = log_time(pace, np.array([0.0, 2.0]), np.array([]))[1]
    exact = 0.25e6 - np.log(0.5e9)  # e^phi / phi', to a relative 6e-6
    assert log_t == pytest.approx(exact, abs=2e-5)
    assert sum(asked) < 5000


@pytest.mark.parametrize("margin", [651.0, 745.0, 801.5, 2e3, 1e20])
@pytest.mark.parametrize("rule", [gradient_flow(), linf(0.3), l2(0.3), lp(0.3, p=3), lp(0.3, p=1)])
@pytest.mark.parametrize(("mu", "n"), [([1.0], 1), ([1.0, 0.5], 1), ([1.0, 0.5], 2)])
def test_large_margins_are_left_in_rescaled_times_that_underflow(margin, rule, mu, n):
    """Nothing moves before log t = 100: rows are where asked, tau = t e^-m_hat where a double."""
    flow = Flow(Data([mu] * n), rule)
    start = np.full((2, len(mu)), 0.2)
    start[:, 0] = 1.25 * margin**0.5, 0.8 * margin**0.5
    run = solve(flow, start, log_t_end=100.0, save_at=5)
    assert run.status == "finished"
    np.testing.assert_allclose(run.log_t, [0, 25, 50, 75, 100], atol=1e-9)
    margin_hat = mpmath.mpf(-float(flow.log_lambda(start)))
    exact = [float(mpmath.expm1(t) * mpmath.exp(-margin_hat)) for t in run.log_t]
    np.testing.assert_allclose(run.tau, exact, rtol=1e-6 if n == 1 else 1e-2, atol=1e-300)
    np.testing.assert_allclose(run.theta[-1], start, rtol=1e-12)


def test_a_search_for_log_t_that_does_not_end_says_so(monkeypatch):
    monkeypatch.setattr(clock, "_NEWTON_STEPS", 1)
    with pytest.raises(ValueError, match="log t = 50 was not found between tau = 1 and 3"):
        solve(Flow(single_example([1.0]), l2(0.3)), balanced([1.0], 2), log_t_end=50.0)
