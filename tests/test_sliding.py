"""l_inf-SAM with several examples: cross, slide and leave, and what discrete SAM tends to."""

from __future__ import annotations

import numpy as np
import pytest

from flowsam.data import Data, single_example, split_signs
from flowsam.discrete import iterate
from flowsam.flow import Flow
from flowsam.losses import exponential
from flowsam.many_examples import chatter
from flowsam.many_examples.smoothing import SmoothedClock, smoothed
from flowsam.many_examples.switching import JointSwitching
from flowsam.margin import margin_certificate
from flowsam.perturbations import l2, linf
from flowsam.solver import solve
from flowsam.trajectory import Trajectory


def separable(seed: int, n: int = 8, d: int = 3) -> Data:
    """Gaussian examples on the side of a hidden vector."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, d))
    return Data(z * np.sign(z @ rng.standard_normal(d))[:, None])


def start(seed: int, depth: int, d: int = 3) -> np.ndarray:
    """A random balanced start."""
    return np.random.default_rng(seed).uniform(0.3, 1.0, (1, d)).repeat(depth, axis=0)


def predictors(run: Trajectory, log_t: np.ndarray) -> np.ndarray:
    """Predictors of a run at values of log(1 + t), linear between rows."""
    return np.transpose([np.interp(log_t, run.log_t, column) for column in run.beta.T])


@pytest.mark.parametrize(
    ("depth", "seed", "kinds"),
    [(1, 2, ["slide", "leave"]), (2, 0, ["slide", "zero", "leave", "slide"])],
)
def test_discrete_sam_tends_to_filippov_and_not_to_utkin(depth, seed, kinds) -> None:
    """The distance to the sliding solution halves with the step; that to tanh's stays."""
    flow, theta, rows = Flow(separable(seed), linf(0.2)), start(seed, depth), 138
    runs = [
        iterate(flow, theta, learning_rate=0.64 / k, steps=k * rows, save_every=k) for k in (8, 16)
    ]
    how = {"log_t_end": 4.5, "save_at": runs[0].log_t}
    filippov, utkin = (solve(flow, theta, method=name, **how) for name in ("auto", "smoothed"))
    assert [event.kind for event in filippov.events] == kinds
    assert "Utkin" in utkin.method
    far = [[np.abs(run.beta - exact.beta).max() for exact in (filippov, utkin)] for run in runs]
    (first, utkin_first), (second, utkin_second) = far
    assert np.log2(first / second) == pytest.approx(1.0, abs=0.1)
    assert second < 0.008
    assert utkin_second > max(1.5 * second, 0.7 * utkin_first)


@pytest.mark.parametrize("loss", [None, exponential])
@pytest.mark.parametrize(
    "theta",
    [
        [[1.5, 0.6], [1.5, 0.6]],
        [[0.2, 1.3], [0.9, 0.7]],
        [[-0.4, 1.3], [0.9, 1.2]],
        [[1.4], [1.2], [0.3]],
        [[0.3], [0.5]],
    ],
)
def test_equal_examples_are_one(theta, loss) -> None:
    """Two copies of one example have its exact path; at rest the clocks have other conventions."""
    mu = [1.0, 2.0][: len(theta[0])]
    flows = [
        Flow(Data(rows), linf(1.0)) if loss is None else Flow(Data(rows), linf(1.0), loss)
        for rows in ([mu], [mu, mu])
    ]
    one, two = (solve(flow, theta, tau_end=0.7, save_at=30) for flow in flows)
    assert two.status == one.status
    np.testing.assert_allclose(two.theta, one.theta, atol=1e-7)
    moving = one.tau <= min((e.tau for e in one.events if e.kind == "zero"), default=1.0)
    np.testing.assert_allclose(two.log_t[moving], one.log_t[moving], atol=1e-6)
    settled = [
        [(e.kind, e.coordinate) for e in run.events if e.kind in ("zero", "slide")]
        for run in (one, two)
    ]
    assert settled[0] == settled[1]


@pytest.mark.parametrize(("depth", "seed"), [(1, 2), (2, 0), (3, 4)])
def test_two_integrators_agree(depth, seed) -> None:
    """Implicit and explicit steps through the same events agree to 1e-7."""
    flow, theta = Flow(separable(seed), linf(0.2)), start(seed, depth)
    runs = [
        solve(flow, theta, log_t_end=2.7, save_at=12, method=method)
        for method in ("Radau", "DOP853")
    ]
    assert runs[0].events
    assert [e.kind for e in runs[0].events] == [e.kind for e in runs[1].events]
    size = np.abs(runs[0].theta).max(axis=(1, 2), keepdims=True)
    assert np.max(np.abs(runs[0].theta - runs[1].theta) / size) < 1e-7


def test_a_slide_stays_on_its_surface() -> None:
    """While it slides the pull is 0 to 1e-9: drift of the steps is taken back."""
    flow, theta = Flow(separable(1), linf(0.2)), start(1, 1)
    run = solve(flow, theta, log_t_end=20.0)
    slide = next(event for event in run.events if event.kind == "slide")
    pull = flow.pull(run.theta[run.tau > slide.tau])[0]
    assert run.status == "finished"
    assert np.abs(pull[:, slide.coordinate]).max() < 1e-9


def test_pairs_of_split_signs_share_a_surface() -> None:
    """8 weights and 2 pulls at L = 2 for two features and their mirrors."""
    data = split_signs(Data([[1.0, 2.0], [2.0, 1.0]]))
    assert JointSwitching(Flow(data, linf(0.1)), np.ones((2, data.z.shape[1]))).size == 10
    assert JointSwitching(Flow(data, linf(0.1)), np.ones((1, data.z.shape[1]))).size == 2
    mirrored = solve(Flow(data, linf(0.1)), np.full((2, 4), 0.3), log_t_end=3.0)
    assert mirrored.status == "finished"


def test_a_start_on_every_surface_is_refused() -> None:
    """(alpha, 0) lies on the zeros of all weights of one layer."""
    flow = Flow(separable(0), linf(0.1))
    theta = np.array([[0.5, 0.4, 0.3], [0.0, 0.0, 0.0]])
    with pytest.raises(ValueError, match="switching surfaces"):
        solve(flow, theta, log_t_end=1.0)
    assert solve(flow, theta, log_t_end=1.0, method="discrete").status == "finished"


@pytest.mark.parametrize("method", ["discrete", "smoothed"])
def test_methods_for_jumps_need_jumps(method) -> None:
    """Smooth rules have nothing to smooth, and one example slides exactly."""
    with pytest.raises(ValueError, match="l_inf"):
        solve(Flow(separable(0), l2(0.1)), start(0, 2), log_t_end=1.0, method=method)
    with pytest.raises(ValueError, match="one example"):
        solve(Flow(single_example([1.0]), linf(0.1)), [[1.0]], tau_end=1.0, method=method)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_smoothed_jacobian_is_the_derivative(depth) -> None:
    """The Jacobian of the smoothed field equals central differences, off balance too."""
    theta = np.random.default_rng(depth).uniform(0.3, 1.0, (depth, 3))
    flow = smoothed(Flow(separable(1), linf(0.2)))
    system, state, h = SmoothedClock(flow, theta), np.append(theta, 0.3), 1e-7
    columns = [
        (system.rates(0.5, state + h * e) - system.rates(0.5, state - h * e)) / (2 * h)
        for e in np.eye(state.size)
    ]
    jacobian = system.jacobian(0.5, state)
    np.testing.assert_allclose(jacobian, np.transpose(columns), atol=1e-6 * np.abs(jacobian).max())


@pytest.mark.parametrize("depth", [1, pytest.param(2, marks=pytest.mark.long)])
def test_smoothed_runs_reach_late_times(depth) -> None:
    """log t = 1e4 in fewer than 1,000 steps, and the max margin of what survives within 1e-3."""
    data = separable(0, 20, 5)
    data = data if depth == 1 else split_signs(data)
    flow = Flow(data, linf(0.1))
    run = solve(flow, start(0, depth, data.z.shape[1]), log_t_end=1e4, method="smoothed")
    assert run.status == "finished"
    assert run.steps < 1000
    beta = run.beta[-1]
    kept = np.abs(beta) > 1e-6 * np.abs(beta).max()
    assert margin_certificate(Data(data.z[:, kept]), 3 - depth, beta[kept]).gap < 1e-2


def test_unequal_layers_that_slide_to_zero_leave_a_choice() -> None:
    """beta_hat of a pair at rest is free between +-rho^2, and moves the others: it is said."""
    rows = [[0.1967, 0.1787], [0.1053, -0.6499], [1.0663, 1.5299], [2.4339, -1.1987]]
    data = Data([*rows, [-0.0738, -1.5101], [-0.009, -0.7422]])
    run = solve(Flow(data, linf(0.3)), [[0.9718, 0.3813], [0.7512, 0.6441]], log_t_end=2.5)
    assert run.status == "sliding_ambiguous"
    assert "coordinate 2 slid to 0" in run.message
    equal = solve(Flow(data, linf(0.3)), [[0.9718, 0.5], [0.7512, 0.5]], log_t_end=2.5)
    assert "slid to 0" not in equal.message


def test_surfaces_met_without_end_are_iterated() -> None:
    """Two weights that reach 0 together, over and over at one time: a handover, not 1000 events."""
    z = np.array([[1.0, -0.5], [-0.5, -0.5], [-0.5, 0.0], [0.0, -1.5]])
    theta = [[0.6185207511629426, 0.8190757096799433], [0.30869236500853114, 0.31616814431588613]]
    theta = np.array([*theta, [0.09294668494996648, -0.4477978929622047]])
    run = solve(Flow(Data(z), linf(1.0)), theta, log_t_end=3.0)
    assert run.status == "finished" and run.steps < 2 * chatter._MOST_STEPS
    assert "meets surfaces without end from log t = 2.1088" in run.message
