"""solve_many against solve_ivp member by member, closed forms at the ends, and its own promises."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from flowsam.data import Data, single_example
from flowsam.engines.lean_field import lean_field
from flowsam.ensemble import Ending, solve_many
from flowsam.exact import linf_deep
from flowsam.flow import Flow
from flowsam.losses import exponential
from flowsam.network import balanced, beta
from flowsam.outcomes.settling import settle
from flowsam.perturbations import asam, gradient_flow, l2, linf, lp, unnormalised
from flowsam.regimes import case_of
from flowsam.solver import solve

RULES = [gradient_flow(), l2(0.7), lp(0.7, p=1.5), lp(0.7, p=3.0), unnormalised(0.2)]
TWO = single_example([1.0, 2.0])
UNITS = 1e-12, 1e-9  # absolute and relative tolerance behind rtol = 1e-9


def units(found, reference):
    """Largest difference in tolerance units."""
    return float(np.max(np.abs(found - reference) / (UNITS[0] + UNITS[1] * np.abs(reference))))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("depth", [1, 2, 3, 4, 9])
def test_lean_field_is_the_field(rule, depth):
    rng = np.random.default_rng(depth)
    w = rng.uniform(-1.2, 1.2, (depth, 3, 40))
    for n, loss in ((1, exponential), (4, exponential), (4, Flow(TWO, rule).loss)):
        flow = Flow(Data(rng.normal(size=(n, 3))), rule, loss)
        expected = np.moveaxis(flow.field(np.moveaxis(w, -1, 0)), 0, -1)
        worst = np.max(np.abs(lean_field(flow)(w) - expected) / (1 + np.abs(expected)))
        assert worst < 1e-9  # unnormalised steps are exponentials of margins


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_member_takes_the_steps_of_solve_ivp(rule):
    rng = np.random.default_rng(3)
    flow, starts = Flow(TWO, rule), rng.uniform(0.9, 2.0, (6, 2, 2))
    run = solve_many(flow, starts, tau_end=1.5)
    for start, found, steps in zip(starts, run.theta, run.steps, strict=True):
        alone = solve_ivp(
            lambda _, y: flow.field(y.reshape(2, 2)).ravel(),
            (0, 1.5), start.ravel(), "DOP853", rtol=1e-9, atol=1e-12,
        )  # fmt: skip
        assert steps == alone.t.size - 1
        assert units(found, alone.y[:, -1].reshape(2, 2)) < 1e-2


def test_agreement_with_solve_member_by_member():
    rng = np.random.default_rng(4)
    starts = np.concatenate([rng.uniform(-0.3, 0.3, (2, 2, 2)), rng.uniform(0.5, 2.0, (4, 2, 2))])
    run = solve_many(Flow(TWO, l2(1.0)), starts, tau_end=4.0)
    for start, theta, tau, status in zip(starts, run.theta, run.tau, run.status, strict=True):
        one = solve(Flow(TWO, l2(1.0)), start, tau_end=4.0, method="DOP853")
        assert one.status.upper() == Ending(status).name
        if status == Ending.COLLAPSED:
            assert tau == pytest.approx(one.events[-1].tau, abs=1e-11) and not theta.any()
        else:
            assert tau == 4.0 and units(theta, one.theta[-1]) < 5


def test_several_examples():
    rng = np.random.default_rng(5)
    z = np.abs(rng.normal(size=(6, 3)))
    flow, starts = Flow(Data(z), l2(0.3)), rng.uniform(0.5, 1.5, (3, 2, 3))
    run = solve_many(flow, starts, tau_end=3.0)
    for start, theta in zip(starts, run.theta, strict=True):
        alone = solve_ivp(
            lambda _, y: flow.field(y.reshape(1, 2, 3)).ravel(),
            (0, 3.0), start.ravel(), "DOP853", rtol=1e-12, atol=1e-13,
        )  # fmt: skip
        assert units(theta.ravel(), alone.y[:, -1]) < 5 * 20


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_blow_up_times_of_gradient_flow_are_exact(depth):
    rng = np.random.default_rng(depth)
    starts, mu = rng.uniform(0.3, 1.5, (12, depth, 2)), np.array([1.0, 1.5])
    run = solve_many(Flow(single_example(mu), gradient_flow()), starts, tau_end=1e4)
    exact = linf_deep.read(starts, mu, 0.0).blow_up_time
    assert (run.status == Ending.ESCAPED).all()
    assert np.allclose(run.tau, exact.min(axis=1), rtol=5e-9)
    assert np.array_equal(np.isinf(beta(run.theta)), exact == exact.min(axis=1, keepdims=True))
    for start, theta, tau in zip(starts, run.theta, run.tau, strict=True):
        frozen = linf_deep.read(start, mu, 0.0).weights([tau])[0]
        rest = np.isfinite(theta) & np.isfinite(frozen)
        assert rest.sum() >= depth and np.allclose(theta[rest], frozen[rest], rtol=1e-7)


def test_collapse_time_of_one_coordinate():
    gate = 1 / np.sqrt(2)  # w' = mu (w - rho/sqrt 2) for equal layers
    alpha = np.linspace(0.1, 0.6, 9)
    starts = balanced(alpha[:, None], 2)
    run = solve_many(Flow(single_example([2.0]), l2(1.0)), starts, tau_end=9.0)
    assert np.allclose(run.tau, np.log(gate / (gate - alpha)) / 2, rtol=1e-8)
    assert (run.status == Ending.COLLAPSED).all() and not run.theta.any()


def test_a_vanishing_gradient_ends_a_deep_member():
    start = [[0.13, 0.63], [1.75, 0.39], [0.63, 1.68]]
    run = solve_many(Flow(TWO, l2(1.0)), start, tau_end=10.0)
    assert run.status == Ending.COLLAPSED and run.steps < 200
    assert ((run.theta == 0).sum(axis=0) == 2).all()


def test_one_coordinate_rests_alone_for_p_above_two():
    flow, start = Flow(TWO, lp(1.0, p=3.0)), np.array([[1.01, 0.36], [0.93, 0.5]])
    run = solve_many(flow, start, tau_end=1.5)
    assert run.status == Ending.FINISHED and run.steps < 300
    chattering = solve_ivp(
        lambda _, y: flow.field(y.reshape(2, 2)).ravel(),
        (0, 1.5), start.ravel(), "DOP853", rtol=1e-5, atol=1e-6,
    )  # fmt: skip
    assert (run.theta[:, 1] == 0).all()
    assert np.allclose(run.theta, chattering.y[:, -1].reshape(2, 2), rtol=1e-6, atol=2e-6)


def test_no_member_changes_the_steps_of_another():
    rng = np.random.default_rng(8)
    good = rng.uniform(0.7, 2.0, (40, 2, 2))
    bad = rng.uniform(0.05, 0.3, (40, 2, 2))
    flow = Flow(TWO, l2(1.0))
    alone, mixed = (
        solve_many(flow, starts, tau_end=4.0) for starts in (good, np.concatenate([bad, good]))
    )
    assert np.array_equal(mixed.steps[40:], alone.steps)
    assert units(mixed.theta[40:], alone.theta) < 0.1
    assert (mixed.status[:40] == Ending.COLLAPSED).all()


def test_more_members_than_a_block_come_back_in_place(monkeypatch):
    monkeypatch.setattr("flowsam.ensemble.members.BLOCK", 256)  # 64 members of four numbers
    rng = np.random.default_rng(9)
    starts = rng.uniform(0.1, 2.0, (20, 15, 2, 2))
    whole = solve_many(Flow(TWO, l2(1.0)), starts, tau_end=2.0)
    part = solve_many(Flow(TWO, l2(1.0)), starts[7], tau_end=2.0)
    assert whole.theta.shape == starts.shape and whole.tau.shape == (20, 15)
    assert np.array_equal(whole.steps[7], part.steps)
    assert np.allclose(whole.theta[7], part.theta, rtol=1e-10, atol=1e-11)


def test_settled_members_stop_at_once():
    flow = Flow(TWO, l2(1.0))
    starts = np.random.default_rng(10).uniform(0.8, 2.0, (30, 2, 2))
    large = lambda theta: np.abs(theta).max(axis=(-2, -1)) > 3.0  # noqa: E731
    run = solve_many(flow, starts, tau_end=50.0, settled=large)
    assert (run.status == Ending.SETTLED).all() and (run.tau < 3).all()
    assert large(run.theta).all()


def test_ends_without_a_path():
    flow = Flow(TWO, l2(1.0))
    assert solve_many(flow, np.zeros((0, 2, 2)), tau_end=1.0).status.shape == (0,)
    rest = solve_many(flow, np.zeros((2, 2)), tau_end=1.0)
    assert rest.status == Ending.COLLAPSED and rest.tau == 0 and rest.theta.shape == (2, 2)
    far = solve_many(Flow(TWO, gradient_flow()), np.ones((2, 2)), tau_end=1e4)
    assert far.status == Ending.ESCAPED and far.tau < 1e3


@pytest.mark.parametrize(("change", "word"), [
    ({"tau_end": 0.0}, "positive"),
    ({"tau_end": np.nan}, "finite"),
    ({"rtol": 1e-15}, "1e-13"),
    ({"theta0s": np.ones((2, 3))}, "shape"),
    ({"flow": Flow(TWO, linf(1.0)), "settled": np.isnan}, "settled"),
    ({"flow": Flow(TWO, lp(1.0, p=1.0)), "theta0s": np.ones((3, 2)), "method": "DOP853"}, "DOP853"),
])  # fmt: skip
def test_bad_input_is_one_line(change, word):
    call = {"flow": Flow(TWO, l2(1.0)), "theta0s": np.ones((2, 2)), "tau_end": 1.0} | change
    flow, starts = call.pop("flow"), call.pop("theta0s")
    with pytest.raises(ValueError, match=word) as caught:
        solve_many(flow, starts, **call)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rule", [linf(0.6), lp(0.6, p=1), asam(0.6, p=1), asam(0.6, p=np.inf)])
@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_field_that_jumps_is_followed_one_by_one(rule, n, depth):
    rng = np.random.default_rng(depth)
    flow, starts = Flow(Data(rng.normal(size=(n, 2))), rule), rng.normal(size=(2, 3, depth, 2))
    run = solve_many(flow, starts, tau_end=0.7)
    assert run.method == ("DOP853" if case_of(flow, depth).regime.many else "solve")
    assert run.theta.shape == starts.shape and run.tau.shape == run.steps.shape == (2, 3)
    for place in np.ndindex(2, 3):
        one = solve(flow, starts[place], tau_end=0.7, atol=1e-3 * 1e-9)
        words = (one.status.upper(), str(one.ending).upper().replace(" ", "_"))
        assert Ending(run.status[place]).name in words
        close = {"rtol": 1e-6, "atol": 1e-8} if run.method == "DOP853" else {"rtol": 0, "atol": 0}
        np.testing.assert_allclose(run.theta[place], one.theta[-1], **close)


def test_ends_of_members_followed_one_by_one():
    starts = balanced([[0.4, 0.3], [1.5, 0.3]], 3)
    flow = Flow(TWO, linf(1.0))
    deep, flat = (solve_many(flow, starts[:, :depth], tau_end=9.0) for depth in (3, 2))
    assert [Ending(s).name for s in flat.status] == ["COLLAPSED", "FINISHED"]
    assert flat.tau[0] == pytest.approx(np.log(1 / 0.6)) and not flat.theta[0].any()
    assert [Ending(s).name for s in deep.status] == ["FINISHED", "ESCAPED"]
    assert np.isinf(deep.theta[1, :, 0]).all() and deep.tau[1] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("rule", "shape"),
    [
        (lp(1.0, p=1.5), (3, 2)),
        (lp(1.0, p=1.5), (2, 5)),
        (lp(1.0, p=3), (2, 3)),
        (lp(1.0, p=1), (2, 3)),
        (l2(1.0), (5, 2)),
        (l2(1.0), (2, 9)),
        (unnormalised(0.3), (3, 4)),
        (gradient_flow(), (4, 3)),
    ],
    ids=str,
)
def test_a_member_is_the_same_to_the_last_bit_whatever_its_neighbours(rule, shape):
    # steps run out for some: a rounding decides where
    starts = np.random.default_rng(8).normal(0, 0.8, (41, *shape))
    flow = Flow(single_example(np.arange(1.0, shape[1] + 1)), rule)
    how = {"tau_end": 2.0, "most_steps": 60, "method": "DOP853"}
    whole = solve_many(flow, starts, **how)
    for some in ([0], [7], [3, 4], slice(5, 22), slice(None, None, -1)):
        part = solve_many(flow, starts[some], **how)
        for name in ("theta", "tau", "status", "steps"):
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[some])


def test_labels_do_not_depend_on_the_batch():
    starts = np.random.default_rng(9).normal(0, 0.8, (24, 3, 2))
    flow = Flow(single_example([1.0, 2.0]), lp(1.0, p=1.5))
    whole = settle(case_of(flow, 3), starts)
    for k in range(6):
        one = settle(case_of(flow, 3), starts[k : k + 1])
        assert (one.label[0], one.tau[0]) == (whole.label[k], whole.tau[k])


@pytest.mark.parametrize("p, depth", [(2.5, 2), (4.0, 2), (8.0, 2), (2.5, 4), (4.0, 3), (8.0, 3)])
def test_weights_die_in_a_batch_as_in_single_runs(p, depth):
    """For p > 2 at p >= 4 members went OUT_OF_STEPS beside weights braked without bound."""
    rng = np.random.default_rng([depth, round(10 * p)])
    flow = Flow(single_example([1.0, -1.6]), lp(1.0, p=p))
    starts = rng.uniform(-1.0, 1.0, (2, depth, 2))
    batch = solve_many(flow, starts, tau_end=3.0)
    for k, start in enumerate(starts):
        run = solve(flow, start, tau_end=3.0)
        assert Ending(batch.status[k]).name.lower() == run.status, (k, run.message)
        if run.status == "finished":
            np.testing.assert_allclose(batch.theta[k], run.theta[-1], atol=1e-7)
        else:
            assert batch.tau[k] == pytest.approx(run.events[-1].tau, rel=1e-6)


def test_a_weight_that_comes_to_its_master_from_beyond_0_does_not_fork():
    """Steps were halved to nothing where it passed 0: "an odd number of layers", of one."""
    flow = Flow(single_example([1.0, -1.6]), lp(1.0, p=3))
    start = np.random.default_rng(1).uniform(-1.0, 1.0, (300, 3, 2))[10]
    run = solve(flow, start, tau_end=6.0)
    batch = solve_many(flow, start[None], tau_end=6.0)
    assert run.status == "collapsed" and batch.status[0] == Ending.COLLAPSED
    assert batch.tau[0] == pytest.approx(run.events[-1].tau, rel=1e-6)
