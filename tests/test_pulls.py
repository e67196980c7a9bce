"""Examples next to where they are known: single precision within its share of the tolerance."""

import numpy as np
import pytest

from flowsam import Data, Flow, l2, solve
from flowsam.losses import logistic
from flowsam.many_examples import pulls as pulls_of
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
    beta = np.full(z.shape[1], 0.1 / z.shape[1])
    move = 1e-1 * beta * (np.arange(beta.size) % 3)
    assert compared(np.abs(z), beta, move)[-1]
    assert not compared(np.abs(z), beta, move, rtol=1e-9)[-1]


def test_what_places_combine_to_is_known_however_far(z):
    """An arc, known at eight places: the next one is evaluated, one in between is not."""
    pulls = Pulls(z, logistic, RTOL)
    rng = np.random.default_rng(5)
    about = np.abs(rng.standard_normal((3, z.shape[1]))) / z.shape[1] ** 0.5
    place = lambda x: about[0] + x * about[1] + np.sin(30.0 * x) * about[2]  # noqa: E731
    for x in range(12):
        pulls.at(x * rng.standard_normal(z.shape[1]))
    assert len(pulls.known) == 8
    for x in (0.0, 0.05, 0.7):
        pulls.at(place(x))
    latest = pulls.known[-1]
    assert (latest.beta == place(0.7)).all()
    for x in np.linspace(0.0, 2.0, 40):
        found, plain = pulls.at(place(x)), Pulls(z, logistic, RTOL)._evaluated(place(x))
        assert np.abs(found.margins - plain.margins).max() <= _SPARED * RTOL
        off = np.abs(found.sum - plain.sum).max()
        assert off <= 2.0 * _SPARED * RTOL * np.abs(plain.sum).max()
    assert pulls.known[-1] is latest


def test_a_trial_step_that_overflows_is_not_kept(z):
    pulls = Pulls(z, logistic, RTOL)
    with np.errstate(invalid="ignore", over="ignore"):
        pulls.at(np.full(z.shape[1], np.inf))
    assert not pulls.known


@pytest.mark.parametrize("scale", [1e-25, 1e35])
def test_examples_beyond_the_range_of_single_precision_are_evaluated(z, scale):
    assert not compared(scale * z, np.full(z.shape[1], 0.1 / scale), np.zeros(z.shape[1]))[-1]


def test_differences_below_that_range_are_no_subnormals(z):
    move = np.zeros(z.shape[1])
    move[0] = 1e-60
    margins, pull, _, near = compared(z, np.full(z.shape[1], 1e-50), move)
    assert near
    assert margins <= 1e-13 * 1e-50
    assert pull <= 1e-16


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
    assert not compared(z, beta, beta * (np.arange(900) % 3))[-1]


# sums along a long side, sorted by class; and rows whose numbers are lost alike, but cancel
def drawn(shape, kind):
    """Return examples of a shape, and a move."""
    rng = np.random.default_rng(shape)
    if kind == "alike":
        z = np.where(np.arange(shape[1]) % 2 == 0, 1 / 3, -1 / 3 * (1 + 1e-7))
        return np.tile(z, (shape[0], 1)), np.ones(shape[1])
    z = rng.standard_normal(shape)
    return (np.sort(z, axis=0) if kind == "sorted" else z), rng.standard_normal(shape[1])


@pytest.mark.parametrize("kind", ["plain", "sorted", "alike"])
@pytest.mark.parametrize("shape", [(2**18, 2), (2**16, 16), (600, 500), (16, 2**15), (4, 2**17)])
def test_products_err_by_less_than_is_spared(shape, kind):
    z, move = drawn(shape, kind)
    pulls = Pulls(z, logistic, RTOL)
    shares = np.random.default_rng(6).dirichlet(np.ones(len(z))) - 1.0 / len(z)
    for side, x, exact in zip(pulls.sides, (move, shares), (z, z.T), strict=True):
        spared = 0.99 * side.error * np.linalg.norm(x)
        assert side.times(x, spared) is None
        while (found := side.times(x, spared)) is None:
            spared *= 1.05
        assert np.abs(found - exact @ x).max() <= spared


@pytest.mark.parametrize("seed", [3, 5, 6, 11])
def test_rests_of_data_that_do_not_separate_are_found_where_they_are(seed, monkeypatch):
    flow = Flow(Data(np.random.default_rng(seed).standard_normal((40, 8))), l2(1.0))
    ends = []
    for large in (2**60, 1):
        monkeypatch.setattr(pulls_of, "_LARGE", large)
        run = solve(flow, np.full((2, 8), 0.7), log_t_end=20.0, save_at=2, rtol=1e-5)
        assert run.status == "finished"
        ends.append((np.prod(run.theta[-1], axis=0), run.nfev))
    (double, calls), (single, more) = ends
    assert np.abs(single - double).max() <= 1e-3 * np.abs(double).max()
    assert more <= 1.5 * calls
