"""The whole (u, v) plane under l_inf-SAM: one inequality, one map, against direct integration."""

import numpy as np
from scipy.integrate import solve_ivp

from flowsam import Flow, l2, single_example
from flowsam.exact.linf_two_layer import read, separatrix
from flowsam.labels import Fate
from tests.references import integrate_two_layer
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "linf_two_layer"
SOURCE = "flowsam; positive quadrant: arXiv:2603.08290, Theorem 3.2"


def draw(rng, m=10):
    """Points of the plane, axes included, not within 1e-3 of the separatrix."""
    rho, mu = rng.uniform(0.3, 2), rng.choice([-1, 1]) * rng.uniform(0.3, 3)
    u, v = rho * rng.uniform(-4, 4, (2, m))
    u[0], v[1] = 0.0, 0.0
    size = np.abs(np.sign(mu) * u + v) * (2 * rho + np.abs(u) + np.abs(v)) / (8 * rho**2)
    far = np.abs(size - 1) > 1e-3
    return rho, mu, u[far], v[far], size[far] > 1


def demand(ends, escapes, rho, label):
    """Assert that each end is far out with uv of the sign of mu, or exactly the origin."""
    out = np.abs(ends).max(axis=0) > 5 * rho
    rest = (ends == 0).all(axis=0)
    assert (out == escapes).all() and (rest == ~escapes).all(), f"ends {ends.tolist()}: {label}"


def check(rng):
    rho, mu, u, v, escapes = draw(rng)
    label = f"rho={rho}, mu={mu}, u={u.tolist()}, v={v.tolist()}"
    theta, speeds = np.stack([u, v]), np.full(u.size, mu)
    ends = integrate_two_layer(u, v, mu, rho=rho, tau_end=12 / abs(mu), step=0.15)
    demand(ends, escapes, rho, label)
    assert (np.sign(ends.prod(axis=0)) == np.sign(mu) * escapes).all(), label
    assert (read(theta, speeds, rho).fate == np.where(escapes, Fate.ESCAPE, 0)).all(), label
    assert (np.isfinite(read(theta, speeds, rho).zero_time) == ~escapes).all(), label
    tau = rng.uniform(0, 1.5) / abs(mu)
    state = integrate_two_layer(u, v, mu, rho=rho, tau_end=tau, step=0.05)
    exact = read(theta, speeds, rho).weights([tau])[0]
    assert np.abs(state - exact).max() < 1e-5 * np.abs(exact).max(), f"tau={tau}: {label}"
    border = separatrix(rho, extent=4 * rho, sign=int(np.sign(mu)), points=9)
    saddle = rho * np.array([np.sign(mu), 1.0])
    for curve, side in zip(border, (1, -1), strict=True):
        late = read(curve.T, np.full(len(curve), mu), rho).weights([12 / abs(mu)])[0]
        assert np.abs(late - side * saddle[:, None]).max() < 1e-2 * rho, f"{curve}: {label}"


def control(rng):
    """The rule is l_2 instead: balanced starts between rho/sqrt(2) and rho escape after all."""
    rho, mu = rng.uniform(0.3, 2), rng.uniform(0.3, 3)
    flow, start = Flow(single_example([mu]), l2(rho)), np.full((2, 1), rng.uniform(0.8, 0.95) * rho)
    run = solve_ivp(
        lambda _, w: flow.field(w.reshape(2, 1)).ravel(),
        (0, 12 / mu),
        start.ravel(),
        method="DOP853",
        rtol=1e-6,
    )
    demand(run.y[:, -1:], read(start, [mu], rho).fate == Fate.ESCAPE, rho, f"rho={rho}, mu={mu}")


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
