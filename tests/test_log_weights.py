"""Balanced starts in log-weights: the same flow as in weights, and no stiffness at a collapse."""

from __future__ import annotations

import numpy as np
import pytest

from flowsam.data import Data
from flowsam.engines.run import Request
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.losses import exponential, logistic
from flowsam.many_examples.log_clock import LogClock, late_run
from flowsam.many_examples.log_weights import LogWeights, balanced_run, even
from flowsam.network import balanced
from flowsam.outcomes.directions import run_direction
from flowsam.perturbations import gradient_flow, l2
from flowsam.regimes import case_of
from flowsam.solver import solve

RULES = [gradient_flow(), l2(0.4)]


def case(seed: int, depth: int, rule, loss=logistic) -> tuple[Flow, np.ndarray]:
    """Examples with an idle feature, and a balanced start of any signs."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((7, 4))
    z[:, 2] = 0.0
    size = np.abs(rng.standard_normal((1, 4))).repeat(depth, axis=0)
    return Flow(Data(z), rule, loss), size * np.sign(rng.standard_normal((depth, 4)))


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("loss", [logistic, exponential], ids=repr)
def test_rates_are_those_of_the_weights(depth, rule, loss) -> None:
    """The velocity of log|w| is that of w over w; the Jacobian is its derivative."""
    flow, theta = case(depth, depth, rule, loss)
    system, moving = LogWeights(flow, theta), [0, 1, 3]
    whole = LogClock(flow, theta).rates(0.7, np.append(theta.ravel(), 0.0))
    here = system.rates(0.7, system.start)
    ratio = whole[:-1].reshape(depth, 4)[:, moving] / theta[:, moving]
    np.testing.assert_allclose(np.tile(here[:-1], (depth, 1)), ratio, rtol=1e-10, atol=1e-12)
    assert here[-1] == pytest.approx(whole[-1])
    step = 1e-6 * np.eye(system.start.size)
    slopes = [
        (system.rates(0.7, system.start + e) - system.rates(0.7, system.start - e)) / 2e-6
        for e in step
    ]
    exact = system.jacobian(0.7, system.start)
    np.testing.assert_allclose(exact, np.transpose(slopes), atol=1e-8 * np.abs(exact).max() + 1e-8)


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_two_engines_agree(depth, rule) -> None:
    """Weights and rescaled time at log t = 20, from the engine in weights and this one."""
    flow, theta = Flow(Data([[1.0, 0.4], [0.7, 1.2]]), rule), np.full((depth, 2), 0.9)
    ends = [run(flow, theta, Request(20.0)) for run in (balanced_run, late_run)]
    first, second = (run.states(np.array([2.0, 20.0])) for run in ends)
    np.testing.assert_allclose(first, second, rtol=1e-7)
    assert ends[0].tau(np.array([20.0])) == pytest.approx(ends[1].tau(np.array([20.0])))


def test_collapse_of_features_of_very_different_strength() -> None:
    """Pulls 1000 to 1: the strong feature dies a million times as fast, in a few hundred steps."""
    flow = Flow(Data([[9.0, 1.0, 0.01], [11.0, -0.5, 0.01]]), l2(1.0))
    run = solve(flow, np.full((2, 3), 0.003), log_t_end=30.0)
    assert run.status == "collapsed"
    assert not run.theta[-1].any()
    assert run.steps < 600


def test_what_is_even() -> None:
    """Equal sizes away from 0; idle features do not count."""
    flow, theta = case(0, 2, l2(0.1))
    assert even(flow, theta)
    assert even(flow, theta * [1, 1, 0, 1])
    assert not even(flow, theta * [1, 0, 1, 1])
    assert not even(flow, theta * [[1.0], [1.1]])


@pytest.mark.parametrize(
    ("z", "alpha", "minimiser", "label"),
    [
        ([[1.0, -3.0], [-0.5, -1.0]], [0.9, 0.7], 0.8392352, Label.STALLED),
        ([[1.0, 2.0], [-1.0, -2.0], [1.0, 0.0]], [1.0, 0.7], np.log(2), Label.STALLED),
    ],
    ids=["with beta > 0 nothing separates", "nothing separates"],
)
def test_a_finite_minimiser_is_not_a_collapse(z, alpha, minimiser, label):
    """One feature dies, the other rests where its gradient vanishes."""
    flow = Flow(Data(z), l2(0.1))
    run = solve(flow, balanced(alpha, 2), log_t_end=20.0)
    np.testing.assert_allclose(run.beta[-1], [minimiser, 0.0], atol=1e-4)
    assert (run.status, "at a finite loss" in run.message, run.events) == ("finished", True, ())
    assert run_direction(case_of(flow, 2), run).label == label
