"""Regions against the limits of their starts, sampling, polytope volumes, and known numbers."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from flowsam.data import single_example
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.network import balanced
from flowsam.outcomes import limits
from flowsam.perturbations import gradient_flow, linf
from flowsam.regions import regions

MU = np.array([1.0, -1.4, 0.8])
DEPTHS = [2, 3, 4, 5]


def labels_of(found, alpha):
    """The one label whose region holds each start."""
    inside = np.array([found.contains(label, alpha) for label in found.labels])
    assert (inside.sum(axis=0) == 1).all()
    return np.array(found.labels)[inside.argmax(axis=0)]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_membership_is_the_limit(depth, rho):
    rng = np.random.default_rng(depth)
    alpha = rng.uniform(0.1, 1.5, (500, 3))
    alpha[:100] = rng.uniform(0.1, 0.5, (100, 3))
    alpha[100:150, 1] = alpha[80:90] = 0.5
    flow = Flow(single_example(MU), linf(rho) if rho else gradient_flow())
    expected = limits(flow, balanced(alpha, depth, np.sign(MU)))
    assert np.array_equal(labels_of(regions(MU, rho, depth), alpha), expected)


def test_entries_with_all_their_digits():
    rng = np.random.default_rng(0)
    mu, rho, alpha = rng.uniform(0.5, 2, 3), rng.uniform(0.3, 0.6), rng.uniform(0.1, 1.5, (500, 3))
    for depth in DEPTHS:
        expected = limits(Flow(single_example(mu), linf(rho)), balanced(alpha, depth))
        assert np.array_equal(labels_of(regions(mu, rho, depth), alpha), expected)


@pytest.mark.parametrize("mu", [[1.0, 1.0, 2.0], [2.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 0.0, 3.0]])
@pytest.mark.parametrize("depth", [2, 3])
def test_ties_and_idle_coordinates(mu, depth):
    alpha = np.array(np.meshgrid(*[[0.25, 0.5, 0.75, 1.0]] * 3)).reshape(3, -1).T
    expected = limits(Flow(single_example(mu), linf(0.5)), balanced(alpha, depth))
    assert np.array_equal(labels_of(regions(mu, 0.5, depth), alpha), expected)


def test_decimal_grids_are_split_without_rest():
    """A score's last digit decides no partition: scores within 8 eps tie, as for limits."""
    found = regions([0.1, 0.3], 0.3, 3)
    assert [found.contains(label, [0.6, 0.4]).item() for label in (1, 2, Label.TIE)] == [0, 0, 1]
    decimals = np.arange(1, 40) / 10
    alpha = np.array(np.meshgrid(decimals, decimals)).reshape(2, -1).T
    for mu, rho, depth in (([0.1, 0.3], 0.3, 3), ([0.2, 0.8], 0.1, 4), ([0.3, 2.4], 0.7, 5)):
        labels = labels_of(regions(mu, rho, depth), alpha)
        assert (labels == Label.TIE).any()


@settings(max_examples=20)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.integers(2, 5),
    st.lists(st.integers(1, 8), min_size=3, max_size=3),
)
def test_every_exact_start_is_in_one_region(mu, depth, eighths):
    found = regions(mu, 0.5, depth)
    values = {a: sp.Rational(n, 8) for a, n in zip(found.alpha, eighths, strict=False)}
    assert sum(found.condition(label).subs(values) == sp.true for label in found.labels) == 1


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("law", [stats.halfnorm(), stats.lognorm(0.7), stats.halfcauchy()])
def test_probabilities_are_those_of_sampling(depth, law):
    found, draws = regions(MU, 0.5, depth), 40_000
    alpha = law.rvs((draws, 3), random_state=np.random.default_rng(depth))
    chances = np.array([found.probability(label, law) for label in found.labels])
    counted = np.array([found.contains(label, alpha).mean() for label in found.labels])
    error = np.sqrt(chances * (1 - chances) / draws)
    assert abs(chances.sum() - 1) < 1e-10
    assert (np.abs(counted - chances) <= 4.5 * error).all()


def test_two_layers_favour_the_major_coordinate():
    found, p = regions([1, 2, 3], 0.6, 2), stats.halfnorm().sf(0.6)
    chances = [found.probability(label, stats.halfnorm()) for label in (3, 2, 1, 0)]
    assert np.allclose(chances, [p, p * (1 - p), p * (1 - p) ** 2, (1 - p) ** 3], rtol=1e-14)


def test_equal_entries_tie_with_positive_probability():
    found, p = regions([1, 1, 0.5], 0.5, 2), stats.halfnorm().sf(0.5)
    assert np.isclose(found.probability(Label.TIE, stats.halfnorm()), p * p, rtol=1e-13)
    assert sum(
        found.probability(label, stats.halfnorm()) for label in found.labels
    ) == pytest.approx(1)


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_volume_is_that_of_the_polygon(depth):
    """d = 2: the region of e_1 in a box is cut off by one line through the corner."""
    found, slope = regions([1.0, 2.0], 0.5, depth), 0.5 ** (1 / (depth - 2))
    line = 0.5 + slope * 1.5  # at alpha_1 = 2
    cut = max(0.0, line - 1.2) ** 2 / (2 * slope)  # above alpha_2 = 1.2
    expected = 1.5 * 0.5 + slope * 1.5**2 / 2 - cut
    assert np.isclose(found.volume(1, 0.0, [2.0, 1.2]), expected, rtol=1e-13)
    total = sum(found.volume(label, 0.1, [2.0, 1.2]) for label in found.labels)
    assert np.isclose(total, 1.9 * 1.1, rtol=1e-13)


def test_volume_is_exact_for_five_coordinates():
    """Equal entries and rho at the corner: by symmetry each wins a fifth of (0, 1)^5."""
    assert np.isclose(regions(np.ones(5), 0, 4).volume(3, 0, 1), 0.2, rtol=1e-14)
    found = regions(np.ones(5), 0.25, 3)
    assert np.isclose(found.volume(2, 0.0, 1.0), (1 - 0.25**5) / 5, rtol=1e-14)


def test_different_laws_for_each_coordinate():
    laws = [stats.uniform(0, 1), stats.uniform(0.6, 1), stats.halfnorm()]
    found = regions(MU, 0.5, 3)
    assert np.isclose(sum(found.probability(label, laws) for label in found.labels), 1, rtol=1e-10)
    assert found.probability(Label.STALLED, laws) == 0


def test_latex_has_a_row_for_each_label():
    text = regions([1.0, 0.5], 0.1, 4).latex()
    assert text.count("&") == 5 and r"\text{zero}" in text and r"\frac{1}{10}" in text
    assert r"\sqrt{2}" in text


@pytest.mark.parametrize(("call", "error"), [
    (lambda: regions([0.0, 0.0], 1, 2), ValueError),
    (lambda: regions([1.0], -1, 2), ValueError),
    (lambda: regions([1.0], 1, 1), ValueError),
    (lambda: regions([1.0], 1, 2.5), ValueError),
    (lambda: regions([[1.0]], 1, 2), ValueError),
    (lambda: regions([1.0], 1, 2).condition(2), ValueError),
    (lambda: regions([1.0], 1, 2).contains(1, [0.0]), ValueError),
    (lambda: regions([1.0], 1, 2).contains(1, [[1.0, 2.0]]), ValueError),
    (lambda: regions([1.0], 1, 2).volume(1, 1.0, 0.5), ValueError),
    (lambda: regions([1.0], 1, 2).probability(1, stats.norm()), ValueError),
    (lambda: regions([1.0], 1, 2).probability(1, [stats.halfnorm()] * 2), ValueError),
    (lambda: regions([1.0], 1, 2).probability(1, stats.poisson(3)), TypeError),
    (lambda: regions([1.0], 1, 2).probability(1, 0.5), TypeError),
])  # fmt: skip
def test_bad_input_is_one_line(call, error):
    with pytest.raises(error, match=r"^[^\n]+$"):
        call()


@pytest.mark.parametrize("depth", [3, 4, 5, 7])
@pytest.mark.parametrize("width", [1.0, 1e-6, 1e-9, 1e-12])
def test_a_box_much_smaller_than_rho_keeps_its_digits(depth, width):
    """At the corner of a cone every box has one share, 0.5^(1/(L-2))/2 for e_1."""
    high = 1.0 + width
    found, expected = regions([1.0, 2.0], 1.0, depth), 0.5 ** (1 / (depth - 2)) / 2
    share = found.volume(1, 1.0, high) / (high - 1.0) ** 2
    assert abs(share - expected) < 4e-15
    law = stats.uniform(1.0, width)
    chances = [found.probability(label, law) for label in found.labels]
    assert abs(chances[1] - expected) < 4e-15 and abs(sum(chances) - 1) < 1e-14
