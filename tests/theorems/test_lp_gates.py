"""Points of rest of balanced l_p-SAM: the perturbed weights are 0, and the signs of the slopes."""

import numpy as np

from flowsam import Flow, lp, single_example
from flowsam.exact.lp_gates import rest_weights
from tests.rest_rates import rest_rates
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "lp_gates"
SOURCE = "flowsam"


def draw(rng):
    """mu, rho, a norm away from the depth and from 2, the depth, a support."""
    d, depth = int(rng.integers(2, 5)), int(rng.integers(2, 6))
    p = rng.choice([rng.uniform(1.3, 1.8), rng.uniform(2.2, 6.0)])
    if abs(p - depth) < 0.3:
        p = depth + 0.5
    support = rng.permutation(np.arange(d) < rng.integers(1, d + 1))
    return rng.uniform(0.7, 1.6, d), rng.uniform(0.3, 1.5), p, depth, support


def slopes(flow, w, rho):
    """Jacobian of the balanced field at w, by central differences."""
    h = 1e-5 * rho * np.eye(w.size)
    ahead, behind = (flow.field(balanced_any(w + step))[:, 0] for step in (h, -h))
    return ((ahead - behind) / (2e-5 * rho)).T


def balanced_any(w):
    """Two equal layers of any sign."""
    return np.stack([w, w], axis=-2)


def compare(case, law):
    """Assert rest under the norm `law`, and at L = 2 the rates along the support."""
    mu, rho, p, depth, support = case
    text = f"mu={mu.tolist()}, rho={rho}, p={p}, law={law}, depth={depth}, on={support.tolist()}"
    w = np.zeros(mu.size)
    w[support] = rest_weights(mu[support], rho=rho, p=p, depth=depth)
    theta = np.broadcast_to(w, (depth, mu.size))
    flow = Flow(single_example(mu), lp(rho, p=law))
    assert np.abs(flow.perturbed(theta)).max() <= 1e-10 * rho, text
    inner = Flow(single_example(mu[support]), lp(rho, p=law))
    pair = rest_weights(mu[support], rho=rho, p=law, depth=2)
    along, off = rest_rates(mu, support, p=law)
    found = np.sort(np.linalg.eigvals(slopes(inner, pair, rho)).real)
    np.testing.assert_allclose(found, along, rtol=1e-5, atol=1e-6, err_msg=text)
    assert (along > 0).sum() == (support.sum() if law > 2 else 1), text
    small = np.zeros(mu.size)
    small[support] = pair
    for k, rate in zip(np.flatnonzero(~support), off, strict=True):
        near = small + 1e-12 * rho * (np.arange(mu.size) == k)
        speed = flow.field(balanced_any(near))[0, k] / (1e-12 * rho)
        assert (speed < -10) if law > 2 else abs(speed / rate - 1) < 1e-2, (
            f"{speed}, {rate}: {text}"
        )


def check(rng):
    case = draw(rng)
    mu, rho, p, *_ = case
    compare(case, p)
    mu_alone = np.arange(mu.size) == rng.integers(mu.size)
    _, off = rest_rates(mu, mu_alone, p=2)
    point = rho / np.sqrt(2) * mu_alone
    own = mu[mu_alone][0]
    inner = slopes(Flow(single_example(mu), lp(rho, p=2)), point, rho)
    expected = np.sort(np.append(off, own))
    np.testing.assert_allclose(np.sort(np.linalg.eigvals(inner).real), expected, atol=1e-6)


def control(rng):
    """The point of one norm under the rule of another."""
    case = draw(rng)
    compare(case, case[2] + 0.4)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
