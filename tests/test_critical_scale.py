"""The critical scale: its value, closed forms, scaling laws, the saddle, and separatrix curves."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from scipy.special import gamma

from flowsam.amplification import critical_scale, critical_scale_bounds, leaders, uniform_leaders
from flowsam.exact.l2_outcome import lone_scale, outcome
from flowsam.exact.l2_separatrix import balanced_excess, balanced_separatrix, lone_separatrix
from flowsam.exact.l2_two_layer import read
from flowsam.labels import Fate
from tests.l2_references import integrate

ALPHA = 0.521321282599666543  # of mu = (1, 2), rho = 1


def profile_of(rng):
    mu = rng.uniform(0.5, 4, 4) * rng.choice([-1, 1], 4)
    return rng.normal(size=(2, 4)) * 10 ** rng.uniform(-3, 3), mu


def test_the_value_for_one_and_two():
    found = critical_scale_bounds([1, 2], 1)
    assert found.value == pytest.approx(ALPHA, rel=1e-15)
    assert abs(found.value - ALPHA) <= found.error < 2e-15
    assert isinstance(critical_scale([1, 2], 1), float)


def test_scaling_laws():
    rng = np.random.default_rng(1)
    for _ in range(2):
        profile, mu = profile_of(rng)
        value, c = critical_scale(mu, 0.7, profile=profile), 10 ** rng.uniform(-5, 5)
        others = [
            critical_scale(mu, 0.7 * c, profile=profile / c) / c**2,
            critical_scale(-mu * c, 0.7, profile=profile * [[1], [-1]]),
        ]
        assert others == pytest.approx([value] * 2, rel=1e-13), (profile, mu, c)


def test_one_coordinate_in_closed_form_and_by_bisection():
    rng = np.random.default_rng(2)
    for theta in rng.normal(size=(4, 2, 1)) * 10 ** rng.uniform(-3, 3, (4, 1, 1)):
        closed = critical_scale([1.3], 1, profile=theta)
        raced = critical_scale([1.3, 2], 1, profile=np.hstack([theta, np.zeros((2, 1))]))
        s, e = theta[0] + theta[1], theta[0] - theta[1]
        assert closed == pytest.approx(float(lone_scale(s, e, rho=1)[0]), rel=1e-14)
        assert raced == pytest.approx(closed, rel=1e-13), theta


def test_carlsons_integral_far_out_on_both_sides():
    assert float(lone_scale(2, 0, rho=1)) == pytest.approx(2**-0.5, rel=1e-15)
    assert np.isinf(lone_scale(0, 1, rho=1)) and np.isinf(lone_scale(0, 0, rho=1))
    for s, e in [(1e-200, 1e200), (3.0, 1e-300), (1e300, 1e-300), (1e-9, 1.0)]:
        with mp.workdps(40):
            x, y = mp.mpf(s) ** 2, mp.mpc(0, 1) * mp.mpf(s) * mp.mpf(e)
            exact = mp.sqrt(2) * mp.re(mp.elliprf(x, x + y, x - y))
        assert float(lone_scale(s, e, rho=1)) == pytest.approx(float(exact), rel=1e-14)


def test_it_lies_in_its_bracket_and_between_the_sides():
    rng = np.random.default_rng(3)
    for _ in range(3):
        profile, mu = profile_of(rng)
        found = critical_scale_bounds(mu, 1, profile=profile)
        assert found.error < 1e-14 * found.value
        norm = np.linalg.norm(mu * profile)
        s, e = profile[0] + profile[1], profile[0] - profile[1]
        grow, shrink = np.where(mu > 0, [s, e], [e, s])
        upper = lone_scale(grow, shrink, rho=1).min()
        assert np.abs(mu).min() / norm <= found.value * (1 + 1e-12) <= upper * (1 + 2e-12)
        starts = found.value * profile * np.array([1 - 1e-11, 1, 1 + 1e-11])[:, None, None]
        codes = outcome(starts, mu, rho=1)
        assert codes.tolist() == [Fate.COLLAPSE, Fate.SADDLE, Fate.ESCAPE]


def test_features_of_very_different_sizes():
    """Where the separatrix passes saddles of larger mu, and stays there for thousands of steps."""
    rng = np.random.default_rng(4)
    for spread in (2.0, 4.0, 6.0, 6.0):
        profile, mu = rng.normal(size=(2, 4)), np.exp(spread * rng.normal(size=4))
        found = critical_scale(mu, 1, profile=profile)
        starts = found * profile * np.array([1 - 1e-11, 1 + 1e-11])[:, None, None]
        assert outcome(starts, mu, rho=1).tolist() == [Fate.COLLAPSE, Fate.ESCAPE], mu


@pytest.mark.parametrize(("small", "size"), [(0.1, 1e6), (1e-2, 1e2), (1e-2, 1e6), (1e-4, 1e6)])
def test_a_small_feature_that_only_shrinks(small, size):
    """u = -v: it holds N up for a time of 1/mu, long after the others grow or fall."""
    profile, mu = np.array([[1.0, size], [0.7, -size]]), np.array([1.0, small])
    found = critical_scale_bounds(mu, 1, profile=profile)
    starts = found.value * profile * np.array([1 - 1e-11, 1 + 1e-11])[:, None, None]
    assert outcome(starts, mu, rho=1).tolist() == [Fate.COLLAPSE, Fate.ESCAPE]
    assert found.error < 2e-14 * found.value


def test_clusters_of_mu():
    gaps = np.array([1e-3, 0.01, 0.1])
    values = [critical_scale([1, 1 + gap], 1) for gap in gaps]
    assert np.abs(values - (0.5 + gaps**2 / 16)).max() < gaps[-1] ** 3 / 8
    assert critical_scale([1, 1 + 1e-9], 1) == pytest.approx(0.5, rel=1e-14)
    assert critical_scale([1, 1], 1) == pytest.approx(0.5, rel=1e-15)
    assert critical_scale([3, -3, 0], 1) == pytest.approx(0.5, rel=1e-15)


def test_profiles_that_never_escape_and_sparse_ones():
    never = [[1.0, 2.0], [-1.0, -2.0]]
    assert critical_scale([1, 2], 1, profile=never) == np.inf
    assert critical_scale([-1, 2], 1, profile=[0, 1]) == pytest.approx(2**-0.5, rel=1e-14)
    aligned = critical_scale([-1, 2], 1)
    assert aligned == pytest.approx(ALPHA, rel=1e-15)  # sign(mu) on layer 1
    assert critical_scale([1e-6, 1], 1) < 2**-0.5


def test_the_saddle_itself_does_not_count_as_a_collapse():
    for mu in ([1.0], [1.0, 2.0], [1.0, 1.0, 3.0]):
        start = np.zeros((2, len(mu)))
        start[:, 0] = 2**-0.5  # N = rho mu_1: the certificate holds with equality
        assert outcome(start, mu, rho=1) == Fate.SADDLE


@pytest.mark.parametrize("side", [-1, 1])
def test_a_start_beside_the_separatrix_leaves_in_time(side):
    alpha = ALPHA * (1 + side * 1e-9)
    start, mu = np.full((2, 2), alpha), np.array([1.0, 2.0])
    run = leaders(start, mu, rho=1)
    assert run.order == ((1,) if side < 0 else (1, 2)) == uniform_leaders(mu, 1, alpha)
    # exit from the plateau: N off by 1 % from its value at the saddle
    path, level = read(start, mu, 1).curve, np.log1p(side * 0.01)
    low, high = 10.0, 19.0
    for _ in range(60):
        middle = (low + high) / 2
        left = side * (float(path.log_norm_at(middle)) - level) > 0
        low, high = (low, middle) if left else (middle, high)
    state = integrate(start, mu, 1.0, [high])[0]
    exact = np.linalg.norm(mu * state)
    # N - 1 grows like e^tau here
    assert abs(np.log(abs(exact - 1) / 0.01)) < 1e-4
    assert side * (exact - 1) > 0


def test_the_plane_of_one_coordinate():
    k = np.concatenate([np.linspace(-3, 3, 13), [1e3, -1e8]])
    points = lone_separatrix(k, rho=0.7)
    u, v = points.T
    assert (u + v > 0).all() and np.allclose((u - v) / (u + v), k, rtol=1e-7)
    for point in points[:13]:
        sides = np.array([1 - 1e-9, 1, 1 + 1e-9])[:, None] * point
        codes = outcome(sides[..., None], [2.0], rho=0.7)
        assert codes.tolist() == [Fate.COLLAPSE, Fate.SADDLE, Fate.ESCAPE]
    # far out |u^2 - v^2| = |s e| -> rho^2 Gamma(1/4)^4 / (8 pi)
    s = float(lone_scale(1, 1e20, rho=0.7))
    assert s * s * 1e20 == pytest.approx(0.49 * gamma(0.25) ** 4 / (8 * np.pi), rel=1e-9)


@pytest.mark.parametrize("mu", [[-3, 1], [1, 1.05], [2, 2], [1, 30]])
def test_the_plane_of_balanced_starts(mu):
    points = balanced_separatrix(mu, rho=0.7, points=21)
    assert np.allclose(points[[0, -1]], 0.7 * 2**-0.5 * np.eye(2), atol=1e-15)
    assert (np.diff(points[:, 0]) < 0).all() and (np.diff(points[:, 1]) > 0).all()
    for point in points[[1, 13]]:
        assert critical_scale(mu, 0.7, profile=point) == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize(
    "ratio", [1, 1 + 1e-9, 1 + 2.1e-5, 1 + 1e-4, 1.7, 8, 90, 3e3, 9e4, 2e5, 1e9]
)
def test_the_side_of_the_separatrix(ratio):
    """log(c / c*) of balanced starts in any direction; the curve bends within 1/m at large m."""
    rng = np.random.default_rng(int(ratio))
    mu, rho = 10 ** rng.uniform(-2, 2) * np.array([1.0, ratio]), 10 ** rng.uniform(-2, 2)
    wide, near = rng.uniform(-13 - np.log(ratio), 13, 4), rng.normal(size=4) / ratio
    q = np.concatenate([wide, near, 10 ** rng.uniform(-9, 0, 4)])
    profiles = np.stack([np.ones_like(q), np.exp(q)], axis=-1) * 10 ** rng.uniform(-2, 2)
    exact = [-np.log(critical_scale(mu, rho, profile=profile)) for profile in profiles]
    found = balanced_excess(mu, rho=rho)(profiles)
    np.testing.assert_allclose(found, exact, rtol=0, atol=6e-9 if ratio < 1.001 else 1e-9)
    mirrored = balanced_excess(-mu[::-1], rho=rho)(profiles[:, ::-1])
    np.testing.assert_allclose(mirrored, found, rtol=0, atol=6e-9 if ratio < 1.001 else 2e-10)
    corner = rho / np.sqrt(2)
    alone = balanced_excess(mu, rho=rho)(corner * np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]]))
    np.testing.assert_allclose(alone, [0, 0, np.log(2)], rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: critical_scale([0, 0], 1), "non-zero entry"),
        (lambda: critical_scale([1, 2], 0), "rho needs"),
        (lambda: critical_scale([1, 2], 1, profile=[1, 2, 3]), r"profile needs shape \(2,\) or"),
        (lambda: critical_scale([1, 2], 1, profile=np.ones((4, 2, 2))), "loop over"),
        (lambda: balanced_separatrix([1, 2, 3], rho=1), "two non-zero mu"),
        (lambda: balanced_excess([0, 2], rho=1), "two non-zero mu"),
    ],
)
def test_bad_input_is_said_in_one_line(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("gap", [1e-9, 1e-6, 1.9e-5, 2.1e-5, 1e-3])
def test_separatrix_of_nearly_equal_mu(gap):
    """By its slow manifold or by integration, its middle is the critical scale of equal starts."""
    curve = balanced_separatrix([1.0, 1.0 + gap], rho=1.0, points=3)
    exact = critical_scale([1.0, 1.0 + gap], rho=1.0)
    np.testing.assert_allclose(curve[1], exact, rtol=1e-9)


def test_the_bend_of_the_separatrix_at_large_ratios_in_symbols():
    """`(1 + 1/m) q = y - log(e^-y - 1)/m`, from d log w_1 / dq with N -> mu_2 sqrt2 w_2."""
    m, rho, norm = sp.symbols("m rho N", positive=True)
    y, pull = sp.symbols("y pull", real=True)  # pull = rho mu_1 / N; mu_1 = 1, mu_2 = m
    low, high = (k * (1 - k * rho / norm) for k in (1, m))
    along = (low / (high - low)).subs(norm, rho / pull)
    assert sp.simplify(along - (1 - pull) / ((m - 1) * (1 - (1 + m) * pull))) == 0
    leading = 1 / (m * (1 - (1 + 1 / m) * sp.exp(-y)))
    assert sp.limit(sp.simplify(along.subs(pull, sp.exp(-y) / m) / leading), m, sp.oo) == 1
    q = (y - sp.log(sp.exp(-y) - 1) / m) / (1 + 1 / m)
    assert sp.simplify(q.diff(y) * (1 + leading) - 1) == 0  # y = log w_1 + q
    assert sp.limit((y - q).subs(m, 7), y, -sp.oo) == 0  # far out w_1 is the corner's


def test_features_whose_ratio_underflows_are_not_idle():
    with pytest.raises(ValueError, match="scale the features"):
        critical_scale([1e-200, 1e200], 0.5, profile=[[1.5, 0.6], [0.3, -1.0]])
