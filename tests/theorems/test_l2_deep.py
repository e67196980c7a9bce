"""l_2-SAM at three layers and more: an order that is kept, no collapse at odd depth."""

import numpy as np

from tests.l2_references import march, predictor
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "l2_deep"
SOURCE = "flowsam"


def draw(rng):
    """Distinct mu, depth 3 or 4, and a balanced start about the equilibria's size."""
    mu, rho, depth = np.cumsum(rng.uniform(0.5, 1.5, 3)), rng.uniform(0.5, 1.5), rng.integers(3, 5)
    total = (mu ** (-2 / (depth - 2))).sum()
    middle = rho * mu ** (-1 / (depth - 2)) / np.sqrt(depth * total)
    return mu, rho, int(depth), middle


def run_from(theta, mu, rho):
    run = march(theta, mu, rho, 60 / (mu.max() * rho ** (len(theta) - 2)), rtol=1e-9)
    tau = run.t[-1] * np.linspace(0, 1, 300) ** 0.5
    return tau, predictor(run, tau, len(theta))


def demand_order(beta, mu, depth, label):
    """mu_j w_j^{L-2}, by its logarithm, never changes its order."""
    beta = beta[(beta > 1e-24).all(axis=1)]
    rank = np.log(mu) + (depth - 2) / depth * np.log(beta)
    steps = np.diff(rank, axis=1)
    kept = (np.sign(steps) == np.sign(steps[0])) | (np.abs(steps) < 1e-6)
    assert kept.all(), f"the order of mu w^(L-2) changes: {label}"


def check(rng):
    mu, rho, depth, middle = draw(rng)
    alpha = middle.mean() * rng.uniform(0.3, 2)
    label = f"mu={mu.tolist()}, rho={rho}, L={depth}, alpha={alpha}, equilibrium={middle.tolist()}"
    start = np.full((depth, 3), alpha)
    _, beta = run_from(start, mu, rho)
    demand_order(beta, mu, depth, label)
    bound = (mu[-1] / mu) ** (depth / (depth - 2)) * (1 + 1e-6)
    assert (beta <= bound * beta[:, -1:]).all(), f"a minor one leads too far: {label}"
    own = start[0] * rng.uniform(0.6, 1.6, 3)  # not uniform
    _, other = run_from(np.tile(own, (depth, 1)), mu, rho)
    demand_order(other, mu, depth, f"start={own.tolist()}, {label}")
    if depth == 3:
        assert (np.diff(beta, axis=0) >= -1e-7 * beta[1:]).all(), f"a weight falls: {label}"
    end = 50 / (mu.max() * rho ** (depth - 2))
    shrunk = march(np.tile(0.3 * middle, (depth, 1)), mu, rho, end, rtol=1e-9)
    norm = np.linalg.norm(mu * shrunk.y[:-1, -1].reshape(depth, 3)[:-1].prod(axis=0))
    if depth == 4:
        last = shrunk.y[:-1, -1].reshape(4, 3)[0] / middle
        assert norm < 1e-6 * rho**3 * mu.max(), f"no collapse: {label}"
        assert np.ptp(last) < 1e-3 * last.max(), f"not together: {last}, {label}"
    still = march(np.tile(middle, (depth, 1)), mu, rho, 0.5 / (mu.max() * rho ** (depth - 2)))
    assert np.abs(still.y[:-1, -1].reshape(depth, 3) / middle - 1).max() < 1e-6, f"moves: {label}"


def control(rng):
    """Layers that are not equal: a coordinate behind in mu beta^{(L-2)/L} overtakes."""
    mu, rho, w = np.array([1.0, rng.uniform(1.02, 1.1)]), rng.uniform(0.5, 1.5), 3.0
    spread = np.array([3.0, 3.0, 1 / 9.0])
    behind = 0.99 * mu[1] / mu[0]
    start = rho * w * np.column_stack([spread * behind, np.ones(3)])
    _, beta = run_from(start, mu, rho)
    demand_order(beta, mu, 3, f"mu={mu.tolist()}, rho={rho}")


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
