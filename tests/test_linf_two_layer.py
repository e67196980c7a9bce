"""Two layers, any signs: against 50 digits, against integration, and on every edge of the plane."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsam.exact import linf_two_layer as case
from flowsam.exact.two_layer_path import excess
from flowsam.labels import Fate
from tests.references import condition, fresh_rng, integrate_two_layer, misses, two_layer


def _random_group(rng, d=20):
    """Draw (theta, mu, rho, tau): all quadrants, axes, near ties, and times of every kind."""
    rho = float(rng.choice([0, 1, 1, 1]) * np.exp(rng.normal()))
    theta = (rho or 1.0) * rng.normal(size=(2, d)) * np.exp(rng.normal(size=d))
    mu = np.exp(rng.normal(size=d)) * rng.choice([-1, 1], d)
    kind = rng.choice(5, d)
    theta[rng.choice(2, d), np.arange(d)] *= kind != 0  # on an axis
    theta[0] = np.where(kind == 1, theta[1], theta[0])  # balanced
    theta[:, kind == 2] = _near_separatrix(rng, rho, mu[kind == 2])
    marks = [event.tau for event in case.read(theta, mu, rho).events if event.tau > 0]
    owners = [event.coordinate for event in case.read(theta, mu, rho).events if event.tau > 0]
    tau = rng.exponential(size=d) / np.abs(mu)
    near = 1 + rng.choice([-1, 1], len(marks)) * 10.0 ** rng.uniform(-9, -0.01, len(marks))
    tau[owners] = np.where(rng.random(len(marks)) < 0.7, marks * near, tau[owners])
    return theta, mu, rho, tau


def _near_separatrix(rng, rho, mu):
    """Points of both branches, moved by 1e-13 to 1e-3 relative."""
    curve = case.separatrix(rho, extent=3 * rho, points=mu.size)[0, : mu.size].T
    moved = curve * (1 + rng.choice([-1, 1], mu.size) * 10.0 ** rng.uniform(-13, -3, mu.size))
    return moved * rng.choice([-1, 1], mu.size) * [np.sign(mu), np.ones(mu.size)]


def test_a_thousand_random_sets_agree_with_fifty_digits():
    rng = fresh_rng()
    for _ in range(50):
        theta, mu, rho, tau = _random_group(rng)
        states = case.read(theta, mu, rho).weights(tau)
        for j in range(mu.size):
            draw = (*theta[:, j], mu[j], rho, tau[j])
            found = condition(lambda *point: two_layer(*point)[0], draw)
            assert max(misses(states[j, :, j], *found)) < 1, draw


def test_event_times_and_kinds_agree_with_fifty_digits():
    rng = fresh_rng()
    for _ in range(10):
        theta, mu, rho, _ = _random_group(rng)
        rho = rho or 1.0
        events = case.read(theta, mu, rho).events
        for j in range(mu.size):
            mine = [event for event in events if event.coordinate == j and event.kind != "cross"]
            draw = (*theta[:, j], mu[j], rho)
            assert [kind for _, kind in two_layer(*draw, 1e6)[1]] == [e.kind for e in mine], draw
            log = (
                slice(-len(mine), None) if mine else slice(0)
            )  # a moved balanced start slides first
            found = condition(lambda *p, log=log: [t for t, _ in two_layer(*p, 1e6)[1]][log], draw)
            assert max(misses([e.tau for e in mine], *found), default=0) < 1, draw


def test_fates_and_ends_agree_with_direct_integration_of_two_thousand_points():
    rng = fresh_rng()
    (u, v), rho = rng.uniform(-4, 4, (2, 2000)), 1.0
    mu = rng.choice([-1, 1], 2000) * rng.uniform(0.3, 3, 2000)
    ends = integrate_two_layer(u, v, mu, rho=rho, tau_end=25 / np.abs(mu), step=0.05)
    escaped, collapsed = np.abs(ends).max(axis=0) > 10, (ends == 0).all(axis=0)
    fate = case.read(np.stack([u, v]), mu, rho).fate
    assert (escaped | collapsed).all()
    assert (fate == np.where(escaped, Fate.ESCAPE, Fate.COLLAPSE)).all()
    assert (np.sign(ends.prod(axis=0)) == np.where(escaped, np.sign(mu), 0)).all()
    assert (np.isfinite(case.read(np.stack([u, v]), mu, rho).zero_time) == collapsed).all()


@pytest.mark.parametrize("rho", [0.0, 1.0])
def test_states_agree_with_direct_integration(rho):
    rng = fresh_rng()
    (u, v), tau = rng.uniform(-3, 3, (2, 300)), rng.uniform(0, 2, 300)
    mu = rng.choice([-1, 1], 300) * rng.uniform(0.3, 1.5, 300)
    ends = integrate_two_layer(u, v, mu, rho=rho, tau_end=tau, step=0.01)
    states = case.read(np.stack([u, v]), mu, rho).weights(tau)
    found = np.diagonal(states, axis1=0, axis2=2)
    np.testing.assert_allclose(found, ends, atol=1e-7 * np.abs(ends).max())


ON_THE_SEPARATRIX = [
    (1.0, 1.0),
    (1.5, 0.5),
    (0.0, 2.0),
    (-2.5, 3.5),
    (-6.75, 7.25),
    (-1022.75, 1022.7578125),
]


@pytest.mark.parametrize("u, v", ON_THE_SEPARATRIX)
@pytest.mark.parametrize("mu", [1.0, -2.0])
@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_a_point_on_the_separatrix_goes_to_the_saddle_and_one_ulp_decides(u, v, mu, mirror):
    rho = 0.75
    point = mirror * rho * np.array([[u * np.sign(mu)], [v]])
    if abs(u) < 1000:
        assert case.read(point, [mu], rho).fate[0] == Fate.SADDLE
        assert case.read(point, [mu], rho).zero_time[0] == np.inf
        end = case.read(point, [mu], rho).weights([100.0])[0, :, 0]
        np.testing.assert_allclose(end, mirror * rho * np.array([np.sign(mu), 1]), rtol=1e-14)
    for ulps in range(-4, 5):
        moved = point.copy()
        moved[1] += ulps * np.spacing(point[1])
        a, b, r = Fraction(moved[0, 0] * np.sign(mu)), Fraction(moved[1, 0]), Fraction(rho)
        gap = abs(a + b) * (2 * r + abs(a) + abs(b)) - 8 * r * r
        name = Fate.SADDLE if gap == 0 else Fate.ESCAPE if gap > 0 else Fate.COLLAPSE
        assert case.read(moved, [mu], rho).fate[0] == name
        assert np.isfinite(case.read(moved, [mu], rho).zero_time[0]) == (name == Fate.COLLAPSE)
        far = np.abs(case.read(moved, [mu], rho).weights([200.0])).max()
        assert (far > 1e20) == (name == Fate.ESCAPE)


def test_a_line_of_grid_points_on_the_separatrix_is_found_exactly():
    x = np.arange(-300, 301) / 100.0
    u, v = np.meshgrid(x, x)
    rho = 0.75
    fate = case.read(np.stack([u, v], axis=-1)[..., None], [1.0], rho).fate[..., 0]
    near = (np.abs(excess(u, v, rho)) < 1e-13) & (u * v >= 0)
    exact = [Fraction(a) + Fraction(b) for a, b in zip(u[near], v[near], strict=True)]
    known = [Fate.SADDLE if abs(s) == Fraction(3, 2) else Fate(int(abs(s) > 1.5)) for s in exact]
    assert len(known) > 200 and fate[near].tolist() == known


def test_sliding_begins_at_rho_and_below_and_crossing_above():
    def kinds(u, v):
        return [(e.kind, e.layer) for e in case.read([[u], [v]], [1.0], 1.0).events]

    assert kinds(0.0, 1.0) == kinds(0.0, -0.3) == [("slide", 0), ("zero", None)]
    assert kinds(1.0, 0.0) == [("slide", 1), ("zero", None)]
    assert kinds(0.0, np.nextafter(1, 2)) == [("slide", 0), ("zero", None)]
    assert kinds(0.0, 1.5) == [("slide", 0), ("zero", None)] and kinds(0.0, 2.5) == []
    assert kinds(-0.5, 1.0) == [("slide", 0), ("zero", None)]
    assert kinds(-1.0, 2.0) == [("cross", 0), ("slide", 0), ("zero", None)]
    assert kinds(-1.0, 4.0) == [("cross", 0)] and kinds(4.0, -1.0) == [("cross", 1)]
    assert kinds(-0.5, 0.5) == kinds(0.5, 0.5) == kinds(0.0, 0.0) == [("zero", None)]
    states = case.read([[0.0], [1.0]], [2.0], 1.0).weights([0.0, 0.25, 0.5, 0.6])[..., 0]
    assert states.tolist() == [[0, 1], [0, 0.5], [0, 0], [0, 0]]


def test_gradient_flow_is_the_linear_flow_and_its_separatrix_decays():
    theta, tau = np.array([[-0.3, 1.0, -2.0], [0.8, 0.5, 2.0]]), np.array([0.0, 0.5, 3.0, 400.0])
    states = case.read(theta, [1, -2, 1], 0).weights(tau)
    x = tau[:3, None] * [1, 2, 1]
    turned = theta[::-1] * [1, -1, 1]
    expected = theta * np.cosh(x)[:, None] + turned * np.sinh(x)[:, None]
    np.testing.assert_allclose(states[:3, :, :2], expected[..., :2], rtol=1e-12)
    np.testing.assert_allclose(states[..., 2], np.exp(-tau)[:, None] * [-2.0, 2.0], rtol=1e-14)
    assert case.read(theta, [1, -2, 1], 0).fate.tolist() == [1, 1, 2]
    assert case.read(theta, [1, -2, 1], 0).events == ()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_the_boundary_curve_separates_the_fates(rho, sign):
    curves = case.separatrix(rho, extent=3.0, sign=sign)
    assert np.abs(curves).max() >= 3
    for curve, side in zip(curves, (1, -1), strict=True):
        u, v = curve[:, 0], curve[:, 1]
        assert (np.diff(sign * u - v) >= 0).all()
        np.testing.assert_allclose(excess(sign * u, v, rho), 0, atol=1e-13)
        for offset, name in ((1e-9, 1), (-1e-9, 0 if rho else 1)):
            moved = np.stack([u, v + side * offset])[:, None]
            assert (case.read(np.moveaxis(moved, 2, 0), [sign], rho).fate == name).all()


@pytest.mark.parametrize("u", [0.0, 5e-324, -1e-300, 1.0, -1e150, 1e150])
@pytest.mark.parametrize("v", [0.0, -5e-324, 1e-300, -1.0, 1e150])
@pytest.mark.parametrize("rho", [0.0, 5e-324, 1e-300, 1.0, 1e150])
def test_weights_from_denormal_to_huge_give_numbers(u, v, rho):
    theta, ones = np.array([[u, u], [v, v]]), np.array([1.0, -1.0])
    states = case.read(theta, ones, rho).weights([0.0, 1e-300, 1.0, 800.0, 1e300])
    assert not np.isnan(states).any() and (states[0] == theta).all()
    fate, rest = case.read(theta, ones, rho).fate, case.read(theta, ones, rho).zero_time
    assert (np.isfinite(rest) == ((fate == Fate.COLLAPSE) | (theta == 0).all(axis=0))).all()
    assert len(case.read(theta, ones, rho).events) <= 6


def test_shapes_batches_unsorted_times_blocks_and_untouched_input():
    theta = fresh_rng().normal(size=(4, 5, 2, 3))
    kept, tau, mu = theta.copy(), np.array([1.0, 0.0, 0.5]), [1, -1, 0]
    states = case.read(theta, mu, 1).weights(tau)
    assert states.shape == (4, 5, 3, 2, 3) and (states[:, :, 1] == theta).all()
    assert (states[2, 3, 2:] == case.read(theta[2, 3], mu, 1).weights(tau[2:])).all()
    assert case.read(theta[:0], mu, 1).weights(tau).shape == (0, 5, 3, 2, 3)
    assert case.read(theta, mu, 1).weights([]).shape == (4, 5, 0, 2, 3)
    assert case.read(theta[:0], mu, 1).fate.shape == (0, 5, 3)
    many = np.tile(theta.reshape(-1, 2, 3), (2500, 1, 1))
    fates = case.read(many, mu, 1).fate
    assert (fates == np.tile(fates[:20], (2500, 1))).all() and (fates[:, 2] == Fate.IDLE).all()
    assert (fates[7] == case.read(theta[1, 2], mu, 1).fate).all()
    assert (theta == kept).all()


@pytest.mark.parametrize(
    "theta, rho, words",
    [([[1.0]] * 3, 1.0, "2 layers"), ([[1.0]] * 2, -1.0, "rho >= 0"), ([[1, np.inf]], 1, "finite")],
)
def test_bad_input_is_refused_in_one_line(theta, rho, words):
    with pytest.raises(ValueError, match="^[^\n]*$") as error:
        case.read(theta, np.ones(len(theta[0])), rho)
    assert words in str(error.value)


@given(st.floats(-3, 3), st.floats(-3, 3), st.sampled_from([-1.5, 1.0]))
def test_swapping_negating_and_mirroring_are_exact_symmetries(u, v, mu):
    tau = [0.0, 0.1, 0.7, 2.0]

    def path(u, v, mu=mu):
        return case.read([[u], [v]], [mu], 1.0).weights(tau)[..., 0]

    states = path(u, v)
    swapped = path(v, u) if mu > 0 else path(-v, -u)
    turn = np.array([1, -1])
    assert (path(-u, -v) == -states).all()
    assert (path(-u, v, -mu) == -turn * states).all()
    if mu > 0 and abs(u) != abs(v):
        assert (swapped == states[:, ::-1]).all()


def test_times_before_the_start_are_refused():
    with pytest.raises(ValueError, match="tau >= 0, got -1.0"):
        case.read([[1.0], [1.0]], [1.0], 1.0).weights([0.0, -1.0])
