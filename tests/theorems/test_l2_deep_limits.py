"""What balanced states of l_2-SAM at L >= 3 prove, against paths integrated on from them."""

import numpy as np

from flowsam import Flow, l2, single_example
from flowsam.labels import Label
from flowsam.outcomes.balanced_l2 import proved
from tests.l2_references import march
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "l2_deep_limits"
SOURCE = "flowsam"


def with_ratios(r, mu, rho, depth):
    """Weights with given r_j = rho mu_j w_j^(L-2) / N."""
    power = 1 / (depth - 2)
    shares = depth * mu ** (-2 * power) * (r / rho) ** (2 * (depth - 1) * power)
    return (r * shares.sum() ** (-1 / (2 * power)) / (rho * mu)) ** power


def draw(rng, kind):
    """mu, rho, L and a balanced state: all r below 1, all above, or one weight beyond its gate."""
    d, rho = int(rng.integers(2, 5)), rng.uniform(0.5, 2.0)
    mu = rng.uniform(0.5, 3.0, d)
    if kind == "beyond":
        depth = int(rng.choice([3, 5]))
        gate = with_ratios(np.ones(d), mu, rho, depth)
        beyond = np.where(np.arange(d) == rng.integers(d), 1.1, rng.uniform(0.3, 0.99, d))
        return mu, rho, depth, gate * beyond
    depth = 4 if kind == "above" else int(rng.integers(3, 6))
    r = rng.uniform(1.1, 2.0, d) if kind == "above" else rng.uniform(0.4, 0.9, d)
    return mu, rho, depth, with_ratios(r, mu, rho, depth)


def demand(mu, rho, w, label):
    """The path goes where the label says, by the definition of the rule."""
    depth = len(w)
    run = march(w, mu, rho, 1e7 / (mu.min() * rho ** (depth - 2)), rtol=1e-6)
    end = run.y[:-1, -1].reshape(w.shape)[0]
    norm = np.sqrt(depth) * np.linalg.norm(mu * end ** (depth - 1)) / rho ** (depth - 1)
    words = f"mu={mu.tolist()}, rho={rho}, w={w[0].tolist()}, L={depth}, ends at {end}"
    if label == Label.ZERO:
        assert norm < 1e-6 * mu.max(), f"no collapse: {words}"
    else:
        assert norm > 1e6 * mu.max(), f"no blow-up: {words}"
        assert (mu * end ** (depth - 2)).argmax() == label - 1, f"another wins: {words}"


def check(rng):
    for kind in ("below", "above", "beyond"):
        mu, rho, depth, w = draw(rng, kind)
        theta = np.tile(w, (depth, 1))
        label = proved(Flow(single_example(mu), l2(rho)), theta[..., None])[0]
        expected = 0 if kind == "above" else (mu * w ** (depth - 2)).argmax() + 1
        assert label == expected, f"{kind}: {label}, mu={mu}, rho={rho}, L={depth}, w={w}"
        demand(mu, rho, theta, label)


def control(rng):
    """At odd L all r above 1 lead nowhere near 0."""
    mu, rho, _, _ = draw(rng, "above")
    w = with_ratios(rng.uniform(1.1, 2.0, mu.size), mu, rho, 3)
    demand(mu, rho, np.tile(w, (3, 1)), Label.ZERO)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
