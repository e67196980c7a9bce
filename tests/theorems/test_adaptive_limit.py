"""ASAM at L = 2 on one example: shares and direction by the water level, and what it maximises."""

import numpy as np
from scipy.integrate import solve_ivp

from flowsam.exact.adaptive_level import water_level
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "adaptive_limit"
SOURCE = "flowsam; the rule: Kwon et al. 2021"


def draw(rng):
    """mu, rho, p and a signed start; no feature within 3 % of the water level."""
    while True:
        d, p = int(rng.integers(2, 5)), rng.uniform(1.3, 6.0)
        mu, rho = rng.choice([-1, 1], d) * rng.uniform(0.5, 2, d), rng.uniform(0.3, 1.1)
        level = water_level(mu, rho=rho, p=p).value
        theta = rng.normal(size=(2, d))
        moves = np.abs(theta[0] + np.sign(mu) * theta[1]).min() > 0.2
        if np.abs(np.abs(mu) / level - 1).min() > 0.03 and moves:
            return mu, rho, p, theta


def shares(theta, mu, p):
    """r_j from the definition: (|G_j beta_j| / (2 sum_k |G_k beta_k|^q)^(1/q))^(q-1)."""
    q = p / (p - 1)
    size = np.abs(mu * np.prod(theta, axis=0))
    size = size / size.max()
    return (size / (2 * (size**q).sum()) ** (1 / q)) ** (q - 1)


def late(mu, rho, p, theta):
    """The direction of theta after a long run from the definition, its length taken out."""

    def rates(_, w):
        w = w.reshape(theta.shape)
        sign = np.sign(mu * np.prod(w, axis=0))
        hat = w * (1 - rho * sign * shares(w, mu, p))
        speed = mu * hat[::-1]
        return (speed - w * ((w * speed).sum() / (w * w).sum())).ravel()

    start = (theta / np.linalg.norm(theta)).ravel()
    run = solve_ivp(rates, (0, 3000.0), start, method="LSODA", rtol=1e-7, atol=1e-10)
    return run.y[:, -1].reshape(theta.shape)


def compare(mu, rho, p, theta, level):
    """Assert that the run has the level's shares, and that no other beta has a larger margin."""
    label = f"mu={mu.tolist()}, rho={rho}, p={p}, theta={theta.tolist()}"
    end = late(mu, rho, p, theta)
    assert np.abs(shares(end, mu, p) - level.shares).max() < 1e-3, label
    q, b = p / (p - 1), level.direction / np.abs(level.direction).sum()
    worst = lambda b: (mu * b).sum(-1) - rho * 2 ** (-1 / p) * norm(mu * b, q)  # noqa: E731
    assert abs(worst(b) - level.value) < 1e-12, label
    moved = np.abs(b + 0.1 * np.random.default_rng(0).normal(size=(300, b.size))) * np.sign(mu)
    moved /= np.abs(moved).sum(axis=-1, keepdims=True)
    assert (worst(moved) <= level.value + 1e-12).all(), label


def norm(x, q):
    return (np.abs(x) ** q).sum(axis=-1) ** (1 / q)


def check(rng):
    mu, rho, p, theta = draw(rng)
    compare(mu, rho, p, theta, water_level(mu, rho=rho, p=p))


def control(rng):
    """The level of twice the radius."""
    mu, rho, p, theta = draw(rng)
    compare(mu, rho / 2, p, theta, water_level(mu, rho=rho, p=p))


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
