"""Unnormalised SAM at even depth: below the larger root of H = 1 it rests, beyond it escapes."""

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from flowsam import Flow, Label, balanced, limit, single_example, unnormalised
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "unnormalised_stalling"
SOURCE = "flowsam"


def log_h(s, mu, rho, depth):
    """log of rho s |ell'(M(s))|, logistic loss."""
    margin = ((s**depth / mu**2) ** (1 / (depth - 2))).sum()
    return np.log(rho * s) - np.logaddexp(0, margin)


def draw(rng):
    """mu, a depth, rho with two roots of H = 1, and the roots."""
    while True:
        depth, d = int(rng.choice([4, 6])), int(rng.integers(1, 5))
        mu, rho = rng.uniform(0.5, 2.0, d), rng.uniform(3.0, 20.0)
        grid = np.geomspace(1e-3, 30, 400)
        above = [x for x in grid if log_h(x, mu, rho, depth) > 0.2]
        if above:
            about = (mu, rho, depth)
            low = brentq(log_h, 1e-9, above[0], args=about)
            return mu, rho, depth, low, brentq(log_h, above[-1], 60, args=about)


def late(w, mu, rho, until):
    """Weights w (one a coordinate) by w' = mu w_hat^(L-1) from the definition, to tau = until."""
    depth = len(w)

    def rates(_, x):
        slope = 1 / (1 + np.exp(min((mu * x**depth).sum(), 700.0)))
        return mu * (x - rho * slope * mu * x ** (depth - 1)) ** (depth - 1)

    def far(_, x):
        return x.max() - 30.0

    far.terminal = True
    run = solve_ivp(rates, (0, until), w[0], rtol=1e-8, atol=1e-10, events=far, method="LSODA")
    return run.y[:, -1]


def compare(mu, rho, low, high, s):
    """Assert that a start of sizes s stays between what equal sizes do, and is told to."""
    depth, s = s
    label = f"mu={mu.tolist()}, rho={rho}, L={depth}, s={s.tolist()}"
    w = (s / mu) ** (1 / (depth - 2))
    end = late(np.repeat(w[None], depth, axis=0), mu, rho, 400.0)
    reached = mu * end ** (depth - 2)
    assert reached.max() < high * (1 + 1e-6), label
    least, most = min(s.min(), low), max(s.max(), low)  # a smaller s may rise for a while
    assert least - 1e-6 < reached.min() and reached.max() < most + 1e-6, label
    found = limit(Flow(single_example(mu), unnormalised(rho)), balanced(w, depth))
    assert (found.label, found.certificate) == (Label.STALLED, "monotone"), label


def check(rng):
    mu, rho, depth, low, high = draw(rng)
    compare(mu, rho, low, high, (depth, high * rng.uniform(0.05, 0.97, mu.size)))


def control(rng):
    """Sizes beyond the larger root."""
    mu, rho, depth, low, high = draw(rng)
    compare(mu, rho, low, high, (depth, high * rng.uniform(1.05, 1.3, mu.size)))


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)


def test_beyond_the_larger_root_the_largest_s_wins():
    mu, rho, depth = np.array([1.0, 2.0]), 8.0, 4
    high = brentq(log_h, 0.6, 30, args=(mu, rho, depth))
    for s in ([1.3, 1.1], [1.02, 1.2]):
        w = np.sqrt(high * np.array(s) / mu)
        found = limit(Flow(single_example(mu), unnormalised(rho)), balanced(w, depth))
        assert found.label == 1 + int(np.argmax(s)), (s, found)
