"""exact.linf_deep against 50-digit quadrature, the equation itself, and the balanced theorem."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from flowsam import Flow, gradient_flow, iterate, limit, linf, single_example, solve
from flowsam.exact import first_escape, foremost, hyperelliptic, linf_deep
from flowsam.labels import Fate, Label
from flowsam.network import balanced

EPS = np.finfo(float).eps


def exact_z(w, rho, mu):
    """Perturbed weights at 50 digits, doubles taken exactly; prod sign(w) decides the side."""
    w, rho = [mp.mpf(x) for x in w], mp.mpf(rho)
    side = mp.sign(mu) * mp.sign(mp.fprod(w))
    return [x - rho * side * mp.sign(x) for x in w]


def clock(z, mu, stop):
    """|mu| int du / prod sqrt(u^2 + gap) at 50 digits from the start's place to `stop`."""
    z = sorted(z, key=abs)
    gaps = [(x - z[0]) * (x + z[0]) for x in z[1:]]
    start = mp.sign(mu) * mp.fprod(mp.sign(x) for x in z[1:]) * z[0]
    marks = [s * mp.sqrt(g) for g in gaps for s in (-1, 1)] + [0, 4 * abs(z[-1])]
    inner = sorted({m for m in marks if start < m < stop})
    integrand = lambda u: 1 / mp.sqrt(mp.fprod(u * u + g for g in gaps))  # noqa: E731
    return mp.quad(integrand, [start, *inner, stop]) / abs(mp.mpf(mu))


def unbalanced(rng, depth, size=None):
    """Random positive starts of one coordinate on both sides of rho, with mu and rho."""
    shape = (depth,) if size is None else (size, depth)
    return rng.uniform(0.05, 2.0, shape), float(rng.uniform(0.3, 3.0)), float(rng.uniform(0.1, 0.8))


def blow_up_error(rng, depth):
    """Relative error of one random finite blow-up time."""
    while True:
        w, mu, rho = unbalanced(rng, depth)
        found = linf_deep.read(w[:, None], [mu], rho).blow_up_time[0]
        if found < np.inf:
            with mp.workdps(50):
                reference = clock(exact_z(w, rho, mu), mu, mp.inf)
                return float(abs(mp.mpf(found) / reference - 1)), (w, mu, rho)


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_blow_up_times_equal_quadrature_at_50_digits(depth):
    rng = np.random.default_rng(depth)
    for _ in range(4):
        error, case = blow_up_error(rng, depth)
        assert error < 1e-12, case


@pytest.mark.long
@pytest.mark.parametrize("depth", [3, 4, 5])
def test_500_blow_up_times_equal_quadrature_at_50_digits(depth):
    rng = np.random.default_rng(100 + depth)
    errors = [blow_up_error(rng, depth) for _ in range(500)]
    worst, case = max(errors, key=lambda pair: pair[0])
    assert worst < 1e-12, (worst, case)


def definition(w, mu, rho):
    """The velocity of one coordinate from the definition of l_inf-SAM."""
    others = lambda x: np.array([np.prod(np.delete(x, k)) for k in range(x.size)])  # noqa: E731
    return mu * others(w - rho * np.sign(mu * others(w)))


def first_end(w, mu, rho):
    """When the first weight of one coordinate is 0, or it blows up."""
    found = linf_deep.read(w[:, None], [mu], rho).events
    return next(e.tau for e in found if e.kind != "turn")


def integrated(w, mu, rho, tau):
    """The same by DOP853 at tight tolerances, (T, L)."""
    run = solve_ivp(
        lambda _, x: definition(x, mu, rho), (0, tau[-1]), w, "DOP853", tau, rtol=1e-13, atol=1e-14
    )
    return run.y.T


@pytest.mark.parametrize("depth", [3, 4, 5, 6])
def test_weights_solve_the_definition_for_any_signs(depth):
    rng = np.random.default_rng(20 + depth)
    for trial in range(8):
        w, mu, rho = unbalanced(rng, depth)
        w, mu = w * rng.choice([-1, 1], depth), mu * rng.choice([-1, 1])
        rho = rho if trial else 0.0
        tau = np.linspace(0, 0.9 * first_end(w, mu, rho), 7)
        found = linf_deep.read(w[:, None], [mu], rho).weights(tau)[..., 0]
        assert np.allclose(found, integrated(w, mu, rho, tau), rtol=1e-10, atol=1e-11), (w, mu, rho)


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_first_zero_is_where_the_weights_say_and_when_quadrature_says(depth):
    rng, tried = np.random.default_rng(40 + depth), 0
    while tried < 4:
        w, mu, rho = unbalanced(rng, depth)
        if np.isfinite(linf_deep.read(w[:, None], [mu], rho).blow_up_time[0]):
            continue
        zero = first_end(w, mu, rho)
        tried += 1
        with mp.workdps(30):
            z = exact_z(w, rho, mu)
            least = min(abs(x) for x in z)
            stop = mp.sqrt(mp.mpf(rho) ** 2 - max(-x for x in z) ** 2 + least**2)
            assert abs(mp.mpf(zero) / clock(z, mu, stop) - 1) < 1e-13, (w, mu, rho)
        at = linf_deep.read(w[:, None], [mu], rho).weights([zero * (1 - 1e-9), zero, 2 * zero])
        assert 0 < at[0].min() < 1e-7 * rho * depth
        assert (at[1] == 0).sum() == 1 and at[1].argmin() == w.argmin()
        assert np.isnan(at[2]).all() or (at[2] == 0).sum() == 1


@given(st.integers(0, 2**32 - 1), st.integers(3, 6))
def test_symmetries_of_the_flow(seed, depth):
    rng = np.random.default_rng(seed)
    theta, mu = rng.uniform(-2, 2, (depth, 3)), rng.uniform(-2, 2, 3)
    rho, c, tau = float(rng.uniform(0.1, 1)), float(rng.uniform(0.5, 2)), rng.uniform(0, 0.3, 3)
    found = linf_deep.read(theta, mu, rho).weights(tau)
    layers, coordinates = rng.permutation(depth), rng.permutation(3)
    signs = rng.choice([-1.0, 1.0], (depth, 3))
    again = linf_deep.read(
        (signs * theta)[layers][:, coordinates] * c,
        (np.prod(signs, axis=0) * mu)[coordinates] / c ** (depth - 2),
        rho * c,
    ).weights(tau)
    expected = (signs * found)[:, layers][:, :, coordinates] * c
    assert np.allclose(again, expected, rtol=1e-9, atol=1e-10, equal_nan=True)


def test_batches_are_what_single_starts_are():
    rng = np.random.default_rng(6)
    theta, mu, tau = rng.uniform(-2, 2, (4, 2, 3, 2)), np.array([1.0, -0.7]), [0.0, 0.1, 0.3]
    whole = linf_deep.read(theta, mu, 0.4).weights(tau)
    assert whole.shape == (4, 2, 3, 3, 2)
    assert np.array_equal(
        whole[2, 1], linf_deep.read(theta[2, 1], mu, 0.4).weights(tau), equal_nan=True
    )
    assert (whole[:, :, 0] == theta).all()


def test_separatrix_is_decided_exactly():
    start = np.array([[0.25], [0.75], [1.5]])  # |z| = 0.25, 0.25, 1: no rounding
    assert linf_deep.read(start, [1.0], 0.5).fate[0] == Fate.SADDLE
    late = linf_deep.read(start, [1.0], 0.5).weights([30.0])[0, :, 0]
    assert np.allclose(late, [0.5, 0.5, 0.5 + np.sqrt(1 - 1 / 16)], atol=1e-12)
    assert linf_deep.read(start, [1.0], 0.5).events == ()
    up, down = start.copy(), start.copy()
    up[1, 0], down[1, 0] = np.nextafter(0.75, 1), np.nextafter(0.75, 0)
    assert linf_deep.read(up, [1.0], 0.5).fate[0] == Fate.ESCAPE
    assert linf_deep.read(down, [1.0], 0.5).fate[0] == Fate.PINNED
    assert 20 < linf_deep.read(up, [1.0], 0.5).blow_up_time[0] < 100


def test_times_next_to_the_separatrix_keep_their_digits():
    w = [0.3, np.nextafter(0.7, 1), 1.4]  # 0.7 and 0.3 are not mirror images as doubles
    found = linf_deep.read(np.array(w)[:, None], [1.0], 0.5).blow_up_time[0]
    with mp.workdps(60):
        assert abs(mp.mpf(found) / clock(exact_z(w, 0.5, 1), 1, mp.inf) - 1) < 1e-14


def test_events_name_layers_and_come_in_order():
    start = np.array([[1.0, 0.4, 0.1], [0.3, 2.0, 0.2], [1.0, 1.0, 2.0]])
    found = linf_deep.read(start, [1.0, 2.0, -1.0], 0.5).events
    assert [(e.kind, e.layer, e.coordinate) for e in found] == [
        ("slide", 0, 2), ("turn", 0, 1), ("zero", 1, 2), ("turn", 1, 0),
        ("blow-up", None, 1), ("blow-up", None, 0),
    ]  # fmt: skip
    assert [e.tau for e in found] == sorted(e.tau for e in found)
    rests = linf_deep.read(balanced([0.3], 4), [1.0], 0.5).events
    assert [(e.kind, e.layer, e.coordinate) for e in rests] == [("zero", None, 0)]


def test_balanced_starts_obey_the_closed_forms():
    alpha = np.array([1.0, 0.3, 0.5])
    for depth in (3, 4, 5, 6):
        start, mu = balanced(alpha, depth), np.array([1.0, 1.3, 2.0])
        blow = linf_deep.read(start, mu, 0.5).blow_up_time
        zero = linf_deep.read(start, mu, 0.5).zero_time
        assert np.isclose(blow[0], 0.5 ** -(depth - 2) / (depth - 2), rtol=1e-14)
        assert np.isinf(blow[1:]).all()
        assert linf_deep.read(start, mu, 0.5).fate[2] == Fate.SADDLE
        if depth % 2:
            assert np.isinf(zero).all() and linf_deep.read(start, mu, 0.5).fate[1] == Fate.STALL
        else:
            hit = (0.2 ** -(depth - 2) - 0.5 ** -(depth - 2)) / ((depth - 2) * 1.3)
            assert np.isclose(zero[1], hit, rtol=1e-13)
            assert linf_deep.read(start, mu, 0.5).fate[1] == Fate.COLLAPSE
            late = linf_deep.read(start, mu, 0.5).weights([zero[1], 9 * zero[1]])
            assert (late[:, :, 1] == 0).all() and not np.signbit(late[:, :, 1]).any()


def test_the_others_freeze_below_rho():
    frozen = linf_deep.read(balanced([1.0, 0.3], 3), [1.0, 1.3], 0.5).weights([2.0])[0]
    assert np.isinf(frozen[:, 0]).all()
    assert np.isclose(np.prod(frozen[:, 1]), (7 / 19) ** 3, rtol=1e-13)


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_labels_of_balanced_starts_are_the_theorem(depth):
    rng = np.random.default_rng(depth)
    rho, mu = 0.5, np.array([1.0, 1.4, 0.8])
    alpha = rng.uniform(0.2, 1.2, (400, 3))
    alpha[:40] = rng.uniform(0.2, 0.5, (40, 3))
    alpha[40:80, 1] = alpha[80:90, 0] = rho
    starts = np.repeat(alpha[:, None, :], depth, axis=1)
    score = np.where(alpha > rho, mu * np.maximum(alpha - rho, 0) ** (depth - 2), 0)
    none = Label.STALLED if depth % 2 else Label.ZERO
    held = Label.STALLED if depth % 2 else Label.SEPARATRIX
    expected = np.where((alpha == rho).any(1), held, none)
    expected = np.where(score.max(1) > 0, score.argmax(1) + 1, expected)
    assert np.array_equal(first_escape.labels(starts, mu, rho=rho), expected)


def test_labels_and_reasons():
    cases = [
        ([[1.0, 0.3]] * 3, 1, "blows up first"),
        ([[1.0, 1.0]] * 3, Label.TIE, "together"),
        ([[0.3, 0.3]] * 3, Label.STALLED, "odd depth"),
        ([[0.5, 0.5]] * 4, Label.SEPARATRIX, "saddle"),
        ([[0.3, 0.3]] * 4, Label.ZERO, "rest there"),
        ([[0.1, 3.0], [0.3, 3.0], [1.0, 3.0]], 2, "blows up first"),
        ([[0.1, 0.6], [0.2, 0.6], [3.0, 0.6]], 2, "coordinate 1 has two weights at 0"),
        ([[0.1, 0.2], [0.2, 0.2], [3.0, 0.2]], Label.STALLED, "limit of discrete SAM"),
    ]
    for start, label, word in cases:
        found = first_escape.finding(start, [1.0, 1.0], rho=0.5)
        assert (found.label, word in found.reason) == (label, True), (start, found)
    with_idle = np.hstack([np.ones((3, 1)), [[0.0], [1.0], [2.0]]])
    found = limit(Flow(single_example([1.0, 0.0]), linf(0.5)), with_idle)
    assert found.label == 1 and found.reason.endswith("idle (mu_j = 0): 2")


@pytest.mark.parametrize("depth", [3, 4, 5, 6, 7])
def test_a_wide_start_is_judged_by_its_foremost_coordinates(depth, monkeypatch):
    """Label, certificate and sentence are those of all coordinates looked at closely."""
    for seed in range(24):
        rng = np.random.default_rng([seed, depth])
        mu = rng.uniform(0.5, 1.5, 60) * rng.choice([-1.0, 0.0, 1.0], 60, p=[0.3, 0.1, 0.6])
        low, high = [(0.05, 1.5), (0.05, 0.9), (0.7, 0.95)][seed % 3]
        start = rng.uniform(low, high, (depth, 60))
        start *= rng.choice([-1.0, 1.0], start.shape) if seed % 2 else 1.0
        start[:, :5] = rng.choice([0.4, 0.7, 1.2])  # some that are even, and at the gate
        closely = first_escape.finding(start, mu, rho=0.7)
        with monkeypatch.context() as patch:
            patch.setattr(foremost, "WIDE", 10)
            patch.setattr(foremost, "FEW", 3)
            patch.setattr(foremost, "BLOCK", 7)
            assert first_escape.finding(start, mu, rho=0.7) == closely, (seed, depth)


@pytest.mark.parametrize("depth", [3, 4, 5])
@pytest.mark.parametrize("rho", [0.0, 1.0, 10.0])
def test_few_coordinates_of_a_wide_start_are_looked_at_closely(depth, rho, monkeypatch):
    """Also where nobody escapes, and where all are alike."""
    rng = np.random.default_rng(0)
    start, mu = rng.normal(size=(depth, 100_000)), rng.uniform(0.5, 1.5, 100_000)
    ahead, looked = foremost._ahead, []
    told = lambda course, *bound: looked.append(course.mu.size) or ahead(course, *bound)  # noqa: E731
    monkeypatch.setattr(foremost, "_ahead", told)
    for w, slopes in ((start, mu), (start[:, :1] + 0 * start, 0 * mu + 1.0)):
        assert foremost.of(w, slopes, rho).size < 20
        assert sum(looked) < (5_000, 12_000, 60_000)[depth - 3], looked
        looked.clear()


@pytest.mark.parametrize("depth", [3, 4, 5, 6, 7])
def test_bounds_of_times_are_below_them(depth):
    for seed in range(12):
        rng = np.random.default_rng([seed, depth])
        mu, rho = rng.uniform(0.5, 2.0, 500) * rng.choice([-1, 1], 500), 10 ** rng.uniform(-1, 1)
        start = rng.normal(0, rho * 10 ** rng.uniform(-1, 1), (depth, 500))
        start[rng.random(start.shape) < 0.1 * (seed % 2)] = 0.0
        bounds = foremost._bounds(start, mu, rho)
        course = linf_deep.read(start, mu, rho)
        blow_up = course.escape_time
        fall = course.pinned_time, course.runaway_time
        times = np.where(bounds.escapes, blow_up, fall)
        assert (bounds.soonest <= times * (1 + 1e-9)).all(), (seed, depth)
        glide = course.glide
        if rho > 0 and course.slides.any():
            assert (foremost._least_slide(glide) <= glide.duration * (1 + 1e-9)).all()
        if rho > 0 and course.slides.any() and depth in (5, 6):
            times = np.array([course.runaway_time, course.pinned_time]) * course.speed
            ran, pinned = times[:, course.slides] * (1 + 1e-9)
            assert (pinned + foremost._least_after(glide) <= ran * (1 + 1e-9)).all()


def test_gradient_flow_covers_every_sign_and_zero():
    start = np.array([[0.0], [1.0], [-2.0]])
    blow = linf_deep.read(start, [1.0], 0.0).blow_up_time[0]
    assert np.isclose(blow, float(mp.elliprf(0, 1, 4)), rtol=1e-14)
    assert linf_deep.read([[0.0], [0.0], [1.0]], [1.0], 0.0).fate[0] == Fate.SADDLE
    assert np.isinf(linf_deep.read(start, [1.0], 0.0).zero_time).all()


def test_a_weight_at_zero_crosses_or_slides():
    crosses, slides = np.array([[0.0], [1.0], [2.0]]), np.array([[0.0], [0.2], [2.0]])
    assert linf_deep.read(crosses, [1.0], 0.3).fate[0] == Fate.ESCAPE
    assert linf_deep.read(slides, [-1.0], 0.3).fate[0] == Fate.PINNED
    assert [e.kind for e in linf_deep.read(slides, [1.0], 0.3).events] == ["slide", "zero"]
    assert linf_deep.read([[0.0], [0.0], [1.0]], [1.0], 0.3).zero_time[0] == 0


@pytest.mark.parametrize("layers", [[0.0, 1.0, 1.0], [0.5, 1.0, 0.0, -1.0], [1.0, 0.0, 1.0, 1.0]])
def test_a_weight_at_0_rests_where_two_are_at_rho(layers):
    # beyond 0 every other perturbed weight is 0: no side pulls
    start = np.column_stack([layers, np.full(len(layers), 0.3)])
    flow = Flow(single_example([1.0, 0.5]), linf(1.0))
    for tau_end in (1.0, 1e20):
        run = solve(flow, start, tau_end=tau_end)
        assert run.theta[-1, :, 0].tolist() == layers
        assert [event.kind for event in run.events if event.coordinate == 0] == ["slide"]
    assert "at rho" in limit(flow, start).reason or len(layers) % 2
    walk = iterate(flow, start, learning_rate=1e-4, steps=3_000)
    np.testing.assert_allclose(walk.theta[-1, :, 0], layers, atol=2e-4)
    none = first_escape.labels(start[:, :1], [1.0], rho=1.0)
    assert none == Label.ZERO


@pytest.mark.filterwarnings("error")
def test_a_slide_from_rho_has_its_first_moment():
    start = np.column_stack([[0.5, 1.0, 0.0], [0.3] * 3])
    run = solve(Flow(single_example([1.0, 0.5]), linf(1.0)), start, tau_end=1.0)
    early = linf_deep.weights(start, [1.0, 0.5], rho=1.0, tau=[0.0, 1e-6, 1e-3])
    assert np.isfinite(run.theta).all()
    assert (np.diff(early[:, 0, 0]) < 0).all()


@pytest.mark.parametrize("bad", [
    dict(theta0=np.ones((2, 1)), mu=[1.0], rho=0.1),
    dict(theta0=np.ones((3, 1)), mu=[1.0], rho=-0.1),
    dict(theta0=np.ones((3, 1)), mu=[1.0, 2.0], rho=0.1),
    dict(theta0=np.full((3, 1), np.nan), mu=[1.0], rho=0.1),
])  # fmt: skip
def test_bad_input_is_one_line(bad):
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        linf_deep.read(**bad)
    with pytest.raises(ValueError, match="non-zero"):
        first_escape.labels(np.ones((3, 1)), [0.0], rho=0.1)


@pytest.mark.parametrize("depth", [3, 4, 5, 7])
def test_inverse_of_the_clock(depth):
    rng = np.random.default_rng(depth)
    gaps = np.sort(10 ** rng.uniform(-6, 1, (300, depth - 1)), axis=-1)
    gaps[:30, 0] = 0
    u = 10 ** rng.uniform(-4, 3, 300)
    again = hyperelliptic.invert(hyperelliptic.remaining(u, gaps), gaps)
    assert np.max(np.abs(again - u) / np.sqrt(u * u + gaps[:, 0])) < 100 * EPS
    assert hyperelliptic.invert(np.array(-1.0), gaps[0]) == np.inf


def test_the_inverse_of_the_clock_settles_in_a_few_steps(monkeypatch):
    calls, whole = [], hyperelliptic.remaining
    monkeypatch.setattr(hyperelliptic, "remaining", lambda *a: calls.append(1) or whole(*a))
    rng = np.random.default_rng(8)
    gaps = np.sort(10 ** rng.uniform(-2, 1, (2000, 7)), axis=-1)
    hyperelliptic.invert(whole(10 ** rng.uniform(-2, 2, 2000), gaps), gaps)
    assert len(calls) < 25


def test_short_spans_keep_relative_accuracy():
    gaps = np.array([0.3, 2.0, 5.0])
    for start, width in [(0.5, 1e-9), (-0.4, 1e-6), (-1e-7, 2e-7), (-0.5, 0.6)]:
        stop = start + width
        with mp.workdps(40):
            f = lambda v: 1 / mp.sqrt(mp.fprod(v * v + mp.mpf(float(g)) for g in gaps))  # noqa: E731
            reference = mp.quad(f, [start, stop])
        found = hyperelliptic.elapsed(np.array(start), np.array(stop), gaps)
        assert abs(found / reference - 1) < 1e-14


def test_two_equal_smallest_layers_beside_another_coordinate():
    # they approach 0 together and never turn: no warning from the time they would need
    start = np.array([[1.7, 0.046], [-0.7, -0.16], [0.7, -0.67], [-0.5, -1.3], [1.7, 0.046]])
    run = solve(Flow(single_example([2.0, 2.0]), gradient_flow()), start, tau_end=0.01)
    assert run.status == "finished" and "turn" not in {event.kind for event in run.events}


def test_the_row_of_a_second_zero_is_a_state():
    rng = np.random.default_rng(3)
    ended = 0
    for mu in rng.uniform(0.1, 3.0, 60):
        theta0 = 10 ** rng.uniform(-2, 1, (4, 1))
        run = solve(Flow(single_example([mu]), linf(1.0)), theta0, tau_end=50.0)
        assert np.isfinite(run.theta[-1]).all() or run.status == "escaped"
        if run.status == "sliding_ambiguous":
            assert np.sort(np.abs(run.theta[-1, :, 0]))[1] <= 1e-12 * theta0.max()
            ended += 1
    assert ended > 10


@pytest.mark.parametrize("rule", [gradient_flow(), linf(0.1)])
@pytest.mark.parametrize("layers", [(-0.73, 2.07, 1.12), (0.0, 0.77, 0.77), (-0.4, 1.1, 0.9, 1.3)])
@pytest.mark.parametrize("mu", [1.4, -1.6])
def test_weights_that_passed_0_blow_up_with_their_sign(rule, layers, mu):
    """Under GD a weight past 0 is of negative size: the last row gave it the sign of the start."""
    theta0 = np.array(layers)[:, None]
    run = solve(Flow(single_example([mu]), rule), theta0, tau_end=50.0, save_at=9)
    assert run.status == "escaped" and run.method == "exact: linf_deep"
    assert (run.theta[-1] == np.inf * np.sign(run.theta[-2])).all()
    assert run.beta[-1, 0] == np.inf * np.sign(mu)
