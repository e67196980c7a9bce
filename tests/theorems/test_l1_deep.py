"""l_1-SAM at L >= 3, equal layers, one or two features: the labels against discrete SAM."""

import numpy as np

from flowsam import Flow, Label, balanced, limit, limits, lp, phase_portrait, single_example
from flowsam.exact.l1_deep import Duel
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "l1_deep"
SOURCE = "flowsam"


def discrete(mu, theta, rho, share):
    """Where discrete l_1-SAM of every layer ends, its steps a share of the largest weight."""
    depth = len(theta)
    layers = [[k for k in range(depth) if k != layer] for layer in range(depth)]
    for _ in range(int(40 / share)):
        g = -mu * theta[layers].prod(axis=1)
        place = np.unravel_index(np.abs(g).argmax(), g.shape)
        hat = theta.copy()
        hat[place] += rho * np.sign(g[place])
        velocity = mu * hat[layers].prod(axis=1)
        theta = theta + share * np.abs(theta).max() / np.abs(velocity).max() * velocity
        size = np.abs(theta).max(axis=0)
        score = mu * size ** (depth - 2)
        if size.max() < 0.03 * rho:
            return 0
        if size.max() > 5 * rho and (
            score.max() > score.min() * (1 + 2 * depth * rho / size.max()) or size.max() > 200 * rho
        ):
            return int(score.argmax()) + 1
    return -1


def draw(rng):
    """A start that a change of 3 per cent of a weight does not take elsewhere."""
    while True:
        depth, rho = int(rng.integers(3, 6)), rng.uniform(0.5, 2.0)
        mu = rng.uniform(0.4, 1.0) * np.array([1.0, rng.uniform(1.2, 4.0)])[rng.permutation(2)]
        w = rho * rng.uniform(0.05, 1.5, 2)
        near = w * (1 + 0.03 * np.array([[0, 0], [1, 1], [1, -1], [-1, 1], [-1, -1]]))
        if np.unique(Duel(mu, rho, depth).labels(near)).size == 1:
            return mu, w, rho, depth


def compare(label, mu, w, rho, depth):
    """Assert that discrete SAM ends where a label says."""
    found = discrete(mu, balanced(w, depth), rho, 8e-3)
    assert found == label, f"mu={mu.tolist()}, w={w.tolist()}, rho={rho}, L={depth}: {found}"


def check(rng):
    mu, w, rho, depth = draw(rng)
    found = limit(Flow(single_example(mu), lp(rho, p=1)), balanced(w, depth))
    assert found.certificate == "theorem"
    compare(found.label, mu, w, rho, depth)


def control(rng):
    """The brake rho/L, of the gate of the other l_p balls."""
    while True:
        mu, w, rho, depth = draw(rng)
        wrong = int(Duel(mu, rho / (depth - 1), depth).labels(w[None])[0])
        if wrong != Duel(mu, rho, depth).labels(w[None])[0]:
            return compare(wrong, mu, w, rho, depth)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)


def test_special_starts_and_planes():
    flow = Flow(single_example([1.0, -2.0, 0.0]), lp(1.0, p=1))
    start = balanced([1.5, 0.2, 0.3], 3, signs=[1, -1, 1])
    assert limit(flow, start).label == 1 and limit(flow, start / 6).label == Label.ZERO
    assert limit(flow, np.abs(start)).label in (1, Label.UNDECIDED)  # not aligned: no theorem
    equal = Flow(single_example([1.0, 1.0]), lp(1.0, p=1))
    assert limits(equal, balanced([[1.2, 1.0], [3.0, 0.1]], 3)).tolist() == [Label.TIE, 1]
    saddle = Duel(np.ones(2), 1.0, 4).saddle
    assert limits(equal, balanced([saddle, saddle * 1.01, saddle * 0.99], 4)).tolist() == [
        -2,
        -3,
        0,
    ]
    lone = Flow(single_example([1.0]), lp(1.0, p=1))
    assert limits(lone, balanced([[0.76], [0.74]], 4)).tolist() == [1, 0]
    x = np.linspace(0.02, 2, 60)
    plane = phase_portrait(Flow(single_example([1.0, 2.0]), lp(1.0, p=1)), x, x, depth=3)
    assert set(np.unique(plane.labels)) == {0, 1, 2}
    assert [name for name, _ in plane.boundaries] == ["separatrix", "equal times"]


def test_extreme_starts_are_told_or_refused_without_warnings():
    with np.errstate(all="raise"):
        for mu in ([1.0, 2.0], [1e-200, 1e200], [1.0, 1.0]):
            flow = Flow(single_example(mu), lp(1.0, p=1))
            for depth in (3, 8, 200):
                found = limits(flow, balanced([[1e-300, 1e-300], [1e100, 1.0]], depth))
                score = np.log10(mu) + (depth - 2) * np.array([100.0, 0.0])
                assert found.tolist() == [0, 1 + score.argmax()], (mu, depth, found)
