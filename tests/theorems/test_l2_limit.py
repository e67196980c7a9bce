"""Depth 2 under GD and l_2-SAM tends to the l_1 max margin, and weak duality certifies how far."""

import numpy as np

from flowsam import Data, Flow, gradient_flow, l2, margin_certificate, max_margin
from flowsam.engines.run import Request
from flowsam.many_examples.log_clock import late_run
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "l2_limit"
SOURCE = "arXiv:2603.08290, Theorem 4.2; the certificate: flowsam"
END = 1e3


def draw(rng):
    """Three positive examples in the plane whose l_1 and l_2 max margins differ, and a start."""
    while True:
        data = Data(rng.uniform(0.1, 2.0, (3, 2)))
        other = max_margin(data, 2)
        if margin_certificate(data, 1, other).gap > 0.15:
            rule = (gradient_flow(), l2(0.1))[rng.integers(2)]
            return data, rule, rng.uniform(0.5, 1.0, 2)


def compare(data, rule, theta):
    flow = Flow(data, rule)
    run = late_run(flow, theta, Request(END, rtol=1e-5, atol=1e-8))
    last = run.states(np.array([END]))[0]
    beta = np.prod(last, axis=0)
    label = f"z={data.z.tolist()}, {rule}, theta={theta.tolist()}"
    truth = 1.0 - margin_certificate(data, 1, beta).gap
    rival = 1.0 - margin_certificate(data, 1, max_margin(data, 2)).gap
    assert truth > 0.25 + 0.75 * rival, f"l_1 ratio {truth:.4f}, l_2's {rival:.4f}: {label}"
    certificate = (data.z @ beta).min() / np.abs(beta).sum() / np.abs(flow.pull(last)[0]).max()
    assert certificate <= truth + 1e-9, f"certificate {certificate} above {truth}: {label}"


def check(rng):
    data, rule, alpha = draw(rng)
    compare(data, rule, np.array([alpha, alpha]))


def control(rng):
    """Depth 1 tends to the l_2 max margin, which these data keep apart from the l_1 one."""
    data, rule, alpha = draw(rng)
    compare(data, rule, alpha[None])


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
