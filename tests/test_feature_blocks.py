"""Newton's matrix as a block a feature and a low rank: the dense one's inverse, and its runs."""

import numpy as np
import pytest

from flowsam import (
    Data,
    Flow,
    asam,
    gradient_flow,
    l2,
    limit,
    linf,
    lp,
    solve,
    unnormalised,
)
from flowsam.engines import stepping
from flowsam.engines.deaths import Roles
from flowsam.many_examples import log_march
from flowsam.many_examples.fading_clock import FadingClock
from flowsam.many_examples.feature_blocks import _Shift
from flowsam.many_examples.log_clock import LogClock
from flowsam.many_examples.smoothing import SmoothedClock, smoothed

RULES = (
    gradient_flow(),
    l2(0.3),
    lp(0.3, p=1.5),
    lp(0.3, p=3),
    lp(0.3, p=50),
    asam(0.3),
    asam(0.3, p=3),
    unnormalised(0.3),
    linf(0.3),
)


def drawn(depth, n=3, d=7, seed=0):
    """Examples and a start."""
    rng = np.random.default_rng((depth, n, d, seed))
    return Data(rng.standard_normal((n, d))), rng.standard_normal((depth, d)), rng


def solved(slopes, jacobian, a, rng):
    """The relative error of (a I - J)^-1 b, b drawn."""
    b = rng.standard_normal(len(jacobian)) * (1.0 + a * 0)
    exact = np.linalg.solve(a * np.eye(len(jacobian)) - jacobian, b)
    return np.abs((a * _Shift() - slopes)(b) - exact).max() / np.abs(exact).max()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_the_inverse_is_that_of_the_dense_matrix(rule, depth):
    data, theta, rng = drawn(depth)
    flow = Flow(data, rule)
    made = (SmoothedClock, smoothed(flow)) if rule == linf(0.3) else (LogClock, flow)
    system = made[0](made[1], theta)
    jacobian = system.jacobian(1.0, system.start)
    step = 1e-6
    for k, row in enumerate(np.eye(len(jacobian))):
        ends = (system.rates(1.0, system.start + sign * step * row) for sign in (1, -1))
        slope = np.subtract(*ends) / (2 * step)
        assert np.abs(slope - jacobian[:, k]).max() <= 1e-6 * np.abs(jacobian).max()
    for a in (2.0, 40.0, 1.3 + 0.7j):
        assert solved(system.by_features(1.0, system.start), jacobian, a, rng) <= 1e-11


def test_weights_that_are_held_stay():
    """One feature dead, and a slave that its master shows."""
    data, theta, rng = drawn(3)
    theta[:2, 4] = 0.0
    system = FadingClock(Flow(data, lp(0.3, p=3)), theta)
    slaves = np.zeros((3, 7), dtype=bool)
    slaves[1, 2] = True
    mode = Roles(slaves, np.arange(7) == 4)
    jacobian = system.jac(mode)(1.0, system.start)
    assert (jacobian[:, [4, 11, 18, 9]] == 0).all()
    assert solved(system.slopes(mode)(1.0, system.start), jacobian, 2.0, rng) <= 1e-11


def test_a_singular_block_is_no_number():
    data, theta, _ = drawn(2)
    system = LogClock(Flow(data, lp(0.3, p=1.5)), theta)
    slopes = system.by_features(0.0, system.start)
    slopes.own[0] = 2.0 * np.eye(2)
    assert np.isnan((2.0 * _Shift() - slopes)(system.start)).any()


@pytest.mark.parametrize(
    ("rule", "depth", "method"),
    [
        (lp(0.1, p=1.5), 2, "auto"),
        (lp(0.1, p=3), 2, "auto"),
        (lp(0.1, p=3), 3, "auto"),
        (asam(0.1), 3, "auto"),
        (linf(0.1), 2, "smoothed"),
        (l2(0.1), 2, "Radau"),
    ],
    ids=lambda given: getattr(given, "name", None),
)
def test_runs_are_those_of_dense_matrices(rule, depth, method, monkeypatch):
    data, theta, _ = drawn(depth, 4, 140)
    flow = Flow(data, rule)
    how = {"log_t_end": 60.0, "rtol": 1e-7, "atol": 1e-10, "save_at": 2, "method": method}
    few = solve(flow, np.abs(theta) + 0.3, **how)
    assert few.status == "finished"
    monkeypatch.setattr(log_march, "LARGE", 10_000)
    dense = solve(flow, np.abs(theta) + 0.3, **how)
    off = np.abs(few.beta[-1] - dense.beta[-1]).max() / np.abs(dense.beta[-1]).max()
    assert off <= (1e-5 if method != "smoothed" else 1e-4)


@pytest.mark.parametrize("rule", [gradient_flow(), l2(0.1)], ids=lambda rule: rule.name)
def test_logs_of_balanced_weights_have_slopes_of_their_own(rule):
    data, theta, _ = drawn(2, 4, 300)
    start = np.tile(np.abs(theta[0]) + 0.3, (2, 1))
    how = {"log_t_end": 20.0, "rtol": 1e-6, "save_at": 2}
    run, auto = (solve(Flow(data, rule), start, method=m, **how) for m in ("Radau", "auto"))
    assert run.status == "finished" and run.method == "Radau"
    np.testing.assert_allclose(run.beta[-1], auto.beta[-1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("crawls", [False, True])
def test_where_explicit_steps_get_nowhere_implicit_ones_go_on(crawls, monkeypatch):
    """Columns of scales 1e-3 to 1e3 left DOP853 at log t = 7e-5."""

    class Stuck(log_march.UntilStiff):
        taken = 0

        def step(self):
            self.taken += 1
            if self.taken > 3:
                self.status = "failed"
                return None
            return super().step()

    advanced = stepping._Marching._advanced

    def crawling(marching, stepper):
        went = advanced(marching, stepper)
        return went and not (stepper.nfev > 50 and isinstance(stepper, log_march.UntilStiff))

    if crawls:
        monkeypatch.setattr(stepping._Marching, "_advanced", crawling)
    else:
        monkeypatch.setattr(log_march, "UntilStiff", Stuck)
    data, theta, _ = drawn(3, 4, 140)
    run = solve(Flow(data, lp(0.1, p=1.5)), np.abs(theta) + 0.3, log_t_end=1.0, save_at=2)
    assert (run.status, run.method) == ("finished", "DOP853, Radau")


def test_the_limit_of_few_examples_in_many_features_takes_no_dense_matrix(monkeypatch):
    """LSODA factored 2,001 by 2,001 numbers for ten minutes."""
    monkeypatch.setattr(LogClock, "jacobian", None)
    data, theta, _ = drawn(2, 8, 1000)
    for rule in (lp(0.1, p=3), asam(0.1), linf(0.1)):
        found = limit(Flow(data, rule), np.abs(theta) + 0.5)
        assert found.kind == "other direction"
