"""l_inf-SAM from signed starts at L >= 3: against 50-digit quadrature, steps, and discrete SAM."""

import numpy as np
import pytest
from mpmath import mp
from mpmath import mpf as exactly
from scipy.integrate import solve_ivp

from flowsam import Flow, limit, limits, linf, phase_portrait, single_example, solve
from flowsam.exact import first_escape, linf_deep
from flowsam.exact.linf_deep import read
from flowsam.exact.linf_slides import Slide
from flowsam.labels import Label
from flowsam.portrait.planes import WeightPlane
from tests.references import fresh_rng
from tests.signed_races import compared, drawn, run_away

KINDS = ("cross", "turn", "slide", "zero", "blow-up")


def signed(rng, depth, d=1):
    """Gaussian weights of scale 2 rho, with mu of either sign."""
    rho = float(rng.uniform(0.2, 1.5))
    mu = rng.choice([-1, 1], d) * rng.uniform(0.5, 2.0, d)
    return 2 * rho * rng.normal(size=(depth, d)), mu, rho


def quadrature(integrand, start, stop, marks):
    """int of `integrand` between two ends, cut at the marks between them, at 50 digits."""
    inner = sorted({m for m in marks if start < m < stop})
    return mp.quad(integrand, [start, *inner, stop])


def times_at_50_digits(w, mu, rho):
    """Event times of one coordinate from a_l' = s |mu| prod (a_k - s rho): kind -> tau.

    The smallest |z| is the variable between zeros; on a slide it is y of `a^3/3 - rho^2 a`.
    """
    w, mu, rho = [exactly(x) for x in w], exactly(mu), exactly(rho)
    sizes, found, tau = sorted(abs(x) for x in w), {}, exactly(0)
    if mp.sign(mu) * mp.fprod(mp.sign(x) for x in w) < 0:
        gaps = [(a + rho) ** 2 - (sizes[0] + rho) ** 2 for a in sizes]
        rate = lambda x: 1 / mp.sqrt(mp.fprod(x * x + g for g in gaps[1:]))  # noqa: E731
        tau = quadrature(rate, rho, sizes[0] + rho, [mp.sqrt(g) for g in gaps]) / abs(mu)
        sizes = [mp.mpf(0)] + [mp.sqrt(rho**2 + g) - rho for g in gaps[1:]]
        if mp.fprod(a - rho for a in sizes[1:]) > 0:
            found["cross"] = tau
    if found or tau == 0:
        sizes, tau = _along(sizes, mu, rho, tau, found)
    if sizes:
        found["slide"] = tau
        found["zero"] = tau + _slide(sizes[1:], rho) / abs(mu)
    return {kind: float(time) for kind, time in found.items()}


def _along(sizes, mu, rho, tau, found):
    """The leg with s = +: adds a turn and a blow-up, or returns the sizes where it slides."""
    z = sorted((a - rho for a in sizes), key=abs)
    gaps = [x * x - z[0] ** 2 for x in z]
    place = mp.fprod(mp.sign(x) for x in z[1:]) * z[0]
    low = [x for x in z[1:] if x < 0]
    stop = mp.sqrt(rho**2 - min(low) ** 2 + z[0] ** 2) if low else mp.inf
    rate = lambda u: 1 / mp.sqrt(mp.fprod(u * u + g for g in gaps[1:]))  # noqa: E731
    marks = [s * mp.sqrt(g) for g in gaps for s in (-1, 1)] + [0, 4 * abs(z[-1])]
    if place < 0 < stop:
        found["turn"] = tau + quadrature(rate, place, 0, marks) / abs(mu)
    tau += quadrature(rate, place, stop, marks) / abs(mu)
    if stop == mp.inf:
        found["blow-up"] = tau
        return [], tau
    moved = [mp.sign(x) * mp.sqrt(stop**2 + g) + rho for x, g in zip(z[1:], gaps[1:], strict=True)]
    moved.append(mp.fprod(mp.sign(x) for x in z[1:]) * stop + rho)
    return [mp.mpf(0), *sorted(moved)[1:]], tau


def _slide(others, rho):
    """|mu| tau of a slide by a_k' = -2 rho^2 A_k B_k / (B - A), an integral over the least a."""
    least, *rest = others
    cubic = lambda a: a**3 / 3 - rho**2 * a  # noqa: E731

    def root(k, a):
        q = 3 * (cubic(rest[k]) + cubic(a) - cubic(least)) / (2 * rho**3)
        if rest[k] < rho:
            return 2 * rho * mp.cos((mp.acos(q) + 4 * mp.pi) / 3)
        return 2 * rho * (mp.cosh(mp.acosh(q) / 3) if q > 1 else mp.cos(mp.acos(q) / 3))

    def rate(a):
        sizes = [root(k, a) for k in range(len(rest))]
        inner = mp.fprod(x - rho for x in sizes)
        outer = mp.fprod(x + rho for x in sizes)
        return (outer * (a + rho) - inner * (a - rho)) / (2 * rho**2 * inner * outer)

    return abs(quadrature(rate, mp.mpf(0), least, [least * k / 4 for k in (1, 2, 3)]))


def worst_error(rng, depth):
    """The largest relative error among the event times of one random start, and the start."""
    theta, mu, rho = signed(rng, depth)
    mine = {e.kind: e.tau for e in linf_deep.read(theta, mu, rho).events}
    own = times_at_50_digits(theta[:, 0], mu[0], rho)
    assert set(mine) == set(own), (mine, own, theta.tolist(), mu, rho)
    return max(abs(mine[kind] / own[kind] - 1) for kind in own), (theta.tolist(), mu, rho, mine)


@pytest.mark.parametrize("depth", [3, 4, 5, 6])
def test_event_times_equal_quadrature_at_50_digits(depth):
    rng = np.random.default_rng(depth)
    for _ in range(5):
        error, case = worst_error(rng, depth)
        assert error < 1e-12, case


@pytest.mark.long
@pytest.mark.parametrize("depth", [3, 4, 5, 6])
def test_500_starts_have_event_times_of_50_digits(depth):
    rng = fresh_rng()
    errors = [worst_error(rng, depth) for _ in range(125)]
    worst, case = max(errors, key=lambda pair: pair[0])
    assert worst < 1e-12, (worst, case)


def told_apart(count, d, depth, step, seed=2026):
    """Labels against discrete SAM: none is undecided, and each disagreement goes with the step."""
    starts = drawn(np.random.default_rng(seed), count, depth, d)
    found = compared(starts, step)
    assert found.undecided == 0 and found.escaping > count / 8, found
    assert (found.refinements > 0).all() and found.differ <= max(1, count * step), found
    return found


@pytest.mark.parametrize("depth", [3, 4])
def test_winners_are_those_of_discrete_sam(depth):
    assert told_apart(160, 3, depth, 4e-3).starts == 160


@pytest.mark.long
@pytest.mark.parametrize("depth", [3, 4])
@pytest.mark.parametrize("d", [1, 2, 3, 4, 5])
def test_20000_starts_have_the_label_of_discrete_sam_at_two_steps(depth, d):
    for step in (4e-3, 1e-3):
        told_apart(2000, d, depth, step)


def test_an_exact_run_ends_where_two_weights_are_at_0_and_says_so():
    flow, start = Flow(single_example([1.0]), linf(1.0)), [[-0.35], [2.6], [1.3]]
    run = solve(flow, start, tau_end=9.0, method="exact")
    stepped = solve(flow, start, tau_end=9.0, method="DOP853")
    assert [e.kind for e in run.events] == ["cross", "turn", "slide", "zero"]
    assert run.status == stepped.status == "sliding_ambiguous" and "not unique" in run.message
    assert np.allclose(run.tau[-1], stepped.tau[-1], rtol=1e-7)
    assert np.allclose(run.theta[-1], stepped.theta[-1], atol=1e-7)
    found = limit(flow, start)
    assert (found.label, found.certificate) == (Label.ZERO, "limit of discrete SAM")
    assert "not of each solution" in found.reason


def test_a_slide_is_cut_into_rows_with_few_integrands(monkeypatch):
    """Times at once, and the start of a slide without a search: 162,254 calls once."""
    theta0 = [[0.0885904], [-0.0756844], [3.14744206], [1.26521169]]
    calls, rate = [], Slide.rate
    monkeypatch.setattr(Slide, "rate", lambda slide, s: calls.append(s.shape) or rate(slide, s))
    flow = Flow(single_example([1.0]), linf(1.0))
    run = solve(flow, theta0, save_at=9, log_t_end=4.0)
    assert [event.kind for event in run.events] == ["slide", "zero"]
    assert 0 < len(calls) < 10_000


def test_slides_and_their_times_do_not_depend_on_those_beside_them():
    others = np.stack([[0.3, 1.5], [0.999999, 1.2], [0.1, 2.0], [0.5, 4.0]])
    together = Slide(others, 1.0)
    share = np.concatenate([[0.0, 1e-9], fresh_rng().random(9), [1.0]])
    clock = together.duration[:, None] * share
    sizes = together.sizes(clock)
    for one, times, own in zip(others, clock, sizes, strict=True):
        alone = Slide(one[None], 1.0)
        for time, size in zip(times, own, strict=True):
            assert (alone.sizes(np.array([[time]]))[0, 0] == size).all(), (one, time)


def test_five_layers_say_what_could_end_the_race():
    """Coordinate 2 slides, and on some solutions its other layers run away before coordinate 1."""
    theta = np.array([[1.3, 0.2], [1.3, 0.9], [1.4, 3.0], [1.5, 3.1], [1.6, 3.2]])
    found = first_escape.finding(theta, [1.0, -1.0], rho=1.0)
    assert (found.label, found.certificate) == (1, "limit of discrete SAM")
    assert "coordinate 2 blow up" in found.reason and "at the earliest" in found.reason
    late = first_escape.finding(theta * [[4.0, 1.0]], [1.0, -1.0], rho=1.0)
    assert late.label == 1 and late.certificate == "theorem"


def test_two_of_filippovs_solutions_end_one_race_differently():
    """p = 1 after the second zero: blow-up at the bound; p = 0: the other layers fall to 0."""
    theta, sign = np.array([[0.2], [0.9], [3.0], [3.1], [3.2]]), np.array([-1.0])
    course = read(theta, sign, 1.0)
    rest = np.sort(course.glide.landed, axis=-1)[0, 1:]
    assert (rest > 1).all()

    def rates(side):
        return lambda _, a: side * np.prod(a - side) / (a - side)

    far, low = (lambda _, a: a.max() - 1e6), (lambda _, a: a.min() - 1e-6)
    for event in (far, low):
        event.terminal = True
    up = solve_ivp(rates(1), (0, 9), rest, events=far, rtol=1e-10, method="LSODA")
    bound = course.runaway_time[0] - course.pinned[0]
    assert abs(up.t[-1] / bound - 1) < 1e-4
    down = solve_ivp(rates(-1), (0, 9), rest, events=low, rtol=1e-8)
    assert down.status == 1 and down.y.max() < 3.3


@pytest.mark.parametrize(
    "step, most", [(2e-3, 0.08), pytest.param(5e-4, 0.03, marks=pytest.mark.long)]
)
@pytest.mark.parametrize("depth", [5, 6])
def test_races_that_filippov_leaves_open_are_told_by_discrete_sam(depth, step, most):
    """Few starts are undecided; where some solutions run away discrete SAM does so ever less."""
    starts = drawn(np.random.default_rng(depth), 400, depth, 3)
    escapes = np.isfinite(starts.own).any(axis=1)
    assert (starts.labels[escapes] < 0).sum() <= 0.01 * escapes.sum()
    open_rows = [
        row
        for row in np.flatnonzero(escapes)
        if first_escape.finding(starts.theta[row], starts.mu[row], rho=1.0).certificate
        == "limit of discrete SAM"
    ]
    some = starts.some(np.array(open_rows))
    assert len(open_rows) > 0.2 * escapes.sum()
    first = (some.own / np.abs(some.mu)).min(axis=1, keepdims=True) * np.abs(some.mu)
    rivals = np.isinf(some.own)
    w = np.moveaxis(some.theta, 1, -1)[rivals].T
    how = {"sign": np.sign(some.mu)[rivals], "until": np.minimum(first[rivals], 4.0)}
    assert run_away(w, step=step, **how).mean() < most


@pytest.mark.parametrize("rest", [[1.7], [-0.6, 2.6], [3.2, -2.8, 3.0]])
def test_curves_of_two_layers_part_the_labels(rest):
    """Just beside a curve labels differ; cells that differ have a curve between them."""
    flow = Flow(single_example([1.0]), linf(1.0))
    plane = WeightPlane([[0.0], [0.0], *([w] for w in rest)], (0, 0), (1, 0))
    x = np.linspace(-4.3, 4.3, 41)
    portrait = phase_portrait(flow, x, x + 1e-3, start=plane)
    assert portrait.boundaries
    for _, curve in portrait.boundaries:
        middle, along = curve[:-1] + np.diff(curve, axis=0) / 2, np.diff(curve, axis=0)
        normal = 1e-4 * np.column_stack([-along[:, 1], along[:, 0]])
        normal /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
        sides = [limits(flow, plane.at(*(middle + s * normal).T)[0]) == 1 for s in (1, -1)]
        inside = np.abs(middle).max(axis=1) < 4.2
        assert (sides[0] ^ sides[1])[inside & (np.linalg.norm(along, axis=1) > 1e-9)].all()


@pytest.mark.parametrize("power", [3, 8, 15, 16, 40])
def test_a_radius_far_beyond_the_weights(power):
    """Differences of weights that a sum with rho rounds away still part the layers."""
    rng, rho = fresh_rng(), 10.0**power
    for depth in (3, 4, 5, 6):
        starts = rng.normal(size=(40, depth, 2))
        flow = Flow(single_example([1.0, -2.0]), linf(rho))
        assert (limits(flow, starts) == Label.ZERO).all()
        assert limit(flow, starts[0]).certificate == "limit of discrete SAM"
    for _ in range(5):
        w = np.sort(rng.uniform(0.1, 2.0, 3)) * [-1, 1, 1]
        with mp.workdps(4 * power + 40):
            x = [exactly(abs(size)) + exactly(rho) for size in w]
            passed = [mp.sqrt(y * y - x[0] ** 2 + exactly(rho) ** 2) - 2 * exactly(rho) for y in x]
            due = clock(exactly(rho), x) - clock(x[0], x)
            due += 2 * (clock(exactly(0), passed[::-1]) - clock(-passed[2], passed[::-1]))
            course = read(w[:, None], [1.0], rho)
            assert course.crosses[0] and abs(course.end[0] / due - 1) < 1e-14


@pytest.mark.parametrize(("depth", "label"), [(3, 0), (5, 0), (6, 0), (8, -1), (9, -1)])
def test_falls_at_times_beyond_doubles(depth, label):
    """At odd depth the smallest |z| turns, which takes about (rho/w)^(depth/2 - 1)."""
    start = fresh_rng().uniform(0.5, 1.5, (depth, 3))
    found = limit(Flow(single_example([1.0, 2.0, 3.0]), linf(1e300)), start)
    assert found.label == label
    assert found.certificate == ("limit of discrete SAM" if label == 0 else "none")
    if depth in (5, 9):
        assert "two weights at 0 from a time beyond the range of doubles" in found.reason


def clock(u, z):
    """F(u) of three layers of which the first is the smallest."""
    gaps = [y * y - z[0] * z[0] for y in z[1:]]
    return mp.elliprf(u * u, *(u * u + gap for gap in gaps))


def test_slides_that_last_beyond_the_doubles_run_away_never():
    rng = np.random.default_rng(0)
    course = linf_deep.read(1e-77 * rng.uniform(0, 2, (200, 6, 2)), [1.0, 1e-5], 1e-77)
    with np.errstate(over="ignore"):
        late = np.isinf(course.pinned) & course.slides
        assert late.any() and np.isinf(course.runaway_time[late]).all()
