"""Data that do not separate: runs end at the finite minimiser, in little work, and say so."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from flowsam.data import Data, split_signs
from flowsam.flow import Flow
from flowsam.many_examples.rest import unrest
from flowsam.network import balanced
from flowsam.perturbations import gradient_flow, l2, unnormalised
from flowsam.real_data.named_sets import named_table
from flowsam.real_data.scale_scan import scale_unit
from flowsam.solver import solve

CONTRARY = Data([[1.0, 2.0], [-1.0, -2.0], [1.0, 0.0]])
GAUSSIAN = Data(np.random.default_rng(0).standard_normal((20, 5)))


@pytest.mark.parametrize("rule", [gradient_flow(), l2(0.1), unnormalised(0.1)], ids=repr)
def test_depth_one_ends_at_the_minimiser(rule) -> None:
    """The state at rest is the least loss SciPy finds; a run to log t = 1e4 ends there."""
    run = solve(Flow(GAUSSIAN, rule), np.full((1, 5), 0.5), log_t_end=1e4, rtol=1e-7)
    best = minimize(lambda w: np.logaddexp(0, -GAUSSIAN.z @ w).mean(), np.zeros(5), tol=1e-12)
    assert run.status == "finished" and "at a finite loss" in run.message
    assert run.steps < 300
    np.testing.assert_allclose(run.beta[-1], best.x, atol=1e-5)


@pytest.mark.parametrize("depth", [2, 3])
def test_positive_weights_rest_where_the_last_feature_does(depth) -> None:
    """beta_2 dies, beta_1 rests where the pulls cancel: at log 2 for these rows."""
    run = solve(Flow(CONTRARY, l2(0.1)), balanced([1.0, 0.7], depth), log_t_end=50.0, rtol=1e-6)
    assert run.status == "finished" and "at a finite loss" in run.message
    assert run.log_t[-1] < 5 and run.nfev < 20_000
    np.testing.assert_allclose(run.beta[-1], [np.log(2), 0.0], atol=1e-4)


def test_weights_far_smaller_than_rho_are_not_at_rest() -> None:
    """The ascent step dwarfs the weights and the gradient at theta: rest needs cancellation."""
    flow = Flow(Data([[1.0, 0.5], [0.8, 1.0]]), l2(1.0))
    assert unrest(flow, np.full((3, 2), 1e-6), move=float) == (
        pytest.approx(1, abs=0.8),
        1.0,
    )
    run = solve(flow, balanced([1e-5, 2e-5], 3), log_t_end=1.0)
    assert "at a finite loss" not in run.message


def test_a_lull_at_large_margins_is_not_rest() -> None:
    """Nothing moves before log t = 900, and the run goes on."""
    flow = Flow(Data([[1.0, 2.0], [2.0, 1.0]]), gradient_flow())
    run = solve(flow, np.full((2, 2), 18.0), log_t_end=1e4)
    assert run.log_t[-1] == 1e4 and run.message == "reached the end asked for"


@pytest.mark.long
@pytest.mark.parametrize("rule", [gradient_flow(), l2(0.1)], ids=repr)
def test_rows_that_cancel_leave_no_digits(rule) -> None:
    """Separable but for a pair: beta grows like log t while pulls cancel to rounding."""
    run = solve(Flow(CONTRARY, rule), np.full((1, 2), 0.5), log_t_end=1e4, rtol=1e-7)
    assert run.status == "failed" and "cancel to few digits" in run.message
    assert run.log_t[-1] > 15
    np.testing.assert_allclose(run.beta[-1] / run.beta[-1][0], [1.0, -0.5], atol=1e-3)


def test_flat_minimiser_of_real_data() -> None:
    """Breast cancer, just above the collapse: Hessians of condition 1e7 leave N few digits.

    The examples cancel in every feature that lives; the dead would lower the loss, and stay dead.
    """
    pytest.importorskip("sklearn")
    train, _ = named_table("breast_cancer").standardised(bias=True, test=0.25, seed=0)
    data, rule = split_signs(train), l2(0.1)
    start = balanced(np.full(data.z.shape[1], 1.05 * scale_unit(train, rule, 2)), 2)
    run = solve(Flow(data, rule), start, log_t_end=50.0, rtol=1e-6, atol=1e-9)
    assert run.status == "finished" and "at a finite loss" in run.message
    assert run.log_t[-1] < 15 and run.steps < 1500
    live = run.beta[-1] > 1e-9
    z = data.z[:, live]
    pulls = (expit(-z @ run.beta[-1, live]) @ z) / expit(-z @ run.beta[-1, live]).sum()
    assert np.abs(pulls).max() < 1e-8


@pytest.mark.parametrize("seed", [4, 12, 19])
@pytest.mark.parametrize("rtol", [1e-3, 1e-4])
def test_loose_tolerances_reach_a_rest_without_chatter(seed, rtol) -> None:
    """Errors of 1e-4 turned theta_hat about the rest: 20,000 evaluations, and most runs failed."""
    rng = np.random.default_rng(seed)
    flow = Flow(Data(rng.standard_normal((40, 8))), l2(0.5))
    start = balanced(rng.uniform(0.05, 1, 8), 4)
    loose, tight = (solve(flow, start, log_t_end=20.0, rtol=x, save_at=2) for x in (rtol, 1e-8))
    assert loose.status == tight.status == "finished"
    assert loose.nfev < 5000
    np.testing.assert_allclose(loose.beta[-1], tight.beta[-1], atol=rtol)
