"""heyoka as an engine of solve_many: against DOP853 and mpmath, at late margins, and absent."""

import importlib.util

import mpmath
import numpy as np
import pytest

from flowsam.data import Data, single_example
from flowsam.engines import taylor
from flowsam.ensemble import Ending, solve_many, taylor_batch
from flowsam.exact import l2_two_layer
from flowsam.flow import Flow
from flowsam.losses import exponential, logistic
from flowsam.perturbations import gradient_flow, l2, linf, lp, unnormalised
from flowsam.solver import solve

TWO = Flow(single_example([1.0, 2.0]), l2(1.0))
present = pytest.mark.skipif(
    importlib.util.find_spec("heyoka") is None, reason="needs the extra flowsam[fast]"
)


def difference(found, reference):
    """Largest difference relative to the largest weight of a member."""
    size = np.abs(reference).max(axis=(-2, -1), keepdims=True)
    return float((np.abs(found - reference) / size).max())


@present
@pytest.mark.parametrize(("rule", "n", "depth", "loss"), [
    (l2(0.7), 1, 2, logistic), (l2(0.7), 3, 2, logistic), (l2(0.5), 2, 3, exponential),
    (gradient_flow(), 4, 2, logistic), (gradient_flow(), 1, 4, logistic),
    (unnormalised(0.2), 1, 2, logistic), (unnormalised(0.2), 3, 2, exponential),
    (l2(0.4), 3, 1, logistic), (gradient_flow(), 1, 1, logistic), (l2(0.4), 1, 1, logistic),
])  # fmt: skip
def test_agrees_with_the_finest_dop853(rule, n, depth, loss):
    rng = np.random.default_rng(n + depth)
    flow = Flow(Data(np.abs(rng.normal(size=(n, 2))) + 0.1), rule, loss)
    starts = rng.uniform(0.8, 1.2, (11, depth, 2)) * rng.choice([1, 1, -1], (11, depth, 2))
    end = 0.1 if depth == 4 else 0.4  # before a blow-up
    fine = solve_many(flow, starts, tau_end=end, rtol=1e-13, method="DOP853")
    run = solve_many(flow, starts, tau_end=end, rtol=1e-11, method="heyoka")
    assert run.method == "heyoka" and np.array_equal(run.status, fine.status)
    assert (run.steps[run.status == Ending.FINISHED] < 60).all()
    assert difference(run.theta, fine.theta) < 1e-12


@present
@pytest.mark.parametrize("rtol", [1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("seed", range(5))
def test_is_nearer_to_the_exact_form_than_dop853_at_the_same_rtol(seed, rtol):
    rng = np.random.default_rng(seed)
    mu, rho, end = np.sort(rng.uniform(0.3, 3.0, 2)), 10 ** rng.uniform(-1.5, 0.5), 1.0
    starts = rng.uniform(-1.0, 1.0, (300, 2, 2)) * 10 ** rng.uniform(-0.5, 0.7)
    runs = [
        solve_many(Flow(single_example(mu), l2(rho)), starts, tau_end=end, rtol=rtol, method=m)
        for m in ("heyoka", "DOP853")
    ]
    arrived = np.all([run.status == Ending.FINISHED for run in runs], axis=0)
    assert arrived.any() and np.array_equal(runs[0].status, runs[1].status)
    exact = l2_two_layer.read(starts[arrived], mu, rho).weights([end])[:, 0]
    by_taylor, by_steps = (difference(run.theta[arrived], exact) for run in runs)
    assert by_taylor < 0.8 * by_steps  # the largest of 87 such ratios is 0.6


@present
def test_members_leave_their_block_as_they_arrive(monkeypatch):
    starts = np.random.default_rng(8).uniform(0.2, 3.0, (50, 2, 2))
    whole = solve_many(TWO, starts, tau_end=3.0, method="heyoka")
    monkeypatch.setattr(taylor_batch, "BLOCK", 16)
    for part in (slice(None), slice(0, 50, 9)):
        run = solve_many(TWO, starts[part], tau_end=3.0, method="heyoka")
        assert np.array_equal(run.theta, whole.theta[part])
        assert np.array_equal(run.steps, whole.steps[part])
    assert len(set(whole.steps)) > 2


@present
def test_a_closed_form_to_the_last_digits():
    flow, start = Flow(single_example([1.7]), l2(0.9)), np.full((1, 2, 1), 1.3)
    run = solve_many(flow, start, tau_end=3.0, rtol=1e-13, method="heyoka")
    with mpmath.workdps(50):
        gate = mpmath.mpf(0.9) / mpmath.sqrt(2)
        exact = gate + (mpmath.mpf(1.3) - gate) * mpmath.exp(mpmath.mpf(1.7) * 3)
        assert abs(run.theta[0, 0, 0] / exact - 1) < 1e-14


@present
@pytest.mark.parametrize("loss", [logistic, exponential])
def test_margins_beyond_the_range_of_exp(loss):
    flow = Flow(Data([[1.0, 0.2], [0.9, 0.3], [0.95, 0.4]]), l2(0.5), loss)
    starts = np.array([[[40.0, 30.0], [41.0, 29.0]], [[60.0, 50.0], [61.0, 49.0]]])
    assert (np.prod(starts, axis=1) @ flow.data.z.T).min() > 709
    run = solve_many(flow, starts, tau_end=0.5, method="heyoka")
    fine = solve_many(flow, starts, tau_end=0.5, rtol=1e-12, method="DOP853")
    assert (run.status == Ending.FINISHED).all() and (run.steps < taylor_batch.MOST_STEPS).all()
    assert difference(run.theta, fine.theta) < 1e-9


@present
def test_members_that_do_not_arrive_end_as_by_steps():
    rng = np.random.default_rng(2)
    starts = np.concatenate([rng.uniform(0.05, 0.3, (5, 2, 2)), rng.uniform(0.7, 2, (8, 2, 2))])
    run, steps = (solve_many(TWO, starts, tau_end=4.0, method=m) for m in ("heyoka", "DOP853"))
    assert np.array_equal(run.status, steps.status) and (run.status == Ending.COLLAPSED).any()
    fallen = run.status == Ending.COLLAPSED
    assert np.allclose(run.tau[fallen], steps.tau[fallen], rtol=1e-9)
    assert difference(run.theta[~fallen], steps.theta[~fallen]) < 1e-6
    deep = Flow(single_example([1.0, 1.5]), gradient_flow())
    three = np.repeat(starts, 2, axis=1)[:, :3]
    pair = [solve_many(deep, three, tau_end=90.0, method=m) for m in ("heyoka", "DOP853")]
    assert np.array_equal(pair[0].status, pair[1].status)
    assert (pair[0].status == Ending.ESCAPED).all()
    assert np.allclose(pair[0].tau, pair[1].tau, rtol=1e-8)


@present
@pytest.mark.parametrize("d", [1, 2])
def test_no_step_goes_through_a_collapse_along_the_series(d):
    rng = np.random.default_rng(7)  # balanced: the weights are analytic where they reach 0
    starts = np.repeat(rng.uniform(0.05, 0.6, (60, 1, d)), 2, axis=1)
    starts[20:40, :, 1:] = 1e-9
    flow = Flow(single_example([1.0, 2.0][:d]), l2(1.0))
    run, steps = (solve_many(flow, starts, tau_end=3.0, method=m) for m in ("heyoka", "DOP853"))
    assert np.array_equal(run.status, steps.status) and (run.status == Ending.COLLAPSED).sum() > 30
    alone = solve(flow, starts[0], tau_end=3.0, method="heyoka")
    assert alone.status == "collapsed" and alone.events[-1].tau == pytest.approx(
        run.tau[0], rel=1e-8
    )


@present
@pytest.mark.parametrize(("rule", "start"), [
    (l2(1.0), [[1.5, 0.6]] * 2), (l2(1.0), [[0.3, 0.2], [0.25, 0.1]]), (l2(0.4), [[0.4, -0.2]]),
    (gradient_flow(), [[1.5, 0.6]] * 3), (l2(0.5), [[1.5, 0.6], [1.0, 0.7], [0.9, 0.8]]),
    (unnormalised(0.3), [[1.0, 0.6], [0.9, -0.7]]),
])  # fmt: skip
def test_one_run_by_heyoka_is_that_of_dop853(rule, start):
    flow = Flow(single_example([1.0, 2.0]), rule)
    end = {"tau_end": 3.0} if len(start) > 2 or start[0][0] < 1 else {"log_t_end": 30.0}
    fine = solve(flow, start, method="DOP853", rtol=1e-11, save_at=4, **end)
    run = solve(flow, start, method="heyoka", save_at=4, **end)
    assert run.method == "heyoka" and run.status == fine.status
    assert [e.kind for e in run.events] == [e.kind for e in fine.events]
    assert run.tau[-1] == pytest.approx(fine.tau[-1], rel=1e-9)
    finite = np.isfinite(fine.theta)
    assert np.array_equal(finite, np.isfinite(run.theta))
    scale = np.abs(fine.theta[finite]).max()
    assert np.abs(run.theta[finite] - fine.theta[finite]).max() < 1e-8 * scale


@pytest.mark.parametrize(("data", "rule", "words"), [
    ([[1.0, 2.0]], lp(1.0, p=3), "GD, l_2 and unnormalised SAM, got l_3-SAM"),
    ([[1.0, 2.0]], linf(1.0), "GD, l_2 and unnormalised SAM, got l_inf-SAM"),
    ([[1.0] * 50], l2(1.0), "up to 64 weights, got 100"),
    ([[1.0, 2.0], [2.0, 1.0]], l2(1.0), "needs one example: .* solve_many"),
])  # fmt: skip
def test_what_one_run_by_heyoka_does_not_take_is_one_line(data, rule, words):
    with pytest.raises(ValueError, match=words):
        solve(Flow(Data(data), rule), np.ones((2, len(data[0]))), tau_end=1.0, method="heyoka")


@present
def test_auto_takes_it_for_many_and_compiles_a_shape_once(monkeypatch):
    monkeypatch.setattr(taylor_batch, "WORTH", 80)
    starts = np.random.default_rng(3).uniform(0.9, 2.0, (20, 2, 2))
    assert solve_many(TWO, starts, tau_end=1.0).method == "heyoka"
    before = taylor.step.cache_info().misses
    other = Flow(single_example([0.5, 3.0]), l2(0.2))
    assert solve_many(other, starts, tau_end=0.5).method == "heyoka"
    assert taylor.step.cache_info().misses == before
    assert solve_many(TWO, starts[:19], tau_end=1.0).method == "DOP853"
    assert solve_many(Flow(TWO.data, lp(1.0, p=3)), starts, tau_end=0.1).method == "DOP853"
    never = lambda theta: np.zeros(len(theta), dtype=bool)  # noqa: E731
    assert solve_many(TWO, starts, tau_end=1.0, settled=never).method == "DOP853"


def test_without_heyoka_everything_works(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "heyoka" else find(name)
    )
    monkeypatch.setattr(taylor_batch, "WORTH", 20)
    starts = np.random.default_rng(4).uniform(0.9, 2.0, (6, 2, 2))
    assert solve_many(TWO, starts, tau_end=0.5).method == "DOP853"
    for ask in (lambda: solve_many(TWO, starts, tau_end=0.5, method="heyoka"),
                lambda: solve(TWO, starts[0], tau_end=0.5, method="heyoka")):  # fmt: skip
        with pytest.raises(ImportError, match=r"pip install 'flowsam\[fast\]'"):
            ask()


@pytest.mark.parametrize(("flow", "options", "words"), [
    (TWO, {"method": "Taylor"}, "auto, DOP853 or heyoka, got 'Taylor'"),
    (Flow(TWO.data, lp(1.0, p=3)), {"method": "heyoka"}, "GD, l_2 and unnormalised SAM.*l_3-SAM"),
    (TWO, {"method": "heyoka", "settled": lambda _: _}, "to tau_end, got settled="),
])  # fmt: skip
def test_bad_input_is_one_line(flow, options, words):
    with pytest.raises(ValueError, match=words):
        solve_many(flow, np.ones((2, 2)), tau_end=1.0, **options)
