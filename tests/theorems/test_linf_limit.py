"""The l_inf limit of balanced starts: the winner by score, any basis vector, or none."""

import numpy as np

from flowsam import Flow, Label, balanced, limit, linf, single_example
from flowsam.exact.linf_balanced import read
from tests.theorems.ledger import negative_control, numeric, symbolic
from tests.theorems.marching import demand_winner, march

CLAIM = "linf_limit"
SOURCE = "arXiv:2603.08290, Theorem 3.2, Corollary 3.5; frozen coordinates: flowsam"


def draw(rng, depth):
    """mu, rho, sizes off rho by 5 % or more, and the winner (0: none) by a margin."""
    while True:
        d, rho = int(rng.integers(2, 5)), rng.uniform(0.3, 1.5)
        mu, alpha = rng.choice([-1, 1], d) * rng.uniform(0.3, 3, d), rho * rng.uniform(0.2, 2, d)
        score = np.abs(mu) * np.maximum(alpha - rho, 0.0) ** (depth - 2) * (alpha > rho)
        if np.abs(alpha / rho - 1).min() < 0.05:
            continue
        if not score.any() or (score < 0.8 * score.max()).sum() == d - 1:
            return mu, rho, alpha, int(np.argmax(score)) + 1 if score.any() else 0


def compare(mu, rho, theta, winner):
    """Assert the label, and that the marched definition goes there."""
    label = f"mu={mu.tolist()}, rho={rho}, theta={theta.tolist()}"
    expected = winner or (Label.STALLED if len(theta) % 2 else Label.ZERO)
    found = limit(Flow(single_example(mu), linf(rho)), theta).label
    assert found == expected, f"label {found}, not {expected}: {label}"
    slowest = 100 / np.abs(mu).min() / (1 - np.abs(theta) / rho).min() ** (len(theta) - 2)
    tau, end = march(theta, mu, rho=rho, tau_end=np.inf if winner else slowest)
    if not winner:
        kept = np.abs(end[0])
        assert ((kept > 0) & (kept < rho)).all() if len(theta) % 2 else (end == 0).all(), label
        return
    demand_winner(end, winner, mu, label)
    star = read(theta, mu, rho).blow_up_time.min()
    if star < np.inf:  # the others have stopped there
        others = np.delete(np.arange(mu.size), winner - 1)
        frozen = read(theta, mu, rho).weights([star])[0][:, others]
        assert abs(tau / star - 1) < 1e-4, f"tau*={star}, marched to {tau}: {label}"
        np.testing.assert_allclose(end[:, others], frozen, rtol=0.05, atol=0.05, err_msg=label)


def check(rng):
    depth = int(rng.integers(2, 7))
    mu, rho, alpha, winner = draw(rng, depth)
    compare(mu, rho, balanced(alpha, depth, signs=np.sign(mu)), winner)
    anyone = int(rng.integers(mu.size)) + 1
    alpha = np.where(np.arange(mu.size) == anyone - 1, 1.2 * rho, 0.7 * rho)
    compare(mu, rho, balanced(alpha, depth, signs=np.sign(mu)), anyone)


def control(rng):
    """The winner's signs oppose mu: it is suppressed, whatever its score."""
    depth, winner = int(rng.integers(2, 5)), 0
    while not winner:
        mu, rho, alpha, winner = draw(rng, depth)
    theta = balanced(alpha, depth, signs=np.sign(mu))
    theta[0, winner - 1] *= -1
    compare(mu, rho, theta, winner)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
