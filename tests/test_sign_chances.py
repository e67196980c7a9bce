"""Probabilities of signed random starts against sampling, and against their closed forms."""

import numpy as np
import pytest
from scipy.stats import cauchy, norm, uniform

from flowsam import Flow, limits, linf, single_example
from flowsam.exact import linf_signs
from flowsam.regions import escape_chance, winning_chances


@pytest.mark.parametrize("law", [norm(0, 2), norm(0.7, 1.5), uniform(-1, 4), cauchy(0, 100)])
@pytest.mark.parametrize("depth", [2, 3, 5, 8])
@pytest.mark.parametrize("sign", [1, -1])
def test_escape_is_as_likely_as_sampling_says(law, depth, sign):
    rng, draws = np.random.default_rng(depth), 60_000
    p = escape_chance(law, depth=depth, rho=1.0, sign=sign)
    w = law.rvs((draws, 1, depth), random_state=rng)
    s = linf_signs.along(w, np.array([float(sign)]))
    found = (linf_signs.surplus(np.abs(w), s, 1.0) > 0).mean()
    assert abs(found - p) < 4.5 * np.sqrt(p * (1 - p) / draws)


def test_two_layers_of_uniform_weights_are_an_area():
    """Of the square of half-width 4 rho: what lies beyond the lines and the conics."""
    x = np.linspace(-4, 4, 4001)
    u, v = np.meshgrid((x[1:] + x[:-1]) / 2, (x[1:] + x[:-1]) / 2)
    total = np.abs(u + v) * (2 + np.abs(u) + np.abs(v))
    area = (total > 8).mean()
    assert abs(escape_chance(uniform(-4, 8), depth=2, rho=1.0) - area) < 1e-4


@pytest.mark.parametrize("depth", [2, 3, 4, 5, 6, 7])
def test_who_wins_is_as_likely_as_sampling_says(depth):
    rng, draws, mu = np.random.default_rng(7), 30_000, [1.0, -1.5, 2.0]
    found = winning_chances(norm(0, 2), mu, depth=depth, rho=1.0, points=2**11)
    labels = limits(Flow(single_example(mu), linf(1.0)), 2 * rng.normal(size=(draws, depth, 3)))
    each = np.array([(labels == j).mean() for j in (1, 2, 3)])
    if depth > 6:  # the contested ones are undecided
        assert abs((labels == -1).mean() - found.contested) < 0.03
        assert (each <= found.wins + 0.02).all() and (found.wins <= each + found.contested).all()
        return
    assert np.abs(each - found.wins).max() < 4.5 * 0.5 / np.sqrt(draws) + 4 * found.error
    assert abs(found.wins.sum() + found.none - 1) < 1e-12
    assert found.error < 2e-3 and (found.contested > 0) == (depth > 4)


def test_the_dominant_feature_loses_its_lead_with_depth():
    chances = [
        winning_chances(norm(0, 2), [1.0, 2.0], depth=L, rho=1.0, points=2**11) for L in (2, 3, 4)
    ]
    top = [chance.wins[1] for chance in chances]
    assert top[0] > top[1] > top[2]
    equal = winning_chances(norm(0, 2), [1.0, 1.0], depth=3, rho=1.0, points=2**11)
    assert abs(equal.wins[0] - equal.wins[1]) < 1e-12


def test_bad_input_is_one_line():
    for call in (
        lambda: escape_chance(3.0, depth=2, rho=1.0),
        lambda: escape_chance(norm(), depth=1, rho=1.0),
        lambda: escape_chance(norm(), depth=3, rho=-1.0),
        lambda: winning_chances(norm(), [1.0, 0.0], depth=3, rho=1.0),
        lambda: winning_chances(norm(), [1.0, 2.0], depth=1, rho=1.0),
    ):
        with pytest.raises(ValueError, match=r"^[^\n]+$"):
            call()
