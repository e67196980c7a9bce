"""One balanced coordinate under l_inf-SAM: released above rho, held at it, suppressed below."""

import numpy as np

from flowsam import Flow, Label, balanced, beta, limit, linf, single_example
from flowsam.exact.linf_balanced import read
from flowsam.labels import Fate
from tests.theorems.ledger import negative_control, numeric, symbolic
from tests.theorems.marching import march

CLAIM = "linf_trichotomy"
SOURCE = "arXiv:2603.08290, Theorem 3.2; opposed signs: flowsam"

LIMITS = {
    Fate.ESCAPE: 1,
    Fate.SADDLE: Label.SEPARATRIX,
    Fate.COLLAPSE: Label.ZERO,
    Fate.STALL: Label.STALLED,
}


def draw(rng):
    """Depth, rho, mu, and a size relative to rho."""
    mu = rng.choice([-1, 1]) * rng.uniform(0.3, 3)
    return int(rng.integers(2, 7)), rng.uniform(0.3, 2), np.array([mu]), rng.uniform(0.1, 0.9)


def demand(theta, mu, rho, expected):
    """Assert one start's fate, by the formulas, by `limit`, and by marching the definition."""
    label = f"theta={theta.ravel().tolist()}, mu={mu[0]}, rho={rho}, expected {expected.name}"
    named = read(theta, mu, rho).fate[0] if (np.abs(theta) == np.abs(theta[0])).all() else expected
    assert named == expected, f"fate {Fate(named).name}: {label}"
    found = limit(Flow(single_example(mu), linf(rho)), theta).label
    rests = expected == Fate.SADDLE and len(theta) % 2  # beta = rho^L for ever
    assert found == (Label.STALLED if rests else LIMITS[expected]), f"label {found}: {label}"
    a, power, end = np.abs(theta[0, 0]), len(theta) - 2, np.inf
    if expected == Fate.SADDLE:
        end = 3 / np.abs(mu[0])
    if expected == Fate.STALL:  # |z| halves within 2^power / power of its time scale
        end = 4.0**power / (np.abs(mu[0]) * np.abs(a - rho) ** power)
    tau, state = march(theta, mu, rho=rho, tau_end=end)
    outcome = {
        Fate.ESCAPE: np.sign(mu[0]) * beta(state)[0] > 1e6,
        Fate.SADDLE: np.allclose(state, theta, rtol=1e-9),
        Fate.COLLAPSE: (state == 0).all(),
        Fate.STALL: rho - (rho - a) / 2 < np.abs(state[0, 0]) < rho,
    }[expected]
    assert outcome, f"marched to {state.ravel().tolist()} at tau={tau}: {label}"
    return tau, state, label


def check(rng):
    depth, rho, mu, part = draw(rng)
    start = {
        name: balanced([size], depth, signs=np.sign(mu))
        for name, size in (("above", rho / part), ("at", rho), ("below", rho * part))
    }
    tau, state, label = demand(start["above"], mu, rho, Fate.ESCAPE)
    assert tau < read(start["above"], mu, rho).blow_up_time[0] * (1 + 1e-6), label
    tau, state = march(start["above"], mu, rho=rho, tau_end=tau / 2)
    exact = read(start["above"], mu, rho).weights([tau])[0]
    np.testing.assert_allclose(exact, state, rtol=1e-6, err_msg=label)
    demand(start["at"], mu, rho, Fate.SADDLE)
    tau, _, label = demand(start["below"], mu, rho, Fate.STALL if depth % 2 else Fate.COLLAPSE)
    if depth % 2 == 0:
        np.testing.assert_allclose(
            read(start["below"], mu, rho).zero_time, tau, 1e-6, err_msg=label
        )
        turned = start["above"] * np.r_[-1.0, np.ones(depth - 1)][:, None]
        tau, _, label = demand(turned, mu, rho, Fate.COLLAPSE)
        np.testing.assert_allclose(read(turned, mu, rho).zero_time, tau, 1e-6, err_msg=label)


def control(rng):
    """Unequal layers: the first weight is above rho, yet the coordinate is not released."""
    _, rho, mu, _ = draw(rng)
    theta = rho * np.array([[1.2 * np.sign(mu[0])], [0.5]])
    demand(theta, mu, rho, Fate.ESCAPE)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
