"""The gradient norm falls, rises, or falls then rises, and nothing else."""

import numpy as np

from flowsam.amplification import pattern
from flowsam.exact import linf_two_layer
from flowsam.exact.l2_two_layer import read
from tests.l2_references import march
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "l2_patterns"
SOURCE = "flowsam"


def turns_of(norms, noise=1e-7):
    """The ways log N goes, one after the other; a way back of less than `noise` is none."""
    ways, top = [], np.log(norms[0])
    for value in np.log(norms[1:]):
        step = np.sign(value - top)
        if ways and step == ways[-1] or abs(value - top) > noise:
            ways += [] if ways and ways[-1] == step else [float(step)]
            top = value
    return ways


def demand(norms, kind, label):
    claimed = {1: [1.0], -1: [-1.0], 0: [-1.0, 1.0]}[kind]
    assert turns_of(norms) == claimed, f"N goes {turns_of(norms)}, not {claimed}: {label}"


def check(rng):
    d = int(rng.integers(1, 5))
    mu, rho = rng.uniform(0.5, 2.5, d) * rng.choice([-1, 1], d), rng.uniform(0.3, 2)
    theta = rng.normal(size=(2, d)) * rho * rng.uniform(0.2, 1.2)
    label = f"theta={theta.tolist()}, mu={mu.tolist()}, rho={rho}"
    end = min(0.98 * float(read(theta, mu, rho).collapse_time), 25 / np.abs(mu).max())
    run = march(theta, mu, rho, end)
    early = np.geomspace(1e-5, 1, 200)  # a turn just after the start is one, too
    tau = run.t[-1] * np.unique(np.concatenate([[0.0], early, np.linspace(0, 1, 400)]))
    states = run.sol(tau)[:-1].T.reshape(tau.size, 2, d)
    kind = int(pattern(theta, mu, rho=rho))
    norms = np.linalg.norm(mu * states, axis=(1, 2))
    if kind == 0 and turns_of(norms) == [-1.0]:  # the turn is still to come
        assert run.status == 0, label
        return
    dip = np.log(norms[0] / norms.min())
    demand(norms, 1 if kind == 0 and dip < 1e-6 else kind, label)


def control(rng):
    """Under l_inf-SAM N rises while a coordinate just below rho waits, then falls with it."""
    rho, mu = rng.uniform(0.5, 2), np.array([1.0, rng.uniform(2.8, 3.5)])
    start = np.full((2, 2), rho) * [1.05, 1 - 1e-3]
    states = linf_two_layer.read(start, mu, rho).weights(np.linspace(0, 3, 400))
    demand(np.linalg.norm(mu * states, axis=(1, 2)), 0, f"mu={mu.tolist()}, rho={rho}")


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
