"""Every ray crosses the separatrix once: the critical scale against the definition, both sides."""

import numpy as np

from flowsam.amplification import critical_scale
from flowsam.exact.l2_outcome import lone_scale
from tests.l2_references import march
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "l2_critical_scale"
SOURCE = "flowsam"


def draw(rng):
    """A start with positive s, one coordinate or two, distinct mu."""
    d = int(rng.integers(1, 3))
    mu, rho = np.cumsum(rng.uniform(0.5, 1.5, d)), rng.uniform(0.3, 2)
    s, e = rng.uniform(0.3, 1, d), rng.normal(size=d) * 0.6
    return np.array([s + e, s - e]) / 2, mu, rho


def demand(theta, mu, rho, scale):
    """Assert that N ends below rho mu_1 just under the scale, and rises just over it."""
    for side in (-1, 1):
        run = march(theta * scale * (1 + side * 2e-3), mu, rho, 40 / mu[0], rtol=1e-9)
        states = run.y[:-1, -2:].T.reshape(2, *theta.shape)
        norms = np.linalg.norm(mu * states, axis=(1, 2))
        escapes = norms[1] > norms[0] and norms[1] > 1e3 * rho * mu[0]
        assert escapes == (side > 0), (
            f"scale {scale} misses: theta={theta.tolist()}, mu={mu.tolist()}, rho={rho}"
        )


def check(rng):
    theta, mu, rho = draw(rng)
    scale = critical_scale(mu, rho, profile=theta)
    demand(theta, mu, rho, scale)
    s, e = np.abs(theta[0] + theta[1]), np.abs(theta[0] - theta[1])
    norm, alone = np.linalg.norm(mu * theta), lone_scale(s, e, rho=rho)
    label = f"theta={theta.tolist()}, mu={mu.tolist()}, rho={rho}"
    assert rho * mu[0] / norm <= scale * (1 + 1e-12), f"below the bracket: {label}"
    assert scale <= alone.min() * (1 + 1e-12), f"above the bracket: {label}"
    if mu.size == 1:
        assert abs(scale / alone[0] - 1) < 1e-13, f"not Carlson's integral: {label}"


def control(rng):
    """Carlson's integral of the norms of s and e is for equal mu only."""
    _, mu, rho = draw(rng)
    mu = np.append(mu, mu[-1] + 4)
    s, e = rng.uniform(0.5, 1, (2, mu.size))
    theta = np.array([s + e, s - e]) / 2
    scale = lone_scale(np.linalg.norm(s), np.linalg.norm(e), rho=rho)
    demand(theta, mu, rho, 0.97 * float(scale))
    demand(theta, mu, rho, 1.03 * float(scale))


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
