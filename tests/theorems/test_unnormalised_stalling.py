"""Unnormalised SAM at L >= 3: below a root of H = 1 it rests, beyond the larger one it escapes."""

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


def test_odd_depth_rests_below_every_gate_and_escapes_from_beyond():
    """All h <= 1 rest at the smaller root, as the flow from the definition has it too."""
    rng = np.random.default_rng(30)
    seen = set()
    for _ in range(30):
        mu, rho, _, _, _ = draw(rng)
        depth = int(rng.choice([3, 5]))
        w = (rng.uniform(0.3, 4.0, mu.size) / rho / mu) ** (1 / (depth - 2))
        end = late(np.repeat(w[None], depth, axis=0), mu, rho, 1e4)
        found = limit(Flow(single_example(mu), unnormalised(rho)), balanced(w, depth))
        if found.label == Label.UNDECIDED:  # some h above 1, and the state lingers
            continue
        escaped = end.max() >= 29.0
        seen.add(escaped)
        assert (found.label > 0) == escaped, (mu, rho, depth, w)
        if not escaped:
            assert found.label == Label.STALLED
            assert np.ptp(mu * end ** (depth - 2)) < 0.05, (mu, rho, depth, w)
    assert seen == {True, False}


def test_equal_scores_at_odd_depth_rise_to_the_next_root():
    mu, rho, depth = np.array([1.0, 1.0, 1.0]), 20.0, 3
    low = brentq(log_h, 1e-6, 0.5, args=(mu, rho, depth))
    high = brentq(log_h, 0.5, 30, args=(mu, rho, depth))
    flow = Flow(single_example(mu), unnormalised(rho))
    for start, root in ((0.9 * low, low), (1.1 * low, high), (0.99 * high, high)):
        w = np.full(3, start)
        assert limit(flow, balanced(w, depth)).label == Label.STALLED
        end = late(np.repeat(w[None], depth, axis=0), mu, rho, 1e5)
        assert np.all((end <= root) & (end > 0.99 * root)), (start, root, end)
    assert limit(flow, balanced(np.full(3, 1.01 * high), depth)).label == Label.TIE
