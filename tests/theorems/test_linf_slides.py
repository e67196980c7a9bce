"""Sliding at one zero: what is conserved, how long it lasts, and that it never escapes again."""

import numpy as np

from flowsam.exact.linf_slides import Slide
from tests.theorems.ledger import negative_control, numeric, symbolic
from tests.theorems.stepping_sam import discrete_sam

CLAIM = "linf_slides"
SOURCE = "flowsam"


def draw(rng, odd):
    """Sizes of the other layers with an odd or even number below rho, the least of them alone."""
    depth, rho = int(rng.integers(3, 7)), rng.uniform(0.3, 1.0)
    while True:
        others = rho * rng.uniform(0.2, 1.8, depth - 1)
        low = np.sort(others)
        apart = np.abs(others / rho - 1).min() > 0.1 and low[1] - low[0] > 0.1 * rho
        if (np.count_nonzero(others < rho) % 2 == 1) == odd and apart:
            return others, rho, rng.choice([-1, 1]) * rng.uniform(0.5, 2)


def compare(others, rho, mu, rng):
    """Assert conservation, duration and what follows against discrete SAM with one weight at 0."""
    label = f"others={others.tolist()}, rho={rho}, mu={mu}"
    signs, slide = rng.choice([-1.0, 1.0], others.size), Slide(others[None], rho)
    start, step = np.append(0.0, others * signs), 1e-3
    start[0] = 1e-6 * rho * np.sign(mu * np.prod(signs))
    gone = lambda w: np.sort(np.abs(w))[1] < 0.03 * rho or np.abs(w[0]) > 0.2 * rho  # noqa: E731
    tau, end = discrete_sam(start, mu, rho, step=step, until=gone, most=60_000)
    assert np.abs(end[0]) < 0.05 * rho, label
    cubic = lambda a: a**3 / 3 - rho**2 * a  # noqa: E731
    moved = (cubic(np.abs(end[1:])) - cubic(others)) / rho**3
    assert np.ptp(moved) < 0.02, label
    last = slide.sizes(np.minimum(abs(mu) * tau, slide.duration)[:, None])[0, 0]
    assert np.abs(last - np.abs(end[1:])).max() < 0.06 * rho, label
    free = lambda w: np.abs(w).min() > rho  # noqa: E731
    _, later = discrete_sam(end, mu, rho, step=step, until=free, most=4000)
    assert not free(later), label


def check(rng):
    compare(*draw(rng, odd=True), rng)


def control(rng):
    """An even number of layers below rho, A > 0: it crosses instead."""
    compare(*draw(rng, odd=False), rng)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
