"""Regions of balanced starts: the inequalities are the limits, the chances are the frequencies."""

import numpy as np
import sympy as sp
from scipy import stats

from flowsam import Flow, Label, balanced, limits, linf, single_example
from flowsam.regions import regions
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "linf_regions"
SOURCE = "rule: arXiv:2603.08290, Corollary 3.5; regions and probabilities: flowsam"
DRAWS = 4000


def draw(rng):
    """mu with distinct sizes, rho, depth, and a law of positive sizes."""
    d, depth, rho = int(rng.integers(2, 5)), int(rng.integers(2, 6)), rng.uniform(0.3, 1.0)
    mu = rng.choice([-1, 1], d) * rng.permutation(np.cumprod(rng.uniform(1.2, 1.8, d)))
    shape = rng.uniform(0.5, 1.5)
    laws = [stats.halfnorm(0, shape), stats.uniform(0, 2 * shape), stats.lognorm(0.6, 0, shape)]
    return mu, rho, depth, laws[rng.integers(3)]


def satisfied(condition, symbols, alpha):
    """Which starts satisfy an inequality, in doubles."""
    numbers = {number: number.evalf(20) for number in condition.atoms(sp.Rational, sp.Pow)}
    test = sp.lambdify(symbols, condition.xreplace(numbers), "numpy")
    return np.broadcast_to(np.asarray(test(*alpha.T), dtype=bool), len(alpha))


def compare(mu, rho, depth, law, alpha):
    """Assert membership on each start and that each label's frequency is no rarity of 1e-8."""
    text = f"mu={mu.tolist()}, rho={rho}, depth={depth}, law={law.dist.name}{law.args}"
    found = regions(mu, rho, depth)
    label = limits(Flow(single_example(mu), linf(rho)), balanced(alpha, depth, np.sign(mu)))
    total = 0.0
    for j in found.labels:
        chance = found.probability(j, law)
        total += chance
        inside = satisfied(found.condition(j), found.alpha, alpha)
        assert np.array_equal(found.contains(j, alpha), inside), f"contains {j}: {text}"
        assert np.array_equal(inside, label == j), f"region of {j}: {text}"
        law_of_counts, count = stats.binom(len(alpha), np.clip(chance, 0, 1)), inside.sum()
        tail = min(law_of_counts.cdf(count), law_of_counts.sf(count - 1))
        assert tail > 1e-8, f"{j}: {inside.mean()}, not {chance}: {text}"
    assert abs(total - 1) < 1e-8, f"chances add up to {total}: {text}"
    if depth == 2:
        p = law.sf(rho)
        for rank, j in enumerate(np.argsort(-np.abs(mu)) + 1):
            assert np.isclose(found.probability(int(j), law), p * (1 - p) ** rank), text
        assert np.isclose(found.probability(Label.ZERO, law), (1 - p) ** mu.size), text


def check(rng):
    mu, rho, depth, law = draw(rng)
    compare(mu, rho, depth, law, law.rvs((DRAWS, mu.size), random_state=rng))


def control(rng):
    """Sizes that are not independent: all equal."""
    mu, rho, depth, law = draw(rng)
    alpha = np.repeat(law.rvs((DRAWS, 1), random_state=rng), mu.size, axis=1)
    compare(mu, rho, depth, law, alpha)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
