"""Minor first, major last along the initialisation: sequences of leaders and their thresholds."""

from functools import cache

import numpy as np

from flowsam.amplification import regimes, uniform_leaders
from tests.l2_references import march, predictor
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "l2_amplification_in_scale"
SOURCE = "arXiv:2603.08290, Theorem 4.5; exact thresholds and sequences: flowsam"


@cache
def marks_of(spectrum):
    """Half the first threshold, all of them at rho = 1, and half as much again as the last."""
    found = regimes(list(spectrum), 1)
    return 0.5 * found.falling, found.falling, found.critical, *found.thresholds, 1.5 * found.major


def draw(rng):
    """One of a few spectra in random units, and a uniform start in a random regime."""
    spectrum = ((1, 2, 3), (1, 1.5, 6), (1, 1.2, 1.9), (2, 3, 4))[rng.integers(4)]
    rho, regime = rng.uniform(0.3, 2), int(rng.integers(5))
    low, high = marks_of(spectrum)[regime : regime + 2]
    alpha = rho * low * (high / low) ** rng.uniform(0.2, 0.8)
    return np.array(spectrum) * rng.uniform(0.5, 2), rho, regime, alpha


def sequence(profile, mu, rho):
    """Leaders of the definition, in order; a collapse is followed to N = 1e-8 of its unit."""
    run = march(np.array([profile, profile]), mu, rho, 40 / mu[0], rtol=1e-9)
    size = np.log(np.maximum(predictor(run, np.linspace(0, run.t[-1], 1500)[1:]), 1e-200))
    first = size.argmax(axis=1)
    return tuple((first[np.append(True, np.diff(first) != 0)] + 1).tolist())


def compare(profile, mu, rho, alpha):
    seen, claimed = sequence(profile, mu, rho), uniform_leaders(mu, rho, alpha)
    label = f"mu={mu.tolist()}, rho={rho}, start={profile.tolist()}"
    assert seen == claimed, f"leaders {seen}, not {claimed}: {label}"
    return seen, label


def check(rng):
    mu, rho, regime, alpha = draw(rng)
    seen, label = compare(np.full(3, alpha), mu, rho, alpha)
    assert seen[-1] == (1 if regime < 2 else 3), f"regime {regime}, leaders {seen}: {label}"
    assert min(seen) == max(regime - 1, 1), f"regime {regime}, leaders {seen}: {label}"
    if regime == 0:
        run = march(np.full((2, 3), alpha), mu, rho, 0.05 / mu[-1])
        beta = predictor(run, np.linspace(0, run.t[-1], 20))
        assert (np.diff(beta, axis=0) < 0).all(), f"a coordinate grows: {label}"


def control(rng):
    """A start that is not uniform has its own sequence: here the last leads at once, and stays."""
    mu, rho, _, _ = draw(rng)
    alpha = 0.5 * rho * mu[0] / (np.sqrt(2) * np.linalg.norm(mu))
    compare(alpha * np.array([1.0, 1.0, 20 * mu[-1] / mu[0]]), mu, rho, alpha)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
