"""2d weights against one scalar equation: the l_2 flow at L = 2 from any real start."""

import numpy as np

from flowsam.exact.l2_two_layer import read
from tests.l2_references import march
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "l2_two_layer"
SOURCE = "flowsam"


def draw(rng):
    """A signed, unbalanced start of up to four coordinates, one of them idle at times."""
    d = int(rng.integers(2, 5))
    mu, rho = rng.uniform(0.5, 2.5, d) * rng.choice([-1, 1], d), rng.uniform(0.3, 2)
    mu[1:] *= rng.choice([0, 1, 1, 1], d - 1)
    return rng.normal(size=(2, d)) * rho * rng.uniform(0.2, 1.2), mu, rho


def compare(theta, mu, rho):
    label = f"theta={theta.tolist()}, mu={mu.tolist()}, rho={rho}"
    end = min(float(read(theta, mu, rho).collapse_time), 3 / np.abs(mu).max())
    run = march(theta, mu, rho, 0.9 * end)
    tau = 0.9 * end * np.array([0.3, 1.0])
    states, a = run.sol(tau)[:-1].T.reshape(2, *theta.shape), run.sol(tau)[-1]
    ours = read(theta, mu, rho).weights(tau)
    error = np.abs(ours - states).max() / np.abs(states).max()
    assert error < 1e-7, f"weights off by {error:.1e}: {label}"
    error = np.abs(read(theta, mu, rho).curve.a_at(tau) - a).max() * (mu**2).max()
    assert error < 1e-7, f"A off by {error:.1e}: {label}"
    for event in read(theta, mu, rho).path(np.inf)[1]:
        if event.kind == "cross" and event.tau < 0.9 * end:
            state = run.sol(event.tau)[:-1].reshape(theta.shape)
            weight = state[event.layer, event.coordinate]
            assert abs(weight) < 1e-7 * np.abs(state).max(), f"no zero at {event}: {label}"


def check(rng):
    compare(*draw(rng))


def control(rng):
    """At three layers the perturbation mixes s and e: no such equation."""
    theta, mu, rho = draw(rng)
    mu[:] = np.abs(mu) + 0.5
    theta = np.abs(theta) + 0.3 * rho
    run = march(np.vstack([theta, theta[:1]]), mu, rho, 0.5 / mu.max())
    ours = read(theta, mu, rho).weights([run.t[-1]])[0]
    error = np.abs(ours - run.y[:-1, -1].reshape(3, -1)[:2]).max() / np.abs(ours).max()
    assert error < 1e-7, f"off by {error:.1e}"


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
