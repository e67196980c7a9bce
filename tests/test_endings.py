"""Where runs end, and what they say: rest, collapse, blow-up, the range of doubles, many steps."""

import numpy as np
import pytest

from flowsam import (
    Data,
    Flow,
    balanced,
    engines,
    gradient_flow,
    l2,
    limit,
    linf,
    lp,
    single_example,
    solve,
    unnormalised,
)
from flowsam.engines import stepping

TWO = single_example([1.0, 2.0])
METHODS = ["exact", "DOP853"]
DEEP = {3: [[1.5, 0.6]] * 3, 4: [[1.5, 0.6]] * 4}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rule", [linf(1.0), gradient_flow(), l2(1.0)], ids=lambda r: r.name)
def test_a_start_at_the_origin_rests_from_the_start(method, rule):
    for end in ({"tau_end": 3.0}, {"log_t_end": 3.0}):
        run = solve(Flow(TWO, rule), np.zeros((2, 2)), method=method, save_at=3, **end)
        assert run.status == "collapsed"
        assert run.events[-1].kind == "collapse"
        assert run.events[-1].tau == 0.0
        assert not run.theta.any()
        assert run.tau[-1] == (3.0 if "tau_end" in end else 0.0)


@pytest.mark.parametrize("rule", [linf(1.0), gradient_flow(), lp(0.5, p=3)], ids=lambda r: r.name)
@pytest.mark.parametrize("depth", [1, 3, 8])
def test_weights_of_zero_at_any_depth(rule, depth):
    for mu in ([1.0], [1.0, 0.0]):
        flow, start = Flow(single_example(mu), rule), np.zeros((depth, len(mu)))
        for end in ({"tau_end": 2.0}, {"log_t_end": 2.0}):
            run = solve(flow, start, save_at=3, **end)
            assert run.status == ("finished" if depth == 1 else "collapsed"), end
            assert run.theta[-1].any() == (depth == 1), end


def test_a_zero_gradient_at_weights_that_are_not_zero_ends_a_run():
    # under l_3 two of three weights die: no gradient is left, and the third rests where it is
    start = [[-0.53695324], [0.5811181], [0.3645724]]
    flow = Flow(single_example([1.0]), lp(0.2, p=3))
    run, loose = (solve(flow, start, tau_end=500.0, rtol=rtol) for rtol in (1e-9, 1e-7))
    assert run.status == "collapsed" and "two of each coordinate" in run.message
    assert run.events[-1].tau == pytest.approx(loose.events[-1].tau, rel=1e-5)
    assert run.steps < 1000
    np.testing.assert_allclose(np.sort(np.abs(run.theta[-1, :, 0]))[:2], 0.0, atol=1e-11)


@pytest.mark.parametrize("method", METHODS)
def test_one_coordinate_at_the_origin_rests_and_the_other_moves(method):
    run = solve(Flow(TWO, linf(1.0)), [[0.0, 1.5], [0.0, 1.5]], tau_end=1.0, method=method)
    assert [(e.tau, e.kind, e.coordinate) for e in run.events] == [(0.0, "zero", 0)]
    assert run.status == "finished"
    np.testing.assert_allclose(run.beta[-1], [0.0, (1 + 0.5 * np.exp(2.0)) ** 2], rtol=1e-8)


def test_a_saddle_is_no_collapse():
    # the velocity is exactly 0 at w = rho/sqrt(2), and the weights are not
    flow = Flow(single_example([1.0]), l2(np.sqrt(2.0)))
    assert not flow.field(np.ones((2, 1))).any()
    run = solve(flow, np.ones((2, 1)), tau_end=1.0, method="DOP853")
    assert (run.status, run.events, run.beta[-1, 0]) == ("finished", (), 1.0)


def test_a_critical_point_away_from_the_origin_is_no_collapse():
    start = [[1.0], [0.0], [0.0]]
    run = solve(Flow(single_example([1.0]), gradient_flow()), start, tau_end=9.0, method="DOP853")
    assert (run.status, run.events) == ("finished", ())
    np.testing.assert_array_equal(run.theta[-1], start)


def test_waiting_at_a_stable_rest_ends():
    # u + v = 0: the start runs into the saddle of gradient flow, where explicit steps stay short
    flow, start = Flow(TWO, gradient_flow()), [[1.0, 0.0], [-1.0, 0.0]]
    run = solve(flow, start, log_t_end=50.0, method="DOP853")
    assert run.nfev < 10_000
    assert run.status == "failed" and "nearly at rest" in run.message
    assert run.log_t[-1] < 50.0
    # where rest lasts long enough, T is reached there: dt/dtau = 2 at the origin
    run = solve(flow, start, log_t_end=30.0, method="DOP853", rtol=1e-6)
    assert run.log_t[-1] == pytest.approx(30.0, rel=1e-12)
    assert run.tau[-1] == pytest.approx(np.exp(30.0) / 2, rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("depth", "log_t_end"), [(3, 1e4), (3, 1e20), (4, 1e22)])
def test_times_near_a_blow_up(method, depth, log_t_end):
    # the last stretch of a blow-up is an expansion: T beyond 1e18 (L = 3) is reached inside it
    run = solve(Flow(TWO, linf(1.0)), DEEP[depth], log_t_end=log_t_end, method=method)
    assert run.status == "finished"
    assert "blow-up" not in {event.kind for event in run.events}
    assert run.log_t[-1] == pytest.approx(log_t_end, rel=1e-9 if log_t_end < 1e6 else 1e-3)
    margin = np.prod(run.theta[-1] - 1.0, axis=0)[0]
    assert margin == pytest.approx(log_t_end, rel=1e-2)


def test_an_end_inside_the_last_stretch_of_a_blow_up_is_no_blow_up():
    flow, end = Flow(single_example([1.0]), linf(0.5)), 2.0 * (1 - 1e-7)
    run = solve(flow, balanced([1.0], 3), tau_end=end, method="DOP853", rtol=1e-11)
    assert (run.status, run.events, run.tau[-1]) == ("finished", (), end)
    # w = rho + 1/(tau* - tau): the error of tau* is magnified by 1e7
    assert run.theta[-1, 0, 0] == pytest.approx(0.5 + 1 / (2.0 - end), rel=1e7 * 1e-10)


def test_a_blow_up_at_even_depth_is_one():
    # near tau* one ulp of tau changes the size by 1e-4 or more: the event must still be one
    for depth, kinds in ((4, ["zero", "blow-up"]), (6, ["blow-up"])):
        run = solve(Flow(TWO, linf(1.0)), [[1.5, 0.6]] * depth, tau_end=99.0, method="DOP853")
        assert [event.kind for event in run.events] == kinds
        assert run.tau[-1] == pytest.approx(1 / ((depth - 2) * 0.5 ** (depth - 2)), rel=1e-8)


def test_a_deep_blow_up_after_a_long_way_keeps_its_digits():
    # at L = 8 weights of 200 are 2e-15 before tau* = 1.7: the steps have to stop earlier
    start = np.random.default_rng(2).normal(size=(8, 1))
    start[0] = 0.0
    flow = Flow(single_example([1.0]), gradient_flow())
    ends = [
        solve(flow, start, tau_end=1e9, method="DOP853", rtol=rtol).tau[-1] for rtol in (1e-6, 1e-9)
    ]
    assert ends[0] == pytest.approx(ends[1], rel=1e-5)


@pytest.mark.parametrize(
    ("rule", "method"),
    [(linf(1.0), "exact"), (gradient_flow(), "exact"), (l2(0.5), "exact"), (linf(1.0), "DOP853")],
)
def test_two_layers_end_where_doubles_do(rule, method):
    how = {"method": method, "rtol": 1e-4, "save_at": 5}
    run = solve(Flow(TWO, rule), [[1.5, 1.6]] * 2, tau_end=1e3, **how)
    assert run.status == "escaped"
    assert "1e300" in run.message
    assert np.isfinite(run.theta).all()
    assert run.tau.size == 5
    assert 0.3 < run.margins[-1, 0] / 1e300 < 3
    np.testing.assert_allclose(run.log_t[-1], run.margins[-1, 0], rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_tiny_ends(method):
    flow, start = Flow(TWO, linf(1.0)), balanced([1.5, 0.6], 2)
    pace = float(np.exp(-flow.log_lambda(start)))
    for end in (1e-300, 1e-30, 1e-12):
        run = solve(flow, start, tau_end=end, method=method, save_at=3)
        np.testing.assert_allclose(run.tau, [0.0, end / 2, end], rtol=1e-15)
        np.testing.assert_allclose(run.log_t, pace * run.tau, rtol=1e-10)
        run = solve(flow, start, log_t_end=end, method=method, save_at=3)
        np.testing.assert_allclose(run.log_t, [0.0, end / 2, end], rtol=1e-10)
        np.testing.assert_allclose(run.tau, run.log_t / pace, rtol=1e-10)


def test_rows_of_a_run_in_log_t_start_at_zero():
    run = solve(Flow(TWO, linf(1.0)), DEEP[3], log_t_end=9.0, save_at=[0.0, 1e-9, 4.0, 9.0])
    assert run.tau[0] == 0.0
    np.testing.assert_allclose(run.log_t, [0.0, 1e-9, 4.0, 9.0], rtol=1e-12)


def test_a_small_weight_beside_a_huge_one_keeps_its_own_event():
    start = balanced([1e10, 0.5, 0.5001], 2)
    flow = Flow(single_example([1.0, 1.0, 1.0]), linf(1.0))
    found, exact = (solve(flow, start, tau_end=1.0, method=method) for method in METHODS[::-1])
    assert [(e.kind, e.coordinate) for e in found.events] == [("zero", 1), ("zero", 2)]
    for mine, reference in zip(found.events, exact.events, strict=True):
        assert mine.tau == pytest.approx(reference.tau, abs=1e-8)


def test_a_run_of_too_many_steps_fails_and_says_so(monkeypatch):
    monkeypatch.setattr(stepping, "MAX_STEPS", 40)
    run = solve(Flow(TWO, linf(1.0)), DEEP[3], tau_end=1.9, method="RK23", rtol=1e-9)
    assert run.status == "failed"
    assert "RK23" in run.message
    assert run.steps == 40
    assert np.isfinite(run.theta).all()


def test_a_stiff_rest_beside_a_slow_weight_is_left_with_a_sentence():
    # coordinate 2 sits where p < 2 pulls it, at a rate 1e10 times that of coordinate 1
    flow = Flow(single_example([1.0, -1e10]), lp(0.5, p=1.5))
    run = solve(flow, [[1.5, 0.6], [0.3, 0.4]], tau_end=1.0)
    assert run.status == "failed" and "earlier end" in run.message
    assert run.steps < 5_000
    assert solve(flow, run.theta[0], tau_end=run.tau[-1] / 2).status == "finished"


@pytest.mark.parametrize(("rule", "method"), [(l2(0.5), "auto"), (unnormalised(0.5), "DOP853")])
def test_a_rescaled_time_that_several_examples_never_reach(rule, method):
    flow, start = Flow(Data([[1.0, 2.0], [2.0, 1.0]]), rule), [[1.5, 0.6]] * 3
    run = solve(flow, start, tau_end=1.0, method=method, rtol=1e-6)
    assert run.status == "escaped" and "log_t_end" in run.message
    later = solve(flow, start, log_t_end=10 * run.log_t[-1], rtol=1e-6)
    assert run.tau[-1] < later.tau[-1] < 1.0
    near = solve(flow, start, tau_end=run.tau[-1] * 0.99, method=method, rtol=1e-6)
    assert near.status == "finished"


@pytest.mark.parametrize("method", engines.METHODS)
def test_overflow_inside_a_trial_step_is_no_warning(method):
    # deep nets overflow in a trial step long before the state does
    flow = Flow(single_example([1.0]), gradient_flow())
    run = solve(flow, np.full((8, 1), 30.0), tau_end=1.0, method=method, rtol=1e-5)
    assert run.status == "escaped"
    assert run.tau[-1] == pytest.approx(1 / (6 * 30.0**6), rel=1e-3)


@pytest.mark.parametrize("p", [1.5, 2.0])
def test_collapse_of_smooth_rules(p):
    run = solve(Flow(TWO, lp(1.0, p=p)), balanced([0.1, 0.1], 2), tau_end=9.0, save_at=4)
    assert run.status == "collapsed"
    assert not run.theta[1:].any()
    assert run.tau[-1] == 9.0
    early = solve(Flow(TWO, lp(1.0, p=p)), balanced([0.1, 0.1], 2), log_t_end=9.0, save_at=4)
    assert early.tau[-1] == pytest.approx(run.events[-1].tau, rel=1e-12)


@pytest.mark.long
def test_stiff_steps_reach_a_zero_gradient(monkeypatch):
    # two layers of a coordinate are held at 0 ever harder as the other coordinate collapses
    monkeypatch.setattr(stepping, "PATIENCE", 20)
    layers = [[0.02, 0.95], [0.019, 1e-6], [0.021, 2e-6], [0.02, 0.95]]
    run = solve(Flow(single_example([1.0, 6.0]), l2(1.0)), layers, tau_end=15.0, rtol=1e-5)
    assert (run.status, run.method) == ("sliding_ambiguous", "DOP853, Radau")
    end = np.abs(run.theta[-1])
    assert end[:, 0].max() < 2e-7 > end[1:3, 1].max() and end[[0, 3], 1].min() > 0.9
    speed = np.diff(run.theta[-9:, 0, 0]) / np.diff(run.tau[-9:])
    assert speed == pytest.approx(-(0.5**3), rel=1e-2)  # mu (rho/2)^3: it alone is left


@pytest.mark.parametrize("rule", [gradient_flow(), linf(1.0), l2(1.0), lp(1.0, p=1), lp(1.0, p=3)])
@pytest.mark.parametrize("alpha", [(0.0, 0.0), (0.0, 0.6), (0.1, 0.2)])
def test_every_engine_tells_who_came_to_rest(rule, alpha):
    """A "zero" of each coordinate, at the start or with the collapse, then the collapse."""
    told = []
    for method in ("auto", "DOP853", "LSODA"):
        run = solve(Flow(TWO, rule), [list(alpha)] * 2, tau_end=9, method=method)
        told.append([(e.kind, e.coordinate) for e in run.events if e.kind in ("zero", "collapse")])
        still = [e.coordinate for e in run.events if e.kind == "zero" and e.tau == 0]
        assert still == [j for j in (0, 1) if alpha[j] == 0]
        if run.status == "collapsed":
            assert run.events[-1].kind == "collapse" and len(told[-1]) == 3
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("method", ["DOP853", "LSODA"])
def test_equal_layers_stay_equal_at_an_unstable_rest(method):
    # w -> rho at odd L below rho: rounding grows like exp(mu tau) between layers kept apart
    start, end = balanced([0.1, 0.9], 3, signs=[1, -1]), {"log_t_end": 20.0, "save_at": 5}
    flow = Flow(single_example([3.0, -2.0]), linf(1.0))
    run, exact = (solve(flow, start, method=how, **end) for how in (method, "exact"))
    assert run.status == exact.status == "finished"
    np.testing.assert_allclose(run.theta, exact.theta, rtol=1e-8)
    np.testing.assert_array_equal(*np.abs(run.theta[:, :2]).swapaxes(0, 1))


@pytest.mark.parametrize("rule", [l2(1.0), lp(1.0, p=1.5), lp(1.0, p=3), linf(1.0)])
def test_two_equal_layers_of_three_stay_equal_up_to_sign(rule):
    start = [[0.9, 1.2], [-0.9, 0.4], [0.5, -1.2]]
    run = solve(Flow(single_example([1.0, -0.7]), rule), start, tau_end=0.4, method="RK45")
    np.testing.assert_array_equal(run.theta[:, 0, 0], -run.theta[:, 1, 0])
    np.testing.assert_array_equal(run.theta[:, 0, 1], -run.theta[:, 2, 1])
    apart = np.array(start) + 1e-12 * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    other = solve(Flow(single_example([1.0, -0.7]), rule), apart, tau_end=0.4, method="RK45")
    np.testing.assert_allclose(run.theta[-1], other.theta[-1], atol=1e-7)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rule", [l2(1.0), lp(1.0, p=3)], ids=lambda r: r.name)
def test_features_at_the_ends_of_doubles_run_or_are_refused(rule):
    flow, start = Flow(single_example([1e-300, 1e-200]), rule), balanced([0.2, 0.2], 2)
    if rule.p == 2:
        with pytest.raises(ValueError, match=r"1e-140 <= \|mu_j\| .* got 1e-300"):
            solve(flow, start, tau_end=1e200)
    else:
        alone = solve(Flow(single_example([1.0]), rule), [[0.2]] * 2, tau_end=0.1, method="DOP853")
        run = solve(flow, start, tau_end=1e199)
        assert run.theta[-1, 0, 1] == pytest.approx(alone.theta[-1, 0, 0], rel=1e-8)


def test_weights_that_die_one_after_another_end_the_run():
    # p > 2 at four layers: the slope is infinite there, and steps shrank without end: failed
    start = [[1.66, -1.63], [-1.85, 1.35], [0.36, 0.91], [-0.91, -1.28]]
    flow = Flow(single_example([0.5, -0.5]), lp(1.0, p=3))
    run = solve(flow, start, log_t_end=3.0)
    assert run.status == "collapsed" and run.steps < 1_000
    assert [(e.kind, e.coordinate) for e in run.events][:2] == [("zero", 0), ("zero", 1)]
    assert run.tau[-1] == pytest.approx(6.354043, rel=1e-6)  # at atol = 1e-15 too
    assert limit(flow, start).label == 0


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
@pytest.mark.parametrize("clock", ["tau_end", "log_t_end"])
def test_a_start_with_two_layers_of_each_feature_at_0_rests_there(p, clock):
    start = np.array([[0.0, 0.7], [0.0, 0.0], [1.0, 0.0], [0.5, 0.2]])
    flow = Flow(single_example([1.0, 1.0]), lp(1.0, p=p))
    run = solve(flow, start, **{clock: 1.5}, save_at=4)
    assert run.status == "collapsed" and (run.theta == start).all()
    assert np.isfinite(run.log_t).all()
    assert p == 1 or limit(flow, start).label == 0
