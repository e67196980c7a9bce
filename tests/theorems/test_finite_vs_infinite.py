"""At a chosen finite time l_2-SAM leans on a minor coordinate; in the limit, and GD always, not."""

import numpy as np

from flowsam.amplification import dominance, leaders
from flowsam.exact.l2_outcome import outcome
from flowsam.labels import Fate
from tests.l2_references import march, predictor
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "finite_vs_infinite"
SOURCE = "arXiv:2603.08290, main message; which starts and times: flowsam"


def draw(rng):
    """Distinct mu, and the scale from which the major coordinate leads from the start."""
    mu, rho = np.cumsum(rng.uniform(0.5, 1.5, int(rng.integers(2, 4)))), rng.uniform(0.3, 2)
    return mu, rho, rho * (mu[-2] + mu[-1]) / (np.sqrt(2) * np.linalg.norm(mu))


def compare(mu, rho, alpha):
    label = f"mu={mu.tolist()}, rho={rho}, alpha={alpha}"
    start = np.full((2, mu.size), alpha)
    found = leaders(start, mu, rho=rho)
    assert found.order[-1] == mu.size, f"leaders {found.order}: {label}"
    assert found.times.size, f"the major coordinate leads at once: {label}"
    early, late = 0.5 * found.times[-1], found.times[-1] + 5 / mu[-1]
    run = march(start, mu, rho, late, rtol=1e-9, far=1e40)  # the last switch may come far out
    beta = predictor(run, np.array([early, run.t[-1]]))
    assert beta[0].argmax() < mu.size - 1, f"beta={beta[0]} at {early}: {label}"
    assert beta[1].argmax() == mu.size - 1, f"beta={beta[1]} at {run.t[-1]}: {label}"
    descent = march(start, mu, 1e-12 * rho, early, rtol=1e-9)
    plain = predictor(descent, early)[0]
    assert plain.argmax() == mu.size - 1, f"GD leans on a minor one, {plain}: {label}"
    assert (dominance(mu, 0, [alpha], [0.1 * early, early]) == mu.size).all(), label


def check(rng):
    mu, rho, major = draw(rng)
    alphas = major * rng.uniform(0.3, 0.99, 40)
    starts = alphas[:, None, None] * np.ones((2, mu.size))
    escapes = outcome(starts, mu, rho=rho) == Fate.ESCAPE
    assert escapes.any(), f"no start below {major} escapes: mu={mu.tolist()}, rho={rho}"
    compare(mu, rho, alphas[escapes][0])


def control(rng):
    """Above the interval the major coordinate leads from the start."""
    mu, rho, major = draw(rng)
    compare(mu, rho, major * rng.uniform(1.01, 2))


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
