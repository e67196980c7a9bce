"""Proofs in balls: against 50 digits, against what floats say, and with deliberate faults."""

import importlib.util
import json
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest

if importlib.util.find_spec("flint") is None:
    pytest.skip("needs the extra flowsam[certify]", allow_module_level=True)

from flowsam import Flow, balanced, gradient_flow, l2, limit, limits, linf, lp, single_example
from flowsam.amplification import critical_scale, leaders
from flowsam.certify import following, leader_changes, proofs
from flowsam.certify.balls import arb, arb_series, precision
from flowsam.certify.checking import GUARD, Refused, Unproved, checked
from flowsam.certify.l2_equation import two_layers
from flowsam.certify.linf_labels import exact_label, exact_labels
from flowsam.certify.lp_equation import layers
from flowsam.certify.plane_proofs import PlaneProof, check_plane, prove_plane
from flowsam.certify.proof_files import check_file, load_proof, save_proof
from flowsam.certify.proofs import (
    Problem,
    Proof,
    ProvedScale,
    check,
    check_scale,
    prove,
    prove_scale,
)
from flowsam.certify.proved_leaders import ProvedLeaders, check_leaders, prove_leaders
from flowsam.errors import InputError
from flowsam.exact.l2_critical import critical_scale_of
from flowsam.exact.l2_two_layer import read
from flowsam.outcomes.certificates import decided
from flowsam.portrait.planes import BalancedPlane, ImbalancePlane, SegmentPlane, layer_plane

ALPHA = 0.521321282599666543  # alpha* of mu = (1, 2), rho = 1
TWO = Flow(single_example([1.0, 2.0]), l2(1.0))


def problem(theta, mu=(1.0, 2.0), *, rho=1.0, p=2.0):
    """A start as the prover takes it."""
    rows = tuple(map(tuple, np.asarray(theta, dtype=float).tolist()))
    return Problem(tuple(map(float, mu)), rho, p, rows)


def even(alpha, mu=(1.0, 2.0), **more):
    """A uniform start of two layers."""
    return problem(np.full((2, len(mu)), alpha), mu, **more)


def plane_of(flow, plane, x, y):
    """A plane as `prove_plane` takes it."""
    starts = plane(x[None], y[:, None])
    starts = starts.reshape(-1, *starts.shape[2:])
    rule = flow.perturbation
    labels = limits(flow, starts)
    none = np.zeros(labels.size, dtype=bool)
    return PlaneProof(flow.mu, float(rule.rho), float(rule.p), starts, labels, none, {})


def reread(proof):
    """A proof through its text."""
    return type(proof).of(json.loads(json.dumps(proof.facts())))


def _one_coordinate(s, e, tau):
    """A(tau) of one coordinate with mu = rho = 1, in closed form.

    (k^(1/2) s)' = 2^(-1/2) k^(-1/2) (1 + k^2)^(-1/2) as a function of k = e/s, which is known.
    """

    def integral(k):
        return 2 * mpmath.sqrt(k) * mpmath.elliprf(1, 1 + 1j * k, 1 - 1j * k).real

    now = e / s * mpmath.exp(-2 * tau)
    root = mpmath.sqrt(e / s) * s + (integral(now) - integral(e / s)) / mpmath.sqrt(2)
    return tau - mpmath.log(root / mpmath.sqrt(now) / s)


@pytest.mark.parametrize(("u", "v"), [(1.5, 0.125), (1.05, 0.25), (2.5, 0.4)])
@pytest.mark.parametrize("level", following.LEVELS, ids=lambda level: f"{level.bits} bits")
def test_tubes_enclose_the_closed_form_at_50_digits(u, v, level):
    one = problem([[u], [v]], [1.0])
    with precision(level.precision):
        tube = following.follow(one.field(), level)
    with precision(tube.bits + GUARD), mpmath.workdps(60):
        end = checked(one.field(), tube)
        assert tube.steps and end.radius < 2.0 ** -(level.bits - 10)
        man, exp = map(int, end.x.mid().man_exp())
        s, e = mpmath.mpf(u) + v, mpmath.mpf(u) - v
        right = _one_coordinate(s, e, mpmath.ldexp(man, exp))
        assert abs(arb(mpmath.nstr(right, 55)) - end.centre[0]) < end.radius


@pytest.mark.parametrize("seed", range(3))
def test_tubes_enclose_the_path_of_doubles(seed):
    rng = np.random.default_rng(seed)
    mu, theta = rng.uniform(0.5, 2, 3), rng.normal(size=(2, 3)) * 0.5
    proof = prove(problem(theta, mu))
    with precision(proof.tube.bits + GUARD):
        end = checked(proof.problem.field(), proof.tube)
    right = read(theta, mu, 1.0).curve.a_at(np.array([float(end.x)]))[0]
    assert proof.tube.steps and abs(float(end.centre[0]) - right) < float(end.radius) + 1e-12


@pytest.mark.parametrize("k", [-3, -2, -1, 0, 1, 2, 3])
def test_doubles_beside_the_separatrix_are_told_apart(k):
    near = np.float64(ALPHA)
    for _ in range(abs(k)):
        near = np.nextafter(near, np.inf if k > 0 else 0)
    proof = prove(even(float(near)))
    exact = Fraction(float(near)) - Fraction("0.521321282599666543")
    assert (proof.label == 2) == (exact > 0)
    assert abs(exact) > 1e-18  # digits of alpha* suffice to tell
    check(reread(proof))


@pytest.mark.parametrize("d", [1, 3, 64])
def test_labels_of_random_starts_are_those_of_limit(d):
    rng = np.random.default_rng(d)
    for _ in range(3 if d == 64 else 20):
        mu = rng.uniform(0.5, 3, d) * rng.choice([-1, 1], d)
        flow = Flow(single_example(mu), l2(1.0))
        theta = rng.normal(size=(2, d)) * rng.uniform(0.2, 1) / np.sqrt(d)
        proof = prove(problem(theta, mu))
        assert proof.label == limit(flow, theta).label
        check(reread(proof))


@pytest.mark.parametrize(
    ("mu", "weights"), [(1.6, [-0.06, -0.34, 0.07]), (1.2, [-0.26, -0.63, 0.26])]
)
def test_a_radius_that_more_than_doubles_over_a_step_is_looked_at_again(mu, weights):
    """Near a weight's 0 the growth at the end of a step is far above that at its start."""
    start = problem(np.array(weights)[:, None], [mu], p=1.5)
    proof = prove(start)
    assert proof.label == 0 and proof.tube.steps
    check(reread(proof))


@pytest.mark.parametrize(("depth", "p"), [(3, 2.0), (2, 3.0), (2, 1.5)])
def test_a_start_without_a_moving_weight_has_a_proof_of_no_steps(depth, p):
    proof = prove(problem(np.zeros((depth, 2)), p=p))
    assert proof.label == 0 and proof.tube.steps == ()
    check(reread(proof))


def test_what_never_grows_collapses_and_equal_ones_tie():
    assert prove(problem([[1.0, 2.0], [-1.0, -2.0]])).label == 0
    assert prove(problem(np.zeros((2, 2)))).label == 0
    assert prove(problem([[3.0, 3.0], [3.0, 3.0]], (2.0, 2.0))).label == -3
    assert prove(problem([[3.0, 1.0], [3.0, -1.0]], (2.0, 2.0))).label == 1
    assert prove(problem([[3.0, 9.0], [3.0, 9.0]], (2.0, 0.0))).label == 1  # idle


def _linear(first, width, growth, defect):
    """The radius of tubes written by earlier versions."""
    rise, slack = growth * width, following.SLACK
    return ((first + slack * width * defect) / (1 - slack * rise)).upper()


@pytest.mark.parametrize("alpha", [0.5, 0.5213, 0.53])
def test_a_tube_whose_radius_rises_linearly_holds(monkeypatch, alpha):
    right = prove(even(alpha))
    monkeypatch.setattr(following, "_widened", _linear)
    wider = prove(even(alpha))
    assert wider.label == right.label
    assert wider.tube.steps[-1].radius[1] > right.tube.steps[-1].radius[1]


# Deliberate faults of the prover: each one's proof is refused.


def _without_remainder(first, width, growth, defect):
    """The radius as if the polynomial were the solution."""
    return (first * (following.SLACK * growth * width).exp()).upper()


def _midpoint(first, width, growth, defect):
    """No ball around the end of a step."""
    return arb(0)


def _rounded_inwards(end, step):
    """The next ball smaller by the rounding of its centre, not larger."""
    after = _AFTER(end, step)
    return replace(after, radius=(2 * step.radius[1] - after.radius).lower())


_AFTER = following._after
FAULTS = {
    "remainder dropped": ("_widened", _without_remainder),
    "ball replaced by its midpoint": ("_widened", _midpoint),
    "rounding reversed": ("_after", _rounded_inwards),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("alpha", [0.5, 0.5213, 0.53])
def test_a_wrong_step_is_refused(monkeypatch, name, alpha):
    check(prove(even(alpha)))
    monkeypatch.setattr(following, *FAULTS[name])
    with pytest.raises(Refused, match="step"):
        prove(even(alpha))


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_step_of_a_deep_path_is_refused(monkeypatch, name):
    start = problem(balanced([0.4, 0.45], 3), p=3.0)
    assert prove(start).tube.steps
    monkeypatch.setattr(following, *FAULTS[name])
    with pytest.raises(Refused, match="step"):
        prove(start)


def _facts(alpha=0.52):
    return prove(even(alpha)).facts()


def _shifted(word, by):
    """A number of a file, moved in its last digit."""
    mantissa, exponent = word.split("p")
    return f"{int(mantissa, 16) + by:x}p{exponent}"


def _dropped(facts):
    facts["tube"]["steps"].pop(3)


def _cut(facts):
    facts["tube"]["steps"].pop()


def _moved(facts):
    row = facts["tube"]["steps"][4]["centre"][0]
    row[0] = _shifted(row[0], 2**40)


def _bent(facts):
    row = facts["tube"]["steps"][4]["centre"][0]
    row[2] = _shifted(row[2], 2**56)


def _narrowed(facts):
    step = facts["tube"]["steps"][2]
    step["radius"][1] = step["radius"][0]


def _relabelled(facts):
    facts["label"] = 2


def _restarted(facts):
    facts["theta"][0][0] = (0.53).hex()


def _rescaled(facts):
    facts["rho"] = (0.9).hex()


def _back_in_time(facts):
    facts["tube"]["steps"][0]["width"] = "-1p-3"


def _emptied(facts):
    facts["tube"] = None


@pytest.mark.parametrize("fault", [
    _dropped, _cut, _moved, _bent, _narrowed, _relabelled, _restarted, _rescaled, _back_in_time,
    _emptied,
])  # fmt: skip
def test_a_changed_file_is_refused(tmp_path, fault):
    facts = _facts()
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(facts))
    assert check_file(file).startswith("label 0 of mu = (1, 2)")
    fault(facts)
    file.write_text(json.dumps(facts))
    with pytest.raises(Refused):
        check_file(file)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": "flowsam proof 1"}', "\0"])
def test_foreign_files_are_bad_input(tmp_path, text):
    file = tmp_path / "proof.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"proof\.json"):
        check_file(file)
    with pytest.raises(InputError, match=r"none\.json"):
        load_proof(tmp_path / "none.json")


SPECTRA = [
    [1, 2], [1, 1.001], [1, 1e3], [1, 1], [1, 1 + 1e-6], [1, 1.5, 6], [0.1, 10], [2],
    [1, 1e6], pytest.param([1, 1.25, 1.5, 1.75, 2], marks=pytest.mark.long),
]  # fmt: skip


@pytest.mark.parametrize("mu", SPECTRA, ids=str)
def test_critical_scales_are_enclosed_to_1e_minus_12(mu):
    mu = np.array(mu, dtype=float)
    guess = critical_scale_of(np.ones((2, mu.size)), mu, rho=1.0)
    found = prove_scale(even(1.0, mu), guess.value, error=guess.error)
    assert found.low < guess.value < found.high
    assert found.high - found.low < 1e-12 * guess.value
    check_scale(reread(found))
    if mu.size == 1 or mu.tolist() == [1, 1]:
        assert found.low < 1 / np.sqrt(2 * mu.size) < found.high
    if mu.tolist() == [1, 2]:
        assert Fraction(found.low) < Fraction("0.521321282599666543") < Fraction(found.high)


def test_scales_of_other_starts_or_sides_are_refused():
    found = prove_scale(even(1.0), ALPHA, error=1e-15)
    other = prove_scale(even(1.0, (1.0, 3.0)), critical_scale([1, 3], 1.0), error=1e-15)
    with pytest.raises(Refused, match="different starts"):
        check_scale(ProvedScale(found.below, other.above))
    with pytest.raises(Refused, match="one side"):
        check_scale(ProvedScale(found.above, found.above))
    with pytest.raises(Unproved, match="no escape"):
        prove_scale(even(1.0), 0.4, error=1e-15)


@pytest.mark.parametrize("seed", range(8))
def test_leaders_and_switch_times_are_enclosed(seed):
    rng = np.random.default_rng(seed)
    d = int(rng.integers(2, 6))
    mu, theta = rng.uniform(0.5, 3, d) * rng.choice([-1, 1], d), rng.normal(size=(2, d)) * 0.7
    weighted = bool(seed % 2)
    found = prove_leaders(problem(theta, mu), weighted=weighted)
    by = "contribution" if weighted else "size"
    floats = leaders(theta, mu, rho=1.0, by=by)
    assert found.order == floats.order
    for (low, high), time in zip(found.times, floats.times, strict=True):
        assert low - 1e-11 * time < time < high + 1e-11 * time and high - low < 1e-13 * time
    check_leaders(reread(found))


def test_minor_first_may_begin_with_a_descent_and_is_proved():
    found = prove_leaders(even(0.467, (1.0, 1.5, 6.0)))
    assert found.order == (2, 1, 2, 3)  # of equal ones at the start too
    with precision(200):  # the uniform start swaps where tau/A = mu_j + mu_k
        field = found.problem.field()
        end = checked(field, found.tube)
        assert field.decided(end.x, end.balls) == 3
    wrong = replace(found, order=(1, 2, 1, 3))
    with pytest.raises(Refused, match="leaders are"):
        check_leaders(wrong)
    with pytest.raises(Refused, match="leaders are"):
        check_leaders(replace(found, times=found.times[:-1]))
    low, high = found.times[1]
    late = (found.times[0], (low + 1e-9, high + 1e-9), found.times[2])
    with pytest.raises(Refused, match="switch elsewhere"):
        check_leaders(replace(found, times=late))


def test_a_crossing_of_two_sizes_is_where_they_are_equal():
    found = prove_leaders(even(0.7, (1.0, 2.0, 3.0)))
    assert found.order == (2, 3)
    low, high = found.times[0]
    with precision(200):
        run = leader_changes.Race  # the equation tau = (mu_j + mu_k) A at the switch
        assert run
        x, a = arb(0), None
        for step in found.tube.steps:
            if x < low < x + step.width:
                a = leader_changes.value_at(step.centre[0], arb(low) - x)
                break
            x = x + step.width
        assert abs(arb(low) - 5 * a) < 1e-12


@pytest.mark.parametrize("p", [1.5, 2.0, 3.0])
def test_states_decide_as_floats_say(p):
    rng = np.random.default_rng(int(10 * p))
    known = 0
    for _ in range(300):
        depth, d = int(rng.integers(3 if p == 2 else 2, 6)), int(rng.integers(1, 4))
        mu = rng.uniform(0.5, 2, d)
        if rng.random() < 0.5:
            theta = balanced(rng.uniform(0.05, 1.2, d), depth)
        else:
            theta = rng.normal(size=(depth, d)) * rng.choice([0.01, 0.3, 1, 3], (depth, 1))
        one = problem(theta, mu, p=p)
        with precision(100):
            field = layers(one.theta, one.mu, one.rho, one.p)
            label = field.decided(arb(0), field.start)
        floats = int(decided(Flow(single_example(mu), lp(1.0, p=p)), theta[..., None])[0])
        known += label is not None
        assert label in (None, floats), (theta.tolist(), mu, label, floats)
    assert known > 40


@pytest.mark.parametrize(("depth", "p"), [(3, 2.0), (4, 2.0), (3, 1.5), (3, 3.0), (2, 1.5)])
def test_fields_in_balls_are_those_of_the_flow(depth, p):
    rng = np.random.default_rng(depth)
    theta, mu = rng.uniform(0.3, 1, (depth, 2)), np.array([1.0, -2.0])
    for start in (theta, balanced([0.7, 0.4], depth, signs=[1, -1])):
        one = problem(start, mu, p=p)
        flow = Flow(single_example(mu), lp(1.0, p=p))
        with precision(100):
            field = layers(one.theta, one.mu, one.rho, one.p)
            place = [arb_series([w, 0], 2) for w in field.start]
            slope = [s[0] for s in field.slope(arb_series([0, 1], 2), place)]
            rows = np.array([[float(x) for x in row] for row in field.rows(slope)])
        if len(rows) == 1:
            rows = rows * np.sign(start)
        assert np.allclose(flow.field(start), rows, rtol=1e-13)


@pytest.mark.parametrize(("depth", "p"), [(3, 2.0), (4, 2.0), (3, 1.5), (4, 3.0), (2, 1.5)])
@pytest.mark.parametrize("d", [2, 4])
def test_deep_labels_are_proved_and_those_of_limit(depth, p, d):
    rng = np.random.default_rng((depth, d))
    for _ in range(2 if d == 2 else 1):
        mu, alpha = rng.uniform(0.5, 2, d), rng.uniform(0.3, 0.8, d)
        start = balanced(alpha, depth)
        label = limit(Flow(single_example(mu), lp(1.0, p=p)), start).label
        try:
            proof = prove(problem(start, mu, p=p))
        except Unproved:
            assert p == 3.0
            continue
        assert proof.label == label
        check(reread(proof))


def test_what_is_not_followed_says_why(monkeypatch):
    monkeypatch.setattr(proofs, "LEVELS", following.LEVELS[:2])
    with pytest.raises(Unproved, match="d <= 4"):
        prove(problem(balanced([0.3] * 5, 3), [1.0, 2, 3, 4, 5]))
    with pytest.raises(Unproved, match="linger"):
        prove(problem(balanced([0.5], 4), [1.0]))  # at rest at its gate


def _random_signs(rng, depth, d):
    kind = int(rng.integers(4))
    if kind == 0:
        return rng.choice([-2, -1, -0.5, 0, 0.5, 1, 1.5, 2.0], (depth, d))
    if kind == 1:
        return rng.normal(size=(depth, d)) * 2
    if kind == 2:
        return rng.uniform(0.1, 2.5, (depth, d))
    return balanced(rng.choice([0.25, 0.5, 1, 1.5, 2], d), depth, signs=rng.choice([-1, 1], d))


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_exact_labels_of_l_inf_and_gradient_flow(depth):
    rng = np.random.default_rng(depth)
    proved = 0
    for _ in range(10):
        d = int(rng.integers(1, 4))
        mu = np.append(rng.choice([-2.0, -1, 0.5, 3, 0], d - 1), rng.choice([-1.0, 1, 2]))
        rho = float(rng.choice([0.0, 0.3, 0.5, 1]))
        starts = np.array([_random_signs(rng, depth, d) for _ in range(4)])
        flow = Flow(single_example(mu), linf(rho) if rho else gradient_flow())
        ours = [exact_label(t.tolist(), mu.tolist(), rho) for t in starts]
        floats = limits(flow, starts)
        for ours_, theirs in zip(ours, floats, strict=True):
            assert ours_ in (None, theirs) or theirs in (-1, -3)
        many = exact_labels(starts, mu, rho)
        assert many.tolist() == [-1 if x is None else x for x in ours]
        proved += sum(x is not None for x in ours)
    assert proved > 12


def test_close_blow_up_times_are_told_apart():
    """Known in closed form: L = 3, (1/mu) R_F(z^2); scores within an ulp of each other."""
    alpha, mu = [[1.5, 1.25]] * 3, [1.0, 2.0]
    assert exact_label(alpha, mu, 1.0) == -3  # 0.5 = 2 * 0.25, exactly
    up = [[1.5, float(np.nextafter(1.25, 2))]] * 3
    assert exact_label(up, mu, 1.0) == 2 and limits(Flow(single_example(mu), linf(1)), up) == -3
    one = [[1.5, 1.5], [1.7, 1.7], [2.5, 2.5 + 4e-16]]
    assert exact_label(one, [1.0, 1.0], 1.0) == 2
    assert exact_label([[1.5, 1.5], [1.7, 2.5], [2.5, 1.7]], [1.0, 1.0], 1.0) == -3


def test_blow_up_times_in_balls_are_carlsons():
    from flowsam.certify.linf_labels import _blow_up, coordinate

    with precision(100), mpmath.workdps(30):
        positive = coordinate(0, [1.5, 1.75, 3.0], 2.0)
        right = mpmath.elliprf(0.25, 0.5625, 4) / 2
        assert abs(_blow_up(positive, Fraction(1)) - arb(str(right))) < 1e-25
        turning = coordinate(0, [0.75, 1.75, 3.0], 1.0)  # z_1 = -1/4 passes 0
        a, b = mpmath.mpf("0.5625") - 0.0625, mpmath.mpf(4) - 0.0625
        right = 2 * mpmath.elliprf(0, a, b) - mpmath.elliprf(0.0625, 0.5625, 4)
        assert abs(_blow_up(turning, Fraction(1)) - arb(str(right))) < 1e-25


def test_overflow_and_underflow_are_decided_in_fractions():
    big, small = 1e308, 5e-324
    assert exact_labels(np.full((1, 2, 1), big), np.ones(1), big).tolist() == [-2]
    assert exact_labels(np.full((1, 2, 1), big), np.ones(1), 1.0).tolist() == [1]
    opposed = np.array([[[small], [-3 * small]]])
    assert exact_labels(opposed, np.ones(1), small).tolist() == [
        exact_label([[small], [-3 * small]], [1.0], small)
    ]
    deep = np.full((1, 1036, 2), 1.5)
    assert exact_labels(deep, np.array([1.0, 2.0]), 1.0).tolist() == [2]


def test_every_label_of_a_plane_is_proved_hits_included():
    x = np.linspace(0.002, 2.002, 201)
    for depth, rho in ((2, float(x[100])), (3, float(x[100])), (4, 0.0)):
        flow = Flow(single_example([1.0, 2.0]), linf(rho) if rho else gradient_flow())
        bare = plane_of(flow, BalancedPlane(depth), x, x)
        found = prove_plane(bare)
        assert found.proved.all() and found.describe().endswith("by exact comparison")
        differs = found.labels != bare.labels
        assert (bare.labels[differs] == -3).all()  # within 8 eps of a tie, but none
        if rho:
            assert (found.labels == (-2 if depth == 2 else -4)).any()
    small = plane_of(flow, BalancedPlane(3), x[:40], x[:40])
    check_plane(reread(prove_plane(small)))


@pytest.mark.parametrize(("mu", "plane", "x", "y"), [
    ([1.0, 2.0], BalancedPlane(2), np.linspace(0.04, 1.6, 40), np.linspace(0.04, 1.6, 40)),
    ([1.0], layer_plane, np.linspace(-2, 2, 31), np.linspace(-2, 2, 30)),
    ([1.0, 2.0], ImbalancePlane([1.0, 1.0], 2), np.linspace(0.1, 1, 30), np.linspace(-1, 1, 30)),
    ([-1.0, 2.0, 0.0], SegmentPlane([[0.2, 1.0, 3], [0.3, -0.5, 1]], [[1.0, 0.1, 1], [-0.2, 1, 1]]),
     np.linspace(0, 1, 20), np.linspace(0.1, 2, 20)),
])  # fmt: skip
def test_planes_of_l2_are_proved_from_few_starts(mu, plane, x, y):
    bare = plane_of(Flow(single_example(mu), l2(1.0)), plane, x, y)
    found = prove_plane(bare)
    assert found.proved.all() and (found.labels == bare.labels).all()
    assert len(found.proofs) <= 2 * (x.size + y.size)
    check_plane(reread(found))
    # as few as there are: without one, its own cell is not proved
    without = dict(found.proofs)
    without.pop(max(without))
    with pytest.raises(Refused, match="cell"):
        check_plane(replace(found, proofs=without))


def test_two_hundred_squared_cells_from_a_hundred_starts():
    x = np.linspace(0.0075, 1.5, 200)
    bare = plane_of(TWO, BalancedPlane(2), x, x)
    found = prove_plane(bare)
    assert found.proved.all() and (found.labels == bare.labels).all()
    assert len(found.proofs) == 101
    assert found.describe() == "40000 of 40000 labels proved from 101 starts"


def test_a_wrong_label_of_a_plane_is_a_contradiction():
    x = np.linspace(0.1, 1, 8)
    bare = plane_of(TWO, BalancedPlane(2), x, x)
    labels = bare.labels.copy()
    labels[0] = 2
    with pytest.raises(AssertionError, match="contradicts"):
        prove_plane(replace(bare, labels=labels))
    found = prove_plane(bare)
    with pytest.raises(Refused, match="cell"):
        check_plane(replace(found, labels=np.where(found.labels == 2, 1, found.labels)))


def test_deep_planes_cell_by_cell_and_what_is_not_proved_is_said():
    flow = Flow(single_example([1.0, 1.0]), lp(1.0, p=3))
    bare = plane_of(flow, BalancedPlane(2), np.array([0.1, 0.9]), np.array([0.1, 0.9]))
    told = []
    found = prove_plane(bare, told.append)
    assert sum(told) == 4 and 0 < found.proved.sum() < 4
    assert (found.labels == bare.labels).all()
    assert found.describe().count("proved") == 1 and "others: " in found.describe()
    check_plane(reread(found))


def test_proofs_are_saved_read_and_named(tmp_path):
    proof = prove(even(0.6))
    kept = load_proof(save_proof(proof, tmp_path / "one.json"))
    assert isinstance(kept, Proof) and kept.facts() == proof.facts()
    run = prove_leaders(even(0.6))
    assert check_file(save_proof(run, tmp_path / "run.json")).startswith("leaders ")
    assert isinstance(load_proof(tmp_path / "run.json"), ProvedLeaders)
    scale = prove_scale(even(1.0), ALPHA, error=1e-15)
    assert "< c* <" in check_file(save_proof(scale, tmp_path / "scale.json"))


def test_the_scalar_equation_is_that_of_the_weights():
    rng = np.random.default_rng(0)
    theta, mu = rng.normal(size=(2, 3)), np.array([1.0, -2.0, 0.0])
    with precision(100):
        field = two_layers(theta.tolist(), mu.tolist(), 0.7)
        slope = float(field.slope(arb(0), [arb(0)])[0])
    assert np.isclose(slope, 0.7 / np.sqrt((mu**2 * theta**2).sum()), rtol=1e-14)
    assert field.winner == 2
