"""Discrete SAM tends to the flow at first order, and to the sliding solution at a sign change."""

import numpy as np

from flowsam import Data, Flow, gradient_flow, iterate, l2, linf, single_example, unnormalised
from flowsam.engines.run import Request
from flowsam.many_examples.log_clock import late_run
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "discrete_to_flow"
SOURCE = "flowsam; the flow as the limit of small steps: arXiv:2603.08290"
TIME, COUNTS = 1.0, np.array([16, 32, 64])


def draw(rng):
    """Three examples, depth 1 to 3, a start whose gradient keeps away from 0, a smooth rule."""
    data = Data(rng.uniform(0.3, 1.0, (3, 2)))
    rule = (gradient_flow(), l2(0.2), unnormalised(0.5))[rng.integers(3)]
    return data, rule, rng.uniform(0.6, 1.2, (rng.integers(1, 4), 2))


def compare(data, rule, theta, limit_rule):
    end = float(np.log1p(TIME))
    exact = late_run(Flow(data, limit_rule), theta, Request(end, method="DOP853"))
    target = exact.states(np.array([end]))[0]
    flow, errors = Flow(data, rule), []
    for count in COUNTS:
        run = iterate(flow, theta, learning_rate=TIME / count, steps=int(count), save_every=100)
        errors.append(np.abs(run.theta[-1] - target).max())
    order = -np.polyfit(np.log(COUNTS), np.log(errors), 1)[0]
    label = f"z={data.z.tolist()}, {rule}, theta={theta.tolist()}"
    assert abs(order - 1.0) < 0.1, f"order {order:.3f}, errors {errors}: {label}"


def slide(rng):
    """On the axis u = 0, 0 < v < rho, the iterates chatter about v(0) - mu rho tau."""
    mu, rho = rng.uniform(0.5, 2.0), rng.uniform(0.5, 1.0)
    start, rate = 0.7 * rho, 2e-3
    flow = Flow(single_example([mu]), linf(rho))
    run = iterate(flow, [[0.0], [start]], learning_rate=rate, steps=int(0.6 / (mu * rate)))
    slid = start - mu * rho * run.tau
    before = slid > 0.05
    error = np.abs(run.theta[before][:, :, 0] - np.array([0.0, 1.0]) * slid[before, None]).max()
    assert error < 2 * mu * (mu + rho) * rate + 4 * rate, f"{error}: mu={mu}, rho={rho}"


def check(rng):
    data, rule, theta = draw(rng)
    compare(data, rule, theta, rule)
    slide(rng)


def control(rng):
    """The flow of another rule is not the limit: the error stops falling."""
    data, rule, theta = draw(rng)
    compare(data, rule, theta, l2(0.6) if rule != l2(0.6) else gradient_flow())


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
