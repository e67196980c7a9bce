"""Equal layers at odd depth under l_inf, several examples: they rest at their gates, |w| = rho."""

import numpy as np
import pytest
from scipy.optimize import brentq

from flowsam import Data, Flow, balanced, limit, linf, lp, single_example, solve
from flowsam.labels import Label
from flowsam.many_examples.iteration import Walk
from flowsam.outcomes.directions import late_run, run_direction
from flowsam.regimes import case_of

NEAR = [[1.0, 2.0], [1.2, 1.7]]
MIXED = [[1.0, -0.5], [0.8, 0.3]]


def euler(z, x, depth, *, log_t_end, step=1e-3):
    """Reduced to beta = x^L: steps of x' = G(theta_hat) (x - s)^(L-1), s = sign G, in log t."""
    z = np.array(z)
    below, above = 1.0 - np.array(x), 1.0 + np.array(x)  # both kept: x loses their digits
    log_t = 0.0

    def pull(values):
        logs = -np.logaddexp(0.0, z @ values**depth)
        q = np.exp(logs - logs.max())
        return q @ z / q.sum(), logs.max() + np.log(q.mean())

    while log_t < log_t_end:
        sign = np.sign(pull((above - below) / 2)[0])
        hat = np.where(sign > 0, -below, above)
        force, log_scale = pull(hat)
        velocity = force * hat ** (depth - 1)
        fastest = np.abs(velocity / hat).max()
        pace = step * min(np.exp(log_t + log_scale), 1.0 / fastest)
        below -= pace * velocity
        above += pace * velocity
        log_t = np.logaddexp(log_t, np.log(pace) - log_scale)
    return (above - below) / 2


@pytest.mark.parametrize("rtol", [1e-6, 1e-9, 1e-11])
@pytest.mark.parametrize(
    ("z", "alpha", "depth", "log_t_end"),
    [(NEAR, [0.5, 0.6], 3, 50.0), (NEAR, [0.9, 0.2], 3, 1e4), (NEAR, [0.9, 0.2], 5, 1e4)],
)
def test_layers_rest_at_their_gate(z, alpha, depth, log_t_end, rtol) -> None:
    """They neither drift apart nor pass it, to log t = 1e4, in few steps."""
    run = solve(
        Flow(Data(z), linf(1.0)),
        balanced(alpha, depth),
        log_t_end=log_t_end,
        rtol=rtol,
        atol=1e-3 * rtol,
    )
    assert run.status == "finished" and run.steps < 1000
    np.testing.assert_allclose(run.beta[-1], 1.0, atol=10 * rtol)
    assert (np.diff(run.beta, axis=0) >= 0).all() and (run.theta == run.theta[:, :1]).all()


def test_layers_turned_against_their_features_pass_0() -> None:
    """Odd L does not keep the sign of beta_j: they end at the other gate."""
    run = solve(Flow(Data(-np.array(NEAR)), linf(1.0)), balanced([1.2, 0.8], 3), log_t_end=50.0)
    assert [event.kind for event in run.events] == ["cross", "cross"]
    np.testing.assert_allclose(run.beta[-1], -1.0, atol=1e-8)


@pytest.mark.parametrize("rtol", [1e-6, 1e-9])
def test_a_slide_beside_a_gate_rests(rtol) -> None:
    """beta_1 -> 1, and beta_2 where the pull on it is 0 then, at every tolerance."""
    flow = Flow(Data(MIXED), linf(1.0))
    run = solve(flow, balanced([0.5, 0.6], 3), log_t_end=50.0, rtol=rtol, atol=1e-3 * rtol)
    pull = lambda b: flow.pull(np.cbrt([[1.0, b]] * 3))[0][1]  # noqa: E731
    rest = brentq(pull, -0.9, -0.3, xtol=1e-14)
    assert [event.kind for event in run.events] == ["cross", "slide"] and not run.steps > 999
    np.testing.assert_allclose(run.beta[-1], [1.0, rest], atol=30 * rtol)


@pytest.mark.parametrize("depth", [3, 5])
@pytest.mark.parametrize("signs", [[1, 1], [-1, 1], [-1, -1]])
def test_equal_examples_are_one_at_late_times(depth, signs) -> None:
    """Two copies of one example have the closed form's path to log t = 30, through 0 too."""
    mu = [1.0, 2.0]
    theta = balanced([0.7, 0.4], depth, signs)
    flows = [Flow(data, linf(1.0)) for data in (single_example(mu), Data([mu, mu]))]
    rows = np.linspace(0.0, 30.0, 16)
    one, two = (solve(flow, theta, log_t_end=30.0, save_at=rows) for flow in flows)
    np.testing.assert_allclose(two.beta, one.beta, atol=3e-8)


@pytest.mark.parametrize("seed", range(6))
def test_paths_are_those_of_small_steps(seed) -> None:
    """Random data and signs, pulls that turn: Euler's steps of one number a feature agree."""
    rng = np.random.default_rng(seed)
    depth = int(rng.choice([3, 5]))
    (n, d) = rng.integers(2, 4, size=2)
    z = rng.normal(size=(n, d))
    x = rng.uniform(-1.3, 1.3, size=d)
    theta = balanced(np.abs(x), depth, np.sign(x))
    run = solve(Flow(Data(z), linf(1.0)), theta, log_t_end=4.0)
    if run.status == "finished":
        found = euler(z, x, depth, log_t_end=4.0) ** depth
        np.testing.assert_allclose(run.beta[-1], found, atol=1e-2)


@pytest.mark.parametrize("z", [NEAR, -np.array(NEAR), MIXED])
@pytest.mark.parametrize("alpha", [[0.5, 0.6], [0.9, 0.2]])
def test_limits_rest_at_gates(z, alpha) -> None:
    """Neither do weights escape, nor does odd L keep their signs."""
    flow = Flow(Data(z), linf(1.0))
    case = case_of(flow, 3)
    found = run_direction(case, late_run(case, balanced(alpha, 3)))
    assert found.label == limit(flow, balanced(alpha, 3)).label == Label.STALLED
    assert "keeps the sign" not in found.reason


def test_a_long_step_stays_before_the_gate() -> None:
    """A step of the iteration that would pass w = rho ends before it, layers equal at L = 5."""
    flow = Flow(Data([[1.0, 2.0], [1.2, 1.7]]), linf(1.0))
    walk = Walk(flow, balanced([0.2, 0.3], 5), (0.0, 0.0), 1.0)
    hat = walk.theta - 1.0
    after = walk._after(-5.0 * hat, hat)
    assert (walk.theta < after).all() and (after < 1.0).all()
    for _ in range(100):
        walk.advance(np.inf)
    assert (walk.theta == walk.theta[0]).all() and (walk.theta < 1.0).all()


@pytest.mark.parametrize("p", [1.5, 3.0])
def test_equal_layers_stay_equal_under_smooth_rules(p) -> None:
    """A rest at odd L that is unstable to imbalance does not part them, signs included."""
    theta = balanced([0.3, 0.2], 3, [1, -1])
    run = solve(Flow(Data(MIXED), lp(1.0, p=p)), theta, log_t_end=12.0, rtol=1e-6)
    sizes = np.abs(run.theta)
    assert (sizes == sizes[:, :1]).all()
