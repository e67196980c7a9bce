"""ASAM at L = 2 on several examples: beta c nears the l_1 max margin of the data rescaled by c."""

import numpy as np

from flowsam import Data, Flow, asam, max_margin, solve
from flowsam.outcomes.late_verdicts import factors, rescaled_certificate
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "adaptive_many"
SOURCE = "flowsam; the rule: Kwon et al. 2021"


def draw(rng):
    """Three positive examples of two features, and a positive start."""
    flow = Flow(Data(rng.uniform(0.3, 2.0, (3, 2))), asam(rng.uniform(0.3, 0.9), p=2))
    return flow, rng.uniform(0.3, 1.0, (2, 2))


def ratio(z, beta):
    """Margin of beta over the largest l_1 margin of z."""
    best = max_margin(Data(z), 1)
    return float((z @ beta).min() / np.abs(beta).sum() * np.abs(best).sum())


def compare(flow, theta0, weighed):
    """Assert that the certificate rises to 0.95 and more, and stays below the true ratio."""
    label = f"z={flow.data.z.tolist()}, rho={flow.perturbation.rho}, theta={theta0.tolist()}"
    run = solve(flow, theta0, log_t_end=1e5, rtol=1e-6, save_at=[30.0, 1e5])
    found = [rescaled_certificate(flow, theta) for theta in run.theta]
    true = []
    for theta in run.theta:
        c = factors(flow, theta) if weighed else np.ones(2)
        true.append(ratio(flow.data.z * c, np.prod(theta, axis=0) * c))
    assert all(own <= best + 1e-9 for own, best in zip(found, true, strict=True)), label
    assert found[1] > max(found[0], 0.95), f"{found}: {label}"


def check(rng):
    compare(*draw(rng), weighed=True)


def control(rng):
    """The plain data, where ASAM does not end at their l_1 max margin."""
    while True:
        flow, theta0 = draw(rng)
        end = solve(flow, theta0, log_t_end=1e3, rtol=1e-6).theta[-1]
        if ratio(flow.data.z, np.prod(end, axis=0)) < 0.93:
            break
    compare(flow, theta0, weighed=False)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
