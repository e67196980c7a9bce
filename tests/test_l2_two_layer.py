"""l_2 at L = 2: against the definition in 30 digits, closed forms, symmetries, and every edge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import elliprf

from flowsam.exact import l2_outcome, l2_spectrum
from flowsam.exact import l2_two_layer as case
from flowsam.exact.l2_spectrum import spectrum_of
from flowsam.labels import Fate
from tests.l2_references import integrate

HALF = 2**-0.5


def draw(rng, d=None):
    """A random signed, unbalanced start, mu with a ratio of at most 10, any scales."""
    d = d or int(rng.integers(1, 7))
    mu = rng.uniform(1, 10, d) * rng.choice([-1, 1], d) * 10 ** rng.uniform(-1, 1)
    rho = 10 ** rng.uniform(-1, 1)
    return rng.normal(size=(2, d)) * rho * 10 ** rng.uniform(-1, 0.3), mu, rho


def errors(theta, mu, rho):
    """Relative max-norm errors at 50, 99 and 99.9 % of a collapse, or on the way to infinity."""
    end = float(case.read(theta, mu, rho).collapse_time)
    tau = np.array([0.5, 0.99, 0.999]) * min(end, 6 / np.abs(mu).max())
    ours, exact = case.read(theta, mu, rho).weights(tau), integrate(theta, mu, rho, tau)
    return np.abs(ours - exact).max(axis=(1, 2)) / np.abs(exact).max(axis=(1, 2))


def assert_close_to_the_definition(cases, seed):
    rng = np.random.default_rng(seed)
    for _ in range(cases):
        theta, mu, rho = draw(rng)
        found = errors(theta, mu, rho)
        assert (found <= [1e-10, 1e-10, 1e-9]).all(), (theta, mu, rho, found)


def test_weights_agree_with_the_definition():
    assert_close_to_the_definition(5, seed=11)


@pytest.mark.long
def test_two_hundred_starts_agree_with_the_definition():
    assert_close_to_the_definition(200, seed=12)


@pytest.mark.parametrize("alpha", [0.01, 0.5, 0.7, 0.72, 3.0])
def test_one_balanced_coordinate_is_linear(alpha):
    mu, tau = 1.7, np.linspace(0, 2, 9)
    exact = HALF + (alpha - HALF) * np.exp(mu * tau)
    exact[np.maximum.accumulate(exact <= 0)] = 0
    ours = case.read([[alpha], [alpha]], [mu], 1).weights(tau)[:, 0, 0]
    assert np.abs(ours - exact).max() < 1e-13 * max(1, exact.max())
    assert (ours[exact == 0] == 0).all()
    end = -np.log1p(-alpha / HALF) / mu if alpha < HALF else np.inf
    assert float(case.read([[alpha], [alpha]], [mu], 1).collapse_time) == pytest.approx(
        end, rel=1e-13
    )


@settings(max_examples=12)
@given(st.integers(0, 10**6))
def test_symmetries(seed):
    rng = np.random.default_rng(seed)
    theta, mu, rho = draw(rng, 3)
    theta[:, 0] *= rng.choice([0, 1])
    tau = np.array([0.0, 0.2, 0.7]) / np.abs(mu).max()
    ours = case.read(theta, mu, rho).weights(tau)
    size = np.abs(ours).max()

    def same(other):
        assert np.abs(other - ours).max() < 1e-12 * size, (theta, mu, rho)

    order, c = rng.permutation(3), 10 ** rng.uniform(-3, 3)
    same(case.read(theta[:, order], mu[order], rho).weights(tau)[..., np.argsort(order)])
    same(case.read(theta[::-1], mu, rho).weights(tau)[:, ::-1])
    same(case.read(theta, mu * c, rho).weights(tau / c))
    same(case.read(theta * c, mu, rho * c).weights(tau) / c)
    flip = rng.choice([-1, 1], 3) * np.array([[1], [1]])
    flip[0] *= np.sign(mu).astype(int)  # mu -> |mu| by a sign on layer 1
    same(case.read(theta * flip, np.abs(mu), rho).weights(tau) * flip)
    middle = case.read(theta, mu, rho).weights(tau[1:2])[0]  # a flow: restart half way
    same(np.concatenate([ours[:2], case.read(middle, mu, rho).weights(tau[2:] - tau[1])]))


def test_a_batch_is_its_members():
    rng = np.random.default_rng(3)
    theta = rng.normal(size=(2, 6, 2, 3)) * 0.7
    theta[0, 0] = 0
    theta[0, 1] = [[1, -2, 0], [-1, 2, 0]]  # s = 0 throughout
    theta[0, 2], theta[0, 3] = 1e-300, 1e100
    theta[0, 4] = [[HALF, 0, 0], [HALF, 0, 0]]  # at the saddle
    mu, tau = [1.0, 2.0, 3.0], [0.0, 0.4, 3.0, 60.0]
    together = case.read(theta, mu, 1).weights(tau)
    codes = l2_outcome.outcome(theta, mu, rho=1)
    times = case.read(theta, mu, 1).collapse_time
    assert (np.isfinite(times) == (codes == Fate.COLLAPSE)).all()
    for place in np.ndindex(2, 6):
        alone = case.read(theta[place], mu, 1).weights(tau)
        assert np.allclose(alone, together[place], rtol=1e-12, atol=0), place
        assert l2_outcome.outcome(theta[place], mu, rho=1) == codes[place]
    assert list(codes[0, :5]) == [Fate.COLLAPSE] * 3 + [Fate.ESCAPE, Fate.SADDLE]
    assert {Fate.COLLAPSE, Fate.ESCAPE} <= set(codes.ravel())


def test_idle_coordinates_stay_and_the_rest_rests_at_exactly_zero():
    theta = np.array([[0.1, 0.2, 0.7, 0.0], [0.1, -0.3, 1 / 3, 0.0]])
    mu = [1.0, -2.0, 0.0, 3.0]
    end = float(case.read(theta, mu, 1).collapse_time)
    states = case.read(theta, mu, 1).weights([0, end / 2, end * (1 + 1e-12), 1e9])
    assert (states[0] == theta).all() and (states[:, :, 2] == theta[:, 2]).all()
    assert (states[2:, :, [0, 1, 3]] == 0).all() and (states[:, :, 3] == 0).all()
    assert (states[1, :, :2] != 0).all()
    assert list(case.read(theta, mu, 1).zero_time) == [end, end, np.inf, 0]
    assert np.isinf(case.read(theta, mu, 1).blow_up_time).all()
    assert l2_outcome.outcome(theta, mu, rho=1) == Fate.COLLAPSE  # "stalled", as beta_3 stays


def events(theta, mu):
    return case.read(theta, mu, 1.0).path(np.inf)[1]


def test_events_of_a_signed_start():
    theta, mu = np.array([[0.5, -0.3], [0.3, 0.4]]), np.array([1.0, 2.0])
    crossing, collapse = events(theta, mu)
    assert (crossing.kind, crossing.layer, crossing.coordinate) == ("cross", 0, 1)
    assert crossing.tau == pytest.approx(np.log(7) / 4, rel=1e-14)
    state = case.read(theta, mu, 1).weights([crossing.tau])[0]
    assert abs(state[0, 1]) < 1e-15 < state[1, 1]
    assert collapse.kind == "collapse" and collapse.coordinate is None
    mirrored = events(theta[::-1], -mu)
    assert [e.kind for e in mirrored] == ["collapse"]  # there s and e are exchanged
    turn = events(np.full((2, 2), 0.55), mu)[0]
    norm = case.read(np.full((2, 2), 0.55), mu, 1).curve.log_norm_at(
        turn.tau + np.array([-1e-3, 0, 1e-3])
    )
    assert turn.kind == "turn" and norm[1] < min(norm[0], norm[2])


def test_from_the_smallest_to_the_largest_start():
    mu = [1.0, 2.0]
    tiny = float(case.read(np.full((2, 2), 1e-300), mu, 1).collapse_time)
    small = float(case.read(np.full((2, 2), 1e-100), mu, 1).collapse_time)
    assert tiny == pytest.approx(small * 1e-200, rel=1e-12)
    assert float(case.read(np.full((2, 2), 5e-324), mu, 1).collapse_time) < 1e-320
    huge = case.read([[1e300, 1.0]] * 2, mu, 1).weights([1.0])[0, 0]
    assert huge == pytest.approx(np.exp(mu) * [1e300, 1.0], rel=1e-14)
    late = case.read([[1.0, 1e-300]] * 2, mu, 1).weights([600.0])[0, 0]
    log_minor = np.log(late[0])
    damping = 600 - log_minor  # = A, so that w_2 = 1e-300 exp(1200 - 4 A), beyond exp's range
    assert np.log(late[1]) == pytest.approx(-300 * np.log(10) + 1200 - 4 * damping, rel=1e-13)


def test_far_apart_rates_are_their_own_scales():
    start, mu = np.full((2, 3), 0.5), np.array([1e-6, 1e-3, 1.0])
    path = case.read(start, mu, 1).curve
    assert path.outcome == Fate.COLLAPSE and np.diff(path.first) < 150
    # the last coordinate alone, from where the others are gone
    tau = float(path.collapse_time) / 2
    state = case.read(start, mu, 1).weights([tau])[0, 0]
    assert state[1] == state[2] == 0 < state[0]
    rest = -np.log1p(-state[0] / HALF) / mu[0]
    assert tau + rest == pytest.approx(float(path.collapse_time), rel=1e-10)


def test_outcome_of_one_coordinate_is_carlsons_integral():
    rng = np.random.default_rng(8)
    theta = rng.normal(size=(3000, 2, 1)) * 1.5
    s, e = np.abs(theta[:, 0, 0] + theta[:, 1, 0]), np.abs(theta[:, 0, 0] - theta[:, 1, 0])
    value = np.sqrt(2) * elliprf(s**2, s**2 + 1j * s * e, s**2 - 1j * s * e).real
    codes = l2_outcome.outcome(theta, [1.3], rho=1)
    assert (codes == np.where(value < 1, Fate.ESCAPE, Fate.COLLAPSE)).all()
    padded = np.concatenate([theta, np.zeros_like(theta)], axis=2)  # raced, not the closed form
    assert (l2_outcome.outcome(padded[:500], [1.3, 2.0], rho=1) == codes[:500]).all()
    assert (l2_outcome.outcome(theta[:, ::-1] * [[-1], [1]], [-1.3], rho=1) == codes).all()


def test_outcome_of_equal_mu_is_the_norm_of_s_and_e():
    rng = np.random.default_rng(9)
    theta = rng.normal(size=(300, 2, 4)) * 0.5
    mu = np.array([2.0, -2.0, 2.0, 0.0])
    equal = l2_outcome.outcome(theta, mu, rho=1)
    apart = l2_outcome.outcome(theta, mu * [1, 1, 1 + 1e-9, 1], rho=1)
    assert (equal == apart).all() and len(set(equal)) == 2


def test_quick_paths_never_decide_what_full_ones_would_not(monkeypatch):
    rng = np.random.default_rng(10)
    theta = rng.normal(size=(150, 2, 3))
    mu = [1.0, 1.4, 3.0]
    scales = 0.9 + 0.2 * rng.random(150)
    near = np.array([[[c]] for c in scales]) * theta * 0.55
    quick = l2_outcome.outcome(near, mu, rho=1)
    monkeypatch.setattr(l2_outcome, "QUICK", 20)
    assert (l2_outcome.outcome(near, mu, rho=1) == quick).all()


def test_the_outcome_grows_with_every_amplitude():
    rng = np.random.default_rng(13)
    lower = np.abs(rng.normal(size=(300, 2, 3))) * 0.4
    upper = lower * (1 + rng.random((300, 2, 3)) * rng.integers(0, 2, (300, 2, 3)))
    sides = []
    for s, e in (lower.swapaxes(0, 1), upper.swapaxes(0, 1)):
        theta = np.stack([s + e, s - e], axis=1) / 2
        sides.append(l2_outcome.outcome(theta, [1.0, -1.5, 2.5], rho=1) == Fate.ESCAPE)
    assert (sides[0] <= sides[1]).all() and sides[0].any() and not sides[1].all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: case.read(np.ones((3, 2)), [1, 2], 1).weights([0]), "two layers, got 3"),
        (lambda: case.read(np.ones((2, 2)), [1, 2], -1).weights([0]), "rho needs"),
        (lambda: case.read(np.ones((2, 2)), [1, 2], 1).weights([-1]), "tau >= 0"),
        (lambda: case.read(np.ones((2, 3)), [1, 2], 1).weights([0]), "to fit the data"),
        (lambda: case.read(np.ones((2, 2)), [1, 2], 0).curve, "rho needs .* > 0, got 0"),
        (lambda: case.read([[1, np.nan]] * 2, [1, 2], 1).weights([0]), "finite"),
    ],
)
def test_bad_input_is_said_in_one_line(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert "\n" not in str(error.value)


def test_shapes_without_members():
    assert case.read(np.zeros((0, 2, 2)), [1, 2], 1).weights([1]).shape == (0, 1, 2, 2)
    assert case.read(np.ones((2, 2)), [1, 2], 1).weights([]).shape == (0, 2, 2)
    assert l2_outcome.outcome(np.zeros((0, 2, 2)), [1, 2], rho=1).shape == (0,)


def test_series_of_one_start_and_of_many_are_the_same() -> None:
    """Up to rounding."""
    rng = np.random.default_rng(8)
    spectrum = spectrum_of(rng.uniform(0.3, 0.8, (3, 2, 2)), np.array([1.0, 2.0]), 0.1)
    every = np.arange(3)
    front = l2_spectrum.Front(spectrum, every, *np.zeros((2, 3)))
    many = l2_spectrum.expand(front)
    for k in every:
        one = l2_spectrum.expand(front.select(every[[k]]))
        np.testing.assert_allclose(one.y[:, 0], many.y[:, k], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(one.g[:, 0], many.g[:, k], rtol=1e-9, atol=1e-12)


def test_every_escape_has_its_turn():
    """Of 50 single starts, whose search stops by itself; steps may come from one side alone."""
    for seed in range(50):
        rng = np.random.default_rng(seed)
        d = rng.integers(1, 4)
        mu, theta = rng.uniform(0.5, 3, d), 1.5 * rng.normal(size=(2, d))
        path = case.read(theta, mu, 1).curve
        turn = float(path.turning_time())
        assert np.isfinite(turn) == (path.outcome == Fate.ESCAPE), seed
        if 0 < turn < np.inf:
            around = path.log_norm_at(turn * np.array([0.99, 1.0, 1.01]))
            assert around.argmin() == 1, seed
