"""Implicit steps by the live examples: their matrix against the dense one, their runs too."""

import tracemalloc

import numpy as np
import pytest

from flowsam import Data, Flow, balanced, gradient_flow, l2, linf, lp, solve, unnormalised
from flowsam.losses import logistic
from flowsam.many_examples import dual_steps, log_march
from flowsam.many_examples.dual_steps import DualBDF
from flowsam.many_examples.log_clock import LogClock
from flowsam.many_examples.log_weights import LogWeights
from flowsam.many_examples.minima import one_dimensional
from flowsam.many_examples.pulls import Pulls
from flowsam.many_examples.switching import JointSwitching

RULES = {"GD": gradient_flow(), "l_2": l2(0.1), "unnormalised": unnormalised(0.3)}


def drawn(n, d, depth, *, even):
    """Return data that a positive beta separates, and a start."""
    rng = np.random.default_rng([n, d, depth])
    z = rng.standard_normal((n, d)) / np.sqrt(d)
    z *= np.sign(z @ rng.uniform(0.5, 1.5, d))[:, None]
    start = balanced(rng.uniform(0.3, 0.6, d), depth)
    return Data(z), start if even else start * np.linspace(0.7, 1.4, depth)[:, None]


def systems(rule, depth):
    """Return the system in weights, and the one in logs, each with a state."""
    data, start = drawn(7, 5, depth, even=True)
    flow = Flow(data, rule)
    yield LogClock(flow, start), np.append(start.ravel(), 0.3)
    if rule.normalised:
        logs = LogWeights(flow, start)
        yield logs, logs.start


@pytest.mark.parametrize("rule", [l2(0.1), l2(0.5)], ids=["l_2 .1", "l_2 .5"])
def test_steps_by_most_of_the_curvature_are_as_many_as_by_all(rule, monkeypatch):
    data, start = drawn(300, 300, 3, even=True)
    calls = []
    for left_out in (dual_steps._LEFT_OUT, 10 * dual_steps._LEFT_OUT, 0.0):
        monkeypatch.setattr(dual_steps, "_LEFT_OUT", left_out)
        run = solve(Flow(data, rule), start, rtol=1e-6, atol=1e-9, log_t_end=50.0, save_at=2)
        assert run.method == "DOP853, BDF"
        calls.append(run.nfev)
    assert max(calls[:2]) < 1.05 * calls[2]


@pytest.mark.parametrize("spread", [0.0, 1.0, 2.0])
def test_what_the_matrix_leaves_out_is_a_share_of_the_curvature(spread):
    rng = np.random.default_rng(3)
    z = rng.standard_normal((400, 6)) * 10.0 ** (spread * rng.uniform(-1, 1, 400))[:, None]
    pulls = Pulls(z, logistic, 1e-6)
    at = pulls.at(np.full(6, 10.0 ** (1.0 - spread)))
    weight = at.shares * np.abs(logistic.log_slope_derivative(at.margins))
    whole = float(weight @ (z**2).sum(axis=1))
    kept = dual_steps.live(pulls, at)[0].astype(float)
    assert len(kept) < len(z)
    assert abs((kept**2).sum() - whole) <= 1.1e-5 * whole


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_inverse_is_that_of_the_dense_matrix(rule, depth):
    rng = np.random.default_rng(depth)
    for system, state in systems(rule, depth):
        at, c = system.curvature(2.0, state), 0.7
        z, rows = at.z.astype(float), at.out.shape[0]
        out = np.concatenate([z * at.out[k] for k in range(rows)], axis=1).T
        into = np.concatenate([z * at.into[k] for k in range(rows)], axis=1)
        turned = at.gram.astype(float)
        if at.along is not None:
            bent = turned @ at.along
            turned = turned - np.outer(bent, bent) / (at.along @ bent)
        jacobian = -at.pace * out @ (np.eye(len(z)) + at.ratio * turned) @ into
        b = rng.standard_normal(state.size)
        stepper = DualBDF(
            lambda t, y: 0.0 * y, 0.0, state, 1.0, jac=lambda t, y, at=at: at, rtol=1e-3, atol=1e-3
        )
        found = stepper.solve_lu(stepper.lu(stepper.I - np.float64(c) * at), b.copy())
        dense = np.linalg.solve(np.eye(len(b) - 1) - c * jacobian, b[:-1])
        assert np.abs(found[:-1] - dense).max() < 1e-4 * np.abs(dense).max()
        assert found[-1] == b[-1]


def test_without_a_step_it_is_the_jacobian_up_to_the_turn_of_the_products():
    """At L = 2 in logs nothing is left out; in weights the products' own derivative is."""
    for system, state in systems(gradient_flow(), 2):
        at, exact = system.curvature(2.0, state), system.jacobian(2.0, state)[:-1, :-1]
        z = at.z.astype(float)
        blocks = [[(z * o).T @ (z * i) for i in at.into] for o in at.out]
        left = exact + at.pace * np.block(blocks)
        if len(at.out) > 1:
            d = z.shape[1]
            pull = system.flow.pull(system.weights(state))[0] * at.pace
            left[:d, d:] -= np.diag(pull)
            left[d:, :d] -= np.diag(pull)
        assert np.abs(left).max() < 1e-5 * np.abs(exact).max()


@pytest.mark.parametrize("depth", [2, 3])
def test_steps_that_grow_slowly_near_the_bound_save_evaluations(depth, monkeypatch):
    data, start = drawn(150, 256, depth, even=True)

    def evaluations():
        late = {"rtol": 1e-6, "log_t_end": 30.0, "save_at": 3}
        runs = [solve(Flow(data, rule), start, **late) for rule in RULES.values()]
        return sum(run.nfev for run in runs)

    slowed = evaluations()
    monkeypatch.setattr(dual_steps, "_SLOWED", 1.0)
    assert slowed < 0.85 * evaluations()


@pytest.mark.parametrize("even", [True, False], ids=["balanced", "free"])
@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_large_runs_agree_with_dense_ones(rule, depth, even, monkeypatch):
    monkeypatch.setattr(dual_steps, "_BOUND", 0.0)  # BDF from the sixth step on
    data, start = drawn(30, 256 if even else 256 // depth + 1, depth, even=even)
    flow, end = Flow(data, rule), {"log_t_end": 30.0, "save_at": 3}
    run = solve(flow, start, rtol=1e-7, atol=1e-10, **end)
    dense = solve(flow, start, rtol=1e-8, atol=1e-11, method="LSODA", **end)
    assert run.method == "DOP853, BDF" and run.status == "finished"
    assert np.abs(run.theta - dense.theta).max() < 1e-5 * np.abs(dense.theta).max()


@pytest.mark.parametrize("width", [1000, 2000])
def test_the_direction_of_the_step_is_in_the_matrix(width):
    """Along the pull of few live examples: without it, the iteration failed at each matrix."""
    flow = Flow(Data(np.random.default_rng(2).standard_normal((8, width))), l2(0.5))
    run = solve(flow, np.full((2, width), 0.7), rtol=1e-6, log_t_end=20.0, save_at=2)
    assert run.status == "finished"
    assert run.method == "DOP853, BDF"


def test_failures_now_and_then_are_forgiven():
    """At late times of few live examples one step in seven has a matrix that fails."""
    flow = Flow(Data(np.random.default_rng(2).standard_normal((8, 1000))), l2(0.5))
    run = solve(flow, np.full((2, 1000), 0.7), rtol=1e-6, log_t_end=1e4, save_at=2)
    assert run.status == "finished" and run.method == "DOP853, BDF"
    assert run.nfev < 3000


def test_wide_runs_hold_no_matrix_of_their_weights():
    flow = Flow(Data(np.random.default_rng(2).standard_normal((8, 6000))), l2(0.5))
    tracemalloc.start()
    run = solve(flow, balanced(np.full(6000, 0.7), 2), rtol=1e-6, log_t_end=20.0, save_at=2)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert run.method == "DOP853, BDF"
    assert most < 8 * 6000**2 / 4


@pytest.mark.parametrize(
    ("rule", "steps"), [(l2(0.5), "DOP853, BDF, DOP853"), (lp(0.5, p=3), "DOP853")]
)
def test_where_no_matrix_fits_explicit_steps_go_on(rule, steps, monkeypatch):
    monkeypatch.setattr(log_march, "_DENSE", 300)
    monkeypatch.setattr(LogClock, "few", False)
    monkeypatch.setattr(dual_steps, "_BOUND", 0.0)  # BDF from the sixth step on
    monkeypatch.setattr(dual_steps, "_MISLED", 0)
    monkeypatch.setattr(log_march, "SOON", 10)
    data, start = drawn(8, 400, 2, even=True)
    run = solve(Flow(data, rule), start, rtol=1e-6, log_t_end=20.0, save_at=2)
    dense = solve(Flow(data, rule), start, rtol=1e-8, method="LSODA", log_t_end=20.0, save_at=2)
    assert run.method == steps and run.status == "finished"
    np.testing.assert_allclose(run.theta[-1], dense.theta[-1], rtol=1e-4)


def dying(n, seed):
    """Return a flow of a large radius, under which most weights die, and its start."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, n))
    weights = rng.uniform(0.5, 1.5, (2, n))[0] / np.sqrt(n)
    z *= np.sign(z @ rng.uniform(size=n))[:, None]
    return Flow(Data(z), l2(1.0)), balanced(weights, 2)


def test_dense_steps_go_on_where_the_matrix_by_examples_misleads(monkeypatch):
    """The run comes near rest at a finite loss, where N is small."""
    flow, start = dying(60, 1)
    late = {"rtol": 1e-6, "atol": 1e-9, "log_t_end": 50.0, "save_at": [0.0, 3.5, 7.0]}
    dense = solve(flow, start, **late)
    monkeypatch.setattr(log_march, "LARGE", 50)
    run = solve(flow, start, **late)
    assert run.method == "DOP853, BDF, Radau" and run.status == "finished"
    assert np.abs(run.theta - dense.theta).max() < 1e-5


@pytest.mark.parametrize("depth", [2, 3])
def test_the_matrix_is_finite_where_weights_underflow(depth):
    data, start = drawn(7, 5, depth, even=True)
    system = LogWeights(Flow(data, l2(0.1)), start)
    state = system.start.copy()
    state[2] = -800.0
    at = system.curvature(2.0, state)
    assert np.isfinite(at.out).all() and np.isfinite(at.gram).all()


def test_explicit_steps_stay_until_stability_limits_them():
    """At a spectral radius of 2,000 they are done at once, at 1 they go to the end."""
    for radius, ends in ((2000.0, False), (1.0, True)):
        slope = np.array([-radius, -1.0])
        steps = dual_steps.UntilStiff(
            lambda t, y, slope=slope: slope * (y - np.cos(t)), 0.0, np.ones(2), 9.0, rtol=1e-6
        )
        while steps.status == "running":
            steps.step()
        assert steps.t == 9.0 if ends else steps.t < 1.0


def test_a_thousand_features_need_no_cube():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((400, 400))
    z[:, 7] = -2.0 * z[:, 3]
    tracemalloc.start()
    joint = JointSwitching(Flow(Data(z), linf(0.1)), np.ones((1, z.shape[1])))
    assert one_dimensional(Flow(Data(z), l2(0.1)), np.ones((2, 400))) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert joint.size == 399 and peak < 400 * 8 * z.size / 10
