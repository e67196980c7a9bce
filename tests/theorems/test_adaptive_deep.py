"""ASAM at L >= 3 on one example: when a mixture of equal features attracts."""

import numpy as np

from flowsam import Flow, asam, balanced, limit, single_example
from flowsam.labels import Label
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "adaptive_deep"
SOURCE = "flowsam; the rule: Kwon et al. 2021"


def threshold(depth, p, m):
    """The claim's formula."""
    return (depth - 2) * (m * depth) ** (1 / p) / ((depth - 2) + depth * (depth - 1) / (p - 1))


def spread(rho, depth, p, m):
    """Growth of the spread of log w over a short run from the definition, near the even mixture."""
    v = 1e-4 * (np.arange(m) - (m - 1) / 2)
    start, q, step = v.copy(), p / (p - 1), 1e-3
    for _ in range(200):
        size = np.exp(depth * (v - v.max()))
        r = (size / (depth * (size**q).sum()) ** (1 / q)) ** (q - 1)
        growth = (1 - rho * r) ** (depth - 1) * np.exp((depth - 2) * (v - v.max()))
        v = v + step * (growth - growth.mean())
    return np.ptp(v) / np.ptp(start)


def compare(rho, critical, depth, p, m):
    """Assert that the mixture attracts above the threshold and repels below it."""
    label = f"rho={rho}, threshold={critical}, depth={depth}, p={p}, m={m}"
    attracts = rho > critical
    assert (spread(rho, depth, p, m) < 1) == attracts, label
    if m == 2:
        flow = Flow(single_example([1.0, 1.0]), asam(rho, p=p))
        found = limit(flow, balanced([1.0, 1.0 + 1e-9], depth)).label
        assert (found == Label.OTHER_DIRECTION) == attracts, label


def draw(rng):
    depth, p, m = int(rng.integers(3, 7)), rng.uniform(1.2, 6.0), int(rng.integers(2, 4))
    critical = threshold(depth, p, m)
    rho = critical * rng.choice([0.98, 1.02])
    return (rho, critical, depth, p, m) if rho < depth ** (1 / p) else draw(rng)


def check(rng):
    compare(*draw(rng))


def control(rng):
    """The threshold of one layer more."""
    rho, critical, depth, p, m = draw(rng)
    other = threshold(depth + 1, p, m)
    rho = (critical + other) / 2  # between the two: they disagree
    compare(rho, other, depth, p, m)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
