"""Who leads when: maps, switches, thresholds, patterns and exponents, each against the weights."""

import subprocess
import sys

import numpy as np
import pytest

from flowsam import Flow, Label, l2, limit, single_example
from flowsam.amplification import (
    collapse_exponents,
    critical_scale,
    dominance,
    fastest,
    leaders,
    pattern,
    regimes,
    uniform_leaders,
)
from flowsam.exact.l2_two_layer import read

MU = np.array([1.0, 1.7, 2.2, 3.5])


def uniform(alpha, d):
    return np.full((2, d), alpha)


def sizes(theta, mu, rho, tau):
    """log|beta_j| from the weights, (T, d)."""
    states = read(theta, mu, rho).weights(tau)
    with np.errstate(divide="ignore"):
        return np.log(np.abs(states)).sum(axis=1)


def test_dominance_by_every_measure_is_that_of_the_weights():
    alpha, tau = np.linspace(0.1, 0.9, 9), np.linspace(0.05, 6, 40)
    found = {by: dominance(MU, 1, alpha, tau, by=by) for by in ("size", "contribution", "growth")}
    for row, a in enumerate(alpha):
        log_beta = sizes(uniform(a, 4), MU, 1, tau)
        moving = np.isfinite(log_beta).any(axis=1)
        norm = np.exp(read(uniform(a, 4), MU, 1).curve.log_norm_at(tau[moving]))
        growth = MU * (1 - MU / norm[:, None])
        assert (found["size"][row, moving] == log_beta[moving].argmax(axis=1) + 1).all(), a
        share = log_beta[moving] + np.log(MU)
        assert (found["contribution"][row, moving] == share.argmax(axis=1) + 1).all(), a
        assert (found["growth"][row, moving] == growth.argmax(axis=1) + 1).all(), a
        assert all((found[by][row, ~moving] == 0).all() for by in found)
    assert set(np.unique(found["size"])) == {0, 1, 2, 3, 4}


def test_at_the_start_the_leader_is_the_one_just_after():
    alpha = np.array([0.2, 0.45, 0.62, 1.2])
    early = dominance(MU, 1, alpha, [0, 1e-6])
    assert (early[:, 0] == early[:, 1]).all() and len(set(early[:, 0])) == 4
    nearest = np.abs(MU - alpha[:, None] * np.linalg.norm(MU) / 2**0.5).argmin(axis=1) + 1
    assert (early[:, 0] == nearest).all()


def test_gradient_flow_favours_the_major_coordinate_at_once():
    assert (dominance(MU, 0, [0.1, 1], [0, 1e-9, 5]) == 4).all()
    assert (dominance(MU, 0, [0.1, 1], [0, 3], by="growth") == 4).all()


def test_places_are_those_of_the_example():
    mu = np.array([2.2, 0.0, -1.0, 3.5, 1.7])
    plain = dominance(MU, 1, [0.45], np.linspace(0, 9, 20))
    other = dominance(mu, 1, [0.45], np.linspace(0, 9, 20))
    assert (np.array([0, 3, 5, 1, 4])[plain] == other).all()
    runs = [leaders(uniform(0.45, m.size), m, rho=1).order for m in (MU, mu)]
    assert tuple({1: 3, 2: 5, 3: 1, 4: 4}[k] for k in runs[0]) == runs[1]


def test_uniform_switches_lie_on_the_cones_and_follow_the_exact_sequence():
    seen = set()
    for mu in (MU, np.array([1.0, 1.2, 4.0, 9.0])):
        for factor in (0.9, 1 + 1e-4, 1.2):
            alpha = critical_scale(mu, 1) * factor
            run = leaders(uniform(alpha, 4), mu, rho=1)
            assert run.order == uniform_leaders(mu, 1, alpha), (mu, alpha)
            seen.add(run.order)
            path = read(uniform(alpha, 4), mu, 1).curve
            before, after = np.array([run.order[:-1], run.order[1:]], dtype=int) - 1
            ratio = run.times / path.a_at(run.times)
            assert np.abs(ratio / (mu[before] + mu[after]) - 1).max(initial=0) < 1e-12
    assert len(seen) > 3


def test_a_descent_may_come_first():
    assert leaders(uniform(0.467, 3), [1, 1.5, 6], rho=1).order == (2, 1, 2, 3)


def test_leaders_of_signed_starts_are_those_of_the_weights():
    rng = np.random.default_rng(2)
    for case in range(6):
        d = int(rng.integers(2, 6))
        mu = rng.uniform(0.5, 4, d) * rng.choice([-1, 1], d)
        theta = rng.normal(size=(2, d)) * 10 ** rng.uniform(-1.2, 0.3)
        by = ("size", "contribution")[case % 2]
        run = leaders(theta, mu, rho=1, by=by)
        end = min(float(read(theta, mu, 1).collapse_time), max(10, 1.3 * run.times.max(initial=0)))
        tau = np.linspace(0, end, 600)[1:-1]
        score = sizes(theta, mu, 1, tau) + (case % 2) * np.log(np.abs(mu))
        assert (run.at(tau) == score.argmax(axis=1) + 1).all(), (theta, mu, by)
        at_switch = sizes(theta, mu, 1, run.times) + (case % 2) * np.log(np.abs(mu))
        rows, pairs = (
            np.arange(run.times.size),
            np.array([run.order[:-1], run.order[1:]], dtype=int) - 1,
        )
        gap = at_switch[rows, pairs[0]] - at_switch[rows, pairs[1]]
        steep = np.abs(mu).max() ** 2 * 20
        assert np.abs(gap).max(initial=0) < 1e-12 * steep / np.diff([0, *run.times, end]).min()


def test_a_coordinate_that_changes_sign_gives_way_for_a_moment():
    theta, mu = np.array([[1e10, 1e-10], [1 - 1e10, 1e-10]]), [1.0, 2.0]
    run = leaders(theta, mu, rho=1)
    assert run.order == (1, 2, 1, 2)
    assert run.times[:2] == pytest.approx(np.log(2e10 - 1) / 2, rel=1e-9)  # around beta_1 = 0
    assert run.times[1] > run.times[0]


def test_leaders_from_tiny_amplitudes_and_after_A_has_settled():
    run = leaders([[0.72, 1e-300]] * 2, [1.0, 2.0], rho=1)
    settled = float(read([[0.72, 1e-300]] * 2, [1.0, 2.0], 1).curve.a_at(400.0))
    exact = np.log(0.72 / 1e-300) + 3 * settled
    assert run.order == (1, 2) and run.times == pytest.approx([exact], rel=1e-12)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("start", "mu", "order"),
    [
        ([[1, 0], [0, 1]], [2, 1], (1, 2, 1)),  # beta ~ mu_j (s_j^2 + e_j^2) tau/2 at first
        ([[1, 0], [0, 2]], [4, 1], (2, 1)),  # equal at first order: the smaller mu_j is damped less
        ([[0, 0], [0.3, 0.3]], [2, 1], (1, 2)),
        ([[1e-300] * 2] * 2, [1, 2], (1,)),  # rho/N overflows on the way to the collapse
    ],
)
def test_starts_at_beta_zero_and_at_the_end_of_doubles(start, mu, order):
    run = leaders(start, mu, rho=1.0)
    mirrored = leaders(np.flip(start, axis=1), mu[::-1], rho=1.0)
    assert run.order == order and mirrored.order == tuple(3 - j for j in order)
    assert run.times == pytest.approx(mirrored.times, rel=1e-12)
    inner = run.times[0] / 2 if run.times.size else 1e-301
    log_beta = sizes(np.array(start, dtype=float), np.array(mu, dtype=float), 1.0, [inner])
    assert log_beta.argmax() + 1 == order[0]


@pytest.mark.parametrize("factor", [0.7, 1 + 1e-6, 1.1, 1.9])
def test_the_fastest_hand_over_where_n_passes_the_sum_of_two_rates(factor):
    alpha, rho = 0.4 * factor * critical_scale(MU, 0.4) / 0.4, 0.4
    start = np.full((2, 4), alpha) * [np.sign([1, -1, 1, 1]), np.ones(4)]
    mu = MU * [1, -1, 1, 1]
    run, path = fastest(start, mu, rho=rho), read(start, mu, rho).curve
    end = min(float(path.collapse_time), 2.1 * run.times.max(initial=3.0))
    tau = np.linspace(0, end, 301)[:-1]  # none of them a hand-over
    assert (run.at(tau) == dominance(MU, rho, [alpha], tau, by="growth")[0]).all()
    pairs = np.array([run.order[:-1], run.order[1:]], dtype=int) - 1
    found = np.exp(path.log_norm_at(run.times)) / MU[pairs].sum(axis=0)
    assert np.abs(found - 1).max(initial=0) < 1e-12
    assert min(run.order) == 1 or factor > 1.5


def test_the_fastest_of_an_unbalanced_start_is_refused():
    with pytest.raises(ValueError, match="sign"):
        fastest([[0.5, 0.4], [0.5, 0.5]], [1, 2], rho=1)


def test_equal_coordinates_count_as_the_first():
    run = leaders([[0.4] * 4] * 2, [2.0, 1.0, 2.0, 1.0], rho=1)
    assert run.order == (2, 1)
    tied = dominance([2.0, 1.0, 2.0], 1, [2.0], [0.0, 1.0])
    assert (tied == 1).all()


def test_regimes_are_where_the_sequences_change():
    found = regimes(MU, 2)
    assert found.falling == pytest.approx(2 * MU[0] / (2**0.5 * np.linalg.norm(MU)), rel=1e-15)
    assert found.critical == critical_scale(MU, 2)
    assert found.major == found.thresholds[-1]
    assert found.major == pytest.approx(
        2 * (MU[-2:]).sum() / (2**0.5 * np.linalg.norm(MU)), rel=1e-15
    )
    assert (np.diff([found.falling, found.critical, *found.thresholds]) > 0).all()
    for k, a in enumerate(found.thresholds):
        below, above = (leaders(uniform(a * (1 + x), 4), MU, rho=2).order for x in (-1e-9, 1e-9))
        assert min(below) == k + 1 and min(above) == k + 2, (k, below, above)
    state = read(uniform(found.falling, 4), MU, 2).weights([0, 1e-3, 0.1, 0.5])
    assert (np.diff(state[:, 0], axis=0) <= 0).all()


def test_regimes_scale_and_take_repeated_and_far_apart_mu():
    base, scaled = regimes([1, 2, 3], 1), regimes([-2e5, 0, 4e5, 6e5], 1e-3)
    assert scaled.thresholds == pytest.approx(base.thresholds * 1e-3, rel=1e-12)
    assert regimes([1, 1, 2, 2], 1).thresholds == pytest.approx([3 / 20**0.5], rel=1e-14)
    assert regimes([2, 2], 1).thresholds.size == 0 and regimes([2, 2], 1).major == 0


@pytest.mark.long
def test_thresholds_of_far_apart_mu():
    mu = [1e-3, 1e-2, 1]
    for k, a in enumerate(regimes(mu, 1).thresholds):
        below, above = (leaders(uniform(a * (1 + x), 3), mu, rho=1).order for x in (-1e-9, 1e-9))
        assert min(below) == k + 1 and min(above) == k + 2, (k, below, above)


def test_three_patterns_of_the_norm_and_no_other():
    rng = np.random.default_rng(4)
    theta = rng.normal(size=(60, 2, 3)) * 10 ** rng.uniform(-1, 0.3, (60, 1, 1))
    mu = np.array([1.0, -1.8, 3.0])
    found = pattern(theta, mu, rho=1)
    ends = read(theta, mu, 1).collapse_time
    with np.errstate(invalid="ignore"):
        steps = np.diff(read(theta, mu, 1).curve.log_norm_at(np.linspace(0, 8, 300)))
    rises = steps > 0  # nan, both at rest, counts as falling
    expected = np.select([rises.all(axis=1), ~rises.any(axis=1)], [1, -1], 0)
    assert (expected == found).all() and (np.isfinite(ends) == (found == -1)).all()
    assert (np.diff(rises[found == 0].astype(int), axis=1) >= 0).all()
    assert set(found) == {-1, 0, 1}


def test_exponents_at_the_collapse():
    theta, mu = (
        np.array([[0.1, -0.2, 0.5, 0.0], [0.2, 0.1, 0.3, 0.0]]),
        np.array([1.0, -1.3, 0.0, 2]),
    )
    found = collapse_exponents(theta, mu, rho=1.0)
    assert found.tolist() == [1, 1.3**2, 0, np.inf]
    end = float(read(theta, mu, 1).collapse_time)
    left = np.array([1e-3, 1e-4]) * end
    states = np.abs(read(theta, mu, 1).weights(end - left))[:, 0, :2]
    slope = np.diff(np.log(states), axis=0)[0] / np.diff(np.log(left))
    assert slope == pytest.approx(found[:2], rel=5e-3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: dominance([1, 2], 1, [0.5], [0], by="luck"), "'size', 'contribution' or 'growth'"),
        (lambda: dominance([1, 2], 1, [-0.5], [0]), "alpha > 0"),
        (lambda: dominance([1, 2], 1, [0.5], [-1]), "tau >= 0"),
        (lambda: dominance([0, 0], 1, [0.5], [1]), "nothing would move"),
        (lambda: leaders(np.zeros((2, 2)), [1, 2], rho=1), "away from the origin"),
        (lambda: leaders(np.ones((2, 2)), [1, 2], rho=0), "rho needs"),
        (lambda: leaders(np.ones((2, 2)), [1, 2], rho=1, by="growth"), "see fastest"),
        (lambda: leaders(np.ones((1, 2, 2)), [1, 2], rho=1), "one start"),
        (lambda: uniform_leaders([1, 1], 1, 0.5), "distinct"),
        (lambda: uniform_leaders([1, 2], 1, -0.5), "alpha needs"),
        (lambda: regimes([1, 2], np.nan), "rho needs"),
        (lambda: pattern(np.ones((2, 2)), [1, 2], rho=0), "rho needs"),
        (lambda: pattern(np.ones((2, 2)), [0, 0], rho=1), "nothing would move"),
        (lambda: collapse_exponents(np.ones((2, 2)), [0, 0], rho=1), "nothing would move"),
        (lambda: dominance([1, 2], 0, [0.5], [-1]), "tau >= 0, got 0.5 and -1"),
        (lambda: dominance([1, 2], 1, [0.3, 0.4], [[1.0, 2.0]]), r"tau needs shape \(n,\)"),
        (lambda: dominance([1, 2], 1, [[0.3, 0.4]], [1.0]), r"alpha needs shape \(n,\)"),
        (lambda: dominance([1, 2], 1, np.ones(20_000), np.ones(20_000)), "20000 x 20000.*GiB"),
        (lambda: critical_scale([1, 2], 1, profile=[1, 2, 3]), r"profile needs shape \(2,\) or"),
    ],
)
def test_bad_input_is_said_in_one_line(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert "\n" not in str(error.value)


def test_on_the_separatrix_all_answers_are_of_the_same_start():
    flow, alpha = Flow(single_example([1.0, 2.0]), l2(1.0)), critical_scale([1.0, 2.0], 1.0)
    for shift, label in (
        (-4e-12, 0),
        (0.0, Label.SEPARATRIX),
        (5e-13, Label.SEPARATRIX),
        (4e-12, 2),
    ):
        start = uniform(alpha * (1 + shift), 2)
        escapes = label == 2
        assert limit(flow, start).label == label, shift
        assert pattern(start, [1, 2], rho=1) == (0 if escapes else -1), shift
        assert uniform_leaders([1, 2], 1, start[0, 0])[-1] == (2 if escapes else 1), shift


def test_exponents_know_which_starts_collapse():
    starts, mu = np.array([0.3, 0.7])[:, None, None] * np.array([1.0, 1.0, 0.0]), [1, 2, 0]
    starts = np.repeat(starts, 2, axis=1)
    known = collapse_exponents(starts, mu, rho=1.0)
    assert np.array_equal(known[0], [1, 4, 0]) and np.isnan(known[1]).all()
    with pytest.raises(ValueError, match="rho needs to be finite and > 0, got 0"):
        collapse_exponents(starts, mu, rho=0)
    with pytest.raises(TypeError, match="rho"):
        collapse_exponents(starts, mu)


def test_wrong_kinds_are_named_where_no_type_checker_runs():
    calls = {
        "critical_scale([1, 2], '1')": "rho needs one real number, got '1'",
        "critical_scale_bounds([1, 2], None)": "rho needs one real number, got None",
        "critical_scale([1, 2], True)": "rho needs one real number, got True",
        "regimes([1, 2], [1., 2.])": "rho needs one real number, got [1.0, 2.0]",
        "leaders([[1, 1]] * 2, [1, 2], rho='1')": "rho needs one real number, got '1'",
        "dominance([1, 2], None, [1.], [1.])": "rho needs one real number, got None",
        "dominance([1, 2], 1, 'a', [1.])": "alpha needs real numbers",
        "uniform_leaders([1, 2], 1, 'a')": "alpha needs one real number, got 'a'",
        "uniform_leaders([1, 2], 1, [.3, .4])": "alpha needs one real number, got [0.3, 0.4]",
    }
    lines = [
        "from flowsam.amplification import *",
        f"for call in {list(calls)}:",
        "    try: eval(call)",
        "    except TypeError as error: print(error)",
    ]
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    for message, expected in zip(run.stdout.splitlines(), calls.values(), strict=True):
        assert expected in message
