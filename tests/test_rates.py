"""Rates in original time: predictions against runs."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from flowsam.data import Data, single_example
from flowsam.engines.run import Request
from flowsam.flow import Flow
from flowsam.losses import exponential
from flowsam.many_examples.log_clock import late_run
from flowsam.network import balanced
from flowsam.perturbations import asam, gradient_flow, l2, linf, lp, unnormalised
from flowsam.rates import (
    depth_one_asymptote,
    depth_one_loss,
    estimated_exponent,
    late_log_loss,
)
from flowsam.solver import solve


def separable(seed: int, n: int = 20, d: int = 5) -> Data:
    """Gaussian examples on the side of a hidden vector."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, d))
    return Data(z * np.sign(z @ rng.standard_normal(d))[:, None])


def depth_one_error(seed: int, rule, log_t: float = 1e4) -> tuple[float, float]:
    """Return the direction error times log t and its predicted limit."""
    data = separable(seed)
    run = late_run(Flow(data, rule), np.zeros((1, 5)), Request(log_t))
    weights = run.states(np.array([log_t]))[0, 0]
    line = depth_one_asymptote(data, rule, weights)
    direction = weights / np.linalg.norm(weights) - line.slope / np.linalg.norm(line.slope)
    return float(np.linalg.norm(direction) * log_t), line.error_constant


@pytest.mark.parametrize(
    "rule", [gradient_flow(), pytest.param(l2(0.1), marks=pytest.mark.long)], ids=repr
)
@pytest.mark.parametrize("seed", [0])
def test_direction_error_at_depth_one(rule, seed) -> None:
    """Within 1 % of the predicted constant at log t = 1e4."""
    measured, predicted = depth_one_error(seed, rule)
    assert measured == pytest.approx(predicted, rel=0.01)


@pytest.mark.parametrize(
    "z", [[[1.0, 0.0], [1.0, 0.0], [0.0, 2.0]], [[1.0, 0.0], [1.0, 1.0], [1.0, -1.0]]]
)
def test_the_asymptote_needs_independent_support(z) -> None:
    """Equal examples share a weight, and a third at the margin adds a log log t: refused."""
    with pytest.raises(ValueError, match="independent support vectors only, got 3 at the margin"):
        depth_one_asymptote(Data(z), gradient_flow(), [9.0, 9.0])


@pytest.mark.long
@pytest.mark.parametrize("rule", [gradient_flow(), l2(0.1)], ids=repr)
def test_direction_error_on_twenty_sets(rule) -> None:
    """The same on 20 random separable sets."""
    for seed in range(20):
        measured, predicted = depth_one_error(seed, rule)
        assert measured == pytest.approx(predicted, rel=0.01), seed


@pytest.mark.parametrize("rule", [gradient_flow(), linf(0.3), l2(0.3), lp(0.3, p=3.0)], ids=repr)
def test_loss_at_depth_one(rule) -> None:
    """T * loss tends to exp(-rho |mu|_q) / |mu|^2."""
    data = single_example([0.6, 1.1])
    run = solve(Flow(data, rule), [[0.2, -0.1]], log_t_end=200.0)
    assert run.log_loss[-1] + 200.0 == pytest.approx(np.log(depth_one_loss(data, rule)), abs=0.02)


@pytest.mark.parametrize("rule", [gradient_flow(), linf(0.3), l2(0.3)], ids=repr)
@pytest.mark.parametrize("depth", [2, 3])
def test_loss_at_depth(rule, depth) -> None:
    """The perturbed loss and the drop from it to the plain loss, one coordinate, log t = 1e4."""
    flow = Flow(single_example([1.3]), rule)
    run = solve(flow, balanced([1.5], depth), log_t_end=1e4)
    perturbed, plain = late_log_loss(run.log_t[-1], 1.3, depth, rule)
    hat = np.asarray(flow.log_loss(flow.perturbed(run.theta[-1])))
    assert float(hat) == pytest.approx(float(perturbed), abs=0.03)
    assert run.log_loss[-1] == pytest.approx(float(plain), abs=0.03)


@pytest.mark.parametrize("rule", [gradient_flow(), linf(0.9), l2(0.9), lp(0.9, p=3.0)], ids=repr)
@pytest.mark.parametrize("depth", [2, 3, 4, 6])
def test_late_loss_against_50_digits(rule, depth) -> None:
    """Absolute errors: t = int e^m / m' dm by its series in 1 / m, the margins from z."""
    mu, series = mpmath.mpf("2.25"), mpmath.mpf(2) - mpmath.mpf(2) / depth
    log_t = np.array([1e3, 1e5])
    found = np.array(late_log_loss(log_t, 2.25, depth, rule))

    def elapsed(z):
        m = mu * z**depth
        terms = [mpmath.rf(series, k) / m**k for k in range(20)]
        return m - mpmath.log(depth * mu ** (2 - series) * m**series) + mpmath.log(sum(terms))

    with mpmath.workdps(50):
        gate = mpmath.mpf(rule.gate(depth))
        for k, end in enumerate(log_t):
            first = (end / mu) ** (mpmath.mpf(1) / depth)
            z = mpmath.findroot(lambda z, end=end: elapsed(z) - end, first)
            perturbed, plain = float(-mu * z**depth), float(-mu * (z + gate) ** depth)
            bound = 4 * np.log(end) / end
            assert abs(found[0, k] - perturbed) < bound
            assert abs(found[1, k] - plain) < bound * float((1 + gate / z) ** (depth - 1))


@pytest.mark.parametrize(
    "rule",
    [gradient_flow(), linf(0.2), pytest.param(l2(0.2), marks=pytest.mark.long)],
    ids=repr,
)
def test_direction_exponent_at_depth_two(rule) -> None:
    """beta_1 / beta_2 falls like (log t)^(mu_1/mu_2 - 1)."""
    flow = Flow(single_example([1.0, 2.0]), rule, exponential)
    run = solve(flow, balanced([1.0, 1.0], 2), log_t_end=1e6, save_at=np.logspace(4, 6, 20))
    ratio = np.abs(run.beta[:, 0] / run.beta[:, 1])
    assert estimated_exponent(run.log_t, ratio) == pytest.approx(-0.5, abs=0.02)


def test_gates() -> None:
    """rho L^(-1/p); none for gradient flow; refused where the step vanishes."""
    assert gradient_flow().gate(3) == 0.0
    assert lp(1.0, p=1.0).gate(4) == 0.25
    with pytest.raises(ValueError, match="normalised"):
        unnormalised(1.0).gate(2)


def test_bad_input() -> None:
    """One line each."""
    with pytest.raises(ValueError, match="depth >= 2, got 1"):
        late_log_loss(10.0, 1.0, 1, l2(0.1))
    with pytest.raises(ValueError, match="one example, got n = 20"):
        depth_one_loss(separable(0), l2(0.1))
    with pytest.raises(ValueError, match="covers GD, l_2, got l_inf-SAM"):
        depth_one_asymptote(separable(0), linf(0.1), np.zeros(5))


@pytest.mark.parametrize("rule", [
    gradient_flow(), linf(0.3), l2(0.4), lp(0.4, p=1), lp(0.4, p=1.5), lp(0.4, p=3),
    unnormalised(0.7), asam(0.3), asam(0.3, p=1), lambda g: 0.1 * g,
])  # fmt: skip
def test_formulas_hold_for_the_rules_they_take_and_refuse_the_others(rule):
    """The loss at depth 1 and 3 against runs; ASAM, l_1 and own rules are not what gates are of."""
    flow = Flow(single_example([1.3, -0.4]), rule)
    known = flow.perturbation.kind in ("GD", "1<p<2", "l_2", "2<p<inf", "l_inf")
    for depth in (1, 3):
        if depth == 1 and (known or flow.perturbation.kind in ("l_1", "unnormalised")):
            run = solve(flow, [[0.2, 0.1]], log_t_end=30)
            want = depth_one_loss(flow.data, flow.perturbation)
            assert np.exp(run.log_loss[-1] + 30) == pytest.approx(want, rel=1e-6)
        elif depth == 1:
            with pytest.raises(ValueError, match="depth_one_loss covers"):
                depth_one_loss(flow.data, flow.perturbation)
        elif known:
            lone = Flow(single_example([1.3]), rule)
            run = solve(lone, balanced([1.5], 3), log_t_end=1e5)
            want = late_log_loss(1e5, 1.3, 3, rule)[1]
            assert run.log_loss[-1] == pytest.approx(float(want), abs=1e-3)
        else:
            with pytest.raises(ValueError, match="late_log_loss covers"):
                late_log_loss(1e5, 1.3, 3, flow.perturbation)
    if flow.perturbation.kind not in ("GD", "l_2"):
        with pytest.raises(ValueError, match="depth_one_asymptote covers GD, l_2, got"):
            depth_one_asymptote(flow.data, flow.perturbation, [1.0, 1.0])
