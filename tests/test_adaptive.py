"""ASAM: the step against its definition, iteration, portraits, limits at L = 2 and beyond."""

import numpy as np
import pytest
import scipy.optimize

from flowsam import (
    Data,
    Flow,
    Label,
    Trajectory,
    asam,
    balanced,
    gradient_flow,
    iterate,
    limit,
    limits,
    linf,
    phase_portrait,
    single_example,
    solve,
    solve_many,
    split_signs,
)
from flowsam.cli import main
from flowsam.exact.adaptive_level import water_level
from flowsam.exact.adaptive_pair import Pair
from flowsam.many_examples.hessian import ascent_slope
from flowsam.many_examples.log_clock import LogClock
from flowsam.parameters import Parameters
from flowsam.portrait.planes import RadiusPlane
from flowsam.sweeps import sweep
from flowsam.trajectory import load

NORMS = [1, 1.2, 2, 3.5, np.inf]


@pytest.mark.parametrize("p", NORMS)
def test_no_step_of_the_relative_ball_is_better(p):
    rng = np.random.default_rng(1)
    theta, g = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    best = asam(0.7, p=p).ascent(theta, g)
    assert np.isclose(np.linalg.norm((best / theta).ravel(), p), 0.7, rtol=1e-12)
    others = rng.normal(size=(2000, 12))
    others *= 0.7 / np.linalg.norm(others, p, axis=1, keepdims=True)
    assert ((others * np.abs(theta).ravel()) @ g.ravel()).max() <= (best * g).sum() + 1e-12


def two_steps(z, theta, rho, p, rate, steps):  # noqa: PLR0913
    """Discrete ASAM written out: ascent from the gradient, descent at the perturbed point."""

    def gradient(w):
        u, v = w
        pull = z.T @ (1 / (1 + np.exp(z @ (u * v)))) / len(z)
        return np.array([-pull * v, -pull * u])

    for _ in range(steps):
        h = np.abs(theta) * gradient(theta)
        if np.isinf(p):
            unit = np.sign(h)
        else:
            q = p / (p - 1)
            unit = np.sign(h) * (np.abs(h) / (np.abs(h) ** q).sum() ** (1 / q)) ** (q - 1)
        theta = theta - rate * gradient(theta + rho * np.abs(theta) * unit)
    return theta


@pytest.mark.parametrize("p", NORMS[1:])
@pytest.mark.parametrize("n", [1, 4])
def test_iterate_is_an_independent_discrete_asam(p, n):
    rng = np.random.default_rng(2)
    z, theta = rng.normal(size=(n, 3)), rng.normal(size=(2, 3))
    run = iterate(Flow(Data(z), asam(0.4, p=p)), theta, learning_rate=0.1, steps=50)
    assert np.allclose(run.theta[-1], two_steps(z, theta, 0.4, p, 0.1, 50), rtol=0, atol=1e-12)


def test_the_infinite_norm_follows_the_path_of_gradient_flow_slower():
    flow, start = (
        Flow(single_example([1.0, 2.0, -1.0]), asam(0.4, p=np.inf)),
        balanced([1, 0.5, 2], 3),
    )
    start[0] *= [1, 1, -1]
    slow = solve(flow, start, tau_end=0.5).theta[-1]
    fast = solve(Flow(flow.data, gradient_flow()), start, tau_end=0.5 * 0.6**2).theta[-1]
    assert np.allclose(slow, fast, rtol=1e-8)
    assert limit(flow, start).label == 3 and "GD's path" in limit(flow, start).reason
    assert limit(Flow(flow.data, asam(0.4, p=np.inf)), start[:2]).label == 2


@pytest.mark.parametrize("p", [1, 1.5, 2])
@pytest.mark.parametrize("depth", [3, 4])
def test_a_layer_at_zero_is_not_the_end(p, depth):
    """beta is 0 at the start, the gradient of that layer is not: a feature blows up."""
    flow = Flow(single_example([1.0, 2.0]), asam(0.2, p=p))
    start = np.array([[0.0, 0.0], [1.0, 1.2], [1.0, 1.1], [0.9, 1.0]])[:depth]
    last = solve(flow, start, tau_end=100.0).beta[-1]
    assert limit(flow, start).label == limits(flow, start[None])[0] == np.argmax(last) + 1 == 2


@pytest.mark.parametrize("depth", [3, 4])
def test_the_infinite_norm_has_the_winner_of_its_own_clocks(depth):
    """Starts whose winner is not gradient flow's: misaligned features are faster for a while."""
    rng, mu = np.random.default_rng(8), np.array([1.0, -1.4, 0.8])
    flow = Flow(single_example(mu), asam(0.3, p=np.inf))
    starts = rng.normal(size=(300, depth, 3))
    labels = limits(flow, starts)
    other = labels != limits(Flow(flow.data, gradient_flow()), starts)
    assert (labels >= 1).all() and other.sum() >= 4
    for theta, label in zip(starts[other], labels[other], strict=True):
        run = solve(flow, theta, tau_end=1e4)
        assert run.status == "escaped" and np.abs(run.beta[-1]).argmax() == label - 1
        assert f"{run.tau[-1]:.4g}" == f"{float(limit(flow, theta).reason.split('= ')[-1]):.4g}"


def on_the_largest(mu, theta, rho, tau_end, steps):
    """Discrete ASAM of p = 1 written out: rho/L of every layer of the one largest feature."""
    h, depth = tau_end / steps, len(theta)
    for _ in range(steps):
        pull = mu * theta.prod(axis=0)
        j = np.abs(pull).argmax()
        hat = theta.copy()
        hat[:, j] *= 1 - rho / depth * np.sign(pull[j])
        others = np.stack([np.delete(hat, layer, 0).prod(axis=0) for layer in range(depth)])
        theta = theta + h * mu * others
    return theta


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_one_norm_slides_where_features_tie_as_discrete_asam_does(depth):
    """Errors of first order in the step, misaligned starts and radii beyond L among them."""
    rng = np.random.default_rng(depth)
    slides = 0
    for trial in range(25):
        d = int(rng.integers(1, 5))
        mu, theta = rng.normal(size=d), rng.normal(size=(depth, d))
        if trial % 2:
            mu = np.sign(mu) * rng.uniform(0.8, 1.2, d)
        if trial % 3 == 0:  # all cross 0, ties among them together
            theta[0] = -np.abs(theta[0]) * np.sign(mu * theta[1:].prod(axis=0))
        rho = depth + 0.5 if trial % 12 == 5 else rng.uniform(0.1, 1.9)
        flow = Flow(single_example(mu), asam(rho, p=1))
        whole = solve(flow, theta, tau_end=1.5)
        end = min(1.5, 0.6 * whole.tau[-1])
        run = solve(flow, theta, tau_end=end)
        fine = solve(flow, theta, tau_end=end, rtol=1e-12, atol=1e-15)
        scale = np.abs(fine.theta[-1]).max()
        assert np.abs(run.theta[-1] - fine.theta[-1]).max() < 2e-8 * scale, (mu, theta, rho)
        errors = [
            np.abs(on_the_largest(mu, theta, rho, end, n) - run.theta[-1]).max() / scale
            for n in (400, 1600)
        ]
        assert errors[1] < 4e-3 and errors[1] < max(0.5 * errors[0], 1e-3), (mu, theta, rho)
        slides += any(event.kind == "slide" for event in run.events)
    assert slides >= 4


@pytest.mark.parametrize("mu", [[1.0, 1.6], [1.8, -1.6, 0.3]])
def test_the_one_norm_comes_to_its_level(mu):
    """|mu_j beta_j| tie in the features above the water level, and the others fall behind."""
    flow = Flow(single_example(mu), asam(0.9, p=1))
    start = np.abs(np.random.default_rng(9).normal(size=(2, len(mu)))) * [np.sign(mu), np.abs(mu)]
    run, found = solve(flow, start, tau_end=60), limit(flow, start)
    assert run.status == "finished" and found.certificate == "theorem"
    assert np.allclose(run.beta[-1] / np.linalg.norm(run.beta[-1]), found.direction, atol=1e-9)


def test_the_one_norm_is_what_p_tends_to_between_ties():
    """One feature leads; at L = 2 the ties are those of p -> 1+ too, at L >= 3 only their place."""
    mu, rng = np.array([1.0, 1.1]), np.random.default_rng(3)
    flows = [Flow(single_example(mu), asam(0.9, p=p)) for p in (1, 1.001, 1.0001)]
    for depth, end, close in ((2, 6.0, 1e-3), (3, 0.3, 1e-4)):
        start = rng.uniform(0.5, 1.0, (depth, 2)) * ([1, 1] if depth == 2 else [1, 0.4])
        one, near, nearer = (solve(f, start, tau_end=end).theta[-1] for f in flows)
        far, less = (np.abs(x / one - 1).max() for x in (near, nearer))
        assert less < close and less < 0.2 * far + 1e-9, (depth, far, less)


def test_mixtures_of_the_one_norm_are_ties():
    """Rays of the balanced plane, and runs: tied features blow up together, beta_j as 1/mu_j."""
    flow, x = Flow(single_example([1.0, 1.2]), asam(0.6, p=1)), np.linspace(0.05, 2, 31)
    portrait = phase_portrait(flow, x, x, depth=3)
    slopes = sorted(curve[1, 1] / curve[1, 0] for _, curve in portrait.boundaries)
    assert np.allclose(slopes, np.array([0.64, 1 / 0.64]) / 1.2)  # (1 - rho/3)^2 / ratio
    ratio = x[:, None] / x
    inside = (ratio > slopes[0]) & (ratio < slopes[1])
    assert np.array_equal(portrait.labels == -5, inside)
    assert np.array_equal(portrait.labels == 2, ratio > slopes[1])
    for slope in (0.95 * slopes[0], 1.05 * slopes[0], 0.95 * slopes[1], 1.05 * slopes[1]):
        start = balanced([1.0, slope], 3)
        run = solve(flow, start, tau_end=1e3)
        share = np.abs([1.0, 1.2] * run.beta[-1])
        found = limit(flow, start)
        tied = share.min() > 0.999 * share.max()
        assert found.label == (-5 if tied else share.argmax() + 1)
        uneven = limit(flow, start * np.array([[1.0, 1.0], [1.01, 1.0], [0.99, 1.0]]))
        assert uneven.label == found.label and uneven.certificate in ("monotone", "numerical")
        assert not tied or np.allclose(found.direction, [1.2, 1.0] / np.hypot(1.2, 1.0))


@pytest.mark.parametrize("p", [1, 2])
def test_where_no_feature_blows_up_under_gradient_flow_none_does(p):
    flow = Flow(single_example([1.0, -2.0]), asam(0.5, p=p))
    for start in ([[-1, 1]] * 3, [[0, 0], [0, 0], [1, 1]]):
        found = limit(flow, start)
        assert found.label == -2 and "path of GD" in found.reason
    assert limit(flow, [[-1, 1], [1, 1], [0.5, 1]]).label == 1


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("p", [1, 1.5, 3, np.inf])
def test_every_verb_takes_several_examples(depth, p):
    rng = np.random.default_rng(10)
    flow, start = Flow(Data(rng.normal(size=(4, 3))), asam(0.3, p=p)), rng.normal(size=(depth, 3))
    run = solve(flow, start, tau_end=0.5)
    discrete = iterate(flow, start, learning_rate=4e-3, steps=5000, save_every=5)
    assert run.status == discrete.status == "finished"
    there = np.array([np.interp(run.log_t[-1], discrete.log_t, b) for b in discrete.beta.T])
    assert np.allclose(there, run.beta[-1], atol=0.01 * np.abs(there).max()), (there, run.beta[-1])
    assert np.allclose(solve_many(flow, start[None], tau_end=0.5).theta, run.theta[-1])


def test_the_infinite_norm_slides_where_a_pull_is_0_as_discrete_asam_does():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(4, 2))
    flow = Flow(Data(z * np.sign(z.sum(axis=1))[:, None]), asam(0.5, p=np.inf))
    start = rng.uniform(0.3, 1, (2, 2))
    run = solve(flow, start, log_t_end=3.5)
    assert [event.kind for event in run.events] == ["slide"]
    errors = []
    for rate in (4e-3, 1e-3):
        steps = int(np.expm1(3.5) / rate)
        discrete = iterate(flow, start, learning_rate=rate, steps=steps, save_every=steps)
        errors.append(np.abs(discrete.beta[-1] - run.beta[-1]).max())
    assert errors[1] < 2e-3 and errors[1] < errors[0]


def test_commands_and_sweeps_know_asam(capsys):
    assert Parameters(norm="asam", rho=0.5, p="inf").rule == asam(0.5, p=np.inf)
    assert Parameters(norm="asam", rho=0.5).rule == asam(0.5)
    line = "--mu 1,2 --norm asam --rho 0.5 --init 1,0.4".split()
    for command, more, word in (
        ("limit", [], "water level"),
        ("limit", ["--p", "inf", "--depth", "3"], "GD's path"),
        ("simulate", ["--p", "3", "--tau-end", "1"], "l_3-ASAM"),
    ):
        assert main([command, *line, *more]) == 0 and word in capsys.readouterr().out
    assert main("derive --norm asam --p 3".split()) == 0
    assert "Abs(w_1)" in capsys.readouterr().out
    for bad, word in (
        ("limit --mu 1 --norm 2 --p 3 --rho 1 --init 1", "--norm asam"),
        ("limit --mu 1 --norm asam --p 0.5 --rho 1 --init 1", ">= 1"),
        ("features --data digits:3,5 --norm asam --rho 0.1", "collapse"),
    ):
        assert main(bad.split()) == 2 and word in capsys.readouterr().err
    case = {"mu": [1, 1.6], "rho": 0.9, "alpha": 1, "measure": ["label"]}
    labels = sweep(case, {"norm": ["asam", "2"]}).label.values.tolist()
    both = sweep(case | {"norm": "asam"}, {"p": ["1", "inf"]}).label.values.tolist()
    assert labels == [-5, 2] and both == [-5, 2]


def test_directions_are_the_water_level_and_its_robust_margin():
    """200 levels: KKT to 1e-12, and a convex program of SciPy's own finds nothing better."""
    rng = np.random.default_rng(3)
    for trial in range(200):
        d, p = int(rng.integers(1, 7)), rng.uniform(1.2, 10)
        mu, rho = rng.uniform(0.3, 2, d), rng.uniform(0.05, 0.99 * 2 ** (1 / p))
        level = water_level(mu, rho=rho, p=p)
        b = level.direction / level.direction.sum()
        q, k = p / (p - 1), rho * 2 ** (-1 / p)
        pull = mu * (1 - k * (mu * b / np.linalg.norm(mu * b, q)) ** (q - 1))
        assert (
            np.abs(pull[b > 1e-12] - level.value).max() < 1e-10 and pull.max() < level.value + 1e-10
        )
        if trial < 20:
            worst = lambda x, mu=mu, k=k, q=q: k * np.linalg.norm(mu * x, q) - mu @ x  # noqa: E731
            whole = {"type": "eq", "fun": lambda x: x.sum() - 1}
            start = np.full(d, 1 / d)
            found = scipy.optimize.minimize(worst, start, bounds=[(0, 1)] * d, constraints=whole)
            assert -found.fun <= level.value + 1e-9 and abs(-found.fun / level.value - 1) < 1e-5


def test_integrated_runs_come_to_the_level():
    rng = np.random.default_rng(4)
    for p in (1.5, 2.0, 4.0):
        mu, theta = np.array([1.0, -1.3, 0.4]), rng.normal(size=(2, 3))
        flow = Flow(single_example(mu), asam(0.8, p=p))
        run, found = solve(flow, theta, tau_end=120.0), limit(flow, theta)
        unit = run.beta[-1] / np.linalg.norm(run.beta[-1])
        assert np.allclose(unit, found.direction, atol=1e-6), (p, unit, found)
        assert found.certificate == "theorem"


def test_one_feature_is_left_where_the_others_are_below_the_gate():
    flow = Flow(single_example([1.0, 2.0]), asam(0.5))
    assert limits(flow, [[[1.0, 1.0]] * 2, [[-1.0, 1.0], [1.0, 1.0]]]).tolist() == [2, 2]
    gate = 2 * (1 - 1.2 / np.sqrt(2))  # mu_k <= mu_d (1 - rho 2^(-1/p))
    for mu, label in ((gate * 0.999, 2), (gate * 1.001, -5)):
        assert limit(Flow(single_example([mu, 2.0]), asam(1.2)), np.ones((2, 2))).label == label
    dropped = limit(flow, [[1.0, 1.0], [1.0, -1.0]])
    assert dropped.label == 1 and "lambda" in dropped.reason
    assert limit(Flow(flow.data, asam(1.5)), np.ones((2, 2))).label == Label.UNDECIDED


def test_the_portrait_finds_the_threshold_of_the_even_mixture():
    """sqrt(6)/7 at L = 3, p = 2 for two equal features, to 1e-4, over rho."""
    flow, rho = Flow(single_example([1.0, 1.0]), asam(0.5)), np.linspace(0.3, 0.4, 2001)
    plane = RadiusPlane(balanced([1.0, 1.0 + 1e-7], 3))
    found = phase_portrait(flow, [1.0, 2.0], rho, start=plane).labels
    assert (found[:, 0] == found[:, 1]).all() and set(found[:, 0]) == {2, -5}
    assert abs(rho[found[:, 0] == -5].min() - np.sqrt(6) / 7) < 1e-4


def test_a_balanced_plane_has_mixed_regions_with_their_rays():
    flow, x = Flow(single_example([1.0, 1.2]), asam(0.6)), np.linspace(0.05, 2, 41)
    portrait = phase_portrait(flow, x, x, depth=3)
    assert set(np.unique(portrait.labels)) == {-5, 1, 2}
    slopes = sorted(curve[1, 1] / curve[1, 0] for _, curve in portrait.boundaries)
    ratio = x[:, None] / x
    inside = (ratio > slopes[0]) & (ratio < slopes[1])
    assert np.array_equal(portrait.labels == -5, inside)


def test_followed_directions_agree_with_the_line_and_with_runs():
    rng = np.random.default_rng(5)
    flow = Flow(single_example([1.0, 1.2, 0.9]), asam(0.6, p=3))
    starts = rng.normal(size=(60, 3, 3))
    found = limits(flow, starts)
    assert not (found == Label.UNDECIDED).any()
    for theta, label in list(zip(starts[found > 0], found[found > 0], strict=True))[:6]:
        run = solve(flow, theta, tau_end=1e3)
        assert run.status == "escaped" and np.abs(run.beta[-1]).argmax() == label - 1
    pair = Pair(1.2, 0.6, 2.0, 3)
    edge = np.exp(pair.roots[~pair.stable(pair.roots)])
    third = Flow(single_example([1.0, 1.2, 1e-3]), asam(0.6))
    for slope, label in ((edge[0] * 0.98, 1), (edge[0] * 1.02, -5), (edge[1] * 1.02, 2)):
        assert limit(third, balanced([1.0, slope, 1e-3], 3)).label == label


def test_several_examples_reach_the_fixed_point_from_two_starts():
    rng = np.random.default_rng(6)
    flow = Flow(Data(rng.uniform(0.2, 2.0, (5, 3))), asam(0.7))
    ends = [limit(flow, rng.uniform(0.3, 1.0, (2, 3))) for _ in range(2)]
    assert all(end.label == -5 and "fixed point" in end.reason for end in ends)
    assert np.allclose(ends[0].direction, ends[1].direction, atol=2e-2)
    split = split_signs(Data(rng.normal(size=(6, 2))))
    run = solve(Flow(split, asam(0.4)), np.full((2, 4), 0.3), log_t_end=50.0)
    assert run.status == "finished"


def test_the_jacobian_is_that_of_the_rates():
    rng = np.random.default_rng(7)
    for p in (1.5, 2.0, 3.0):
        flow = Flow(Data(rng.normal(size=(4, 3))), asam(0.5, p=p))
        clock, state = LogClock(flow, rng.normal(size=(2, 3))), rng.normal(size=7)
        step = 1e-6
        slope = [
            (clock.rates(1.0, state + step * e) - clock.rates(1.0, state - step * e))
            for e in np.eye(7)
        ]
        assert np.allclose(clock.jacobian(1.0, state), np.transpose(slope) / (2 * step), atol=1e-6)


def test_many_starts_and_files(tmp_path):
    flow, start = Flow(single_example([1.0, 2.0]), asam(0.5)), np.array([[1.0, 0.5], [0.7, -0.2]])
    run = solve(flow, start, tau_end=1.0)
    batch = solve_many(flow, np.array([start, start]), tau_end=1.0)
    assert np.allclose(batch.theta[0], run.theta[-1], rtol=1e-7)
    run.save(tmp_path / "run.npz")
    assert load(tmp_path / "run.npz").perturbation == flow.perturbation != linf(0.5)
    assert isinstance(run, Trajectory) and asam(0) == gradient_flow()


@pytest.mark.parametrize("log_t_end", [1.0, 4.0])
def test_original_time_along_ties_of_the_one_norm_has_an_end(log_t_end):
    """The pace flickered, as steps are shared where features tie to the last bit."""
    flow = Flow(single_example([-0.24270763981084473, 0.19711720027740487, -0.12634784360315]),
                asam(0.9, p=1))  # fmt: skip
    start = [[0.5, 0.0, 0.0], [-0.5, -0.5, 0.5]]
    run = solve(flow, start, log_t_end=log_t_end)
    assert run.status == "finished"
    rate = 1e-3
    walk = iterate(flow, start, learning_rate=rate, steps=round(np.expm1(log_t_end) / rate))
    np.testing.assert_allclose(run.beta[-1], walk.beta[-1], rtol=2e-3, atol=1e-4)


def test_a_step_of_p_near_1_has_a_slope_at_small_gradients():
    """Powers of 101 of a gradient leave the doubles: the run ended in a traceback of NumPy."""
    flow = Flow(Data([[0.8, 1.2, -0.9], [-0.8, -1.2, 0.9]]), asam(1e-8, p=1.01))
    assert limit(flow, [[0.7, 1.4, 1.9], [1.2, 0.4, 1.2]]).label == Label.UNDECIDED
    theta = np.array([[0.7, 1.4, 1.9], [1.2, 0.4, 1.2]])
    flow = Flow(Data(1e-9 * np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 2.5]])), asam(0.1, p=1.01))
    assert np.isfinite(ascent_slope(flow, theta)).all()
