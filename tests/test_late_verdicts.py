"""limit with several examples: theorems at depth 1, certified or undecided at 2, no claim above."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from flowsam import (
    Data,
    Flow,
    balanced,
    gradient_flow,
    l2,
    limit,
    limits,
    linf,
    lp,
    max_margin,
    solve,
    split_signs,
    unnormalised,
)
from flowsam.labels import Label
from flowsam.margin.farkas import balancing_weights
from flowsam.outcomes.late_verdicts import by_convexity, by_descent
from flowsam.outcomes.survivors import Reach, state_certificate
from flowsam.regimes import case_of
from tests.test_directions import separable

SLOW = Data([[1.0, 1.1]] * 2)
EASY = Data([[2.0, 0.5], [0.4, 1.5]])


@pytest.mark.parametrize(
    "rule", [gradient_flow(), linf(0.3), l2(0.3), lp(0.3, p=3.0), unnormalised(0.3)], ids=repr
)
def test_depth_one_is_the_l2_max_margin(rule) -> None:
    """From every start, by theorem; the run it speaks of is on its way there."""
    data = separable(1)
    end = limit(Flow(data, rule), np.ones((1, 5)))
    best = max_margin(data, 2)
    assert (end.label, end.kind, end.certificate) == (-5, "other direction", "theorem")
    np.testing.assert_allclose(end.direction, best / np.linalg.norm(best))
    if rule.kind in ("l_1", "l_inf"):
        return
    run = solve(Flow(data, rule), np.ones((1, 5)), log_t_end=300.0, rtol=1e-6)
    error = np.linalg.norm(run.beta[-1] / np.linalg.norm(run.beta[-1]) - end.direction)
    assert error < 10 / 300


def test_depth_two_is_certified() -> None:
    """A fast set: the direction of the l_1 max margin, with the numbers as words and as fields."""
    end = limit(Flow(EASY, l2(0.1)), np.full((2, 2), 0.7))
    assert (end.label, end.certificate) == (Label.OTHER_DIRECTION, "numerical")
    found = end.evidence
    assert found.certificate >= 0.999
    assert found.certificate <= found.ratios[0] + 1e-12 <= 1 + 1e-10
    assert found.settled_at < found.log_t
    best = max_margin(EASY, 1)
    np.testing.assert_allclose(end.direction, best / np.linalg.norm(best), atol=1e-3)
    for word in ("largest l_1 margin", f"{found.ratios[0]:.5f} in l_1", "to l_2", "support", "on;"):
        assert word in end.reason


def test_slow_sets_are_conditional() -> None:
    """The theorem's direction, if directions converge; the run's own is in the evidence."""
    flow, theta0 = Flow(SLOW, gradient_flow()), np.full((2, 2), 0.7)
    end = limit(flow, theta0)
    best = max_margin(SLOW, 1)
    assert (end.label, end.certificate) == (Label.OTHER_DIRECTION, "conditional")
    np.testing.assert_allclose(end.direction, best / np.linalg.norm(best), atol=1e-12)
    assert f"the run proves {end.evidence.certificate:.5f}" in end.reason
    assert "if the direction converges" in end.reason
    assert np.linalg.norm(end.evidence.direction) == pytest.approx(1.0)


def test_what_rests_at_a_finite_loss_is_not_conditional() -> None:
    """Separable data, few features of which survive a large radius: beta has come to rest."""
    rng = np.random.default_rng(3)
    z = rng.standard_normal((12, 12))
    theta0 = balanced(rng.uniform(0.5, 1.5, (2, 12))[0] / np.sqrt(12), 2)
    flow = Flow(Data(z * np.sign(z @ rng.uniform(0, 1, 12))[:, None]), l2(1.0))
    late = solve(flow, theta0, log_t_end=1e3, save_at=2)
    assert late.margins[-1].min() < 0 and late.log_loss[-1] > -1
    assert limit(flow, theta0).certificate != "conditional"


def test_depth_three_claims_nothing() -> None:
    """Margin ratios are reported; no norm, no certificate."""
    end = limit(Flow(EASY, gradient_flow()), np.full((3, 2), 0.7))
    assert (end.label, end.certificate, end.evidence.norm) == (Label.OTHER_DIRECTION, "none", None)
    assert "no theorem is known here" in end.reason
    assert "in l_1" in end.reason


def test_collapse_and_rest_are_zero() -> None:
    """l_2-SAM below its critical scale; a start that cannot move."""
    assert limit(Flow(EASY, l2(1.0)), np.full((2, 2), 0.05)).kind == "zero"
    still = limit(Flow(EASY, gradient_flow()), np.zeros((3, 2)))
    assert (still.kind, still.certificate) == ("zero", "theorem")


def test_batches() -> None:
    """The labels of a batch are those of its members."""
    flow, starts = Flow(EASY, l2(1.0)), np.stack([np.zeros((2, 2)), np.full((2, 2), 0.05)])
    assert limits(flow, starts).tolist() == [0, 0]
    np.testing.assert_array_equal(limits(flow, np.ones((3, 2, 1, 2))), np.full((3, 2), -5))


NOISE = Data(np.random.default_rng(0).standard_normal((60, 2)))


def test_data_that_do_not_separate() -> None:
    """l_inf: undecided at every depth, with the reason; no theorem says that its loss falls."""
    end = limit(Flow(NOISE, linf(0.1)), np.ones((1, 2)))
    assert end.label == Label.UNDECIDED
    assert "not linearly separable" in end.reason


@pytest.mark.parametrize("rule", [gradient_flow(), l2(0.1), unnormalised(0.1)], ids=repr)
def test_depth_one_stalls_at_the_finite_minimiser(rule) -> None:
    """By theorem; and a run ends there, at weights that are neither 0 nor growing."""
    end = limit(Flow(NOISE, rule), np.ones((1, 2)))
    assert (end.label, end.certificate, end.direction) == (Label.STALLED, "theorem", None)
    run = solve(Flow(NOISE, rule), np.ones((1, 2)), log_t_end=100.0, rtol=1e-7)
    assert "at a finite loss" in run.message and 1e-3 < np.abs(run.beta[-1]).max() < 10


def test_gradient_flow_stalls_at_depth() -> None:
    """Layers, signs, unbalanced starts; split signs; one that starts above the loss of zero."""
    for theta in (np.full((2, 2), 0.5), [[0.5, -0.4], [0.3, 0.2], [0.1, 0.9]], [[2, -2], [2, 2.5]]):
        end = limit(Flow(NOISE, gradient_flow()), theta)
        assert (end.label, end.certificate) == (Label.STALLED, "theorem"), end.reason
    assert limit(Flow(split_signs(NOISE), gradient_flow()), np.full((3, 4), 0.3)).label == -4
    assert by_descent(case_of(Flow(NOISE, gradient_flow()), 2), np.zeros((2, 2))) == ""


def test_l2_stalls_where_its_run_rests() -> None:
    """Numerical: the gradient reaches 0 in finite time, and the flow stays."""
    end = limit(Flow(NOISE, l2(0.05)), np.full((2, 2), 0.8))
    assert (end.label, end.certificate) == (Label.STALLED, "numerical")
    assert "at a finite loss" in end.reason and end.evidence.log_t < 1e4


@pytest.mark.parametrize(
    "z",
    [
        [[1.0, 2.0], [-1.0, -2.0], [1.0, 0.0]],  # separable but for a pair: beta grows
        [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]],  # the last example alone separates
        [[1.0, 0.5], [2.0, 1.0]],  # separable
        [[1.0, 1e-11], [-1.0, 1e-11]],  # separable by a hair
    ],
)
def test_no_theorem_where_a_direction_is_free(z) -> None:
    """No positive weights cancel the examples, or none that doubles can prove."""
    assert balancing_weights(np.array(z)) is None
    assert by_convexity(case_of(Flow(Data(z), gradient_flow()), 1), np.ones((1, 2))) == ""


def test_positive_weights_are_found_where_they_exist() -> None:
    """Stiemke's alternative on random sets: weights, or a vector that lowers no margin."""
    found = [0, 0]
    for seed in range(40):
        z = np.random.default_rng(seed).integers(-2, 3, (6, 2)).astype(float)
        z = z[z.any(axis=1)]
        weights = balancing_weights(z)
        turned = np.concatenate([z[:, ::-1] * [1, -1], z[:, ::-1] * [-1, 1]])
        free = any((z @ v >= 0).all() and (z @ v > 0).any() for v in [*turned, *z])
        assert (weights is None) == free, z
        found[free] += 1
        if weights is not None:
            assert weights.min() > 0 and np.abs(weights @ z).max() < 1e-15
    assert min(found) > 5


def test_comparison_is_over_the_features_that_survive() -> None:
    """Against the max margin of all features the same vector would score lower."""
    data, beta = Data([[1.0, 3.0], [1.0, 2.0]]), np.array([1.0, 1e-9])
    dead = np.array([0.0, np.nan])
    assert Reach(data, dead).compared(beta).ratios == pytest.approx((1.0, 1.0))
    assert Reach(data, np.zeros(2)).compared(beta).ratios[0] == pytest.approx(0.5)
    assert np.isnan(Reach(Data([[0.0, 1.0]]), dead).compared(beta).ratios).all()
    case = case_of(Flow(data, gradient_flow()), 1)
    assert state_certificate(case, beta[None], 1, dead) == pytest.approx(1.0)


@pytest.mark.parametrize("rule", [gradient_flow(), l2(0.1)], ids=repr)
def test_a_restricted_margin_is_named(rule) -> None:
    """beta_1 cannot turn negative: the largest margin is that with beta_1 > 0, and it is said."""
    end = limit(Flow(Data([[1.0, -3.0], [1.2, -2.0]]), rule), np.full((2, 2), 0.5))
    assert "of the largest l_1 margin with beta_1 > 0, beta_2 > 0" in end.reason
    assert "against all features with any signs: 0.50000 in l_1" in end.reason
    assert end.evidence.free_ratios[0] == pytest.approx(0.5, abs=1e-4)
    assert end.evidence.free_angles[0] == pytest.approx(np.pi / 2, abs=1e-4)


def largest_margin(z: np.ndarray, signs: np.ndarray) -> float:
    """max min_i <z_i, beta> over ||beta||_1 <= 1 and sign(beta) = signs, 0 free: HiGHS alone."""
    count, d = z.shape
    both = np.hstack([-z, z, np.ones((count, 1))])  # gamma - <z_i, plus - minus> <= 0
    length = np.append(np.ones(2 * d), 0.0)[None]
    limits = [(0, None if s >= 0 else 0) for s in signs]
    limits += [(0, None if s <= 0 else 0) for s in signs] + [(None, None)]
    found = linprog(
        np.append(np.zeros(2 * d), -1.0),
        A_ub=np.vstack([both, length]),
        b_ub=np.append(np.zeros(count), 1.0),
        bounds=limits,
    )
    return float(found.x[-1])


@pytest.mark.parametrize("rule", [gradient_flow(), l2(0.1), linf(0.1)], ids=repr)
@pytest.mark.parametrize(
    "count", [3, pytest.param(40, marks=pytest.mark.long)], ids=["3 sets", "40 sets"]
)
def test_random_separable_sets_are_all_told(rule, count) -> None:
    """n = 20, d = 5: numerical or conditional, and right against the linear program."""
    rng = np.random.default_rng(11)
    proved = 0
    for _ in range(count):
        features, teacher = rng.normal(size=(20, 5)), rng.normal(size=5)
        data = Data(features * np.sign(features @ teacher)[:, None])
        end = limit(Flow(data, rule), rng.normal(size=(2, 5)))
        if end.label == Label.STALLED:  # what l_inf leaves does not separate
            assert rule == linf(0.1) and "survive do not separate" in end.reason
            continue
        assert end.label == Label.OTHER_DIRECTION
        assert end.certificate in ("numerical", "conditional")
        beta = end.direction / np.abs(end.direction).sum()
        kept = np.abs(beta) > (1e-5 if rule == linf(0.1) else 0.0)
        signs = np.sign(beta[kept]) * (rule == linf(0.1))
        most = largest_margin(data.z[:, kept], signs)
        ratio = (data.z @ beta).min() / most
        assert ratio > (1 - 1e-9 if end.certificate == "conditional" else 0.999)
        proved += end.certificate == "numerical"
    assert proved >= 0.7 * count


def test_a_margin_that_several_have_is_not_named() -> None:
    """Equal features: the linear program has a face of optima, and the reason says so."""
    flow = Flow(Data([[1.0, 1.0, 0.2], [1.0, 1.0, -0.2]]), gradient_flow())
    end = limit(flow, [[1.0, 0.1, 0.3], [0.9, 0.3, 0.2]], log_t_end=20.0)
    assert end.evidence.best is None
    assert end.certificate in ("numerical", "none")


def test_a_direction_is_not_settled_while_other_features_count() -> None:
    """Beta exceeds what the last feature alone can reach until the first one has faded."""
    flow, theta = Flow(Data([[1.2, 1.0]] * 2), linf(0.3)), np.array([[0.4, 0.6]] * 5)
    found = limit(flow, theta).evidence
    assert 1 < found.settled_at < found.log_t
    run = solve(flow, theta, log_t_end=found.settled_at)
    assert run.beta[-1, 0] < 0.02 * run.beta[-1, 1]
