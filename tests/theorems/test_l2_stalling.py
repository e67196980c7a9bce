"""l_2-SAM at L = 3 can end at a finite predictor: the ratio 2 + sqrt(3) decides."""

import numpy as np
from scipy.integrate import solve_ivp

from flowsam import Flow, balanced, l2, limit, single_example
from flowsam.labels import Label
from flowsam.outcomes.balanced_l2 import sector_depth
from tests.theorems.ledger import negative_control, numeric, symbolic
from tests.theorems.test_l2_deep_limits import with_ratios

CLAIM = "l2_stalling"
SOURCE = "flowsam"


def far_end(mu, rho, alpha):
    """Weights of two balanced coordinates after a long time, by the definition of the rule."""

    def velocity(_, w):
        gradient = mu * w**2
        return mu * (w - rho * gradient / (np.sqrt(3) * np.linalg.norm(gradient))) ** 2

    out = lambda _, w: np.abs(w).max() - 10 * rho  # noqa: E731
    out.terminal = True
    end = 1e4 / (mu[0] * rho)
    return solve_ivp(velocity, (0, end), alpha, method="DOP853", rtol=1e-9, events=out).y[:, -1]


def compare(rng, ratios, depth):
    """A start in the sector tends to the equilibrium, and `limit` says so."""
    rho, minor = rng.uniform(0.3, 3.0, 2)
    ratio = rng.uniform(*ratios)
    mu = minor * np.array([1.0, ratio])
    rest = with_ratios(np.ones(2), mu, rho, 3)
    x = depth(ratio) * rng.uniform(0.3, 0.95)
    alpha = with_ratios(1 - x * np.array([-1.0, rng.uniform(-1.0, ratio)]), mu, rho, 3)
    end = far_end(mu, rho, alpha)
    words = f"mu={mu.tolist()}, rho={rho}, alpha={alpha.tolist()}"
    assert np.abs(end / rest - 1).max() < 1e-2, f"{words}: ends at {end}, not at {rest}"
    label = limit(Flow(single_example(mu), l2(rho)), balanced(alpha, 3)).label
    assert label == Label.STALLED, f"{words}: label {label}"


def compare_far(rng):
    """From anywhere below rest, `limit` says what the path does."""
    rho, mu = rng.uniform(0.3, 3.0), np.array([1.0, rng.uniform(4.0, 9.0)])
    rest = with_ratios(np.ones(2), mu, rho, 3)
    alpha = rest * rng.uniform(0.05, 0.95, 2)
    label = limit(Flow(single_example(mu), l2(rho)), balanced(alpha, 3)).label
    end = far_end(mu, rho, alpha)
    stalls = np.abs(end / rest - 1).max() < 1e-2
    words = f"mu={mu.tolist()}, rho={rho}, alpha={alpha.tolist()}: {label}, ends at {end}"
    assert label == (Label.STALLED if stalls else (mu * end).argmax() + 1), words


def check(rng):
    compare(rng, (4.0, 9.0), sector_depth)
    compare_far(rng)


def control(rng):
    """Below 2 + sqrt(3) the edge is crossed outwards, and the same starts escape."""
    compare(rng, (1.2, 2.5), lambda ratio: 0.1 / ratio)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
