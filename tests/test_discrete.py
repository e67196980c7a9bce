"""Discrete SAM: order of convergence, independent implementations, batches, late margins."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from flowsam.data import Data, single_example
from flowsam.discrete import Batches, iterate
from flowsam.engines.run import Request
from flowsam.flow import Flow
from flowsam.losses import exponential
from flowsam.many_examples.log_clock import late_run
from flowsam.perturbations import gradient_flow, l2, linf, lp, unnormalised
from flowsam.signatures import public

RULES = [gradient_flow(), l2(0.1), linf(0.1), lp(0.1, p=3.0), unnormalised(0.2)]


def examples(n: int = 8, d: int = 3, seed: int = 0) -> Data:
    """Gaussian examples around a common mean."""
    return Data(np.random.default_rng(seed).standard_normal((n, d)) + 0.8)


def start(depth: int, d: int = 3, seed: int = 1) -> np.ndarray:
    """Unbalanced positive weights."""
    return np.random.default_rng(seed).uniform(0.5, 1.0, (depth, d))


@pytest.mark.parametrize("rule", [gradient_flow(), l2(0.1), unnormalised(0.2)], ids=repr)
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_first_order_agreement_with_the_flow(rule, depth) -> None:
    """The error at a fixed time falls in proportion to the step: slope 1 +- 0.1."""
    flow, theta0 = Flow(examples(), rule), start(depth)
    end = np.log1p(2.0)
    exact = late_run(flow, theta0, Request(end, method="DOP853", rtol=1e-12, atol=1e-13))
    target = exact.states(np.array([end]))[0]
    counts = np.array([50, 100, 200])
    errors = [
        np.abs(
            iterate(flow, theta0, learning_rate=2.0 / k, steps=k, save_every=k).theta[-1] - target
        ).max()
        for k in counts
    ]
    slope = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert slope == pytest.approx(1.0, abs=0.1)


def test_sliding_tends_to_the_sliding_solution() -> None:
    """On the axis u = 0 with |v| < rho, l_inf-SAM slides to the origin: v' = -mu rho sign(v)."""
    flow = Flow(single_example([1.0]), linf(1.0), exponential)
    errors = []
    for rate in (1e-2, 1e-3):
        run = iterate(flow, [[0.0], [0.5]], learning_rate=rate, steps=int(1.0 / rate))
        slid = 0.5 - run.tau
        before = slid > 0.1
        errors.append(np.abs(run.theta[before, 1, 0] - slid[before]).max())
    assert errors[1] < 0.2 * errors[0] < 0.01


def torch_step(torch, z, theta, rule, rate):
    """One two-step SAM update by automatic differentiation."""
    weights = torch.tensor(theta, dtype=torch.float64, requires_grad=True)

    def gradient(point):
        margins = torch.tensor(z) @ torch.prod(point, dim=0)
        loss = torch.nn.functional.softplus(-margins).mean()
        return torch.autograd.grad(loss, point)[0]

    g = gradient(weights)
    if not rule.rho:
        ascent = torch.zeros_like(g)
    elif not rule.normalised:
        ascent = rule.rho * g
    elif np.isinf(rule.p):
        ascent = rule.rho * torch.sign(g)
    else:
        q = rule.p / (rule.p - 1)
        ascent = rule.rho * torch.sign(g) * g.abs() ** (q - 1) / torch.norm(g, q) ** (q - 1)
    moved = (weights + ascent).detach().requires_grad_(True)
    return theta - rate * gradient(moved).numpy()


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_equals_torch(rule, depth) -> None:
    """A two-step SAM by PyTorch's autograd on the same network and data: equal to 1e-12."""
    torch = pytest.importorskip("torch")
    data, theta = examples(), start(depth)
    run = iterate(Flow(data, rule), theta, learning_rate=0.05, steps=100)
    for expected in run.theta:
        np.testing.assert_allclose(theta, expected, rtol=1e-12, atol=1e-12)
        theta = torch_step(torch, np.array(data.z), theta, rule, 0.05)


def test_equals_torch_with_shards() -> None:
    """Batches and shards as PyTorch would be told to do them, example by example."""
    torch = pytest.importorskip("torch")
    data, theta, rule = examples(7), start(2), l2(0.1)
    batches = Batches(4, 2, seed=3)
    run = iterate(Flow(data, rule), theta, learning_rate=0.05, steps=5, batches=batches)
    generator = np.random.default_rng(3)
    for epoch in range(3):
        order = generator.permutation(7)
        for step, batch in enumerate((order[:4], order[4:])):
            if 2 * epoch + step >= 5:
                return
            shards = [batch[:2], batch[2:]]
            moves = [
                len(s) / len(batch) * (torch_step(torch, data.z[s], theta, rule, 0.05) - theta)
                for s in shards
            ]
            theta = theta + sum(moves)
            np.testing.assert_allclose(run.theta[2 * epoch + step + 1], theta, rtol=1e-12)


@pytest.mark.parametrize("depth", [1, 2])
def test_equals_optax(depth) -> None:
    """optax.contrib.sam around SGD, normalised, opaque: the same iterates to 1e-12."""
    pytest.importorskip("optax")
    jax = pytest.importorskip("jax")
    import optax
    from optax.contrib import normalize, sam

    jax.config.update("jax_enable_x64", True)
    data, theta0, rho, rate = examples(), start(depth), 0.1, 0.05

    def loss(theta):
        margins = jax.numpy.asarray(data.z) @ jax.numpy.prod(theta, axis=0)
        return jax.numpy.mean(jax.numpy.logaddexp(0.0, -margins))

    adversary = optax.chain(normalize(), optax.sgd(rho))
    optimiser = sam(optax.sgd(rate), adversary, sync_period=2, opaque_mode=True)
    theta, gradient = jax.numpy.asarray(theta0), jax.grad(loss)
    state = optimiser.init(theta)
    run = iterate(Flow(data, l2(rho)), theta0, learning_rate=rate, steps=20)
    for expected in run.theta[1:]:
        updates, state = optimiser.update(
            gradient(theta), state, theta, grad_fn=lambda theta, _: gradient(theta)
        )
        theta = optax.apply_updates(theta, updates)
        np.testing.assert_allclose(theta, expected, rtol=1e-12)


def test_batches_are_permutations_of_one_generator() -> None:
    """Every epoch holds every example once; shards keep the order of the batch."""
    dealt = Batches(4, 3, seed=5).deal(10)
    generator = np.random.default_rng(5)
    for _ in range(3):
        steps = [next(dealt) for _ in range(3)]
        assert [[len(s) for s in step] for step in steps] == [[3, 1], [3, 1], [2]]
        order = np.concatenate([shard for step in steps for shard in step])
        np.testing.assert_array_equal(order, generator.permutation(10))


def test_one_shard_is_full_batch() -> None:
    """A batch of all examples in one shard is full-batch SAM, whatever their order."""
    flow, theta0 = Flow(examples(), l2(0.1)), start(2)
    whole = iterate(flow, theta0, learning_rate=0.1, steps=9)
    dealt = iterate(flow, theta0, learning_rate=0.1, steps=9, batches=Batches(8, 8, seed=1))
    np.testing.assert_allclose(dealt.theta, whole.theta, rtol=1e-13)
    np.testing.assert_allclose(dealt.tau, whole.tau, rtol=1e-13)
    assert dealt.settings["shard"] == 8


def test_shards_of_one_are_1_sam() -> None:
    """Each example perturbs by its own gradient: the mean of single-example steps."""
    data, theta0 = examples(5), start(2)
    run = iterate(
        Flow(data, l2(0.3)), theta0, learning_rate=0.1, steps=1, batches=Batches(5, 1, seed=2)
    )
    singles = [
        iterate(Flow(Data(row[None]), l2(0.3)), theta0, learning_rate=0.1, steps=1).theta[-1]
        for row in data.z
    ]
    np.testing.assert_allclose(run.theta[-1], np.mean(singles, axis=0), rtol=1e-13)


def test_signs_at_margins_beyond_doubles() -> None:
    """Where the gradient underflows to 0 the ascent step still has its sign: w_hat is right."""
    flow = Flow(Data([[1.0, 2.0], [2.0, 1.0]]), linf(0.5), exponential)
    theta = np.full((2, 2), 30.0)
    assert (np.exp(flow.descent(theta)[1]) == 0).all()
    np.testing.assert_array_equal(flow.perturbed(theta), theta - 0.5)
    run = iterate(flow, theta, learning_rate=1.0, steps=3)
    assert (run.theta == theta).all()


def test_clocks_and_rows() -> None:
    """log_t is log(1 + eta k) at the kept steps; the last is always kept."""
    run = iterate(Flow(examples(), l2(0.1)), start(1), learning_rate=0.5, steps=7, save_every=3)
    np.testing.assert_allclose(run.log_t, np.log1p(0.5 * np.array([0, 3, 6, 7])))
    assert (np.diff(run.tau) > 0).all()
    assert run.steps == 7
    assert run.nfev == 14
    assert run.status == "finished"


def test_overflow_is_said() -> None:
    """A learning rate far too large ends with its step, not with NaN rows."""
    data = Data([[1.0, 0.0], [-1.0, 0.1]])
    run = iterate(Flow(data, gradient_flow()), np.full((5, 2), 50.0), learning_rate=1e200, steps=9)
    assert run.status == "failed"
    assert "lower learning_rate" in run.message
    assert np.isfinite(run.theta).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": 0.0, "steps": 1}, "learning_rate > 0, got 0.0"),
        ({"learning_rate": 0.1, "steps": -1}, "steps >= 0, got -1"),
        ({"learning_rate": 0.1, "steps": 1, "save_every": 0}, "save_every >= 1, got 0"),
    ],
)
def test_bad_numbers(settings, message) -> None:
    """One line with the value."""
    with pytest.raises(ValueError, match=message):
        iterate(Flow(examples(), l2(0.1)), start(2), **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"steps": 3.0},
        {"steps": float("nan")},
        {"steps": True},
        {"learning_rate": "a"},
        {"learning_rate": True},
        {"save_every": 2.5},
        {"batches": 5},
    ],
)
def test_bad_kinds_are_refused_in_one_line(settings) -> None:
    """As a user sees it, without the type checks of this suite."""
    plain = public(inspect.unwrap(iterate))
    with pytest.raises(TypeError, match="needs .*, got ") as caught:
        plain(
            Flow(examples(), l2(0.1)), start(2), **({"learning_rate": 0.1, "steps": 1} | settings)
        )
    assert "\n" not in str(caught.value) and str(*settings.values()) in str(caught.value)


def test_bad_batches() -> None:
    """Sizes are checked where they are given."""
    with pytest.raises(ValueError, match="batch >= 1, got 0"):
        Batches(0)
    with pytest.raises(ValueError, match="shard <= batch, got 5"):
        Batches(4, 5)
    with pytest.raises(ValueError, match=r"one start \(L, d\)"):
        iterate(Flow(examples(), l2(0.1)), np.ones((4, 2, 3)), learning_rate=0.1, steps=1)


@pytest.mark.parametrize("sizes", [(True, 1, 0), (2, True, 0), (2, 1, True)])
def test_batches_count_in_whole_numbers(sizes) -> None:
    """Refused when made, in one line."""
    with pytest.raises(TypeError, match="Batches needs a whole"):
        Batches(*sizes)
    with pytest.raises(ValueError, match="seed >= 0"):
        Batches(2, seed=-1)


def test_a_single_precision_learning_rate_loses_nothing() -> None:
    """Its value counts, not its type: the same iterates as with the double of that value."""
    flow, rate = Flow(examples(), l2(0.1)), np.float32(0.1)
    plain = public(inspect.unwrap(iterate))
    runs = [plain(flow, start(2), learning_rate=r, steps=5) for r in (rate, float(rate))]
    np.testing.assert_array_equal(runs[0].theta, runs[1].theta)
    np.testing.assert_array_equal(runs[0].log_t, runs[1].log_t)
