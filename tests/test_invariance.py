"""What may not change the answer: the order of features, signs, units of weights, data and time."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsam import Flow, Perturbation, limit, limits, single_example, solve

RADII = st.floats(0.1, 2.0)
SEEDS = st.integers(0, 2**32 - 1)
RULES = st.sampled_from([np.inf, 2.0])


def problem(seed, depth=2, d=3):
    """Return a signed, unbalanced start and an example of both signs."""
    rng = np.random.default_rng(seed)
    theta = rng.uniform(0.2, 2.0, (depth, d)) * rng.choice([-1, 1], (depth, d))
    return theta, rng.uniform(0.5, 2.0, d) * rng.choice([-1, 1], d)


def states(theta, mu, rule, tau_end=0.4):
    """Return the exact path at five times."""
    return solve(Flow(single_example(mu), rule), theta, tau_end=tau_end, save_at=5).theta


@settings(max_examples=25, deadline=None)
@given(SEEDS, RADII, RULES)
def test_order_of_features_does_not_matter(seed, rho, p):
    theta, mu = problem(seed)
    order = np.random.default_rng(seed).permutation(mu.size)
    direct = states(theta, mu, Perturbation(p, rho))
    moved = states(theta[:, order], mu[order], Perturbation(p, rho))
    np.testing.assert_allclose(moved, direct[..., order], rtol=1e-10, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(SEEDS, RADII, RULES)
def test_a_sign_moves_between_example_and_layer(seed, rho, p):
    theta, mu = problem(seed)
    flip = np.random.default_rng(seed).choice([-1.0, 1.0], mu.size)
    direct = states(theta, mu, Perturbation(p, rho))
    mirrored = states(np.stack([theta[0] * flip, theta[1]]), mu * flip, Perturbation(p, rho))
    np.testing.assert_allclose(mirrored[:, 0] * flip, direct[:, 0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(mirrored[:, 1], direct[:, 1], rtol=1e-10, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(SEEDS, RADII, RULES, st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_units_of_weights_and_data(seed, rho, p, weight, data):
    """w -> c w with rho -> c rho, mu -> k mu with tau -> tau / k (L = 2)."""
    theta, mu = problem(seed)
    direct = states(theta, mu, Perturbation(p, rho))
    scaled = states(weight * theta, data * mu, Perturbation(p, weight * rho), 0.4 / data)
    np.testing.assert_allclose(scaled / weight, direct, rtol=1e-10, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(SEEDS, RADII, RULES, st.integers(2, 4))
def test_limits_share_these_symmetries(seed, rho, p, depth):
    theta, mu = problem(seed, depth)
    theta = np.abs(theta[:1]).repeat(depth, axis=0)  # balanced; aligned below
    theta[0] *= np.sign(mu)
    rule, order = Perturbation(p, rho), np.random.default_rng(seed).permutation(mu.size)
    if depth > 2 and p == 2:  # by a run: one is enough
        rule = Perturbation(np.inf, rho)
    label = limit(Flow(single_example(mu), rule), theta).label
    moved = limit(Flow(single_example(mu[order]), rule), theta[:, order]).label
    assert (order[moved - 1] + 1 if moved >= 1 else moved) == label, (theta, mu, rule)
    larger = Flow(single_example(4 * mu), Perturbation(p if rule.p == 2 else np.inf, 2 * rho))
    assert limits(larger, 2 * theta) == label, (theta, mu, rule)


def test_an_asymmetric_change_is_seen():
    """Control: doubling one entry of mu alone moves the path."""
    theta, mu = problem(0)
    direct = states(theta, mu, Perturbation(2.0, 0.5))
    other = states(theta, mu * [1, 2, 1], Perturbation(2.0, 0.5))
    assert np.abs(direct - other).max() > 1e-3
