"""Labels by integration: what certificates promise, against long runs and discrete SAM."""

import numpy as np
import pytest

from flowsam import (
    Data,
    Flow,
    Label,
    balanced,
    l2,
    limit,
    limits,
    lp,
    single_example,
    solve,
    solve_many,
    unnormalised,
)
from flowsam.ensemble import Ending, batched_steps
from flowsam.outcomes.certificates import decided
from flowsam.outcomes.settling import settle, settling_times
from flowsam.outcomes.sinking import sinking
from flowsam.regimes import MOST_STEPS, case_of

MU = np.array([1.0, -2.0])


def sunk_states(rng, depth, reach, number=2000):
    """States with two small layers in each of two coordinates, layers in any order."""
    w = rng.uniform(0.4, 2.0, (number, depth, 2)) * rng.choice([-1.0, 1.0], (number, depth, 2))
    w[:, :2] = rng.uniform(-reach, reach, (number, 2, 2))
    return rng.permuted(w, axis=1)


@pytest.mark.parametrize(("p", "depth"), [(1.3, 3), (2.0, 3), (2.0, 5), (1.7, 4), (3.0, 3)])
def test_what_is_certain_to_sink_sinks(p, depth):
    rng, flow = np.random.default_rng(depth), Flow(single_example(MU), lp(1.0, p=p))
    starts = sunk_states(rng, depth, 0.005 if p <= 2 else 1e-4)
    sure = sinking(flow, np.moveaxis(starts, 0, -1))
    starts = starts[sure][: 40 if p <= 2 else 4]
    assert sure.sum() >= 40
    run = solve_many(flow, starts, tau_end=5.0, rtol=1e-8)
    assert (run.status == Ending.COLLAPSED).all()
    assert ((run.theta == 0).sum(axis=1) == 2).all()
    held = run.theta != 0
    assert (np.abs(run.theta[held] / starts[held] - 1) < 0.1).all()


def test_what_is_not_certain_may_escape():
    flow = Flow(single_example(MU), l2(1.0))
    starts = sunk_states(np.random.default_rng(0), 3, 0.9, 200)
    run = solve_many(flow, starts, tau_end=5.0, rtol=1e-8)
    escaped = run.status == Ending.ESCAPED
    assert escaped.sum() > 10 and not sinking(flow, np.moveaxis(starts[escaped], 0, -1)).any()


def test_a_coordinate_at_the_tolerance_is_not_followed():
    flow = Flow(single_example(MU), l2(1.0))
    starts = sunk_states(np.random.default_rng(0), 3, 0.9, 200)
    run = solve_many(flow, starts, tau_end=5.0, rtol=1e-8)
    assert run.steps.max() < 200 and (run.status != Ending.FAILED).all()
    sharp = solve_many(flow, starts[:20], tau_end=5.0, rtol=1e-10)
    assert (sharp.status == run.status[:20]).all()
    assert np.abs(sharp.tau / run.tau[:20] - 1).max() < 1e-6


def discrete_beta(starts, mu, rho, *, step=4e-3, tau=10.0):
    """Predictors after l_2-SAM in rescaled time with small steps; kept below 1e3."""
    w = starts.copy()
    for _ in range(int(tau / step)):
        g = np.stack([np.delete(w, k, axis=1).prod(axis=1) for k in range(w.shape[1])], axis=1) * mu
        norm = np.sqrt((g**2).sum(axis=(1, 2), keepdims=True))
        hat = w - rho * g / np.where(norm > 0, norm, 1.0)
        v = np.stack([np.delete(hat, k, axis=1).prod(axis=1) for k in range(w.shape[1])], axis=1)
        small = (np.abs(w).max(axis=(1, 2), keepdims=True) < 50) * step
        w = w + small * mu * v
    return w.prod(axis=1)


def test_unbalanced_l2_labels_are_those_of_discrete_sam():
    rng, mu = np.random.default_rng(1), np.array([1.0, 2.0])
    starts = rng.uniform(0.1, 1.2, (200, 3, 2))
    flow = Flow(single_example(mu), l2(1.0))
    labels = limits(flow, starts)
    assert {0, 1, 2} <= set(labels.tolist()) and (labels == Label.UNDECIDED).mean() < 0.02
    known = np.flatnonzero(labels != Label.UNDECIDED)
    beta = np.abs(discrete_beta(starts[known], mu, 1.0))
    seen = np.where(beta.max(axis=1) < 1.0, 0, beta.argmax(axis=1) + 1)
    assert (seen == labels[known]).mean() > 0.97  # the rest lies next to a boundary


def test_one_start_says_why():
    flow = Flow(single_example([1.0, 2.0]), l2(1.0))
    found = limit(flow, [[1.15, 0.92], [0.66, 0.52], [0.37, 0.3]])
    assert found.label == 0 and found.certificate == "monotone" and "two layers" in found.reason


def test_times_are_those_of_single_runs():
    rng, flow = np.random.default_rng(2), Flow(single_example([1.0, 2.0]), l2(1.0))
    starts = rng.uniform(0.1, 1.2, (40, 3, 2))
    times, run = (
        settling_times(case_of(flow, 3), starts),
        solve_many(flow, starts, tau_end=40.0, rtol=1e-11),
    )
    ended = np.isin(run.status, (Ending.COLLAPSED, Ending.ESCAPED))
    assert ended.sum() > 30
    assert np.abs(times[ended] / run.tau[ended] - 1).max() < 1e-6


def test_order_and_company_change_nothing():
    rng, flow = np.random.default_rng(3), Flow(single_example([1.0, 2.0]), lp(1.0, p=1.5))
    starts = rng.uniform(-1.0, 1.0, (60, 2, 2))
    case = case_of(flow, 2)
    labels, order = settle(case, starts).label, rng.permutation(60)
    assert np.array_equal(settle(case, starts[order]).label, labels[order])
    assert np.array_equal(settle(case, starts[:7]).label, labels[:7])


def discrete_l1_beta(starts, mu, rho, *, step=2e-3, tau=14.0):
    """Predictors after l_1-SAM at L = 2 in rescaled time: all of rho on the largest |g|."""
    w, rows = starts.copy(), np.arange(len(starts))
    for _ in range(int(tau / step)):
        g = (mu * w[:, ::-1]).reshape(len(w), -1)
        top = np.abs(g).argmax(axis=1)
        hat = w.reshape(len(w), -1).copy()
        hat[rows, top] -= rho * np.sign(g[rows, top])
        small = (np.abs(w).max(axis=(1, 2), keepdims=True) < 1e4) * step
        w = w + small * mu * hat.reshape(w.shape)[:, ::-1]
    return w.prod(axis=1)


@pytest.mark.parametrize("low", [0.05, -1.2])
def test_l1_labels_are_those_of_discrete_sam(low):
    mu, rng = np.array([1.0, 2.0]), np.random.default_rng(5)
    starts = rng.uniform(low, 1.2, (200, 2, 2))
    labels = limits(Flow(single_example(mu), lp(1.0, p=1)), starts)
    beta = np.abs(discrete_l1_beta(starts, mu, 1.0))
    seen = np.where(beta.max(axis=1) < 1, 0, beta.argmax(axis=1) + 1)
    # chatter of discrete SAM about u = -v, where the flow stays for ever, grows in the end
    assert (seen == labels).mean() >= 0.99 and {0, 2} <= set(labels.tolist())


@pytest.mark.long
def test_l1_states_and_times_are_those_of_event_driven_runs():
    rng, flow = np.random.default_rng(0), Flow(single_example([1.0, -1.4, 0.6]), lp(1.0, p=1))
    starts = rng.uniform(-1.5, 1.5, (8, 2, 3))
    starts[:3] *= 0.15
    run = solve_many(flow, starts, tau_end=2.0, rtol=1e-9)
    ended = []
    for start, end, tau, status in zip(starts, run.theta, run.tau, run.status, strict=True):
        exact = solve(flow, start, tau_end=2.0)
        ended.append(exact.status)
        if exact.status == "finished":
            assert np.abs(end - exact.theta[-1]).max() < 2e-6
        else:
            assert status == Ending.COLLAPSED
            assert abs(tau - exact.events[-1].tau) < 1e-6
    assert set(ended) == {"finished", "collapsed"}


def test_an_l1_coordinate_that_reaches_its_saddle_line_stays():
    start = [[-1.031445578809343, -0.8214315988222314], [-0.7635474071663892, 0.8122768491977552]]
    flow = Flow(single_example([1.0, 2.0]), lp(1.0, p=1))
    assert limit(flow, start).label == 1  # the line is reached in finite tau, and held
    assert limit(Flow(flow.data, lp(1.0, p=1.05)), start).label == 2  # never reached
    deep = limit(flow, np.repeat(start, [1, 2], axis=0))
    assert deep.label == Label.UNDECIDED and "L = 3 jumps where the largest |g| tie" in deep.reason


@pytest.mark.parametrize("depth", [3, 4])
def test_a_certain_winner_of_unnormalised_sam_blows_up_first(depth):
    rng, flow = np.random.default_rng(depth), Flow(single_example(MU), unnormalised(1.0))
    starts = rng.uniform(-2.5, 2.5, (3000, depth, 2)) * [1.6, 0.15]
    found = decided(flow, np.moveaxis(starts, 0, -1))
    against = np.prod(starts, axis=1) * MU < 0  # margins that pull the other way
    chosen = np.flatnonzero((found > 0) & against.any(axis=1))[:20]
    assert chosen.size == 20
    run = solve_many(flow, starts[chosen], tau_end=50.0, rtol=1e-8)
    assert (run.status == Ending.ESCAPED).all()
    assert np.array_equal(np.isinf(run.theta[:, 0]).argmax(axis=1) + 1, found[chosen])


def test_what_sinks_under_unnormalised_sam_sinks():
    rng, flow = np.random.default_rng(3), Flow(single_example(MU), unnormalised(6.0))
    starts = sunk_states(rng, 3, 0.01, 9000)
    sure = starts[sinking(flow, np.moveaxis(starts, 0, -1))][:30]
    assert len(sure) == 30
    end = solve_many(flow, sure, tau_end=20.0, rtol=1e-9).theta
    assert np.sort(np.abs(end), axis=1)[:, 1].max() < 1e-4
    held = np.abs(sure) > 0.1
    assert (np.abs(end[held] / sure[held] - 1) < 0.01).all()
    weak = Flow(flow.data, unnormalised(0.5))  # rho |ell'| a < 1: the origin lets go
    assert not sinking(weak, np.moveaxis(sure, 0, -1)).any()


def test_unnormalised_sam_leaves_nothing_open():
    flow = Flow(single_example([1.0, 2.0]), unnormalised(1.0))
    starts = np.random.default_rng(8).uniform(-2.0, 2.0, (300, 4, 2))
    assert set(limits(flow, starts).tolist()) == {0, 1, 2}


@pytest.mark.parametrize("depth", [3, 4, 5, 7])
def test_a_balanced_winner_has_its_direction_and_its_certificate(depth):
    rng = np.random.default_rng(depth)
    flow = Flow(single_example([1.0, 2.0, 3.0]), l2(1.0))
    for alpha in ([0.1] * 3, [0.2] * 3, *rng.uniform(0.02, 1.2, (3, 3))):
        found = limit(flow, balanced(alpha, depth))
        assert (found.certificate != "none") == (found.label != Label.UNDECIDED), (alpha, found)
        if found.label >= 1:
            assert found.direction is not None and found.direction[found.label - 1] == 1.0, found


@pytest.mark.parametrize(
    ("mu", "rule", "start"),
    [
        ([1.0], lp(1.0, p=3), [[1.0], [1.0], [-0.5]]),
        ([-1.0, 3.0, 0.0], l2(1.0), [[1.0, 0.8, 0.3], [-0.7, 1.1, 0.3], [0.5, -0.4, 2.0]]),
        ([1.0, 1e3], lp(1.0, p=1.5), [[0.5, 0.5]] * 2),
        ([1.0, 1e8], lp(1.0, p=1.5), [[0.5, 0.5]] * 2),
    ],
)
def test_limits_take_bounded_work(mu, rule, start, monkeypatch):
    """Decided, or undecided with what was done and a way on; never without an end."""
    tried = []
    attempt = batched_steps._attempt
    monkeypatch.setattr(batched_steps, "_attempt", lambda *a: tried.append(1) or attempt(*a))
    found = limit(Flow(single_example(mu), rule), start)
    assert 0 < len(tried) <= 2 * MOST_STEPS
    if found.label == Label.UNDECIDED:
        assert "no certificate holds after 3000 steps" in found.reason
        assert "solve(flow, theta0, tau_end=...)" in found.reason
    else:
        assert found.certificate in ("monotone", "numerical")


def test_members_may_try_so_many_steps_and_no_more():
    """Stiff several examples to the end of doubles: the state and time they came to."""
    flow = Flow(Data([[1.0, 0.5], [0.3, 1.0]]), l2(1.0))
    run = solve_many(flow, [[0.8, 0.72]] * 2, tau_end=1.7e308, most_steps=200)
    assert run.status == Ending.OUT_OF_STEPS and 100 < run.steps <= 200 and 0 < run.tau < 1e3
    assert np.isfinite(run.theta).all()


def test_a_limit_that_has_spent_its_steps_says_how_to_go_further():
    rng = np.random.default_rng(5)
    depth, d = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    p = float(rng.choice([1.5, 3, 8, 1.2]))
    mu = 10.0 ** rng.uniform(-4, 4, d) * rng.choice([-1, 1], d)
    flow, start = Flow(single_example(mu), lp(1.0, p=p)), rng.normal(size=(depth, d))
    few = limit(flow, start, most_steps=300)
    assert few.label == Label.UNDECIDED
    assert few.reason.endswith("limit(flow, theta0, most_steps=3000) goes further")
    assert limit(flow, start).label == Label.ZERO
    with pytest.raises(ValueError, match="most_steps needs one or more, got 0"):
        limit(flow, start, most_steps=0)
    with pytest.raises(ValueError, match="most_steps = 10 is for one example"):
        limit(Flow(Data([[1.0, 2.0], [2.0, 1.0]]), l2(1.0)), np.ones((2, 2)), most_steps=10)
