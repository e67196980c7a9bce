"""Gradient flow on one example ends in one coordinate: the dominant one, or the best-placed."""

import numpy as np

from flowsam import Flow, balanced, gradient_flow, limit, single_example
from tests.theorems.ledger import negative_control, numeric, symbolic
from tests.theorems.marching import demand_winner, march

CLAIM = "gradient_flow_limit"
SOURCE = "arXiv:2603.08290; Gunasekar et al., NeurIPS 2018; any signs at L = 2: flowsam"


def draw(rng):
    """A balanced, aligned start at any depth, or any start at L = 2; one winner, by a margin."""
    while True:
        depth, d = (int(rng.integers(2, 6)) for _ in range(2))
        mu, alpha = rng.choice([-1, 1], d) * rng.uniform(0.3, 3, d), rng.uniform(0.3, 1.5, d)
        theta = balanced(alpha, depth, signs=np.sign(mu))
        if depth == 2 and rng.random() < 0.5:
            theta = rng.normal(size=(2, d))
            if np.abs(theta[0] + np.sign(mu) * theta[1]).min() < 0.1:
                continue
        score = np.abs(mu) * alpha ** (depth - 2)
        if (score < 0.8 * score.max()).sum() == d - 1:
            return mu, theta, int(np.argmax(score)) + 1


def compare(mu, theta, winner):
    label = f"mu={mu.tolist()}, theta={theta.tolist()}"
    found = limit(Flow(single_example(mu), gradient_flow()), theta).label
    assert found == winner, f"label {found}, not {winner}: {label}"
    _, end = march(theta, mu, rho=0.0)
    demand_winner(end, winner, mu, label)


def check(rng):
    compare(*draw(rng))


def control(rng):
    """The winner's signs oppose mu, u + sign(mu) v = 0: it decays and cannot win."""
    mu, theta, winner = draw(rng)
    opposed = balanced(np.abs(theta[1]), len(theta), signs=np.sign(mu))
    opposed[0, winner - 1] *= -1
    compare(mu, opposed, winner)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
