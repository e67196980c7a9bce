"""The table: every cell has its row, and every verb gives what the row says."""

from dataclasses import fields

import numpy as np
import pytest

from flowsam import (
    Data,
    Flow,
    Label,
    Perturbation,
    balanced,
    gradient_flow,
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
    unnormalised,
)
from flowsam.columns import Regime, loaded
from flowsam.endings import Ending
from flowsam.losses import Loss
from flowsam.perturbations import KINDS
from flowsam.portrait.own_plane import as_plane
from flowsam.portrait.plane_rows import settling
from flowsam.portrait.planes import BalancedPlane, RadiusPlane, WeightPlane, layer_plane
from flowsam.real_data.scale_scan import scale_unit
from flowsam.regimes import TABLE, case_of, regime_of
from flowsam.sweeps.cells import cell
from flowsam.trajectory import load
from tests.labels_record import some_mu, some_starts
from tests.rules import rules

RULES = rules(0.7)
ONE = single_example([1.0, 2.0])


def named(regime):
    """The functions a row names, by column."""
    for column in fields(Regime):
        value = getattr(regime, column.name)
        for name in value.values() if isinstance(value, dict) else [value]:
            if isinstance(name, str) and ":" in name and " " not in name:
                yield column.name, name


def test_every_cell_has_one_row_whose_functions_exist():
    assert set(TABLE) == {(n, kind, L) for n in (False, True) for kind in KINDS for L in (1, 2, 3)}
    for regime in TABLE.values():
        for _, name in named(regime):
            assert callable(loaded(name)), name


def test_what_solves_names_nothing_above_the_solver():
    """The table hides imports: a run must not need a verdict, or a verdict a portrait."""
    above = {"solve": "solver many_examples", "runs": "many_examples", "system": "one_example"}
    above |= {
        "labels": "outcomes",
        "verdict": "outcomes",
        "finite": "outcomes",
        "braked": "outcomes",
    }
    above |= {
        "surfaces": "many_examples",
        "brief": "many_examples",
        "settled": "outcomes",
    } | dict.fromkeys(("rows", "curves", "shares"), "portrait")
    for regime in TABLE.values():
        for column, name in named(regime):
            assert name.partition(":")[0].split(".")[0] in above[column].split(), (column, name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_labels_are_those_of_limit(kind, depth):
    rng = np.random.default_rng([3, KINDS.index(kind), depth])
    for _ in range(3):
        mu = some_mu(rng)
        flow = Flow(single_example(mu), RULES[kind])
        starts = some_starts(rng, mu, depth, 8, RULES[kind].rho)
        each = np.array([limit(flow, theta).label for theta in starts])
        together = limits(
            flow, starts
        )  # rounding, that of a batch too, decides who runs out of steps
        given_up = np.isin([each, together], (Label.FAILED, Label.UNDECIDED)).any(axis=0)
        assert np.array_equal(each[~given_up], together[~given_up])


def test_a_time_is_that_of_its_start_alone():
    """One cell without a form once refused a plane, or lent its own form to all."""
    flow = Flow(single_example([1.0]), linf(1.0))
    plane = WeightPlane([[0.5]] * 3, (0, 0), (1, 0))
    both = phase_portrait(flow, [-0.5, 0.5], [0.5, 0.4], start=plane).settled_at
    alone = phase_portrait(flow, [-0.5, 0.5], [0.5], start=plane).settled_at
    assert both[0].tolist() == alone[0].tolist() == [np.inf, np.inf]
    assert both[1].tolist() == [np.inf, np.inf]  # two equal layers tend to rho for ever
    rng = np.random.default_rng(5)
    for rule in (linf(0.7), l2(0.7), lp(0.7, p=3)):
        flow = Flow(single_example([1.0, 0.0]), rule)
        starts = some_starts(rng, flow.mu, 3, 12, 0.7)[None]
        whole = settling(flow, starts)[0]
        for k, time in enumerate(whole):
            alone = settling(flow, starts[:, k : k + 1])[0, 0]
            np.testing.assert_allclose(alone, time, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_one_layer_settles_never(kind):
    x = np.array([0.5, 1.0])
    plane = phase_portrait(Flow(ONE, RULES[kind]), x, x, depth=1)
    assert (plane.settled_at == np.inf).all() and (plane.labels == -5).all()


def test_unnormalised_sam_is_not_l2():
    data = Data([[1.0, 2.0], [1.0, 2.0]])
    assert scale_unit(data, l2(1.0), 2) == pytest.approx(0.485902, abs=1e-6)
    with pytest.raises(ValueError, match="normalised"):
        scale_unit(data, unnormalised(1.0), 2)
    assert not regime_of("unnormalised", 2).amplifies


@pytest.mark.parametrize("rule", [l2(0.0), lp(0.0, p=3), gradient_flow()])
def test_a_radius_plane_needs_a_rule_that_knows_its_p(rule):
    with pytest.raises(ValueError, match="rho = 0"):
        phase_portrait(Flow(ONE, rule), [1.0], [1.0], start=RadiusPlane([[1.0, 1.0]] * 2))


@pytest.mark.parametrize(
    "rule", [l2(1.0), lp(1.0, p=3), lp(1.0, p=1.5), lp(1.0, p=1), lp(1.0, p=1e17)]
)
@pytest.mark.parametrize("alpha", [0.3, 0.9, None])
def test_alone_every_rule_has_the_certificate_of_the_theorem(rule, alpha):
    gate = rule.gate(2)
    flow = Flow(single_example([2.0, 0.0]), rule)
    theta = balanced([gate if alpha is None else alpha, 0.4], 2)
    found = limit(flow, theta)
    assert found.certificate == "theorem"
    assert found.label == (-2 if alpha is None else int(alpha > gate))
    assert solve(flow, theta, tau_end=0.1).method == "exact: linf_balanced"


def test_sweeps_refuse_a_radius_without_a_rule():
    case = {"mu": [1, 2], "alpha": [1.5, 0.6], "norm": "none"}
    assert cell(case, {}).flow.perturbation == gradient_flow()
    with pytest.raises(ValueError, match="takes no radius"):
        cell(case | {"rho": 0.5}, {})


def test_only_known_planes_have_rows_curves_and_shares():
    plane = BalancedPlane(2)
    assert case_of(Flow(ONE, linf(1.0)), 2).on("rows", plane.kind)
    assert case_of(Flow(ONE, l2(1.0)), 2).on("rows", plane.kind)
    for flow in (Flow(ONE, lp(1.0, p=3)), Flow(Data(np.eye(2)), linf(1.0))):
        for column in ("rows", "curves", "shares"):
            assert not case_of(flow, 2).on(column, plane.kind)
    assert not case_of(Flow(ONE, linf(1.0)), 3).on("rows", BalancedPlane(3).kind)
    assert not case_of(Flow(ONE, linf(1.0)), 2).on("rows", as_plane(lambda x, y: plane(x, y)).kind)
    assert not case_of(Flow(ONE, l2(1.0)), 2).on("shares", plane.kind)
    assert case_of(Flow(single_example([1.0]), l2(1.0)), 2).on("curves", layer_plane.kind)


class Mine(Perturbation):
    """A rule that looks half as far as l_inf-SAM."""

    def step(self, g):
        return super().step(g) / 2


class Bent(Flow):
    """A flow with another field."""

    def field(self, theta):
        return super().field(theta) / 2


@pytest.mark.parametrize("flow", [Flow(ONE, Mine(np.inf, 1.0)), Bent(ONE, linf(1.0))])
def test_a_subclass_does_not_inherit_a_formula(flow):
    theta = balanced([1.5, 0.6], 2)
    assert flow.kind == "own" and solve(flow, theta, tau_end=0.4).method == "DOP853"
    with pytest.raises(ValueError, match="no closed form covers this"):
        solve(flow, theta, tau_end=0.4, method="exact")
    found = limit(flow, theta)
    assert (found.label, found.certificate) == (-1, "none") and "no theorem" in found.reason
    assert phase_portrait(flow, [0.5, 1.5], [0.5]).labels.tolist() == [[-1, -1]]


class Masked(Flow):
    """A flow that looks up from a part of the weights, in words of its own."""

    def __init__(self, rule, mask):
        super().__init__(ONE, rule)
        object.__setattr__(self, "mask", mask)

    def perturbed(self, theta):
        return theta + self.mask * (super().perturbed(theta) - theta)


@pytest.mark.parametrize("kind", RULES)
def test_a_subclass_with_its_own_perturbed_weights_is_iterated(kind):
    """Ties of l_1 go to one corner in it too: equal layers come apart."""
    rule = RULES[kind]
    steps = {"learning_rate": 0.01, "steps": 20}
    theta0 = balanced([1.2, 0.7], 3)
    whole, none = (iterate(Masked(rule, m), theta0, **steps).theta for m in (1.0, 0.0))
    assert (whole == iterate(Flow(ONE, rule), theta0, **steps).theta).all()
    assert (none == iterate(Flow(ONE, gradient_flow()), theta0, **steps).theta).all()
    parts = np.ptp(whole[-1], axis=0).any()
    assert parts == rule.cornered


def mine(g):
    """l_2-SAM with rho = 0.7, by a user who knows that squares of late gradients underflow."""
    top = np.abs(g).max(axis=(-2, -1), keepdims=True)
    g = g / np.where(top > 0, top, 1.0)
    size = np.sqrt((g * g).sum(axis=(-2, -1), keepdims=True))
    return 0.7 * g / np.where(size > 0, size, 1.0)


class Sharp:
    """The same as an object that gives a step."""

    def step(self, g):
        return mine(g)


@pytest.mark.parametrize("rule", [mine, Sharp()])
@pytest.mark.parametrize("data", [ONE, Data([[1.0, 2.0], [2.0, 1.0]])])
def test_a_rule_in_ten_lines_takes_the_right_path_from_every_verb(rule, data):
    flow, known, theta = Flow(data, rule), Flow(data, l2(0.7)), balanced([1.2, 0.8], 2)
    for clock in ({"tau_end": 0.5}, {"log_t_end": 1.0}):
        run, right = (solve(f, theta, save_at=5, **clock) for f in (flow, known))
        np.testing.assert_allclose(run.theta, right.theta, rtol=1e-7)
        np.testing.assert_allclose(run.log_t, right.log_t, rtol=1e-7, atol=1e-12)
        assert run.method == "DOP853" and right.method != "DOP853" or len(data.z) > 1
    many = [solve_many(f, [theta], tau_end=0.5).theta for f in (flow, known)]
    np.testing.assert_allclose(*many, rtol=1e-7)
    steps = [iterate(f, theta, learning_rate=0.01, steps=30).theta for f in (flow, known)]
    np.testing.assert_allclose(*steps, rtol=1e-12)
    end = limit(flow, theta)
    assert end.certificate == "none" and "no theorem is known" in end.reason
    assert limits(flow, [theta, theta]).tolist() == [end.label] * 2
    plane = phase_portrait(flow, [0.5, 1.2], [0.8])
    assert (plane.labels == end.label).all() and not plane.boundaries
    with pytest.raises(ValueError, match="closed form"):
        solve(flow, theta, tau_end=0.5, method="exact")
    with pytest.raises(ValueError, match="rho"):
        phase_portrait(flow, [1.0], [1.0], start=RadiusPlane(theta))


def test_a_trial_beyond_the_doubles_does_not_reach_the_rule():
    """An implicit step is shortened where a trial of it overflows, under any rule."""
    size = lambda g: np.sqrt((g * g).sum(axis=(-2, -1), keepdims=True))  # noqa: E731
    flow = Flow(Data([[1.0, 2.0], [2.0, 1.0]]), lambda g: 0.1 * g / size(g))
    theta = np.array([balanced([1.2, 0.8], 2), np.full((2, 2), np.nan), balanced([0.3, 0.2], 2)])
    fields = flow.field(theta)
    assert (fields[::2] == [flow.field(one) for one in theta[::2]]).all()
    assert np.isnan(fields[1]).all()


def test_a_field_of_the_users_is_followed_with_several_examples():
    data, theta = Data([[1.0, 2.0], [2.0, 1.0]]), balanced([1.2, 0.8], 2)
    bent, fast = Bent(data, l2(0.7)), Flow(data, l2(0.7))
    ends = [solve(bent, theta, tau_end=0.5), solve(fast, theta, tau_end=0.25)]
    np.testing.assert_allclose(ends[0].theta[-1], ends[1].theta[-1], rtol=1e-7)
    ends = [iterate(f, theta, learning_rate=0.02, steps=1).theta[-1] for f in (bent, fast)]
    np.testing.assert_allclose(ends[0] - theta, (ends[1] - theta) / 2, rtol=1e-12)
    assert limit(bent, theta).certificate == "none"


def test_a_deep_run_of_an_unknown_rule_says_that_it_runs_away():
    run = solve(Flow(ONE, mine), balanced([1.2, 0.8], 3), tau_end=5.0)
    assert (run.ending, run.status, run.events) == (Ending.RUNAWAY, "escaped", ())
    assert "a million times" in run.message and np.abs(run.theta[-1]).max() > 1e6


def test_no_file_stands_for_a_rule_or_field_of_the_users(tmp_path):
    theta = balanced([1.2, 0.8], 2)
    for flow in (Flow(ONE, mine), Bent(ONE, l2(0.7))):
        path = solve(flow, theta, tau_end=0.5).save(tmp_path / "run")
        with pytest.raises(ValueError, match="user's own"):
            load(path)


def sigmoid(m):
    """log 1 / (1 + e^m)."""
    return -np.logaddexp(0.0, m)


SIGMOID = Loss(
    "sigmoid", sigmoid, lambda m: sigmoid(m) + sigmoid(-m), lambda m: -np.tanh(np.asarray(m) / 2)
)


def test_a_loss_of_the_users_keeps_the_path_and_the_theorems_of_one_example():
    theta = balanced([1.5, 0.6], 2)
    flow = Flow(ONE, linf(1.0), SIGMOID)
    run, usual = solve(flow, theta, tau_end=0.4), solve(Flow(ONE, linf(1.0)), theta, tau_end=0.4)
    assert run.method == "exact: linf_balanced" and np.array_equal(run.theta, usual.theta)
    pace = np.exp(-SIGMOID.log_slope(flow.perturbed(run.theta[-1]).prod(axis=0) @ flow.mu))
    later = solve(flow, theta, tau_end=0.4 + 1e-6)
    slope = (np.exp(later.log_t[-1]) - np.exp(run.log_t[-1])) / 1e-6
    assert slope == pytest.approx(pace, rel=1e-4)
    assert limit(flow, theta).certificate == "theorem"
    assert limit(Flow(ONE, unnormalised(1.0), SIGMOID), theta).certificate == "none"
    for rule in (gradient_flow(), linf(0.1)):
        end = limit(Flow(Data([[1.0, 2.0], [2.0, 1.0]]), rule, SIGMOID), [[0.1, 0.2]])
        assert end.certificate == "none" and "no theorem is known" in end.reason


@pytest.mark.parametrize(
    ("value", "slope", "words"),
    [
        (lambda m: 2 * np.log(np.abs(m - 1)), lambda m: np.log(2 * np.abs(m - 1)), "decrease"),
        (lambda m: np.asarray(m), lambda m: np.asarray(m), "decrease"),
        (lambda m: -np.asarray(m), lambda m: 1 - np.asarray(m), "log_slope"),
    ],
)
def test_a_loss_that_rises_or_has_another_slope_is_refused(value, slope, words):
    with pytest.raises(ValueError, match=words):
        Flow(ONE, linf(1.0), Loss("bad", value, slope, lambda m: 0.0 * m))
