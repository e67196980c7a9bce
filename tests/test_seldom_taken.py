"""Ways through the package that no other test goes: hairline starts, rests, and refusals."""

import dataclasses

import numpy as np
import pytest
from scipy.special import lambertw
from scipy.stats import norm

from flowsam import (
    Data,
    Flow,
    Label,
    asam,
    balanced,
    exponential,
    from_labels,
    gradient_flow,
    l2,
    layer_plane,
    limit,
    linf,
    lp,
    merge_signs,
    phase_portrait,
    single_example,
    solve,
    unnormalised,
)
from flowsam.cli.writing import keep_proof
from flowsam.endings import Ending
from flowsam.exact.lp_gates import rest_weights
from flowsam.many_examples.rest import next_move
from flowsam.margin import least_distance
from flowsam.margin.least_distance import shortest_separator
from flowsam.network import other_products
from flowsam.portrait import BalancedPlane, PlaneField, RadiusPlane, equilibria, paths
from flowsam.portrait.plane_rows import labels_at
from flowsam.portrait.theory_curves import boundaries
from flowsam.rates import estimated_exponent, late_log_loss
from flowsam.regimes import case_of
from flowsam.regions import escape_chance, regions, winning_chances

ONE = single_example([1.0])
TWO = single_example([1.0, 2.0])
SEPARABLE = Data([[1.0, 0.5], [0.3, 1.2]])
MIXED = Data([[1.0, 0.2], [-0.6, 0.1], [0.3, -0.4]])
FIELD = PlaneField(Flow(TWO, l2(1.0)), BalancedPlane(2), (0.1, 1.0), (0.1, 1.0))


def test_gradient_flow_against_mu_at_odd_depth_is_proved_to_tend_to_the_saddle():
    start = [[-1.0], [1.0], [1.0]]
    found = limit(Flow(ONE, gradient_flow()), start, prove=True)
    assert (found.label, found.certificate) == (Label.SEPARATRIX, "proved")


def test_equal_times_of_different_features_are_a_tie_that_balls_cannot_prove():
    # times go like 1 / (mu w) at L = 3: half of mu and twice the weights take as long
    start = np.outer([1.0, 1.5, 2.0], [1.0, 2.0])
    found = limit(Flow(single_example([2.0, 1.0]), gradient_flow()), start, prove=True)
    assert found.label == Label.TIE
    assert "not proved" in found.reason


def test_two_layers_at_0_rest_under_the_tied_steps_of_asam():
    start = np.array([[0.0], [0.0], [1.0]])
    run = solve(Flow(ONE, asam(0.5, p=1)), start, tau_end=1.0)
    assert run.status == "finished"
    assert (run.theta == start).all()


def test_balanced_gradient_flow_rests_at_the_minimiser_of_mixed_data():
    flow = Flow(MIXED, gradient_flow())
    run = solve(flow, balanced([0.3, 0.4], 2), log_t_end=60.0)
    assert run.ending is Ending.AT_REST
    assert np.abs(flow.velocity(run.theta[-1])).max() < 1e-7


def test_points_of_a_plane_over_the_radius_have_the_labels_of_their_rows():
    flow = Flow(TWO, unnormalised(1.0))
    plane = RadiusPlane([[1.0, 0.8], [1.0, 0.8]])
    x = np.array([0.05, 1.9, 0.3, 0.05])
    y = np.array([0.5, 6.0, 6.0, 6.0])
    rows = zip(x, y, strict=True)
    single = [limit(plane.flow_at(flow, b), a * np.array(plane.theta)).label for a, b in rows]
    assert labels_at(flow, plane, x, y).tolist() == single
    assert len(set(single)) > 1


def test_a_plane_without_a_positive_entry_collapses_as_a_whole():
    flow = Flow(single_example([-1.0, -2.0]), linf(1.0))
    assert phase_portrait(flow, [0.5, 1.5], [0.4, 1.6]).fractions == {0: 1.0}


def test_methods_of_several_steps_reach_a_near_end_too():
    flow = Flow(SEPARABLE, l2(0.3))
    start = balanced([0.3, 0.4], 2)
    first, second = (solve(flow, start, tau_end=0.5, method=m) for m in ("LSODA", "DOP853"))
    assert first.method == "LSODA"
    np.testing.assert_allclose(first.beta[-1], second.beta[-1], rtol=1e-7)


def test_iteration_of_equal_layers_at_depth_three_agrees_with_filippov():
    flow = Flow(SEPARABLE, linf(0.3))
    start = balanced([0.5, 0.6], 3)
    ends = [solve(flow, start, log_t_end=1.0, method=m).beta[-1] for m in ("discrete", "auto")]
    np.testing.assert_allclose(*ends, rtol=5e-3)


def test_a_start_beyond_the_doubles_ends_where_it_begins():
    start = [[-1e150], [1e150], [1e150]]
    run = solve(Flow(ONE, gradient_flow()), start, tau_end=1e-305)
    assert (run.status, run.tau[-1]) == ("escaped", 0.0)


def test_velocities_that_underflow_do_not_say_to_which_side_a_weight_goes():
    start = [[0.0], [1e-200], [1e-200]]
    run = solve(Flow(ONE, linf(1e-200)), start, tau_end=1.0, method="DOP853")
    assert run.status == "sliding_ambiguous"


def test_asam_of_mixed_data_has_no_label():
    found = limit(Flow(MIXED, asam(0.5)), balanced([0.2, 0.3], 2))
    assert (found.label, found.certificate) == (Label.UNDECIDED, "none")
    assert "not linearly separable" in found.reason


def test_a_singular_step_moves_without_end():
    assert next_move(np.eye(1), np.ones(1)).tolist() == [np.inf]


def test_no_start_of_a_box_below_the_gate_wins():
    assert regions([1.0, 2.0], 5.0, 3).volume(1, 0.0, 2.0) == 0.0


def test_rules_of_ones_own_are_equal_where_they_ask_the_same_function():
    first, second = (Flow(ONE, np.sign).perturbation for _ in range(2))
    assert first == second != linf(1.0)
    assert {first: "kept"}[second] == "kept"
    assert repr(first) == "sign"


def test_data_are_not_equal_to_other_things():
    assert Data([[1.0]]) != 3.0


class OwnRows:
    """A plane of the user's own whose rows have flows of their own."""

    def flow_at(self, flow, y):
        return flow

    def __call__(self, x, y):
        return balanced(np.stack(np.broadcast_arrays(x, y), axis=-1), 2)


REFUSED = {
    "needs one of auto": lambda: solve(
        Flow(SEPARABLE, l2(0.3)), balanced([0.3, 0.4], 2), tau_end=0.5, method="euler"
    ),
    "in the range of doubles": lambda: limit(
        Flow(single_example([1e200, 1.0]), unnormalised(1e200)), balanced([1.0, 1.0], 2)
    ),
    "settled_at needs one example": lambda: (
        phase_portrait(Flow(TWO, asam(0.5)), [0.5, 1.0], [0.4, 1.0]).settled_at
    ),
    "needs the shape of the gradients": lambda: Flow(ONE, lambda g: g[0]).field([[1.0], [2.0]]),
    "no point of rest": lambda: rest_weights([1.0, 2.0], rho=1.0, p=3, depth=3),
    "OwnRows gives each row": lambda: PlaneField(FIELD.flow, OwnRows(), (0.0, 1.0), (0.0, 1.0)),
    "columns >= 1": lambda: FIELD.grid(0),
    "points (k, 2)": lambda: paths(FIELD, [0.5]),
    "depth >= 1": lambda: BalancedPlane(0),
    "depth <= 1000": lambda: late_log_loss([5.0], 1.0, 2000, l2(1.0)),
    "two late times": lambda: estimated_exponent([1.0], [1.0]),
    "sign of mu": lambda: escape_chance(norm(), depth=2, rho=1.0, sign=3),
    "power of two": lambda: winning_chances(norm(), [1.0, 2.0], depth=3, rho=1.0, points=3),
    "merge_signs needs numbers": lambda: merge_signs(SEPARABLE, "x"),
    "list of names": lambda: Data([[1.0, 2.0]], features="ab"),
    "rows of several lengths": lambda: from_labels([[1.0], [2.0]], [[1], [2, 3]]),
    "no original time": lambda: (
        dataclasses.replace(
            solve(Flow(ONE, lp(1.0, p=3)), [[1.0], [0.5]], tau_end=0.5), clock=None
        ).log_t
    ),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_done_is_refused_in_one_line(words):
    with pytest.raises(ValueError) as refusal:
        REFUSED[words]()
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_blocks_need_not_fill_the_last_axis_and_are_few_all_the_same():
    planning = pytest.importorskip("flowsam.sweeps.planning")
    axes = pytest.importorskip("flowsam.sweeps.cells")
    grid = axes.Grid(("a", "b"), (np.arange(3.0), np.arange(2.0**20)))
    cut = planning.cut(grid, 10.0, None)  # ten seconds a cell ask for blocks of one
    assert cut.chunks <= axes.CHUNKS < grid.cut(3).chunks


def test_a_long_axis_is_tried_at_its_ends_and_some_values_between():
    sweeps = pytest.importorskip("flowsam.sweeps")
    case = {"mu": [1, 2], "alpha": 0.5}
    long = {"start": 0.1, "stop": 2.0, "points": 1500}
    assert sweeps.plan(case, {"rho": long}).cells == 1500
    with pytest.raises(ValueError, match="finite number >= 0"):
        sweeps.plan(case, {"rho": [*np.linspace(0.1, 2.0, 1500), -1.0]})


@pytest.mark.parametrize("guess", ["none", "any"])
def test_the_largest_margin_does_not_depend_on_the_guess_of_its_support(monkeypatch, guess):
    rng = np.random.default_rng(3)
    tables = []
    for n, d in rng.integers(2, 12, (60, 2)):
        z = rng.normal(size=(n, d))
        tables.append(z * np.sign(z @ rng.normal(size=d))[:, None])
    expected = [shortest_separator(z)[0] for z in tables]

    def guessed(rows, target):
        if guess == "none":
            raise RuntimeError
        return rng.integers(0, 2, rows.shape[1]).astype(float), 0.0

    monkeypatch.setattr(least_distance, "nnls", guessed)
    for z, beta in zip(tables, expected, strict=True):
        np.testing.assert_allclose(shortest_separator(z)[0], beta, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("damping", "kind"),
    [(0.5, "stable focus"), (-0.3, "unstable focus"), (0.0, "centre")],
)
def test_a_rule_of_ones_own_can_turn_around_a_rest_point(damping, kind):
    def rule(g):
        # of exponential loss g = -exp(-x y) (y, x), and Lambert's W tells x y
        product = -0.5 * lambertw(-2 * g.prod(axis=-2)).real
        y, x = -np.moveaxis(g, -2, 0) * np.exp(product)
        # the velocity at the shifted weights: a turn about (0.4, 0.4)
        across = (x - 0.4) - damping * (y - 0.4) - x
        along = -(y - 0.4) - damping * (x - 0.4) - y
        return np.stack([across, along], axis=-2)

    window = (0.1, 0.68)
    field = PlaneField(Flow(ONE, rule, exponential), layer_plane, window, window)
    (found,) = equilibria(field)
    assert found.kind == kind
    np.testing.assert_allclose(found.eigenvalues, [1j - damping, -1j - damping], atol=1e-9)
    assert len(found.stable) == 0 or damping > 0


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("rule", [l2(1.0), lp(1.0, p=1), asam(0.5, p=1.5)])
def test_theory_has_no_curve_where_a_feature_is_pulled_against_its_sign(rule, depth):
    case = case_of(Flow(single_example([1.0, -1.0]), rule), depth)
    axis = np.array([0.1, 1.0])
    assert boundaries(case, BalancedPlane(depth), axis, axis) == ()


def test_mu_of_too_many_decades_is_undecided_under_l1():
    flow = Flow(single_example([1e-200, 1e200]), lp(1.0, p=1))
    found = limit(flow, balanced([1.0, 1e-130], 3))
    assert found.label == Label.UNDECIDED
    assert "beyond what doubles can compare" in found.reason


def test_weights_that_fade_come_to_rest_on_data_that_do_not_separate():
    start = [[1.0, 0.7], [0.8, 1.1]]
    run = solve(Flow(MIXED, lp(0.1, p=3)), start, log_t_end=5)
    assert run.status == "finished"
    assert "several pulls vanish" in run.message


def test_no_file_is_written_of_what_is_not_proved(tmp_path, capsys):
    path = tmp_path / "proof.json"
    keep_proof(None, path)
    assert "nothing is proved" in capsys.readouterr().err
    assert not path.exists()


def test_ties_of_l1_that_no_choice_of_shares_holds_end_the_run_where_they_meet():
    start = np.array([[1.0, -0.5, 1.5], [1.0, 0.5, -1.0], [1.5, 1.5, 0.5]])
    flow = Flow(single_example([1.5, -1.0, 2.0]), lp(2.0, p=1))
    run = solve(flow, start, tau_end=5.0)
    assert (run.status, run.events[-1].kind) == ("sliding_ambiguous", "leave")
    assert "no set was found that stays so" in run.message
    size = np.sort(np.abs(flow.mu * other_products(run.theta[-1])).ravel())
    np.testing.assert_allclose(size[1:], size[-1], rtol=1e-9)
    assert size[0] < 0.96 * size[-1]


@pytest.mark.parametrize("rule", [lp(0.5, p=1), l2(0.5), lp(0.5, p=3)])
@pytest.mark.parametrize("still", [[0, 1], [1, 2], [0, 2]])
def test_without_a_gradient_a_start_is_where_it_ends(rule, still):
    start = np.full((3, 2), 1.5)
    start[still] = 0.0
    flow = Flow(TWO, rule)
    found = limit(flow, start)
    assert (found.label, found.certificate) == (Label.ZERO, "theorem")
    run = solve(flow, start, tau_end=2.0)
    assert run.status == "collapsed" and run.beta[-1].tolist() == [0.0, 0.0]
    assert (run.events[-1].kind, run.events[-1].tau) == ("collapse", 0.0)


def test_without_a_gradient_unnormalised_sam_of_a_small_step_rests_at_a_saddle():
    start = [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    for step, label in ((0.1, Label.SEPARATRIX), (3.0, Label.ZERO)):
        found = limit(Flow(TWO, unnormalised(step)), start)
        assert (found.label, found.certificate) == (label, "theorem")


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_an_iteration_leaves_0_where_there_is_a_gradient(depth):
    flow = Flow(SEPARABLE, asam(0.5, p=1))
    run = solve(flow, np.zeros((depth, 2)), log_t_end=2.0)
    near = solve(flow, np.full((depth, 2), 1e-9), log_t_end=2.0)
    assert np.isfinite(run.theta).all()
    np.testing.assert_allclose(run.beta[-1], near.beta[-1], rtol=1e-3, atol=1e-8)


def test_a_surface_met_at_once_by_weights_near_the_least_doubles():
    # 1e-276 of a step: no root is found to a bit
    flow = Flow(Data([[2.0], [-2.0]]), l2(2.0))
    run = solve(flow, [[1e-300], [1e-12]], tau_end=3.0)
    assert np.abs(run.theta[:, 0]).max() <= 1e-200
    assert limit(flow, [[1e-300], [1e-12]]).label == Label.ZERO


def test_margins_whose_squares_no_double_holds_are_refused():
    needs = r"margins and rates from 1e-150 to 1e\+150, this start has 2e\+200"
    with pytest.raises(ValueError, match=needs):
        solve(Flow(Data([[1.0], [-2.0]]), gradient_flow()), [[1e200]], tau_end=1.0)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("rule", "mu", "start"), [
    (linf(0.5), [1.3], [[1e-300], [1e-12], [0.0], [1e-300]]),
    (linf(2.0), [0.5], [[1e-12], [1e-300], [0.0], [1e-300]]),
    (lp(0.5, p=3), [2.0, 2.0], [[0.0, 1e-300], [0.0, 1e-300], [1e-12, 1e-300]]),
    (asam(1.5, p=1), [1.2, -0.2], [[1e-300, 0.0], [1e-300, 1.0]]),
])  # fmt: skip
def test_weights_next_to_the_least_doubles_need_no_warning(rule, mu, start):
    flow = Flow(single_example(mu), rule)
    run = solve(flow, start, tau_end=1.0)
    assert np.isfinite(run.theta).all()
    assert limit(flow, start).label != Label.FAILED


def test_a_direction_is_one_where_squares_of_weights_are_below_the_doubles():
    flow = Flow(single_example([1.0, -0.5, -2.0]), l2(0.3))
    found = limit(flow, [[0.0, 1.0, 0.0], [1e-12, 0.0, 1e-300]])
    assert found.label == 3 and found.direction.tolist() == [0.0, 0.0, -1.0]
