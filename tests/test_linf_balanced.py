"""Balanced starts: against 50 digits, against the equation, and where they are treacherous."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

from flowsam.exact import linf_balanced as case
from flowsam.exact import linf_two_layer
from flowsam.labels import Fate
from tests.references import balanced_hit, balanced_size, condition, fresh_rng, misses


def _start(a, signs):
    """Weights (L, 1) of size a."""
    return np.abs(a) * np.asarray(signs, float)[:, None]


def _random_group(rng, d=20):
    """Draw (a, signs, mu, rho, tau): d coordinates, near misses, and times of every kind."""
    depth, rho = int(rng.integers(2, 9)), float(rng.choice([0, 1, 1, 1]) * np.exp(rng.normal()))
    a, mu = np.exp(rng.normal(size=(2, d)))
    mu *= rng.choice([-1, 1], d)
    signs = rng.choice([-1.0, 1.0], (depth, d))
    if rho:
        near = rho * (1 + rng.choice([-1, 1], d) * 10.0 ** rng.uniform(-13, -1, d))
        a = np.where(rng.random(d) < 0.3, near, a)
    size = case.read(a * signs, mu, rho)
    mark, blows = np.minimum(size.hit, size.blow_up_time), np.isfinite(size.blow_up_time)
    side = np.where(blows, -1, rng.choice([-1, 1], d))
    close = mark * (1 + side * 10.0 ** rng.uniform(-9, -0.01, d))
    early = rng.exponential(size=d) / np.abs(mu)
    return size, signs, mu, np.where(np.isfinite(mark) & (rng.random(d) < 0.7), close, early)


def _miss(draw, signs, computed):
    """Error over the bound of the weight of the first layer, for (a, mu, rho, tau)."""
    alignment, depth = int(np.sign(draw[1]) * np.prod(signs)), len(signs)

    def exact(a, mu, rho, tau):
        size = balanced_size(a, abs(mu), rho, tau, alignment=alignment, depth=depth)
        return (signs[0] * size,)

    return misses([computed], *condition(exact, draw))[0]


def test_a_thousand_random_sets_agree_with_fifty_digits():
    rng = fresh_rng()
    for _ in range(50):
        size, signs, mu, tau = _random_group(rng)
        w = case.read(size.a * signs, mu, size.rho).weights(tau)[:, 0].diagonal()
        for j, computed in enumerate(w):
            draw = (size.a[j], mu[j], size.rho, tau[j])
            assert _miss(draw, signs[:, j], computed) < 1, (draw, signs[:, j])


def test_hit_times_agree_with_fifty_digits():
    rng = fresh_rng()
    for _ in range(15):
        size, _, mu, _ = _random_group(rng)
        for a, m, p, computed in zip(size.a, mu, size.alignment, size.hit, strict=True):

            def exact(a, mu, rho, p=int(p), depth=size.depth):
                return (balanced_hit(a, abs(mu), rho, alignment=p, depth=depth),)

            assert misses([computed], *condition(exact, (a, m, size.rho)))[0] < 1, (size, a, m)


@pytest.mark.parametrize("depth", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("side", [-1, 1])
def test_near_misses_above_and_below_rho_keep_twelve_digits(depth, side):
    rho = 0.7
    for offset in (1e-12, 3e-15):
        a = rho * (1 + side * offset)
        times = [0.0, 1.0, 5.0, 20.0]
        states = case.read(_start(a, np.ones(depth)), [1.3], rho).weights(times)[:, 0, 0]
        for tau, computed in zip(times, states, strict=True):
            exact = balanced_size(a, 1.3, rho, tau, alignment=1, depth=depth)
            assert abs(computed / exact - 1) < 1e-14
        gap = mp.mpf(a) - mp.mpf(rho)
        time = case.read(_start(a, np.ones(depth)), [1.3], rho).blow_up_time[0]
        if depth > 2 and side > 0:
            exact = 1 / ((depth - 2) * mp.mpf(1.3) * gap ** (depth - 2))
            assert abs(time / exact - 1) < 1e-14


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_the_equation_holds_by_differences(depth, sign, rho):
    theta = _start(1.1, np.r_[sign, np.ones(depth - 1)])
    tau, h = np.array([0.05, 0.1]), 1e-5
    before, here, after = (case.read(theta, [0.9], rho).weights(tau + s) for s in (-h, 0, h))
    others = [np.prod(np.delete(here, k, axis=1), axis=1) for k in range(depth)]
    perturbed = here - rho * np.sign(np.stack(others, axis=1))
    for k in range(depth):
        velocity = 0.9 * np.prod(np.delete(perturbed, k, axis=1), axis=1)
        np.testing.assert_allclose((after - before)[:, k] / (2 * h), velocity, rtol=1e-7)


@pytest.mark.parametrize("depth", [2, 4, 6])
@pytest.mark.parametrize("sign", [-1, 1])
def test_even_depth_rests_exactly_at_zero_from_its_zero_time_on(depth, sign):
    theta = _start(0.6, np.r_[sign, np.ones(depth - 1)])
    end = case.read(theta, [2.0], 1.0).zero_time[0]
    states = case.read(theta, [2.0], 1.0).weights(end * np.array([1 - 1e-9, 1, 1 + 1e-9, 9]))
    assert (np.abs(states[0]) > 0).all() and (np.abs(states[0]) < 1e-7).all()
    assert (states[1:] == 0).all()


@pytest.mark.parametrize("depth", [3, 5])
def test_odd_depth_crosses_zero_once_and_tends_to_rho(depth):
    theta = _start(0.4, np.r_[-1, np.ones(depth - 1)])
    (event,) = case.read(theta, [1.0], 0.5).events
    assert (event.kind, event.layer, event.coordinate) == ("cross", None, 0)
    around = event.tau * np.array([1 - 1e-9, 1, 1 + 1e-9, 1e12])
    w = case.read(theta, [1.0], 0.5).weights(around)[:, :, 0]
    assert (np.sign(w[0]) == np.sign(theta[:, 0])).all() and (w[1] == 0).all()
    assert (np.sign(w[2]) == -np.sign(theta[:, 0])).all()
    assert np.prod(w[3]) == pytest.approx(0.5**depth, rel=1e-2)
    assert case.read(theta, [1.0], 0.5).zero_time[0] == np.inf


def test_two_layers_agree_with_the_two_layer_map():
    rng = fresh_rng()
    a, signs = rng.exponential(size=(50, 1, 3)), rng.choice([-1.0, 1.0], (50, 2, 3))
    a[:10] = 1.0
    theta, mu, tau = a * signs, np.array([1.0, -2.0, 0.0]), np.array([0.0, 0.3, 0.2, 2.0])
    for rho in (0.0, 1.0):
        both = [m.read(theta, mu, rho) for m in (case, linf_two_layer)]
        for name in ("fate", "zero_time", "blow_up_time"):
            pair = [getattr(solved, name) for solved in both]
            np.testing.assert_allclose(*pair, rtol=1e-13)
        pair = [solved.weights(tau) for solved in both]
        np.testing.assert_allclose(*pair, rtol=1e-11, atol=1e-14)


def test_fates_at_every_depth():
    theta = np.array([[1.5, 1.0, 0.4, -0.4, -1.5, 3.0]])
    mu = np.array([1.0, 1, 1, 1, 1, 0])
    rest = np.abs(np.repeat(theta, 4, axis=0))
    names = {1: [1, 1, 1, 1, 1, 4], 2: [1, 2, 0, 0, 0, 4], 3: [1, 2, 3, 3, 3, 4]}
    names |= {4: names[2], 5: names[3]}
    for depth, expected in names.items():
        start = np.concatenate([theta, rest[: depth - 1]])
        assert case.read(start, mu, 1.0).fate.tolist() == expected
    assert case.read(np.concatenate([theta, rest]), mu, 0).fate.tolist() == [1, 1, 1, 2, 2, 4]


@pytest.mark.parametrize(
    "rho, depth, name", [(0, 2, 2), (0, 3, 2), (1, 2, 0), (1, 3, 5), (1, 4, 0)]
)
def test_a_start_at_zero_rests_there(rho, depth, name):
    theta = np.zeros((depth, 1))
    assert case.read(theta, [1.0], rho).fate[0] == Fate(name)
    assert case.read(theta, [1.0], rho).zero_time[0] == 0
    assert (case.read(theta, [1.0], rho).weights([0, 1, 9]) == 0).all()
    assert [(e.tau, e.kind) for e in case.read(theta, [1.0], rho).events] == [(0.0, "zero")]


def test_the_blow_up_is_infinite_from_its_time_on_and_finite_just_before():
    theta, mu = np.array([[1.0, 0.3]] * 3), [1, 1.3]
    tau = np.array([np.nextafter(2, 0), 2.0, 5.0])
    w = case.read(theta, mu, 0.5).weights(tau)[:, 0]
    assert 1e15 < w[0, 0] < np.inf and (w[1:, 0] == np.inf).all()
    assert w[1, 1] ** 3 == pytest.approx((7 / 19) ** 3, rel=1e-14)  # frozen below rho^3
    assert case.read(-theta, [-1, -1.3], 0.5).weights([2.0])[0, 0, 0] == -np.inf


@pytest.mark.parametrize("a", [5e-324, 1e-300, 1e150, 1e300])
@pytest.mark.parametrize("rho", [0.0, 5e-324, 1.0, 1e150])
@pytest.mark.parametrize("depth", [1, 2, 3, 4, 7])
def test_sizes_from_denormal_to_huge_give_numbers(a, rho, depth):
    for sign in (-1, 1):
        theta = _start(a, np.r_[sign, np.ones(depth - 1)])
        w = case.read(theta, [1.0], rho).weights([0.0, 1e-300, 1.0, 1e300])
        assert not np.isnan(w).any()
        assert (w[0] == theta).all()
        assert not np.isnan(case.read(theta, [1.0], rho).zero_time).any()
        assert (case.read(theta, [1.0], rho).blow_up_time > 0).all()


def test_gradient_flow_from_tiny_starts_does_not_overflow_early():
    w = case.read([[1e-200]] * 2, [1.0], 0).weights([800.0])[0, 0, 0]
    assert float(mp.log(w)) == pytest.approx(800 - 200 * np.log(10), rel=1e-14)


def test_shapes_batches_unsorted_times_and_empty_inputs():
    theta = np.abs(fresh_rng().normal(size=(4, 5, 1, 3))).repeat(3, axis=2)
    tau = np.array([1.0, 0.0, 0.5])
    w = case.read(theta, [1, -1, 0], 1).weights(tau)
    assert w.shape == (4, 5, 3, 3, 3) and (w[:, :, 1] == theta).all()
    one = case.read(theta[2, 3], [1, -1, 0], 1).weights(tau[2:])
    assert (w[2, 3, 2:] == one).all()
    assert case.read(theta[:0], [1, -1, 0], 1).weights(tau).shape == (0, 5, 3, 3, 3)
    assert case.read(theta, [1, -1, 0], 1).weights([]).shape == (4, 5, 0, 3, 3)
    assert case.read(theta[:0], [1, -1, 0], 1).fate.shape == (0, 5, 3)


def test_an_idle_coordinate_may_have_any_weights_and_keeps_them():
    theta = [[1.0, 3.0], [-1.0, 7.0]]
    assert case.applies(theta, [1.0, 0.0]) and not case.applies(theta, [1.0, 1.0])
    assert (case.read(theta, [1.0, 0.0], 1).weights([9.0])[0, :, 1] == [3.0, 7.0]).all()


@pytest.mark.parametrize(
    "theta, rho, words",
    [([[1.0], [2.0]], 1.0, "equal |w|"), ([[1.0]], -1.0, "rho >= 0"), ([[np.nan]], 1.0, "finite")],
)
def test_bad_input_is_refused_in_one_line(theta, rho, words):
    with pytest.raises(ValueError, match="^[^\n]*$") as error:
        case.read(theta, [1.0], rho)
    assert words in str(error.value)


@given(st.integers(1, 6), st.integers(0, 2**32 - 1), st.floats(0.2, 5))
def test_scaling_the_weights_and_flipping_two_layers_change_nothing_else(depth, seed, scale):
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], (depth, 2))
    theta, mu, rho = rng.exponential(size=2) * signs, rng.normal(size=2), rng.exponential()
    tau = np.array([0.1, 1.0])
    w = case.read(theta, mu, rho).weights(tau)
    scaled = case.read(scale * theta, mu, scale * rho).weights(tau * scale ** (2.0 - depth))
    close = np.isfinite(w) & np.isfinite(scaled)
    np.testing.assert_allclose(scaled[close], scale * w[close], rtol=1e-7, atol=1e-10 * scale)
    if depth > 1:
        flip = np.r_[-1.0, -1.0, np.ones(depth - 2)][:, None]
        assert (case.read(flip * theta, mu, rho).weights(tau) == flip * w).all()


def test_times_before_the_start_are_refused():
    with pytest.raises(ValueError, match="tau >= 0, got -1.0"):
        case.read([[1.0], [1.0]], [1.0], 1.0).weights([0.0, -1.0])
