"""limit and limits against the theorems, ties, near misses, and long exact runs."""

import numpy as np
import pytest

from flowsam import (
    Flow,
    Label,
    Perturbation,
    balanced,
    gradient_flow,
    l2,
    limit,
    limits,
    linf,
    lp,
    single_example,
    solve,
    unnormalised,
)
from tests.l2_references import march


def theorem(mu, alpha, rho, depth):
    """Return the label of a balanced start from the theorem's words, in a plain loop."""
    scores = {
        j + 1: mu[j] * (alpha[j] - rho) ** (depth - 2) for j in range(len(mu)) if alpha[j] > rho
    }
    if scores:
        return max(scores, key=scores.get)
    if depth % 2:
        return int(Label.STALLED)
    return int(Label.SEPARATRIX) if rho in list(alpha) else 0


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_balanced_starts_follow_the_theorem(depth, rho):
    rng = np.random.default_rng(depth)
    mu = np.sort(rng.uniform(0.3, 3.0, 4))[rng.permutation(4)]
    alpha = rng.uniform(0.01, 1.5, (300, 4))
    flow = Flow(single_example(mu), linf(rho))
    expected = [theorem(mu, a, rho, depth) for a in alpha]
    np.testing.assert_array_equal(limits(flow, balanced(alpha, depth)), expected)


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("ulps", [-3, -1, 0, 1, 3])
def test_near_misses_of_rho(depth, ulps):
    rho = 0.7
    near = rho + ulps * np.spacing(rho)
    flow = Flow(single_example([1.0, 2.0]), linf(rho))
    at_rest = 0 if depth % 2 == 0 else int(Label.STALLED)
    expected = {0: int(Label.SEPARATRIX) if depth % 2 == 0 else at_rest}
    label = 2 if ulps > 0 else expected.get(ulps, at_rest)
    assert limit(flow, balanced([0.3, near], depth)).label == label
    assert limit(flow, balanced([1.4, near], depth)).label == (2 if ulps > 0 and depth == 2 else 1)


def test_a_start_at_the_origin_rests():
    for rule, depth in ((l2(1.0), 2), (linf(1.0), 2), (linf(1.0), 4), (lp(1.0, p=3), 2)):
        found = limit(Flow(single_example([1, 2]), rule), np.zeros((depth, 2)))
        assert found.label == 0 and "from the start: it rests" in found.reason, (rule, depth, found)


def test_equal_mu_tie_at_two_layers_only_exactly():
    flow = Flow(single_example([2.0, -2.0, 1.0]), linf(1.0))
    start = balanced([1.5, 3.0, 9.0], 2, signs=[1, -1, 1])
    end = limit(flow, start)
    assert end.label == Label.TIE and end.certificate == "theorem"
    np.testing.assert_allclose(end.direction, np.array([0.25, -4.0, 0.0]) / np.hypot(0.25, 4.0))
    near = Flow(single_example([np.nextafter(2.0, 3.0), -2.0, 1.0]), linf(1.0))
    assert limit(near, start).label == 1


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_direction_of_a_tie_is_where_the_run_goes(depth):
    mu = np.array([1.0, 1.0, 0.4]) if depth == 2 else np.array([1.0, 4.0, 0.1])
    alpha = [1.7, 2.1, 0.6] if depth == 2 else [0.5 + 0.5 * 4 ** (1 / (depth - 2)), 1.0, 0.6]
    flow = Flow(single_example(mu), linf(0.5))
    end = limit(flow, balanced(alpha, depth))
    assert end.label == Label.TIE, end
    last = 30.0 if depth == 2 else limit_time(flow, balanced(alpha, depth)) * (1 - 1e-9)
    beta = solve(flow, balanced(alpha, depth), tau_end=last).beta[-1]
    np.testing.assert_allclose(beta / np.linalg.norm(beta), end.direction, atol=1e-5)


def limit_time(flow, start):
    """Return the blow-up time of a start."""
    return solve(flow, start, tau_end=1e9).events[-1].tau


@pytest.mark.parametrize("rule", [gradient_flow(), linf(0.6), l2(0.6)], ids=lambda r: r.name)
def test_two_layers_any_signs_against_long_exact_runs(rule):
    rng, mu = np.random.default_rng(7), np.array([1.0, -2.0, 0.5])
    flow = Flow(single_example(mu), rule)
    starts = rng.uniform(-1.5, 1.5, (20, 2, 3))
    for start, label in zip(starts, limits(flow, starts), strict=True):
        beta = solve(flow, start, tau_end=80, save_at=2).beta[-1]
        if label >= 1:
            assert np.argmax(np.abs(beta)) == label - 1 and beta[label - 1] * mu[label - 1] > 0
        else:
            assert label == 0 and np.abs(beta).max() == 0


def test_limit_and_limits_agree():
    rng = np.random.default_rng(3)
    for rule in (gradient_flow(), linf(0.8), l2(0.8), lp(0.8, p=3), unnormalised(0.8)):
        flow = Flow(single_example([1.0, 1.7]), rule)
        starts = rng.uniform(0.1, 1.6, (4, 2, 2))
        assert [limit(flow, s).label for s in starts] == limits(flow, starts).tolist(), rule


def test_depth_one_goes_along_the_example():
    for rule in (gradient_flow(), linf(1.0), l2(1.0), lp(1.0, p=3)):
        end = limit(Flow(single_example([3.0, -4.0]), rule), [[1.0, 1.0]])
        assert end.label == Label.OTHER_DIRECTION
        np.testing.assert_allclose(end.direction, [0.6, -0.8], rtol=1e-15)


def test_idle_coordinates_are_left_out_and_listed():
    flow = Flow(single_example([0.0, 1.0, 2.0]), linf(1.0))
    end = limit(flow, [[5.0, 0.4, 0.3], [7.0, 0.4, 0.3]])
    assert end.label == 0 and "1" in end.reason and "idle" in end.reason


def test_negative_entries_need_aligned_starts():
    flow = Flow(single_example([1.0, -9.0]), linf(0.5))
    assert limit(flow, balanced([1.0, 1.0], 2)).label == 1
    aligned = limit(flow, balanced([1.0, 1.0], 2, signs=[1, -1]))
    assert aligned.label == 2 and aligned.direction.tolist() == [0.0, -1.0]


def test_odd_depth_below_the_gate_stalls_before_separatrix():
    flow = Flow(single_example([1.0, 2.0]), linf(1.0))
    assert limit(flow, balanced([1.0, 0.5], 3)).label == Label.STALLED
    assert limit(flow, balanced([1.0, 0.5], 4)).label == Label.SEPARATRIX
    resting = limit(flow, balanced([1.0, 1.0], 3))  # beta = rho^L for ever: finite, not 0
    assert resting.label == Label.STALLED and "unstable equilibrium" in resting.reason
    assert limit(flow, balanced([1.0, 1.0], 4)).label == Label.SEPARATRIX


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_one_coordinate_has_its_gate_at_rho_over_the_root_of_depth(p, depth):
    if p == 1 and depth > 2:
        return  # p = 1 mixes vertices there, another gate: rho (L - 1) / L
    flow, gate = Flow(single_example([1.3]), lp(0.9, p=p)), 0.9 * depth ** (-1 / p)
    assert limit(flow, balanced([gate * 1.001], depth)).label == 1
    below = limit(flow, balanced([gate * 0.999], depth)).label
    assert below == (Label.STALLED if depth % 2 else 0)


def test_l2_near_its_critical_scale():
    from flowsam.amplification import critical_scale

    flow, scale = Flow(single_example([1.0, 2.0]), l2(1.0)), critical_scale([1.0, 2.0], 1.0)
    labels = [
        limit(flow, balanced([scale * (1 + x)] * 2, 2)).label for x in (-1e-9, -1e-14, 1e-14, 1e-9)
    ]
    assert labels == [0, Label.SEPARATRIX, Label.SEPARATRIX, 2]


@pytest.mark.parametrize("depth", [3, 4])
def test_l2_deep_winner_is_that_of_gradient_flow(depth):
    rng = np.random.default_rng(depth)
    for _ in range(3):
        mu, alpha = rng.uniform(0.5, 3.0, 3), rng.uniform(0.6, 1.4, 3)
        ends = [
            limit(Flow(single_example(mu), rule), balanced(alpha, depth))
            for rule in (l2(0.5), gradient_flow())
        ]
        assert ends[0].label == ends[1].label and ends[0].certificate == "monotone", (mu, alpha)


def test_l2_deep_starts_that_stall_rest_or_tie():
    flow = Flow(single_example([1.0, -6.0, 0.0]), l2(1.0))
    signs = [1, -1, 1]
    ends = {
        "stalled": limit(flow, balanced([0.3, 0.02, 1.0], 3, signs=signs)),
        "basis": limit(flow, balanced([0.3, 0.2, 1.0], 3, signs=signs)),
        "tie": limit(flow, balanced([1.2, 0.2, 1.0], 3, signs=signs)),
        "zero": limit(flow, balanced([0.2, 0.1, 1.0], 4, signs=signs)),
    }
    assert {kind: end.kind for kind, end in ends.items()} == {kind: kind for kind in ends}
    assert {end.certificate for end in ends.values()} == {"monotone"}
    rest = balanced(np.array([6.0, 1.0]) / 37**0.5 / 3**0.5, 3)
    pair = Flow(single_example([1.0, 6.0]), l2(1.0))
    assert limit(pair, rest).kind == "separatrix"
    assert limit(pair, balanced([0.06, 0.01], 3)).kind == "stalled"  # equal scores
    assert limit(pair, rest * [[1.0, 0.0]] * 3).label == 1  # the second never leaves 0
    unequal = limit(pair, [[0.3, 0.02], [0.3, 0.02], [0.3, 0.0]])
    assert unequal.kind == "undecided"  # its layers become equal: not known to stay so


def test_l2_deep_labels_are_those_of_paths_by_the_definition():
    rng = np.random.default_rng(6)
    mu = np.array([1.0, 2.0, 3.5])
    for depth in (3, 4):
        alpha = rng.uniform(0.1, 0.6, (8, 3))
        starts = balanced(alpha, depth)
        for start, label in zip(
            starts, limits(Flow(single_example(mu), l2(1.0)), starts), strict=True
        ):
            run = march(start, mu, 1.0, 1e4, rtol=1e-7)
            end = np.abs(run.y[:-1, -1].reshape(depth, 3)[0])
            expected = 0 if end.max() < 1e-2 else (mu * end ** (depth - 2)).argmax() + 1
            assert label == expected, (start[0], label, end)


@pytest.mark.parametrize("depth", [3, 4])
def test_runs_of_l2_deep_keep_their_order_and_end_as_their_limit_says(depth):
    mu = np.array([1.0, 2.0, 3.0])
    flow = Flow(single_example(mu), l2(1.0))
    for alpha in ([0.5, 0.3, 0.25], [0.1, 0.08, 0.05], [0.9, 0.7, 0.2]):
        run = solve(flow, balanced(alpha, depth), tau_end=200.0, rtol=1e-7)
        w = run.theta[np.isfinite(run.beta).all(axis=1) & (run.beta > 1e-12).all(axis=1), 0]
        scores = np.log(mu) + (depth - 2) * np.log(w)
        gaps = np.diff(scores[:, scores[0].argsort()], axis=1)
        assert gaps[0].min() > 0.01 and gaps.min() > -1e-5, alpha  # they meet at a collapse
        end = limit(flow, balanced(alpha, depth))
        kinds = {"escaped": "basis", "collapsed": "zero"}
        assert kinds[run.status] == end.kind and end.certificate == "monotone", alpha
        if end.kind == "basis":
            assert run.events[-1].kind == "blow-up" and run.events[-1].coordinate == end.label - 1
        else:
            assert run.events[-1].kind == "collapse" and not run.theta[-1].any()


@pytest.mark.parametrize("depth", [3, 4, 5, 6, 9])
@pytest.mark.parametrize("power", [-1000, -700, -330, 0, 330, 500])
def test_labels_do_not_depend_on_the_scale(depth, power):
    """Powers of two round nothing: every label is that of the start near 1."""
    rng, scale = np.random.default_rng(depth), 2.0**power
    alpha, mu = rng.uniform(0.3, 2.0, (60, 2)), [1.0, 2.0]
    alpha[:3] = [[1.2, 1.9], [1.0, 1.0], [1.0, 0.4]]
    even = balanced(alpha, depth)
    last = even.copy()
    last[:, -1] *= rng.uniform(1.0, 1.2, (60, 2))
    for starts in (even, last):
        near, far = (
            limits(Flow(single_example(mu), linf(s)), s * starts).tolist() for s in (1.0, scale)
        )
        assert near == far and {1, 2} <= set(near)


def test_a_tie_of_unequal_layers_has_its_direction():
    end = limit(Flow(single_example([1.0, -1.0]), linf(0.5)), [[1.0, -1.0], [1.2, 1.2], [1.3, 1.3]])
    assert end.label == Label.TIE
    np.testing.assert_allclose(end.direction, np.array([1.0, -1.0]) / np.sqrt(2), rtol=1e-15)


@pytest.mark.parametrize(("depth", "alpha", "label"), [(3, 0.9, 1), (4, 0.7, 0), (5, 1.2, 1)])
def test_one_balanced_coordinate_under_l1_has_one_label(depth, alpha, label):
    # from three layers on, layers that tie take turns: the gate is rho (L-1)/L, not rho L^(-1/p)
    flow, start = Flow(single_example([2.0]), lp(1.0, p=1)), balanced([alpha], depth)
    assert limit(flow, start).label == limits(flow, start) == label


@pytest.mark.parametrize("size", [1e-307, 1e-150, 1e150, 5e307])
@pytest.mark.parametrize("speed", [1e-307, 1e200])
@pytest.mark.parametrize(
    "rule", [gradient_flow(), linf(0.9), l2(0.9), lp(0.9, p=3), lp(0.9, p=1.5)]
)
@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_labels_do_not_depend_on_units(size, speed, rule, depth):
    """Weights and rho times a number, mu times a number: labels and directions stay."""
    starts = np.array([[[0.7, 1.2]] * depth, [[1.5, 1.5]] * depth, [[-1.1, 1.3]] * depth])
    flow = Flow(single_example([-1.0, 1.0]), rule)
    other = Flow(single_example([-speed, speed]), Perturbation(rule.p, rule.rho * size))
    np.testing.assert_array_equal(limits(other, starts * size), limits(flow, starts))
    for start in starts:
        expected, found = limit(flow, start), limit(other, start * size)
        assert found.label == expected.label
        if expected.direction is not None:
            np.testing.assert_allclose(found.direction, expected.direction, rtol=1e-12)


def test_weights_far_above_the_radius_keep_their_winner():
    """l_2 at 1e308; l_inf at a depth where powers of sizes leave the doubles."""
    flow = Flow(single_example([1.0, 2.0]), l2(1.0))
    assert limit(flow, [[1e308] * 2] * 2).label == 2
    for depth in (1030, 1036, 1100, 3000):
        for rho in (0.0, 1.0):
            deep = Flow(single_example([1.0, 2.0]), linf(rho))
            assert limit(deep, balanced([1.5, 1.5], depth)).label == 2
            assert limit(deep, balanced([1.75, 1.5], depth)).label == 1
            equal = Flow(single_example([2.0, 2.0]), linf(rho))
            assert limit(equal, balanced([1.5] * 2, depth)).label == -3


@pytest.mark.parametrize("wrong", ["x", 1, [], np.array([])])
def test_prove_is_a_yes_or_a_no(wrong):
    with pytest.raises(TypeError, match="prove needs True or False"):
        limit(Flow(single_example([1, 2]), l2(1)), [[1, 1], [1, 1]], prove=wrong)
