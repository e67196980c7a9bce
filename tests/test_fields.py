"""Planar fields against closed forms: velocity, rest points, nullclines, manifolds, sliding."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from flowsam import Data, Flow, gradient_flow, l2, layer_plane, limits, linf, lp, single_example
from flowsam.exact.l2_separatrix import balanced_separatrix, lone_separatrix
from flowsam.exact.lp_gates import rest_weights
from flowsam.portrait.plane_fields import PlaneField
from flowsam.portrait.planes import (
    BalancedPlane,
    ImbalancePlane,
    RadiusPlane,
    SegmentPlane,
    WeightPlane,
)
from flowsam.portrait.rest_search import equilibria
from flowsam.portrait.skeletons import nullclines, paths, separatrices, sliding, stable_manifolds
from tests.rest_rates import rest_rates


def layers(rule, mu=1.0, reach=3.0):
    """The (u, v) plane of one coordinate."""
    flow = Flow(single_example([mu]), rule)
    return PlaneField(flow, layer_plane, (-reach, reach), (-reach, reach))


def balanced_field(rule, mu=(1.0, 2.0), depth=2, reach=2.4):
    """The plane of balanced starts of two coordinates."""
    flow = Flow(single_example(list(mu)), rule)
    return PlaneField(flow, BalancedPlane(depth), (0.0, reach), (0.0, reach))


def draw(seed):
    """mu_1 < mu_2 with room between them, and rho."""
    rng = np.random.default_rng(seed)
    low = rng.uniform(0.4, 1.5)
    return (low, low * rng.uniform(1.3, 2.2)), rng.uniform(0.4, 1.2), rng


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_velocity_of_balanced_l2_starts_is_the_formula(depth):
    mu, rho, rng = draw(depth)
    field, w = balanced_field(l2(rho), mu, depth), rng.uniform(0.1, 2, (50, 2))
    pull = np.array(mu) * w ** (depth - 1)
    hat = w - rho * pull / (np.sqrt(depth) * np.hypot(*pull.T)[:, None])
    np.testing.assert_allclose(field.velocity(w), mu * hat ** (depth - 1), rtol=1e-12, atol=1e-14)


def test_velocity_in_the_imbalance_plane_is_the_layer_plane_s_by_the_chain_rule():
    flow = Flow(single_example([1.3]), l2(0.7))
    field = PlaneField(flow, ImbalancePlane([1.0], 2), (0.2, 2), (-1, 1))
    scale, tilt = 1.1, 0.4
    u, v = scale * np.exp(tilt), scale * np.exp(-tilt)
    du, dv = layers(l2(0.7), 1.3).velocity([u, v])
    expected = [(du / u + dv / v) * scale / 2, (du / u - dv / v) / 2]
    np.testing.assert_allclose(field.velocity([scale, tilt]), expected, rtol=1e-9)


@pytest.mark.parametrize("mu", [1.7, -0.6])
def test_saddles_of_linf_and_the_origin_where_it_slides(mu):
    rho = 0.8
    low, origin, high = equilibria(layers(linf(rho), mu))
    corner = np.array([rho, np.sign(mu) * rho])
    for saddle, side in ((low, -1), (high, 1)):
        np.testing.assert_allclose(saddle.point, side * corner, atol=1e-12)
        np.testing.assert_allclose(saddle.eigenvalues, [-abs(mu), abs(mu)], rtol=1e-9)
        assert saddle.kind == "saddle"
        np.testing.assert_allclose(np.abs(saddle.stable), np.sqrt([[0.5, 0.5]]), rtol=1e-9)
        assert np.sign(np.prod(saddle.stable)) == -np.sign(mu)
    assert origin.kind == "stable pseudo-node" and not origin.point.any()
    assert (origin.eigenvalues == -np.inf).all()


@pytest.mark.parametrize("p", [1.5, 2.0, 3.0])
def test_saddle_of_one_coordinate_is_at_the_gate_of_its_norm(p):
    _, origin, saddle = equilibria(layers(lp(0.9, p=p), 1.4))
    np.testing.assert_allclose(saddle.point, 0.9 * 2 ** (-1 / p), rtol=1e-12)
    assert saddle.kind == "saddle" and np.isclose(saddle.eigenvalues[1], 1.4, rtol=1e-9)
    if p == 2:
        assert np.isclose(saddle.eigenvalues[0], -2 * 1.4, rtol=1e-9)
    assert origin.kind == "stable pseudo-node"


@pytest.mark.parametrize("seed", range(3))
def test_rest_points_of_l2_with_two_layers(seed):
    (one, two), rho, _ = draw(seed)
    found = equilibria(balanced_field(l2(rho), (one, two)))
    origin, major, minor = found
    assert origin.kind == "stable pseudo-node" and not origin.point.any()
    np.testing.assert_allclose(minor.point, [rho / np.sqrt(2), 0], atol=1e-12)
    np.testing.assert_allclose(major.point, [0, rho / np.sqrt(2)], atol=1e-12)
    assert (minor.kind, major.kind) == ("saddle", "unstable node")
    np.testing.assert_allclose(minor.eigenvalues, [-two * (two - one) / one, one], rtol=1e-7)
    np.testing.assert_allclose(
        major.eigenvalues, np.sort([two, one * (two - one) / two]), rtol=1e-7
    )


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_deep_l2_rests_on_every_support(depth):
    mu, rho, _ = draw(depth + 10)
    found = equilibria(balanced_field(l2(rho), mu, depth))
    size = np.array(mu) ** (-1 / (depth - 2))
    supports = [np.array([0, 1]), np.array([1, 1]), np.array([1, 0])]
    expected = [rho * s * size / np.sqrt(depth * (s @ size**2)) for s in supports]
    rest = [point for point in found if point.point.any()]
    np.testing.assert_allclose([p.point for p in rest], expected, atol=1e-9)
    assert all(p.kind.startswith("degenerate") and not p.eigenvalues.any() for p in rest)
    even = depth % 2 == 0
    assert [p.kind for p in rest][1] == ("degenerate saddle" if even else "degenerate saddle-node")
    assert len(found) == 3 + even  # odd depths never collapse: the origin is no rest point


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_balanced_linf_rests_at_the_corner_and_slides_into_the_axes_at_even_depths(depth):
    (one, two), rho, _ = draw(depth)
    found = {
        tuple(p.point.round(9)): p for p in equilibria(balanced_field(linf(rho), (one, two), depth))
    }
    corner = found.pop(tuple(np.round([rho, rho], 9)))
    if depth == 2:
        assert corner.kind == "unstable node"
        np.testing.assert_allclose(corner.eigenvalues, [one, two], rtol=1e-9)
    else:
        assert corner.kind == f"degenerate {'node' if depth == 4 else 'saddle-node'}"
    if depth == 3:
        assert not found
        return
    origin = found.pop((0.0, 0.0))
    assert origin.kind == "stable pseudo-node"
    for j, mu in enumerate((one, two)):
        gate = found.pop(tuple(np.round(rho * np.eye(2)[j], 9)))
        assert gate.kind == f"{'degenerate ' if depth == 4 else ''}pseudo-saddle"
        assert gate.eigenvalues[0] == -np.inf
        assert np.isclose(gate.eigenvalues[1], mu if depth == 2 else 0, rtol=1e-9)
    assert not found


def test_gradient_flow_has_a_saddle_and_a_node_where_sam_has_gates():
    (saddle,) = equilibria(layers(gradient_flow(), 1.2))
    assert saddle.kind == "saddle" and np.allclose(saddle.eigenvalues, [-1.2, 1.2], rtol=1e-9)
    (node,) = equilibria(balanced_field(gradient_flow()))
    assert node.kind == "unstable node" and np.allclose(node.eigenvalues, [1, 2], rtol=1e-9)


def test_between_l2_and_its_neighbours_the_gate_of_the_minor_feature_changes_its_kind():
    """p < 2: both gates repel and a saddle lies between them; p > 2: they attract, it repels."""
    kinds = {
        p: [point.kind for point in equilibria(balanced_field(lp(1, p=p)))] for p in (1.5, 2.0, 3.0)
    }
    assert kinds[1.5][1:] == ["unstable node", "saddle", "unstable node"]
    assert kinds[2.0][1:] == ["unstable node", "saddle"]
    assert kinds[3.0][1:] == ["pseudo-saddle", "unstable node", "pseudo-saddle"]
    for p in (1.5, 3.0):
        inner = next(q for q in equilibria(balanced_field(lp(0.8, p=p))) if q.point.all())
        np.testing.assert_allclose(inner.point, rest_weights([1, 2], rho=0.8, p=p, depth=2))
        rates, _ = rest_rates([1, 2], [True, True], p=p)
        np.testing.assert_allclose(inner.eigenvalues, rates, rtol=1e-7)


def test_stable_manifold_of_l2_is_the_closed_form():
    mu, rho = -2.0, 0.9  # the plane of a negative mu is the mirror image
    field = layers(l2(rho), mu)
    curves = stable_manifolds(field, equilibria(field)[-1:])
    assert len(curves) == 2
    for _, curve in curves:
        turned = curve * [np.sign(mu), 1]
        u, v = turned.T
        exact = lone_separatrix((u - v) / (u + v), rho=rho) * np.sign(u + v)[:, None]
        assert np.abs(exact - turned).max() < 1e-8
        assert np.abs(curve[-1]).max() >= 3


def test_stable_manifold_of_the_minor_saddle_is_the_balanced_separatrix():
    field = balanced_field(l2(1.0))
    ((_, curve),) = stable_manifolds(field, equilibria(field))
    exact = balanced_separatrix([1, 2], rho=1.0, points=4001)
    radius = CubicSpline(np.arctan2(exact[:, 1], exact[:, 0]), np.hypot(*exact.T))
    assert np.abs(radius(np.arctan2(curve[:, 1], curve[:, 0])) - np.hypot(*curve.T)).max() < 1e-7


def test_where_no_theorem_speaks_the_manifold_parts_the_labels():
    field = balanced_field(lp(1, p=1.5))
    curves = [c for _, c in separatrices(field, equilibria(field))]
    assert len(curves) == 2
    curve = np.vstack([c[20:-20:15] for c in curves])
    curve = curve[curve.min(axis=1) > 0.01]
    assert len(curve) > 5
    labels = [limits(field.flow, field.lift(curve * scale)) for scale in (0.999, 1.001)]
    assert not labels[0].any() and (labels[1] == 2).all()


def test_nullclines_are_level_curves_and_leave_out_jumps():
    for name, curve in nullclines(layers(linf(1.0))):
        k = 1 if name == "x' = 0" else 0  # u' = mu (v - rho sign(u))
        assert np.abs(np.abs(curve[:, k]) - 1).max() < 1e-9
    field = balanced_field(l2(1.0))
    found = nullclines(field)
    assert {name for name, _ in found} == {"x' = 0", "y' = 0"}
    for name, curve in found:
        k = 0 if name == "x' = 0" else 1
        assert np.abs(field.velocity(curve)[:, k]).max() < 2e-3


def test_sliding_segments_are_theory_s():
    field = layers(linf(1.3), 0.7)
    theory = [np.array([[-1.3, 0], [1.3, 0]]), np.array([[0, -1.3], [0, 1.3]])]
    for found in sliding(field):
        assert min(np.abs(found[1] - exact).max() for exact in theory) < 1e-8
    assert len(sliding(field)) == 2
    even, odd = (sliding(balanced_field(linf(1.0), depth=depth)) for depth in (4, 3))
    assert [ends.round(6).tolist() for _, ends in even] == [
        [[0, 0], [0, 2.4]],
        [[0, 0], [2.4, 0]],
    ]
    assert odd == () and sliding(layers(l2(1.0))) == ()


def test_paths_follow_the_field_to_the_edge_or_to_rest():
    field = layers(linf(1.0))
    falls, escapes = paths(field, [[0.5, 0.7], [1.5, 1.2]])
    assert falls[0].tolist() == [0.5, 0.7] and falls[-1].tolist() == [0, 0]
    assert (falls[:, 0] == 0).sum() > 1  # it slides along u = 0
    assert not field.inside(escapes[-1]) and field.inside(escapes[:-1]).all()
    along = np.diff(escapes, axis=0)
    middle = field.velocity((escapes[1:] + escapes[:-1]) / 2)
    cosine = (along * middle).sum(axis=1) / np.hypot(*along.T) / np.hypot(*middle.T)
    assert cosine.min() > 0.9999


def test_several_examples_have_a_field_too():
    flow = Flow(Data([[1.0, 0.5], [0.4, 1.0]]), l2(0.5))
    field = PlaneField(flow, BalancedPlane(2), (0, 2), (0, 2))
    assert np.isfinite(field.grid(8)[2]).all() and {n for n, _ in nullclines(field)}
    points = [point.point for point in equilibria(field) if point.point.any()]
    assert points and np.abs(field.velocity(np.array(points))).max() < 1e-9


BAD = {
    "window": (lambda: layers(linf(1), reach=-1.0), "low < high"),
    "its own rule": (
        lambda: PlaneField(
            Flow(single_example([1]), linf(1)), RadiusPlane([[1.0]]), (0, 1), (0, 1)
        ),
        "RadiusPlane",
    ),
    "leaves": (
        lambda: PlaneField(
            Flow(single_example([1, 2]), linf(1)),
            WeightPlane(np.full((2, 2), 1.5), (0, 0), (1, 0)),
            (0, 2),
            (0, 2),
        ).velocity([1, 2]),
        "leaves this plane at [1.0, 2.0]",
    ),
    "l_1": (lambda: equilibria(layers(lp(1, p=1))), "l_1-SAM"),
    "l_inf, n = 2": (
        lambda: nullclines(
            PlaneField(Flow(Data(np.eye(2)), linf(1)), BalancedPlane(2), (0, 2), (0, 2))
        ),
        "one example",
    ),
    "outside": (lambda: paths(layers(linf(1)), [[4.0, 0.0]]), "[4.0, 0.0]"),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_bad_input_is_said_in_one_line(case):
    call, named = BAD[case]
    with pytest.raises(ValueError) as caught:
        call()
    assert named in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("start", [
    ImbalancePlane([1.5], 2), SegmentPlane([[1.0], [0.5]], [[2.0], [0.1]]),
])  # fmt: skip
def test_a_parameter_that_moves_nothing_has_no_velocity(start):
    """At scale 0 the other parameter moves no weight: there the velocity of both is 0."""
    field = PlaneField(Flow(single_example([2.0]), gradient_flow()), start, (-1, 2), (-1, 2))
    assert field.velocity([0.0, 0.0]).tolist() == [0, 0]
    place = np.array([0.4, 0.7])
    moved = [field.lift(place + s * 1e-6 * field.velocity(place)) for s in (1, -1)]
    near = (moved[0] - moved[1]) / 2e-6
    assert np.allclose(near, field.flow.field(field.lift(place)), rtol=1e-8)
