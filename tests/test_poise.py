"""Runs under large radii that rest where theta_hat is at a minimum, theta is not."""

import numpy as np
import pytest

from flowsam.data import Data
from flowsam.endings import Ending
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.many_examples.poise import attracts
from flowsam.network import balanced
from flowsam.outcomes import limit
from flowsam.perturbations import l2, lp
from flowsam.solver import solve

HOW = {"log_t_end": 20.0, "rtol": 1e-7, "atol": 1e-10}


def across(n: int, d: int, seed: int) -> tuple[Data, np.ndarray]:
    """Return separable Gaussian data and a start of small random weights, one layer."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, d))
    z *= np.sign(z @ rng.uniform(0, 1, d))[:, None]
    return Data(z), rng.uniform(0.5, 1.5, d) / np.sqrt(d)


def descent(z: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Return the gradient of the logistic loss over mean |ell'|, downwards, at two layers."""
    share = 1.0 / (1.0 + np.exp(z @ theta.prod(axis=0)))
    return (share / share.sum()) @ z * theta[::-1]


@pytest.mark.parametrize(
    ("rule", "seed", "apart"),
    [(l2(1.0), 2, 0.0), (l2(1.0), 0, 0.3), (lp(1.0, p=3.0), 4, 0.0)],
    ids=["l_2", "l_2 apart", "l_3"],
)
def test_a_minimum_at_theta_hat_is_rest(rule, seed: int, apart: float) -> None:
    """The gradient by its formula is 0 at theta_hat only; the run ends long before its end."""
    data, w = across(12, 12, seed)
    run = solve(Flow(data, rule), np.array([w, (1 - apart) * w]), **HOW)
    assert run.ending is Ending.POISED and run.status == "finished"
    assert run.log_t[-1] < 6 and run.steps < 400
    down = descent(data.z, run.theta[-1])
    power = 1 / (rule.p - 1)
    unit = np.abs(down) / (np.abs(down) ** (1 + power)).sum() ** (1 / (1 + power))
    hat = run.theta[-1] - rule.rho * np.sign(down) * unit**power
    assert np.linalg.norm(down) > 1e3 * np.linalg.norm(descent(data.z, hat))


def test_discrete_steps_end_there() -> None:
    """Small steps of SAM end where the run does."""
    data, w = across(12, 12, 2)
    run = solve(Flow(data, l2(1.0)), balanced(w, 2), **HOW)
    assert run.ending is Ending.POISED
    theta = balanced(w, 2)
    for _ in range(20_000):
        down = descent(data.z, theta)
        theta = theta + 0.01 * descent(data.z, theta - down / np.linalg.norm(down))
    np.testing.assert_allclose(theta, run.theta[-1], atol=1e-4)


def test_such_a_limit_is_stalled() -> None:
    """Data that separate: the loss stays finite, and the reason says why."""
    data, w = across(12, 12, 2)
    found = limit(Flow(data, l2(1.0)), balanced(w, 2))
    assert found.label == Label.STALLED and "gradient at theta_hat is 0" in found.reason


@pytest.mark.parametrize("apart", [0.0, 1e-3])
@pytest.mark.parametrize(("pull", "rests"), [(-1e-3, True), (1e-4, False)])
def test_what_grows_from_next_to_nothing_is_waited_for(pull, rests, apart) -> None:
    """A feature at 1e-12, pulled at so weakly that nothing else notices: it wins, or dies."""
    data, w = across(12, 12, 2)
    z = np.column_stack([data.z, np.full(12, pull)])
    start = balanced(np.append(w, 1e-12), 2)
    start[1] *= 1 - apart
    run = solve(Flow(Data(z), l2(1.0)), start, **HOW)
    assert (run.ending is Ending.POISED) is rests


def test_a_rest_that_is_left_is_none() -> None:
    """One eigenvalue above 0 is enough; 0 itself is a line of rests."""
    assert attracts(np.diag([-1.0, 0.0])) and attracts(np.empty((0, 0)))
    assert not attracts(np.diag([-1.0, 1e-3]))
