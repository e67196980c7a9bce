"""Depth 1 follows a line whose slope is the l_2 max-margin vector, under GD, l_2 and l_inf."""

import numpy as np

from flowsam import Data, Flow, gradient_flow, l2, linf, margin_certificate, max_margin
from flowsam.engines.run import Request
from flowsam.many_examples.log_clock import late_run
from flowsam.rates import depth_one_asymptote
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "depth_one_margin"
SOURCE = "arXiv:2603.08290, Theorems 3.1 and 4.1; the offset of the line: flowsam"
END = 200.0  # the offset is off by a multiple of 1 / END


def draw(rng):
    """Four positive examples in the plane, two of them clearly supporting, and a rule.

    With positive entries no pull changes sign: l_inf's step is the constant -rho.
    """
    while True:
        data = Data(rng.uniform(0.2, 2.0, (4, 2)))
        best = max_margin(data, 2)
        margins, dual = data.z @ best, margin_certificate(data, 2, best).dual
        clear = (margins < 1 + 1e-9) | (margins > 1.3)
        support = data.z[margins < 1 + 1e-9]
        even = dual[dual > 0].min() > 0.2 * dual.max()
        if clear.all() and even and len(support) == 2 and np.linalg.cond(support) < 4:
            rule = (gradient_flow(), l2(0.3), linf(0.3))[rng.integers(3)]
            return data, rule, rng.normal(size=(1, 2))


def compare(data, rule, theta):
    depth = len(theta)
    run = late_run(Flow(data, rule), theta, Request(END, rtol=1e-7, atol=1e-10))
    beta = np.prod(run.states(np.array([END]))[0], axis=0)
    slope = max_margin(data, 2)
    label = f"z={data.z.tolist()}, {rule}, theta={theta.tolist()}, depth {depth}"
    distance = np.linalg.norm(beta - slope * END) / np.linalg.norm(slope)
    assert distance < 12.0, f"beta leaves the line b log t by {distance:.3g}: {label}"
    if not np.isinf(rule.p) or not rule.rho:
        line = depth_one_asymptote(data, rule, beta)
        error = np.abs(beta - line.slope * END - line.offset).max()
        assert error < 0.15, f"offset wrong by {error:.3g}: {label}"


def check(rng):
    compare(*draw(rng))


def control(rng):
    """At depth 2 the predictor follows another direction: the l_1 max margin."""
    while True:
        data = Data(rng.uniform(0.2, 2.0, (4, 2)))
        light, short = (max_margin(data, norm) for norm in (1, 2))
        if np.linalg.norm(light - short) > 0.6 * np.linalg.norm(short):
            theta = rng.uniform(0.4, 1.2, (1, 2)).repeat(2, axis=0)
            return compare(data, gradient_flow(), theta)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
