"""Any depth, any signs: the two smallest layers decide whether a coordinate escapes, and when."""

import numpy as np

from flowsam.exact import linf_deep, linf_signs
from tests.theorems.ledger import negative_control, numeric, symbolic
from tests.theorems.stepping_sam import discrete_sam

CLAIM = "linf_signs"
SOURCE = "flowsam"


def draw(rng):
    """A signed start of one coordinate, mu and rho, away from both curves by 10 %."""
    depth, rho = int(rng.integers(2, 6)), rng.uniform(0.3, 1.0)
    mu = rng.choice([-1, 1]) * rng.uniform(0.5, 2)
    while True:
        w = 2 * rho * rng.normal(size=depth)
        gaps = [margin(w, rho, s) for s in (1, -1)]
        if min(map(abs, gaps)) > 0.1 and np.abs(w).min() > 0.02 * rho:
            return w, mu, rho


def margin(w, rho, s):
    """The rule of the sign s as the claim states it, in units of rho."""
    low, second = np.sort(np.abs(w))[:2] / rho
    return low + second - 2 if s > 0 else ((second + 1) ** 2 - (low + 1) ** 2) / 8 - 1


def decided(w, mu, rho):
    """Whether discrete SAM escapes: s = + and all above rho is for good; False if it falls."""
    free = lambda x: np.sign(mu * np.prod(x)) > 0 and np.abs(x).min() > 1.05 * rho  # noqa: E731
    low = lambda x: np.sort(np.abs(x))[1] < 0.03 * rho  # noqa: E731
    _, end = discrete_sam(w, mu, rho, until=lambda x: free(x) or low(x))
    return bool(free(end))


def compare(w, mu, rho, s):
    """Assert that the rule for the sign s says what discrete SAM does."""
    label = f"w={w.tolist()}, mu={mu}, rho={rho}, s={s}"
    assert decided(w, mu, rho) == (margin(w, rho, s) > 0), label
    own = linf_signs.surplus(np.abs(w)[None], np.array([s > 0]), rho)[0]
    assert (own > 0) == (margin(w, rho, s) > 0), label
    if w.size > 2:
        time = linf_deep.read(w[:, None], [mu], rho).blow_up_time[0]
        assert np.isfinite(time) == (own > 0), label


def check(rng):
    w, mu, rho = draw(rng)
    compare(w, mu, rho, np.sign(mu * np.prod(w)))


def control(rng):
    """The rule of the other sign."""
    while True:
        w, mu, rho = draw(rng)
        if (margin(w, rho, 1) > 0) != (margin(w, rho, -1) > 0):
            break
    compare(w, mu, rho, -np.sign(mu * np.prod(w)))


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
