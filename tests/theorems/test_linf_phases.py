"""Discrete l_inf-SAM with two weights at 0: on which side it stays is told by two phases."""

import numpy as np
from scipy.integrate import solve_ivp

from tests.signed_races import others
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "linf_phases"
SOURCE = "flowsam"


def draw(rng):
    """Sizes of the other layers in units of rho with A > 0, and 2,000 places of two small ones."""
    rest = rng.uniform(1.3, 4.0, int(rng.integers(1, 4)))
    h = 1e-13
    small = h * rng.uniform(-6, 6, (2, 2000)) * np.prod(rest + 1)
    return rest, h, np.vstack([small, np.repeat(rest[:, None], 2000, axis=1)])


def stepped(w, h, steps):
    """States after steps of discrete SAM, rho = mu = 1, and the share of s = + in the last half."""
    share = np.zeros(w.shape[1])
    for step in range(steps):
        up = w[0] * w[1] > 0
        share += (2 * step >= steps) * up
        speed = others(w - np.sign(others(w)))
        w = w + (h(speed) if callable(h) else h) * speed
    return w, share / (steps - (steps + 1) // 2)


def least(value, unit):
    """Distance to the multiples of 2 unit."""
    return np.abs((value + unit) % (2 * unit) - unit)


def compare(rest, h, w, step):
    """Assert that p is 0 or 1, that the phases tell which, and how often it is 1."""
    label = f"rest={rest.tolist()}"
    inner, outer = np.prod(rest - 1), np.prod(rest + 1)
    told = least(w[0] + w[1], h * inner) > least(w[0] - w[1], h * outer)
    share = stepped(w, step, int(60 * outer / inner))[1]
    clear = np.abs(least(w[0] + w[1], h * inner) - least(w[0] - w[1], h * outer)) > 1e-3 * h * inner
    assert np.isin(share[clear], (0.0, 1.0)).all(), label
    assert ((share == 1) == told)[clear].all(), label
    expected = inner / (2 * outer)
    assert abs(told.mean() - expected) < 5 * np.sqrt(expected / len(told)), label


def check(rng):
    rest, h, w = draw(rng)
    compare(rest, h, w, h)


def control(rng):
    """Steps by the speed of the side the state is on."""
    rest, h, w = draw(rng)
    size = h * np.prod(rest + 1)
    compare(rest, h, w, lambda speed: size / np.abs(speed).max(axis=0))


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)


def test_a_stretch_on_the_side_plus_ends_where_the_drift_says():
    """d' = A d, v' = -A v, a_k' = A_k, until A - |d| = |v|."""
    rest, h, d, v = np.array([1.8, 2.0, 2.3]), 5e-6, 0.5, 0.3
    inner = np.prod(rest - 1)

    def rates(_, s):
        a = np.prod(s[:3] - 1)
        return [*(a / (s[:3] - 1)), a * s[3], -a * s[4]]

    def over(_, s):
        s = np.asarray(s)
        return np.prod(s[:3] - 1) - s[3] - s[4]

    over.terminal = True
    end = solve_ivp(rates, (0, 9), [*rest, d, v], events=over, rtol=1e-9, atol=1e-12).t[-1]
    u = inner + d
    w = np.array([[h * (u + v) / 2], [h * (u - v) / 2], *rest[:, None]])
    before, share = stepped(w, h, int(0.97 * end / h))
    after = stepped(before, h, int(0.06 * end / h))[1]
    assert share[0] == 1.0 and after[0] < 0.7, (share, after)
