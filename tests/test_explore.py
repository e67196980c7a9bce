"""The explorer says what the package says: its formulas, labels, runs, strips and regions."""

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp

from flowsam import (
    Flow,
    Label,
    asam,
    balanced,
    gradient_flow,
    l2,
    limit,
    limits,
    linf,
    single_example,
    solve,
)
from flowsam.amplification import critical_scale, dominance, regimes
from flowsam.exact import linf_balanced
from flowsam.exact.l2_separatrix import balanced_excess, lone_separatrix
from flowsam.explorer import formulas as f
from flowsam.explorer.formulas import javascript, mathml
from flowsam.symbolic import coordinate
from tests.explorer_node import ask, needs_node

RULES = {"GD": lambda rho: gradient_flow(), "linf": linf, "l2": l2, "asam": asam}
LAYERED = ("GD", "linf", "l2")  # rules of the plane of layers
BAND, CLOSE = 1e-9, -9


def right(name):
    return f.FORMULAS[name].right


def rescaled_velocity(depth, p, signs=None):
    """Layer 1 by flowsam.symbolic: minus the gradient over |ell'|, at weights of signs."""
    one = coordinate(depth, p)
    mu, m_hat = sp.symbols("mu mhat", real=True)
    signs = signs or [1] * depth
    step = {g: -mu * sp.prod(one.w) / w for g, w in zip(one.g, one.w, strict=True)}
    for k, sign in enumerate(signs, 1):
        step[sp.Symbol(f"sigma_{k}", real=True)] = -sp.prod(signs) * sign
    hats = {hat: x.subs(step) for hat, x in zip(one.w_hat, one.perturbed, strict=True)}
    velocity = sp.simplify(-one.sam_gradient[0] * (sp.exp(m_hat) + 1))
    return velocity.subs(hats, simultaneous=True).subs(mu, f.MU)


@pytest.mark.parametrize("depth", range(1, 7))
def test_velocity_of_balanced_starts_is_that_of_the_symbolic_core(depth):
    one = coordinate(depth, np.inf)
    equal = rescaled_velocity(depth, np.inf).subs(dict.fromkeys(one.w, f.W))
    assert sp.expand(equal - right("velocity").subs(f.L, depth)) == 0


@pytest.mark.parametrize("depth", range(1, 7))
def test_size_solves_the_velocity(depth):
    name = {1: "size1", 2: "size2"}.get(depth, "size")
    size = right(name).subs(f.L, depth)
    residual = size.diff(f.TAU) - right("velocity").subs({f.W: size, f.L: depth})
    z = sp.Symbol("z", positive=True)  # above rho; below, z < 0, the same power of an integer
    assert sp.simplify(residual.subs(f.ALPHA, f.RHO + z)) == 0
    assert sp.simplify(size.subs(f.TAU, 0) - f.ALPHA) == 0


def test_l2_formulas_solve_the_velocities():
    one = coordinate(2, 2)
    u, v = one.w
    first = rescaled_velocity(2, 2)
    second = first.subs({u: v, v: u}, simultaneous=True)
    grow, fade, rate = right("grow"), right("fade"), right("rate")
    for sign, part, letter in ((1, grow, f.S), (-1, fade, f.E)):
        moved = part.diff(f.TAU) + part.diff(f.A) * rate
        field = (first + sign * second).subs({u: (f.S + f.E) / 2, v: (f.S - f.E) / 2})
        assert sp.simplify(field.subs(letter, part) - moved) == 0
    assert sp.simplify(first.subs({u: f.U, v: f.V}) - right("push2")) == 0
    n_squared = right("square").subs({f.S: grow, f.E: fade})
    slope = (n_squared.diff(f.TAU) + n_squared.diff(f.A) * rate) / 2
    assert sp.simplify(slope - right("turn").subs({f.S: grow, f.E: fade})) == 0
    assert sp.expand(right("product") - ((f.S + f.E) * (f.S - f.E) / 4)) == 0


def test_margin_at_the_perturbed_point_is_that_of_the_symbolic_core():
    one = coordinate(2, 2)
    step = {g: -f.MU * x for g, x in zip(one.g, one.w[::-1], strict=True)}
    halves = {one.w[0]: (f.S + f.E) / 2, one.w[1]: (f.S - f.E) / 2}
    margin = (f.MU * sp.prod(one.perturbed)).subs(step).subs(halves)
    assert sp.simplify(margin - right("margin2")) == 0


def test_separatrix_slope_follows_from_the_velocities():
    mu_1, mu_2 = sp.symbols("mu_1 mu_2", positive=True)
    growth = [mu * (1 - f.RHO * mu / f.N) for mu in (mu_1, mu_2)]
    slope = growth[0] / (growth[1] - growth[0])
    found = right("bend").subs({f.R: f.RHO * mu_1 / f.N, f.M: mu_2 / mu_1})
    assert sp.simplify(slope - found) == 0


@pytest.mark.parametrize("signs", [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_one_quadrant_solves_the_velocities(signs):
    a, b = signs
    rest = {f.C: f.RHO * (a + b), f.K: f.RHO * (b - a)}
    s, e = right("total").subs(rest), right("difference").subs(rest)
    u, v = coordinate(2, np.inf).w
    first = rescaled_velocity(2, np.inf, signs)
    second = rescaled_velocity(2, np.inf, (b, a)).subs({u: v, v: u}, simultaneous=True)
    layers = {u: (s + e) / 2, v: (s - e) / 2}
    assert sp.simplify(first.subs(layers) - layers[u].diff(f.TAU)) == 0
    assert sp.simplify(second.subs(layers) - layers[v].diff(f.TAU)) == 0
    push = right("push").subs(sp.sign(f.U), a)
    assert sp.simplify(first.subs({u: f.U, v: f.V}) - push) == 0


def test_balanced_formulas_equal_the_exact_ones_in_numbers():
    rng = np.random.default_rng(3)
    for depth in range(1, 7):
        mu, rho = rng.uniform(0.3, 3, 2)
        theta = balanced(rng.uniform(0.1, 2 * rho, 1), depth)
        own = {f.ALPHA: theta[0, 0], f.MU: mu, f.RHO: rho, f.L: depth}
        tau = 0.9 * min(
            linf_balanced.read(theta, [mu], rho).blow_up_time[0],
            linf_balanced.read(theta, [mu], rho).zero_time[0],
            2.0,
        )
        name = {1: "size1", 2: "size2"}.get(depth, "size")
        want = linf_balanced.read(theta, [mu], rho).weights([tau])[0, 0, 0]
        assert float(right(name).subs(own | {f.TAU: tau})) == pytest.approx(want, rel=1e-12)


def test_printers():
    a = sp.Symbol("A")
    assert javascript(right("pull")) == "Math.exp(-x)/Math.hypot(1, m*Math.exp(q))"
    text = mathml(a, sp.Symbol("what_1") - sp.exp(a))
    assert "<mi>A</mi>" in text and "<mi>a</mi>" not in text
    assert "&" not in text.replace("&#", "")
    assert text.index("what") < text.index("<mo>−</mo>")
    assert "<mfrac><mrow><mo>d</mo></mrow>" in mathml(sp.Derivative(a, sp.Symbol("tau")), a)


def flow_of(problem):
    return Flow(single_example(problem["mu"]), RULES[problem["rule"]](problem["rho"]))


def problem_of(rng, rule, depth, d=2):
    most = {"GD": 0.0, "asam": 1.4}.get(rule, 2.0)
    mu, rho = rng.uniform(0.3, 3, d), rng.uniform(min(0.3, most), most)
    return {"rule": rule, "rho": float(rho), "depth": depth, "mu": mu.tolist()}


PLANES = [(rule, k) for rule in ("GD", "linf") for k in range(1, 7)] + [("l2", 2), ("asam", 2)]
LABELS = "data.starts.map(([u, v]) => label({ ...data.problem, u, v }))"


def labels(problem, layers, folder):
    """Labels of starts (k, 2, d) by the page, and by the package."""
    data = {"problem": problem, "starts": layers.tolist()}
    depth = problem["depth"]
    theta = layers if depth == 2 else np.repeat(layers[:, :1], depth, axis=1)
    return np.array(ask(LABELS, data, folder)), limits(flow_of(problem), theta)


def check_random(count, folder):
    rng = np.random.default_rng(17)
    for rule, depth in PLANES:
        problem = problem_of(rng, rule, depth)
        alpha = rng.uniform(1e-3, 2 * max(problem["rho"], 0.5), (count, 2))
        got, want = labels(problem, np.stack([alpha, alpha], 1), folder)
        assert (got == want).all(), problem
    for rule in LAYERED:
        problem = problem_of(rng, rule, 2, d=1)
        layers = rng.uniform(-3, 3, (count, 2, 1)) * max(problem["rho"], 0.5)
        got, want = labels(problem, layers, folder)
        assert (got == want).all(), problem


@needs_node
def test_labels_of_random_starts_equal_limits(tmp_path):
    check_random(500, tmp_path)


@needs_node
@pytest.mark.long
def test_labels_of_100_000_random_starts_equal_limits(tmp_path):
    check_random(6_300, tmp_path)


def beside_gates(rng, depth, rho):
    """Starts at rho, a few ulp from it, and ties of the scores, exact and within ulps."""
    steps = rng.integers(-3, 4, (400, 2)) * np.spacing(rho)
    near = rho + steps
    away = near * np.where(rng.random((400, 2)) < 0.5, 1, rng.uniform(0.2, 2, (400, 2)))
    excess = rng.uniform(0.1, 2, 400)
    tied = np.stack([rho + excess, rho + excess * 0.5 ** (1 / max(1, depth - 2))], 1)
    return np.concatenate([near, away, tied, tied * (1 + rng.integers(-3, 4, (400, 1)) * 2.0**-52)])


@needs_node
@pytest.mark.parametrize("depth", range(2, 7))
def test_labels_at_the_gates_and_at_ties(depth, tmp_path):
    rng = np.random.default_rng(depth)
    for mu in ([1.0, 2.0], [2.0, 1.0], [1.5, 1.5]):
        problem = {"rule": "linf", "rho": 0.75, "depth": depth, "mu": mu}
        alpha = beside_gates(rng, depth, 0.75)
        got, want = labels(problem, np.stack([alpha, alpha], 1), tmp_path)
        unlike = got != want
        assert (got[unlike] == CLOSE).all()
        scores = np.array(mu) * np.maximum(alpha - 0.75, 0) ** (depth - 2)
        gap = np.abs(np.log(scores[unlike, 0] / scores[unlike, 1]))
        assert (gap < 1e-12).all()
        assert (got[(alpha == 0.75).any(1) & (alpha <= 0.75).all(1)] != CLOSE).all()


def beside_the_conic(rng, rho):
    """Starts (u, v) on the boundary of l_inf, any quadrant, and ulps to a thousandth from it."""
    e = rng.uniform(-6, 6, 400) * rho
    s = np.where(np.abs(e) <= 2 * rho, 2 * rho, 8 * rho**2 / (2 * rho + np.abs(e)))
    off = rng.choice([0, *10.0 ** -np.arange(3, 17)], 400) * rng.choice([-1, 1], 400)
    s = s * (1 + off) * rng.choice([-1, 1], 400)
    return np.stack([s + e, s - e], 1)[..., None] / 2


@needs_node
def test_labels_beside_the_conic(tmp_path):
    problem = {"rule": "linf", "rho": 0.7, "depth": 2, "mu": [1.3]}
    layers = beside_the_conic(np.random.default_rng(2), 0.7)
    got, want = labels(problem, layers, tmp_path)
    unlike = got != want
    u, v = layers[unlike, :, 0].T
    assert (got[unlike] == CLOSE).all() and 0 < unlike.sum() < 200
    over = np.abs(u + v) * (2 * 0.7 + np.abs(u) + np.abs(v)) / (8 * 0.7**2) - 1
    assert (np.abs(over) < 1e-14).all()


def deep_problem(rng, rule, depth):
    """One feature, its two smallest layers of any signs, and the further ones larger."""
    problem = problem_of(rng, rule, depth, d=1)
    u, v = rng.uniform(-3, 3, 2) * max(problem["rho"], 0.5)
    rest = float(max(problem["rho"], 0.5) + max(abs(u), abs(v)))
    return problem | {"u": [u], "v": [v], "rest": rest}


def layers_of(problem):
    more = [[problem["rest"]]] * (problem["depth"] - 2)
    return np.array([problem["u"], problem["v"], *more])


@needs_node
@pytest.mark.parametrize("rule", ["GD", "linf"])
@pytest.mark.parametrize("depth", range(3, 7))
def test_labels_of_signed_starts_of_more_layers(rule, depth, tmp_path):
    """Equal to limits."""
    rng = np.random.default_rng(depth)
    problems = [deep_problem(rng, rule, depth) for _ in range(150)]
    got = ask("data.map(label)", problems, tmp_path)
    want = [int(limits(flow_of(p), layers_of(p))) for p in problems]
    for problem, own, known in zip(problems, got, want, strict=True):
        assert own == known, problem
    assert rule == "GD" or {1} < set(got)


@needs_node
@pytest.mark.parametrize("depth", range(3, 7))
def test_labels_beside_the_conic_of_more_layers(depth, tmp_path):
    layers = beside_the_conic(np.random.default_rng(depth), 0.7)
    problem = {"rule": "linf", "rho": 0.7, "depth": depth, "mu": [1.3]}
    problems = [
        problem | {"u": [u], "v": [v], "rest": 0.7 + max(abs(u), abs(v))}
        for u, v in layers[:100, :, 0].tolist()
    ]
    got = ask("data.map(label)", problems, tmp_path)
    want = [int(limits(flow_of(p), layers_of(p))) for p in problems]
    for p, own, known in zip(problems, got, want, strict=True):
        u, v = p["u"][0], p["v"][0]
        over = abs(u + v) * (2 * 0.7 + abs(u) + abs(v)) / (8 * 0.7**2) - 1
        same = own == known
        assert same or (own == CLOSE and abs(over) < 1e-14), (p, own, known)


@needs_node
@pytest.mark.parametrize("rule", ["GD", "linf"])
def test_runs_of_more_layers_follow_solve(rule, tmp_path):
    rng = np.random.default_rng(41)
    problems = [deep_problem(rng, rule, 3 + k % 4) for k in range(24)]
    problems = [p for p in problems if p["u"][0] + p["v"][0]]
    asked = [{"problem": p, "parts": [0.01, 0.2, 0.5, 0.8, 0.95]} for p in problems]
    crossed = 0
    for problem, got in zip(problems, ask(RUNS, asked, tmp_path), strict=True):
        tau = [row["tau"] for row in got["at"]]
        want = solve(flow_of(problem), layers_of(problem), tau_end=tau[-1], save_at=tau)
        beta = np.array([row["beta"] for row in got["at"]])
        size = len(want.beta)
        assert beta[:size] == pytest.approx(want.beta, rel=1e-7, abs=1e-8 * np.abs(beta).max())
        clock = [row["clock"] for row in got["at"]][:size]
        assert clock == pytest.approx(want.log_t, rel=1e-3, abs=1e-3), problem
        crossed += beta[0, 0] < 0 < beta[-1, 0]
    assert crossed


def check_beside_the_separatrix(rays, folder):
    rng = np.random.default_rng(5)
    offsets = 10.0 ** -rng.uniform(3, 12, (rays, 20)) * rng.choice([-1, 1], (rays, 20))
    for mu in ([1.0, 2.0], [1.0, 1.001], [3.0, 0.5], [0.2, 9.0], [1.0, 1.0]):
        rho = float(rng.uniform(0.3, 2))
        profile = rng.uniform(0.05, 1, (rays, 2))
        scale = np.array([critical_scale(mu, rho, profile=x) for x in profile])
        alpha = (profile * scale[:, None])[:, None] * (1 + offsets)[..., None]
        alpha, away = alpha.reshape(-1, 2), np.abs(offsets).ravel()
        problem = {"rule": "l2", "rho": rho, "depth": 2, "mu": mu}
        got, want = labels(problem, np.stack([alpha, alpha], 1), folder)
        unlike = got != want
        assert (got[unlike] == CLOSE).all() and (away[unlike] < 1.01 * BAND).all()
        assert (got[away > 1.01 * BAND] != CLOSE).all()


@needs_node
def test_labels_beside_the_separatrix(tmp_path):
    check_beside_the_separatrix(3, tmp_path)


@needs_node
@pytest.mark.long
def test_20_000_labels_beside_the_separatrix(tmp_path):
    check_beside_the_separatrix(200, tmp_path)


RUNS = """data.map(({ problem, parts }) => {
  const path = run(problem);
  const end = path.end.tau < Infinity ? path.end.tau : path.last;
  const taus = parts.filter((x) => x <= 1 || path.end.kind === "collapse").map((x) => x * end);
  return { kind: path.end.kind, end: path.end.tau, at: taus.map((tau) => {
    const { beta } = path.state(tau);
    return { tau, beta, clock: path.logTime(tau) };
  }) };
})"""
PARTS = [0, 0.003, 0.05, 0.2, 0.5, 0.8, 0.95, 0.999, 1 - 1e-6, 1.3]


def number(value):
    return np.inf if value is None else value


def check_run(problem, got):
    theta = [problem["u"]] + [problem["v"]] * (problem["depth"] - 1)
    tau = np.array([row["tau"] for row in got["at"]])
    want = solve(flow_of(problem), theta, tau_end=tau[-1], save_at=tau)
    beta = np.array([[number(x) for x in row["beta"]] for row in got["at"]])
    clock = np.array([number(row["clock"]) for row in got["at"]])
    seen = (
        np.isfinite(want.beta).all(1) & np.isfinite(want.log_t) & (want.tau == tau[: want.tau.size])
    )
    assert seen.sum() >= len(tau) - 2, problem
    error = np.abs(beta[: seen.size][seen] - want.beta[seen]).max() / np.abs(want.beta[seen]).max()
    assert error <= 1e-8, problem
    late = np.abs(clock[: seen.size][seen] - want.log_t[seen]) / np.maximum(1, want.log_t[seen])
    assert late.max() <= 1e-3, problem


def check_runs(count, folder):
    rng = np.random.default_rng(23)
    for rule in RULES:
        problems = []
        for k in range(count):
            depth = 2 if rule in ("l2", "asam") or k % 3 == 0 else int(rng.integers(1, 7))
            single = depth == 2 and k % 2 == 0 and rule in LAYERED
            problem = problem_of(rng, rule, depth, d=1 if single else 2)
            reach = 2 * max(problem["rho"], 0.5)
            u = rng.uniform(-reach, reach, 1) if single else rng.uniform(0.05, reach, 2)
            v = rng.uniform(-reach, reach, 1) if single else u
            problems.append(problem | {"u": u.tolist(), "v": v.tolist()})
        asked = [{"problem": problem, "parts": PARTS} for problem in problems]
        for problem, got in zip(problems, ask(RUNS, asked, folder), strict=True):
            check_run(problem, got)


@needs_node
def test_runs_follow_solve(tmp_path):
    check_runs(12, tmp_path)


@needs_node
@pytest.mark.long
def test_200_runs_a_rule_follow_solve(tmp_path):
    check_runs(200, tmp_path)


@needs_node
def test_boundaries_are_the_exact_ones(tmp_path):
    for m in (1.0, 1.0005, 1.003, 2.0, 0.3, 80.0):
        curve = np.array(ask("separatrix(data, 1)", [1, m], tmp_path))
        error = 5e-7 if abs(m - 1) < 1e-3 else 1e-8
        assert np.abs(balanced_excess([1, m], rho=1.0)(curve)).max() < error
        assert len(curve) < 250
    layers = np.array(ask("layerEdge({ rule: 'l2', rho: 1 }, 3)", 0, tmp_path))
    ratio = (layers[:, 0] - layers[:, 1]) / layers.sum(1)
    assert layers == pytest.approx(lone_separatrix(ratio, rho=1.0), rel=1e-13)
    u, v = np.array(ask("layerEdge({ rule: 'linf', rho: 1 }, 3)", 0, tmp_path)).T
    assert np.abs(u + v) * (2 + np.abs(u) + np.abs(v)) == pytest.approx(8, rel=1e-14)


REGION = """data.starts.map(([x, y]) => {
  let found;
  for (const { label, points } of regions(data.problem, 2)) {
    let inside = false;
    points.forEach(([a, b], k) => {
      const [c, d] = points[(k + 1) % points.length];
      if (b > y !== d > y && x < ((c - a) * (y - b)) / (d - b) + a) inside = !inside;
    });
    if (inside) found = label;
  }
  return found;
})"""


@needs_node
def test_regions_hold_the_labels_of_their_starts(tmp_path):
    rng = np.random.default_rng(8)
    for rule, depth in [("GD", 2), ("GD", 3), ("linf", 1), ("linf", 2), ("linf", 5), ("l2", 2)]:
        for mu in ([1.0, 2.0], [1.7, 0.6], [1.0, 1.0]):
            problem = {"rule": rule, "rho": 0 if rule == "GD" else 0.9, "depth": depth, "mu": mu}
            starts = rng.uniform(0.01, 2, (200, 2))
            data = {"problem": problem, "starts": starts.tolist()}
            got = np.array(ask(REGION, data, tmp_path))
            want = limits(flow_of(problem), balanced(starts, depth))
            # a polygon of the separatrix is off by less than a thousandth
            assert (got != want).mean() <= (0.004 if rule == "l2" else 0), problem


@needs_node
def test_strip_equals_dominance_on_12_000_cells(tmp_path):
    rng = np.random.default_rng(11)
    for d in (1, 2, 3, 5, 8):
        mu, rho = rng.uniform(0.3, 5, d).round(3), float(rng.uniform(0.3, 2))
        found = regimes(mu, rho)
        high = 1.5 * max(found.major, found.critical)
        alpha = np.geomspace(0.7 * found.falling, high, 48)
        tau = np.linspace(0, 20 / mu.max(), 50)
        data = {"mu": mu.tolist(), "rho": rho, "alpha": alpha.tolist(), "tau": tau.tolist()}
        got = ask("data.alpha.map((x) => leaders(data, x, data.tau))", data, tmp_path)
        assert (np.array(got) == dominance(mu, rho, alpha, tau)).all()
        own = ask("thresholds(data.mu, data.rho)", data, tmp_path)
        assert own["falling"] == pytest.approx(found.falling, rel=1e-12)
        assert own["critical"] == pytest.approx(found.critical, rel=1e-9)
        assert own["steps"] == pytest.approx(found.thresholds.tolist(), rel=1e-9)


def test_labels_of_the_page_are_those_of_the_package():
    names = ("OTHER_DIRECTION", "STALLED", "TIE", "SEPARATRIX")
    assert [int(Label[name]) for name in names] == [-5, -4, -3, -2]
    assert CLOSE not in set(map(int, Label))


def adaptive_step(w, mu, rho):
    """ASAM's definition at p = 2: the maximiser of <eps, g> over ||eps/|w| ||_2 <= rho."""
    g = -mu * w[::-1]
    scaled = np.abs(w * g)
    return rho * np.abs(w) * np.sign(g) * scaled / np.sqrt((scaled**2).sum())


def adaptive_run(start, mu, rho, tau):
    """beta at times, and log(1 + t), by integrating the definition with original time beside."""

    def velocity(_, y):
        w = y[:-1].reshape(2, -1)
        hat = w + adaptive_step(w, mu, rho)
        pace = 1 + np.exp((mu * hat.prod(0)).sum())
        return np.append((mu * hat[::-1]).ravel(), pace)

    first = np.append(np.tile(start, 2), 0.0)
    how = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-14, "t_eval": tau}
    y = solve_ivp(velocity, (0, tau[-1]), first, **how).y
    layers = y[:-1].reshape(2, -1, len(tau))
    return layers.prod(0).T, np.log1p(y[-1])


@needs_node
def test_asam_runs_follow_the_definition(tmp_path):
    rng = np.random.default_rng(29)
    tau, problems = np.array([0.0, 0.1, 0.7, 1.1]), []
    for _ in range(12):
        mu, start, rho = rng.uniform(0.5, 2, 2), rng.uniform(0.1, 1, 2), rng.uniform(0.1, 1.3)
        layers = {"mu": mu.tolist(), "u": start.tolist(), "v": start.tolist()}
        problems.append({"rule": "asam", "rho": rho, "depth": 2, **layers})
    asked = "data[0].map((p) => data[1].map((x) => [run(p).state(x).beta, run(p).logTime(x)]))"
    for problem, got in zip(problems, ask(asked, [problems, tau.tolist()], tmp_path), strict=True):
        start, mu = np.array(problem["u"]), np.array(problem["mu"])
        beta, clock = adaptive_run(start, mu, problem["rho"], tau)
        assert np.array([row[0] for row in got]) == pytest.approx(beta, rel=1e-9)
        assert [row[1] for row in got] == pytest.approx(clock, rel=1e-3, abs=1e-3)


@needs_node
def test_asam_limit_is_the_robust_l1_margin(tmp_path):
    """Its shares maximise <mu, beta> - rho 2^(-1/2) ||mu beta||_2 over the simplex."""
    rng = np.random.default_rng(31)
    problems = [
        {"mu": rng.uniform(0.5, 2, 4).tolist(), "rho": rng.uniform(0.1, 1.3)} for _ in range(40)
    ]
    for problem, found in zip(
        problems, ask("data.map(asamLimit)", problems, tmp_path), strict=True
    ):
        shares, mu, rho = np.array(found["shares"]), np.array(problem["mu"]), problem["rho"]
        value = mu * (1 - rho * mu * shares / np.sqrt(2) / np.linalg.norm(mu * shares))
        assert shares.sum() == pytest.approx(1) and (shares >= 0).all()
        # the gradient of the concave objective: equal where a feature stays, less where it goes
        assert np.ptp(value[shares > 0]) < 1e-9
        assert (value[shares == 0] <= value[shares > 0].min() + 1e-9).all()
        kept = (shares > 0).sum()
        assert found["label"] == (-5 if kept > 1 else shares.argmax() + 1)


@needs_node
def test_asam_labels_and_shares_are_those_of_the_package(tmp_path):
    """Random problems, and those a few ulp to a thousandth from where a feature leaves."""
    rng, problems = np.random.default_rng(37), []
    for k in range(400):
        problem = problem_of(rng, "asam", 2)
        if k % 2:
            off = rng.choice([0, *10.0 ** -np.arange(3, 17)]) * rng.choice([-1, 1])
            problem["mu"][1] = problem["mu"][0] * (1 - problem["rho"] / np.sqrt(2)) * (1 + off)
            problem["off"] = abs(off)
        start = rng.uniform(0.01, 3, 2).tolist()
        problems.append(problem | {"u": start, "v": start})
    found = ask("data.map((p) => ({ ...asamLimit(p), label: label(p) }))", problems, tmp_path)
    close = 0
    for problem, got in zip(problems, found, strict=True):
        want = limit(flow_of(problem), balanced(problem["u"], 2))
        shares = np.abs(want.direction) / np.abs(want.direction).sum()
        assert got["shares"] == pytest.approx(shares, abs=1e-10), problem
        close += got["label"] == CLOSE
        near = problem.get("off", 1) * problem["mu"][1] / max(problem["mu"]) < 1.01e-12
        assert got["label"] == (CLOSE if near else want.label), problem
    assert close


def test_asam_formulas_are_the_definition():
    w, mu, total = f.W, f.MU, sp.Symbol("Q", positive=True)
    lean = right("lean").subs({f.BETA: w**2, f.Q: total})
    step = -f.RHO * w * mu * w**2 / sp.sqrt(2 * total)  # |w g| = mu beta in either layer
    assert sp.simplify(mu * (w + step) - w * right("pace").subs(f.R, lean)) == 0
    margin = right("margin3").subs({f.BETA: w**2, f.R: lean})
    assert sp.simplify(mu * (w + step) ** 2 - margin) == 0
