"""Examples next to where they are known: single precision within its share of the tolerance."""

import numpy as np
import pytest

from flowsam.losses import logistic
from flowsam.many_examples.pulls import _SPARED, Pulls

RTOL = 1e-6


@pytest.fixture(scope="module")
def z():
    """As many numbers as are looked at by differences."""
    return np.random.default_rng(1).standard_normal((640, 512))


def compared(z, beta, move, rtol=RTOL):
    """Return how the examples at beta + move differ, known at beta or not, and whether it was."""
    pulls = Pulls(z, logistic, rtol)
    pulls.at(beta)
    found = pulls.at(beta + move)
    plain = Pulls(z, logistic, rtol)._evaluated(beta + move)
    near = len(pulls.known) == 1
    off = np.abs(found.margins - plain.margins).max(), np.abs(found.sum - plain.sum).max()
    return *off, plain, near


@pytest.mark.parametrize("scale", [1e-3, 1.0, 100.0])
@pytest.mark.parametrize("signs", ["both", "one"])
def test_differences_are_as_good_as_the_tolerance_asks(z, scale, signs):
    rng = np.random.default_rng(2)
    z = np.abs(z) if signs == "one" else z
    beta = scale * np.abs(rng.standard_normal(z.shape[1])) / z.shape[1] ** 0.5
    for size in 10.0 ** np.arange(-9, 0):
        margins, pull, plain, near = compared(z, beta, size * beta * rng.uniform(0, 1, beta.size))
        assert margins <= _SPARED * RTOL * (1.0 if near else 0.0)
        assert pull <= _SPARED * RTOL * np.abs(plain.sum).max() * (1.0 if near else 0.0)


def test_what_is_near_depends_on_the_tolerance(z):
    beta = np.full(z.shape[1], 0.1)
    move = 1e-2 * beta * (np.arange(beta.size) % 3)
    assert compared(z, beta, move)[-1]
    assert not compared(z, beta, move, rtol=1e-9)[-1]


def test_the_closest_of_four_places_is_taken(z):
    pulls = Pulls(z, logistic, RTOL)
    places = [np.full(z.shape[1], x) for x in (1.0, 2.0, 3.0, 4.0, 5.0)]
    for place in places:
        pulls.at(place)
    assert [known.beta[0] for known in pulls.known] == [2.0, 3.0, 4.0, 5.0]
    for place in places[1:]:
        near = pulls._near(place * (1 + 1e-9))
        assert near is not None
        assert near.beta[0] == place[0]


@pytest.mark.parametrize("scale", [1e-25, 1e35])
def test_examples_beyond_the_range_of_single_precision_are_evaluated(z, scale):
    assert not compared(scale * z, np.full(z.shape[1], 0.1 / scale), np.zeros(z.shape[1]))[-1]


def test_differences_below_that_range_are_no_subnormals(z):
    move = np.zeros(z.shape[1])
    move[0] = 1e-60
    margins, pull, _, near = compared(z, np.full(z.shape[1], 1e-50), move)
    assert near
    assert margins <= 1e-4 * move[0]
    assert pull == 0.0


def test_few_examples_are_evaluated_where_asked():
    z = np.random.default_rng(3).standard_normal((20, 5))
    margins, pull, _, near = compared(z, np.ones(5), np.full(5, 1e-9))
    assert not near
    assert margins == pull == 0.0


def test_pulls_that_cancel_are_evaluated():
    z = np.random.default_rng(4).standard_normal((300, 900))
    z = np.vstack([z, -z])
    beta = np.full(900, 1e-9)
    assert np.abs(Pulls(z, logistic, RTOL).at(beta).sum).max() < 1e-6
    assert not compared(z, beta, 1e-12 * beta)[-1]


@pytest.mark.parametrize("shape", [(33_000, 8), (8, 33_000)])
def test_tall_and_wide_examples_are_evaluated(shape):
    z = np.abs(np.random.default_rng(5).standard_normal(shape))
    assert not Pulls(z, logistic, RTOL).large
