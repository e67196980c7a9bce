"""The ascent step attains Hoelder's bound on its ball, and no other step does better."""

import math

import numpy as np

from flowsam.perturbations import lp
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "dual_norm"
SOURCE = "definition"


def draw(rng):
    """A norm, its dual, a radius, and a gradient whose entries span several magnitudes."""
    p = float(rng.choice([1.0, 1.1, 1.5, 2.0, 3.0, 1 + rng.exponential(3.0) + 0.1, math.inf]))
    q = math.inf if p == 1 else 1.0 if math.isinf(p) else p / (p - 1)
    g = rng.normal(size=(3, 4)) * 10.0 ** rng.uniform(-3, 3, size=(3, 4))
    return p, q, rng.uniform(0.01, 10.0), g


def attains(eps, g, p, q, rho):
    """Assert ||eps||_p = rho and <eps, g> = rho ||g||_q."""
    dual, label = np.linalg.norm(g.ravel(), q), f"p={p}, rho={rho}, g={g.tolist()}"
    norm = np.linalg.norm(eps.ravel(), p)
    assert abs(norm / rho - 1) < 1e-12, f"||eps||_p={norm}, not rho: {label}"
    value = (eps * g).sum()
    assert abs(value / (rho * dual) - 1) < 1e-12, f"<eps, g>={value}, not rho ||g||_q: {label}"
    return value


def check(rng):
    p, q, rho, g = draw(rng)
    best = attains(lp(rho, p=p).epsilon(g), g, p, q, rho)
    for other in rng.normal(size=(20, *g.shape)):
        other *= rho / np.linalg.norm(other.ravel(), p)
        assert (other * g).sum() <= best * (1 + 1e-12), f"better step: p={p}, g={g.tolist()}"
    assert (lp(rho, p=p).epsilon(1e-150 * g) != 0).any(), f"underflow: p={p}, g={g.tolist()}"


def control(rng):
    """The step of the dual norm is not the step of the norm itself, unless p = 2."""
    while True:
        p, q, rho, g = draw(rng)
        if abs(p - 2) > 0.1:
            break
    attains(lp(rho, p=q).epsilon(g), g, p, q, rho)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
