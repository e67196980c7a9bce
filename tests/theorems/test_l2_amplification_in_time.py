"""Minor first, major last along time: the leader is read off tau/A, switches lie on cones."""

import numpy as np

from flowsam.amplification import collapse_exponents, dominance, leaders
from flowsam.exact.l2_two_layer import read
from tests.l2_references import march, predictor
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "l2_amplification_in_time"
SOURCE = "arXiv:2603.08290, Theorem 4.4, Proposition 4.7; exact times: flowsam"


def draw(rng):
    """Distinct mu, and a uniform start from well below to well above its critical scale."""
    d = int(rng.integers(2, 5))
    mu = np.cumsum(rng.uniform(0.4, 1.2, d))
    rho = rng.uniform(0.3, 2)
    alpha = rho * rng.uniform(1.2, 3) * mu[0] / (np.sqrt(2) * np.linalg.norm(mu))
    return mu, rho, alpha


def compare(profile, mu, rho):
    """The leaders of the definition against the cones, and the switches the package finds."""
    label = f"mu={mu.tolist()}, rho={rho}, start={profile.tolist()}"
    start = np.array([profile, profile])
    path = read(start, mu, rho).curve
    run = march(start, mu, rho, min(0.97 * float(path.collapse_time), 12.0), rtol=1e-9)
    tau = np.linspace(0, run.t[-1], 300)[1:]
    size, a = np.log(predictor(run, tau)), run.sol(tau)[-1]
    gap = np.sort(size, axis=1)
    clear = gap[:, -1] - gap[:, -2] > 1e-5
    nearest = np.abs(mu - tau[:, None] / (2 * a[:, None])).argmin(axis=1)
    assert (size.argmax(axis=1) == nearest)[clear].all(), f"not the nearest to tau/2A: {label}"
    mapped = dominance(mu, rho, [profile[0]], tau[clear])[0]
    assert (mapped == nearest[clear] + 1).all(), f"not the map's: {label}"
    found = leaders(start, mu, rho=rho)
    for k, when in enumerate(found.times[found.times < run.t[-1]]):
        pair = np.array(found.order[k : k + 2]) - 1
        here = predictor(run, when)[0, pair]
        assert abs(np.log(here[0] / here[1])) < 1e-6, f"no tie at {when}: {label}"
        ratio = when / run.sol(when)[-1]
        assert abs(ratio / mu[pair].sum() - 1) < 1e-6, f"tau/A={ratio} at {when}: {label}"
    return start, path, label


def check(rng):
    mu, rho, alpha = draw(rng)
    start, path, label = compare(np.full(mu.size, alpha), mu, rho)
    if np.isinf(path.collapse_time):
        return
    left = np.array([1e-4, 1e-6]) * float(path.collapse_time)
    a = path.a_at(float(path.collapse_time) - left)
    slope = -np.diff(a)[0] * mu**2 / np.diff(np.log(left))[0]
    error = np.abs(slope / collapse_exponents(start, mu, rho=rho) - 1).max()
    assert error < 1e-3, f"exponents {slope}: {label}"


def control(rng):
    """A start that is not uniform has other cones."""
    mu, rho, alpha = draw(rng)
    profile = 2 * alpha * np.linspace(3.0, 1.0, mu.size)
    compare(profile, mu, rho)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
