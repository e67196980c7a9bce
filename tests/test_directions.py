"""Directions at late times: certificates below the truth, verdicts with their reasons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flowsam.data import Data, split_signs
from flowsam.discrete import iterate
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.outcomes.directions import CERTIFIED, Direction, late_run, run_direction
from flowsam.outcomes.survivors import Reach, alive, reachable_signs
from flowsam.perturbations import gradient_flow, l2, linf
from flowsam.regimes import case_of
from flowsam.solver import solve


def separable(seed: int, n: int = 20, d: int = 5) -> Data:
    """Gaussian examples on the side of a hidden vector."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, d))
    return Data(z * np.sign(z @ rng.standard_normal(d))[:, None])


def late_direction(flow: Flow, theta0: np.ndarray, log_t_end: float = 1e4) -> Direction:
    """What a run to late times proves."""
    case = replace(case_of(flow, len(theta0)), log_t_end=log_t_end)
    return run_direction(case, late_run(case, theta0))


def start(seed: int, depth: int, d: int = 10) -> np.ndarray:
    """A random balanced start."""
    return np.random.default_rng(seed).uniform(0.4, 1.0, (1, d)).repeat(depth, axis=0)


def test_depth_one_is_the_l2_max_margin() -> None:
    """GD and l_2-SAM at depth 1 are certified, with small angles."""
    for rule, end in ((gradient_flow(), 1e4), (l2(0.05), 4e3)):
        found = late_direction(Flow(separable(0), rule), np.zeros((1, 5)), log_t_end=end)
        assert isinstance(found, Direction)
        assert found.label == Label.OTHER_DIRECTION
        assert found.norm == 2
        assert CERTIFIED < found.certificate <= found.ratios[1] + 1e-11
        assert found.angles[1] < 1e-3
        assert found.settled_at < 1e4


def test_depth_two_is_the_l1_max_margin_where_certified() -> None:
    """The certificate stays below the truth; a set that converges fast is certified."""
    found = late_direction(Flow(split_signs(separable(2)), gradient_flow()), start(2, 2))
    assert found.label == Label.OTHER_DIRECTION
    assert found.norm == 1
    assert CERTIFIED < found.certificate <= found.ratios[0] + 1e-11
    assert found.support.size <= 6


def test_slow_convergence_is_undecided() -> None:
    """The same rule on another set is above 0.99 in truth and yet not certified."""
    flow = Flow(split_signs(separable(0)), gradient_flow())
    found = late_direction(flow, start(0, 2), log_t_end=1e3)
    assert found.label == Label.UNDECIDED
    assert found.certificate < min(CERTIFIED, found.ratios[0])
    assert found.settled_at == np.inf
    assert "below 0.999" in found.reason


def test_depth_three_claims_nothing() -> None:
    """No theorem, no claim: the direction with a reason."""
    flow = Flow(split_signs(separable(2)), gradient_flow())
    found = late_direction(flow, start(2, 3), log_t_end=100.0)
    assert found.label == Label.OTHER_DIRECTION
    assert found.norm is None
    assert "no theorem" in found.reason


def test_fixed_signs_stall() -> None:
    """Balanced positive starts cannot separate data that need a negative entry."""
    found = late_direction(Flow(separable(0), gradient_flow()), start(0, 2, 5), log_t_end=5.0)
    assert found.label == Label.STALLED
    assert "split_signs" in found.reason


def test_collapse_is_zero() -> None:
    """A start that reaches the origin has label zero."""
    data = Data(np.abs(separable(0).z))
    found = late_direction(Flow(data, l2(1.0)), np.full((2, 5), 0.1))
    assert found.label == Label.ZERO
    assert np.isnan(found.ratios).all()


def test_dead_features_stall() -> None:
    """l_inf-SAM kills the feature the data need: what survives does not separate."""
    data = Data([[1.0, 0.2], [-0.05, 0.2]])
    theta0 = np.array([[2.0, 0.3], [2.0, 0.3]])
    flow = Flow(data, linf(0.5))
    run = iterate(flow, theta0, learning_rate=0.02, steps=2000)
    np.testing.assert_array_equal(alive(case_of(flow, 2), run.beta[-1]), [1.0, np.nan])
    found = run_direction(case_of(flow, 2), run)
    assert found.label == Label.STALLED
    assert "1 features that survive" in found.reason


def test_data_that_do_not_separate() -> None:
    """Nothing is claimed and the reason says why."""
    data = Data(np.random.default_rng(0).standard_normal((60, 4)))
    found = late_direction(Flow(data, gradient_flow()), np.zeros((1, 4)), log_t_end=3.0)
    assert found.label == Label.UNDECIDED
    assert "not linearly separable" in found.reason


def test_reachable_signs() -> None:
    """Depth 1 reaches both; balance fixes one; two zeros fix none."""
    np.testing.assert_array_equal(reachable_signs(np.array([[1.0, 0.0]])), [0.0, 0.0])
    assert Reach(Data([[1.0, -2.0]]), np.array([0.0, 1.0])).blocked_because() == ""
    assert "split_signs" in Reach(Data([[-1.0, -2.0]]), np.ones(2)).blocked_because()


@pytest.mark.long
@pytest.mark.parametrize("rule", [gradient_flow(), l2(0.05)], ids=repr)
def test_twenty_sets_at_depth_two(rule) -> None:
    """True l_1 ratio above 0.99 by log t = 1e4 on 20 sets, the certificate never above it."""
    for seed in range(20):
        found = late_direction(Flow(split_signs(separable(seed)), rule), start(seed, 2))
        assert found.ratios[0] > 0.99, seed
        assert found.certificate <= found.ratios[0] + 1e-10, seed


@pytest.mark.parametrize("seed", [0, 3])
def test_sliding_runs_are_certified(seed) -> None:
    """Where l_inf-SAM slides on several surfaces its direction is certified all the same."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((20, 5))
    data = Data(z * np.sign(z @ rng.standard_normal(5))[:, None])
    found = late_direction(Flow(data, linf(0.1)), np.full((1, 5), 0.5))
    assert found.label == Label.OTHER_DIRECTION
    assert 0.9999 < found.certificate <= found.ratios[1] + 1e-12


def test_a_direction_settles_when_what_dies_is_dead() -> None:
    """Early margins are those of all features, not of the one that survives."""
    rng = np.random.default_rng(1)
    data = Data(rng.normal(size=(4, 3)))
    theta = rng.normal(size=(2, 3))
    found = late_direction(Flow(data, linf(0.3)), theta)
    assert found.certificate > CERTIFIED
    run = solve(Flow(data, linf(0.3)), theta, log_t_end=found.settled_at)
    ratio = run.margins[-1].min() / np.abs(run.beta[-1]).sum()
    assert CERTIFIED - 1e-3 < ratio / data.z[:, 2].min() <= 1
