"""Balanced starts whose weights, turned against their features, fall through 0 together at odd L.

On the ray `mu_j w_j^(L-2) = k` of l_2-SAM at L = 3 one equation is left, `k' = -(k + c)^2` with
`c = rho / (3 sum mu_j^-2)^(1/2)`: 0 is reached at `tau = 1/c - 1/(k + c)`, and N vanishes there.
"""

import numpy as np
import pytest

from flowsam import (
    Data,
    Flow,
    asam,
    balanced,
    iterate,
    l2,
    limit,
    limits,
    linf,
    lp,
    phase_portrait,
    single_example,
    solve,
    solve_many,
)
from flowsam.ensemble import Ending
from flowsam.falls import Falls
from flowsam.labels import Label
from flowsam.portrait import BalancedPlane


def ray(rng, d):
    """A mu, a start on the ray with signs against it, rho, and the time of its fall."""
    mu = rng.uniform(0.4, 3.0, d) * rng.choice([-1.0, 1.0], d)
    k, rho = rng.uniform(0.2, 2.0, 2)
    theta0 = balanced(k / np.abs(mu), 3, signs=-np.sign(mu))
    c = rho / np.sqrt(3.0 * (mu**-2).sum())
    return mu, theta0, rho, 1 / c - 1 / (k + c)


@pytest.mark.parametrize("seed", range(8))
def test_the_fall_is_found_when_the_closed_form_says(seed):
    rng = np.random.default_rng(seed)
    mu, theta0, rho, fall = ray(rng, rng.integers(2, 5))
    flow = Flow(single_example(mu), l2(rho))
    run = solve(flow, theta0, tau_end=3 * fall)
    assert run.status == "sliding_ambiguous" and "leave 0 again" in run.message
    assert run.tau[-1] == pytest.approx(fall, rel=1e-6)  # a little before it
    assert np.abs(run.theta[-1]).max() < 1e-6
    batch = solve_many(flow, theta0[None], tau_end=3 * fall)
    assert batch.status[0] == Ending.SLIDING_AMBIGUOUS
    assert batch.tau[0] == pytest.approx(fall, rel=1e-7) and not batch.theta.any()
    found = limit(flow, theta0)
    assert (found.label, found.certificate) == (Label.UNDECIDED, "none")
    assert f"falls into 0 at tau = {fall:.6g}" in found.reason
    rows = Flow(Data(np.tile(mu, (2, 1))), l2(rho))
    for end in ({"tau_end": 3 * fall}, {"log_t_end": 20.0}):
        several = solve(rows, theta0, **end)
        assert several.status == "sliding_ambiguous"
        assert several.tau[-1] == pytest.approx(fall, rel=1e-6)
    assert limit(rows, theta0).label == Label.UNDECIDED


@pytest.mark.parametrize("method", ["DOP853", "Radau", "BDF", "LSODA"])
@pytest.mark.parametrize("p", [1.5, 2.0, 3.0])
def test_no_method_steps_through_0(p, method):
    flow = Flow(single_example([-1.3, 1.6]), lp(1.0, p=p))
    theta0 = balanced([1.5, 1.9], 3, signs=[1, -1])
    near = solve(flow, theta0, tau_end=50.0, method="DOP853", rtol=1e-12)
    run = solve(flow, theta0, tau_end=50.0, method=method, rtol=1e-8)
    assert run.status == near.status == "sliding_ambiguous"
    assert run.tau[-1] == pytest.approx(near.tau[-1], rel=2e-7)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("p", [1.5, 2.0, 3.0])
def test_several_examples_do_not_step_through_0(p, seed):
    rng = np.random.default_rng([seed, 2])
    flow = Flow(Data(-rng.uniform(0.5, 2.0, (3, 2))), lp(0.8, p=p))
    theta0 = balanced(rng.uniform(0.3, 1.2, 2), 3)
    found = [solve(flow, theta0, tau_end=1e3), solve(flow, theta0, log_t_end=50.0, rtol=1e-10)]
    assert [run.status for run in found] == ["sliding_ambiguous"] * 2
    assert found[0].tau[-1] == pytest.approx(found[1].tau[-1], rel=1e-6)
    assert limit(flow, theta0).label == Label.UNDECIDED


def test_a_plane_of_falls_is_undecided_whatever_the_neighbours():
    flow = Flow(single_example([-1.0, -2.0]), l2(1.0))
    axis = np.linspace(0.2, 2.0, 6)
    plane = phase_portrait(flow, axis, axis, start=BalancedPlane(3))
    assert (plane.labels == Label.UNDECIDED).all()
    assert np.isnan(plane.settled_at).all()
    assert limits(flow, balanced([0.2, 2.0], 3)) == Label.UNDECIDED


def test_what_does_not_fall_through_is_told_as_before():
    """A control: even depth rests at 0; one coordinate goes on alone; one that grows saves all."""
    flow = Flow(single_example([-1.0, -2.0]), l2(1.0))
    assert solve(flow, balanced([0.7, 0.6], 4), tau_end=50.0).status == "collapsed"
    assert limit(flow, balanced([0.7, 0.6], 4)).label == Label.ZERO
    alone = solve(flow, np.tile([0.7, 0.0], (3, 1)), tau_end=50.0)
    assert alone.status == "finished" and alone.theta[-1, 0, 0] < -0.5
    saved = Flow(single_example([-1.0, 2.0]), l2(1.0))
    assert limit(saved, balanced([0.7, 1.6], 3)).label == 2
    jumps = Flow(single_example([-1.0, -2.0]), linf(1.0))
    assert limit(jumps, balanced([0.7, 0.6], 3)).label == Label.STALLED


def test_three_of_four_layers_fall_through_as_three_do():
    """Seen in an audit: label 0, while discrete SAM goes on to feature 3."""
    theta0 = [
        [-0.3046485586330559, -0.5724326219173137, -0.21124940369515158],
        [0.3046485586330559, -0.5724326219173137, 0.21124940369515158],
        [1.5858097794962527, 0.6475242923430209, -0.14459846349905853],
        [0.9148509072115301, -1.3552009380016496, -2.298576163714298],
    ]
    found = limit(Flow(single_example([2.0, 1.0, 2.0]), lp(1.0, p=1.5)), theta0)
    assert found.label == Label.UNDECIDED and "an odd number of layers" in found.reason


@pytest.mark.parametrize("p", [1.5, 2.0, 3.0])
def test_layers_that_start_at_0_do_not_fall_through_it(p):
    """Without a gradient they rest, where they are as well as when the others have fallen."""
    dead = [[0.0], [0.0], [0.0], [0.7]]
    assert limit(Flow(single_example([2.0]), lp(1.0, p=p)), dead).label == Label.ZERO
    alone = Flow(single_example([1.0, -2.0]), lp(1.0, p=p))
    assert limit(alone, np.hstack([dead, balanced([0.3], 4)])).label == Label.ZERO


def test_equal_layers_stay_equal_on_many_starts():
    rng = np.random.default_rng(8)
    flow = Flow(single_example([1.0, -1.5, 0.7]), l2(1.0))
    signs = rng.choice([-1.0, 1.0], (40, 3, 3))
    starts = signs * rng.uniform(0.3, 1.5, (40, 1, 3))
    found = solve_many(flow, starts, tau_end=0.3)
    size = np.abs(found.theta)
    assert (size == size[:, :1]).all()


def test_iteration_goes_through_on_one_path():
    """Why the message names `iterate`: steps of all sizes leave 0 on nearly one path."""
    flow = Flow(single_example([-1.0, 1.3]), l2(1.0))
    theta0 = balanced([1.5, 1.4], 3, signs=[1, -1])
    ends = [
        iterate(flow, theta0, learning_rate=h, steps=int(4 / h), save_every=10**6).theta[-1, 0]
        for h in (1e-3, 1.3e-3, 2.3e-3)
    ]
    assert np.ptp(ends, axis=0).max() < 1e-3 < np.abs(ends).min()


@pytest.mark.parametrize("rule", [l2(1.0), lp(1.0, p=3)], ids=lambda rule: rule.name)
def test_a_feature_that_no_example_pulls_at_hides_no_fall(rule):
    mu = np.array([1.3, -0.8])
    theta0 = balanced(0.9 / np.abs(mu), 3, signs=-np.sign(mu))
    moving = Flow(Data(np.tile(mu, (2, 1))), rule)
    wider = Flow(Data(np.tile([*mu, 0.0], (2, 1))), rule)
    start = np.column_stack([theta0, np.full(3, 2.0)])
    for end in ({"tau_end": 5.0}, {"log_t_end": 20.0}):
        own, run = solve(moving, theta0, **end), solve(wider, start, **end)
        assert run.status == own.status == "sliding_ambiguous"
        assert run.tau[-1] == pytest.approx(own.tau[-1], rel=1e-6)
    assert limit(wider, start).label == Label.UNDECIDED


@pytest.mark.parametrize("p", [1.5, 2.0])
@pytest.mark.parametrize("depth, rise", [(3, 0.0), (4, 1.0), (5, 2.0)])
def test_different_layers_get_into_0_together(p, depth, rise):
    """Three layers up to a factor apart fall as equal ones do: what follows is not known."""
    rng = np.random.default_rng(depth)
    for spread in (1e-5, 1e-2, 1.0):
        small = 0.2 * (1 + spread * rng.uniform(-0.6, 0.6, 3))
        theta0 = np.concatenate([small, np.full(depth - 3, rise)])[:, None]
        flow = Flow(single_example([-0.8]), lp(1.0, p=p))
        found = limit(flow, theta0)
        assert found.label == Label.UNDECIDED, (spread, found)
        assert "an odd number of layers of a coordinate at once" in found.reason
        batch = solve_many(flow, theta0[None], tau_end=4.0)
        assert (
            batch.status[0] == Ending.SLIDING_AMBIGUOUS and np.abs(batch.theta[0][:3]).max() < 1e-6
        )
        for end in ({"tau_end": 4.0}, {"log_t_end": 6.0}):
            run = solve(flow, theta0, **end)
            assert run.status == "sliding_ambiguous"
            assert run.tau[-1] == pytest.approx(batch.tau[0], rel=1e-4)
        # layers that part get to 0 one by one, and two of them stay
        parted = theta0 * np.array([[1.0], [0.05], [6.0], *[[1.0]] * (depth - 3)])
        assert limit(flow, parted).label == Label.ZERO


def uneven(rng, alpha, depth, spread):
    """Layers of sizes alpha, apart by a share of them."""
    return np.array(alpha) * (1 + spread * rng.uniform(-0.5, 0.5, (depth, len(alpha))))


@pytest.mark.parametrize("p", [1.5, 2.0])
@pytest.mark.parametrize("seed", range(6))
def test_different_layers_of_several_examples_get_into_0_together(p, seed):
    """Steps went through on one of many paths, up to a per cent apart, or shrank to nothing."""
    rng = np.random.default_rng([seed, 5])
    n, d = rng.integers(2, 4), rng.integers(1, 3)
    flow = Flow(Data(-rng.uniform(0.5, 2.0, (n, d))), lp(1.0, p=p))
    theta0 = uneven(rng, rng.uniform(0.3, 0.6, d), 3, 10.0 ** -rng.uniform(1, 5))
    batch = solve_many(flow, theta0[None], tau_end=9.0)
    assert batch.status[0] == Ending.SLIDING_AMBIGUOUS and not batch.theta.any()
    for end in ({"tau_end": 9.0}, {"log_t_end": 30.0}):
        run = solve(flow, theta0, **end)
        assert run.status == "sliding_ambiguous" and "leave 0 again" in run.message
        assert run.tau[-1] == pytest.approx(batch.tau[0], rel=1e-5)
    assert limit(flow, theta0).label == Label.UNDECIDED


@pytest.mark.parametrize("rows", [1, 2])
def test_three_of_four_layers_fall_and_the_fourth_stays(rows):
    rng = np.random.default_rng(6)
    data = -rng.uniform(0.5, 1.5, (rows, 1))
    flow = Flow(Data(data) if rows > 1 else single_example(data[0]), l2(1.0))
    theta0 = np.vstack([uneven(rng, [0.2], 3, 1e-2), [[1.0]]])
    run = solve(flow, theta0, tau_end=20.0)
    assert run.status == "sliding_ambiguous" and "leave 0 again" in run.message
    batch = solve_many(flow, theta0[None], tau_end=20.0)
    assert batch.status[0] == Ending.SLIDING_AMBIGUOUS
    assert batch.tau[0] == pytest.approx(run.tau[-1], rel=1e-5) and batch.theta[0, 3, 0] > 0.5
    assert limit(flow, theta0).label == Label.UNDECIDED


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("depth", [3, 5])
def test_two_small_layers_fall_alone_and_rest(rows, depth):
    """Of several examples the steps became too small beside them: label -6."""
    rng = np.random.default_rng([depth, 9])
    data = -rng.uniform(0.5, 1.5, (rows, 1))
    flow = Flow(Data(data) if rows > 1 else single_example(data[0]), l2(1.0))
    rest = rng.uniform(0.3, 0.5, (depth - 2, 1))
    theta0 = np.vstack([[[0.12], [0.01]], rest])
    found = limit(flow, theta0)
    assert found.label == Label.ZERO, found
    batch = solve_many(flow, theta0[None], tau_end=50.0)
    assert batch.status[0] == 1 and (batch.theta[0] == 0).sum() == 2
    run = solve(flow, theta0, tau_end=50.0)
    assert run.status == "collapsed"
    assert (run.theta[-1] == 0).sum() == 2
    assert run.events[-1].tau == pytest.approx(batch.tau[0], rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_layers_that_differ_part_where_p_is_above_2(seed):
    """Two of them get to 0 before the third, and stay there."""
    rng = np.random.default_rng([seed, 7])
    flow = Flow(single_example(-rng.uniform(0.5, 1.5, 1)), lp(1.0, p=3))
    theta0 = uneven(rng, rng.uniform(0.2, 0.3, 1), 3, 10.0 ** -rng.uniform(3, 6))
    assert limit(flow, theta0).label == Label.ZERO
    run, batch = solve(flow, theta0, tau_end=9.0), solve_many(flow, theta0[None], tau_end=9.0)
    assert run.status == "collapsed" and batch.status[0] == 1
    assert run.events[-1].tau == pytest.approx(batch.tau[0], rel=1e-4)


@pytest.mark.parametrize("method", ["DOP853", "Radau", "BDF", "LSODA", "heyoka"])
def test_no_method_steps_through_0_where_layers_differ(method):
    if method == "heyoka":
        pytest.importorskip("heyoka")
    rng = np.random.default_rng(4)
    flow = Flow(single_example([-0.9, -1.4]), l2(1.0))
    theta0 = uneven(rng, [0.3, 0.4], 3, 1e-3)
    fall = solve_many(flow, theta0[None], tau_end=9.0, method="DOP853").tau[0]
    run = solve(flow, theta0, tau_end=9.0, method=method, rtol=1e-8)
    assert run.status == "sliding_ambiguous"
    assert run.tau[-1] == pytest.approx(fall, rel=1e-5)
    if method == "heyoka":
        batch = solve_many(flow, theta0[None], tau_end=9.0, method=method)
        assert batch.status[0] == 6 and batch.tau[0] == pytest.approx(fall, rel=1e-6)


def test_who_goes_through_0_in_a_step():
    before = np.ones((4, 2, 5))
    after = before.copy()
    after[:2, 0, 0] = after[:3, 0, 1] = after[:, 0, 2] = after[0, :, 3] = -1.0
    after[:3, 1, 4] = -1.0
    moving = np.array([True, False])
    several, one = (Falls(moving, False, goes_on=on) for on in (False, True))
    who = [0, 1, 0, 0, 0]
    assert several.through(before, after, several.lone(before)).tolist() == who
    # alone and equal: it goes on
    lone = one.lone(before)
    assert lone.all() and not one.through(before, after, lone).any()
    before[0] = 2.0
    assert one.through(before, after, lone).tolist() == who
    both = Falls(np.ones(2, bool), False, goes_on=True)
    assert not both.lone(before).any()
    before[:2, 1] = 0.0  # two layers at 0 stay there
    assert both.lone(before).all()


@pytest.mark.parametrize("seed", range(4))
def test_a_feature_that_fell_before_leaves_no_other_alone(seed):
    """The last one went on by itself, in a batch, where p > 2 had put the first to rest."""
    rng = np.random.default_rng([seed, 13])
    mu = rng.uniform(0.8, 1.2, 2) * np.array([1.0, 2.5])
    flow = Flow(single_example(mu), lp(1.0, p=3))
    theta0 = balanced(rng.uniform(0.3, 0.4, 2), 3, signs=[-1, -1])
    run = solve(flow, theta0, tau_end=12.0)
    assert run.status == "sliding_ambiguous"
    batch = solve_many(flow, theta0[None], tau_end=12.0)
    assert batch.status[0] == Ending.SLIDING_AMBIGUOUS and not batch.theta.any()
    assert batch.tau[0] == pytest.approx(run.tau[-1], rel=1e-4)
    assert limit(flow, theta0).label == Label.UNDECIDED


def test_a_batch_ends_where_two_layers_of_all_features_are_at_0():
    """For p > 2 the others rest, small as they are; the steps shrank to nothing: FAILED."""
    rng = np.random.default_rng(5)
    for _ in range(6):
        flow = Flow(single_example(rng.uniform(0.5, 1.0, 1)), lp(rng.uniform(0.5, 1.0), p=3))
        theta0 = uneven(rng, rng.uniform(0.1, 0.2, 1), 5, 0.1)
        theta0[0] *= -1
        batch = solve_many(flow, theta0[None], tau_end=400.0)
        assert batch.status[0] in (Ending.FINISHED, Ending.COLLAPSED)
        if batch.status[0] == Ending.COLLAPSED:  # their fall takes long
            assert (batch.theta == 0).sum() > 1 and batch.tau[0] > 400.0
        assert limit(flow, theta0).label == Label.ZERO


def test_equal_layers_that_slide_along_minima_fall_as_others_do():
    """Examples on a line that do not separate: the run came to rest at 0."""
    flow = Flow(Data([[-1.63], [1.63], [-0.54]]), lp(0.3, p=1.5))
    start = balanced([0.4], 5)
    run = solve(flow, start, log_t_end=12.0)
    assert run.status == "sliding_ambiguous", run.message
    assert limit(flow, start).label == Label.UNDECIDED


def test_equal_layers_under_asam_fall_as_under_sam():
    """At odd depth many paths lead on from 0, at even depth two examples rest there."""
    flow = Flow(Data([[1.0, 0.5], [0.7, 1.2]]), asam(0.5))
    labels = [limit(flow, balanced([0.3, 0.4], depth, [-1, -1])).label for depth in (3, 4, 5)]
    assert labels == [Label.UNDECIDED, Label.ZERO, Label.UNDECIDED]


def off(flow, theta0, tau_end, **how):
    """How a run ends, when it collapses, and who came to rest."""
    run = solve(flow, theta0, tau_end=tau_end, **how)
    at = [event.tau for event in run.events if event.kind == "collapse"]
    return run, at[0] if at else np.inf, {e.coordinate for e in run.events if e.kind == "zero"}


@pytest.mark.parametrize("depth, p", [(3, 2.5), (3, 8.0), (4, 4.0), (5, 3.0), (5, 8.0)])
@pytest.mark.parametrize("rows", [1, 2])
def test_no_step_leaps_over_the_brake_of_a_small_weight(depth, p, rows):
    """Its wall is thinner than atol: runs went through 0 to the other side, and on from there."""
    rng = np.random.default_rng([depth, int(2 * p)])
    for spread in (1e-6, 1e-3, 0.1):
        mu = -rng.uniform(0.5, 1.5, 1)
        flow = Flow(single_example(mu) if rows == 1 else Data(np.tile(mu, (2, 1))), lp(1.0, p=p))
        theta0 = uneven(rng, [0.25], depth, spread)
        runs = [off(flow, theta0, 6.0, rtol=rtol)[0] for rtol in (1e-9, 1e-11)]
        for run in runs:
            assert run.status in ("collapsed", "finished"), run.message
            assert np.abs(run.theta[-1]).max() < 0.2 * max(spread, 1e-3), (spread, run.theta[-1])
        assert np.abs(runs[0].theta[-1] - runs[1].theta[-1]).max() < 1e-6


@pytest.mark.parametrize("p, mu, start", [
    (2.5, [1.88, 1.12], [[0.395, 0.464], [0.411, 0.478], [0.407, 0.453]]),
    (8.0, [1.44, 1.88], [[-0.291, 0.102], [0.294, -0.098], [0.284, 0.097]]),
    (4.0, [-1.02, -1.74], [[0.336, 0.289], [0.339, 0.323], [0.345, 0.418]]),
])  # fmt: skip
def test_one_feature_dies_alone_and_the_run_goes_on(p, mu, start):
    """Steps shrank beside the weights that die: status failed, label -6 or -1."""
    flow = Flow(single_example(mu), lp(1.0, p=p))
    runs = [off(flow, start, 15.0, rtol=rtol) for rtol in (1e-9, 1e-11)]
    assert runs[0][2] and runs[0][2] == runs[1][2]
    for run, _, _ in runs:
        assert run.status in ("finished", "collapsed"), run.message
    assert np.abs(runs[0][0].theta[-1] - runs[1][0].theta[-1]).max() < 1e-5
    assert runs[0][1] == pytest.approx(runs[1][1], rel=1e-5)


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("p", [1.5, 2.0, 3.0, 6.0])
def test_batches_and_single_runs_say_the_same_of_a_fall(p, rows):
    """A batch said COLLAPSED of every fall, whether or not its layers leave 0 again."""
    rng = np.random.default_rng([int(2 * p), rows])
    words = {"sliding_ambiguous": Ending.SLIDING_AMBIGUOUS, "collapsed": Ending.COLLAPSED}
    seen = set()
    for depth in (3, 4, 5):
        data = -rng.uniform(0.5, 1.5, (rows, 2))
        flow = Flow(Data(data) if rows > 1 else single_example(data[0]), lp(1.0, p=p))
        start = balanced(rng.uniform(0.2, 0.4, 2), depth)
        run = solve(flow, start, tau_end=60.0)
        if run.status == "finished":  # p > 2: one of them takes for ever
            continue
        batch = solve_many(flow, start[None], tau_end=60.0)
        assert batch.status[0] == words[run.status], (depth, run.message, batch.status)
        seen.add(run.status)
    assert "sliding_ambiguous" in seen


@pytest.mark.parametrize("p, depth", [(2.5, 3), (3.0, 4), (4.0, 3)])
def test_a_batch_tells_when_the_last_pair_is_at_0(p, depth):
    """Its rest of the fall took in the third layer: a thirtieth of the time, at worst."""
    rng = np.random.default_rng([depth, int(2 * p), 3])
    found = 0
    for _ in range(4):
        flow = Flow(single_example(-rng.uniform(0.5, 1.5, 1)), lp(1.0, p=p))
        start = uneven(rng, rng.uniform(0.1, 0.2, 1), depth, 1.0)
        run, at, _ = off(flow, start, 100.0)
        batch = solve_many(flow, start[None], tau_end=100.0)
        if run.status == "collapsed" and batch.status[0] == Ending.COLLAPSED:
            assert batch.tau[0] == pytest.approx(at, rel=2e-3)
            assert (batch.theta[0] == 0).sum() == 2
            found += 1
    assert found > 1


@pytest.mark.parametrize("p", [2.5, 5.0, 20.0])
@pytest.mark.parametrize("depth", [3, 5])
def test_a_lone_feature_of_steep_rules_goes_through_0_among_many(p, depth):
    """One feature, equal layers: `w' = mu (w - g)^(L-1)`, g = rho L^(-1/p), positive at 0 too."""
    flow, theta0 = Flow(single_example([2.5]), lp(0.5, p=p)), balanced([0.1], depth, signs=[-1])
    gate, power = 0.5 * depth ** (-1 / p), depth - 2
    through = ((gate**-power) - (gate + 0.1) ** -power) / (2.5 * power)
    many = solve_many(flow, [theta0] * 2, tau_end=2 * through)
    left = ((gate + 0.1) ** -power + 2.5 * power * 2 * through) ** (-1 / power)
    assert (many.status == Ending.FINISHED).all()
    assert np.abs(many.theta) == pytest.approx(np.full(many.theta.shape, gate - left), rel=1e-6)
    assert (many.theta[0] * theta0 < 0).sum() % 2 == 1
