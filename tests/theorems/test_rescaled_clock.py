"""One path, two clocks; and what a blow-up at finite tau is in original time."""

import numpy as np
from scipy.integrate import solve_ivp

from flowsam.data import Data, single_example
from flowsam.engines.clock import log_time
from flowsam.flow import Flow
from flowsam.network import balanced
from flowsam.perturbations import l2, linf
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "rescaled_clock"
SOURCE = "arXiv:2603.08290, equation (2); n > 1 and blow-up: flowsam"


def draw(rng, rules):
    """A flow on separable data and a start far from every zero gradient, where eps is smooth."""
    rule = rules[rng.integers(len(rules))]
    n, d, depth = (int(rng.integers(1, 4)) for _ in range(3))
    z = rng.choice([-1.0, 1.0], size=d) * rng.uniform(0.3, 2.0, size=(n, d))
    theta = rng.choice([-1.0, 1.0], size=(depth, d)) * rng.uniform(0.8, 1.5, size=(depth, d))
    return Flow(Data(z), rule(rng.uniform(0.2, 0.6))), theta


def in_both_clocks(flow, theta, log_pace):
    """The state at one rescaled time, and the state of the original flow at the time it says."""
    shape, tolerances = theta.shape, dict(method="DOP853", rtol=1e-10, atol=1e-12)

    def rescaled(_, state):
        here = state[:-1].reshape(shape)
        return np.append(flow.field(here), np.exp(log_pace(here)))

    tau_end = 0.1 / np.abs(flow.field(theta)).max()
    path = solve_ivp(rescaled, (0, tau_end), np.append(theta, 0.0), **tolerances)
    original = solve_ivp(
        lambda _, state: flow.velocity(state.reshape(shape)).ravel(),
        (0, path.y[-1, -1]),
        theta.ravel(),
        **tolerances,
    )
    assert path.success and original.success, f"{flow.describe()}: {path.message}"
    return path.y[:-1, -1], original.y[:, -1]


def compare(flow, theta, log_pace):
    """Assert that both clocks end in the same state."""
    rescaled, original = in_both_clocks(flow, theta, log_pace)
    error = np.abs(rescaled - original).max()
    assert error < 1e-8, (
        f"{flow.describe()}, z={flow.data.z.tolist()}, theta={theta.tolist()}: error {error:.2g}"
    )


def check(rng):
    flow, theta = draw(rng, [lambda rho: linf(0.0), l2, linf])
    compare(flow, theta, lambda here: -flow.log_lambda(here))
    check_blow_up(rng)


def check_blow_up(rng):
    """Depth 3, one coordinate, gradient flow and l_inf: log t against m - log(dm/dtau)."""
    mu, rho, above = rng.uniform(0.5, 2.0), rng.choice([0.0, 0.4]), rng.uniform(0.3, 1.0)
    flow = Flow(single_example([mu]), linf(rho))
    end = 1 / (mu * above)
    remaining = np.array([1e-2, 1e-3])

    def log_pace(tau):
        w = rho + 1 / (1 / above - mu * tau)
        return -flow.log_lambda(balanced(w[:, None], 3))

    log_t = log_time(log_pace, end * (1 - remaining), np.array([]))
    z = above / remaining
    margin = mu * z**3
    claimed = margin - np.log(3 * mu**2 * z**4)
    error = np.abs(log_t - claimed)
    assert (error < 1e-10 * margin + 3 / margin).all(), (
        f"mu={mu}, rho={rho}, alpha={rho + above}: log t={log_t}, claimed {claimed}"
    )


def control(rng):
    """A clock read at theta instead of theta_hat runs at another speed."""
    while True:
        flow, theta = draw(rng, [l2])
        speeds = flow.pull(theta)[1], flow.log_lambda(theta)
        if abs(speeds[0] - speeds[1]) > 1e-2:
            break
    compare(flow, theta, lambda here: -flow.pull(here)[1])


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
