"""Normalised SAM slides along minima to flatter ones; discrete SAM tends to that at first order."""

import numpy as np

from flowsam import Data, Flow, iterate, lp, unnormalised
from flowsam.engines.run import Request
from flowsam.many_examples.minima import one_dimensional
from flowsam.many_examples.sliding_run import sliding_run
from flowsam.network import other_products
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "sliding_minima"
SOURCE = "flowsam; SAM moves along minima: Bartlett, Long, Bousquet 2023; Wen, Ma, Li 2023"
TIME, COUNTS = 8.0, np.array([100, 200, 400])


def draw(rng):
    """One or two features, two against one, a steep minimum, and a p."""
    a = rng.uniform(0.7, 1.4, rng.integers(1, 3))
    data = Data(np.outer([1.0, 1.0, -1.0], a))
    theta = np.array([rng.uniform(1.3, 1.8, a.size), rng.uniform(0.1, 0.3, a.size)])
    return data, theta, lp(rng.uniform(0.15, 0.25), p=rng.choice([1.5, 2.0, 3.0]))


def imbalance(theta):
    """u_j^2 - v_j^2: gradient flow keeps it, and the chatter across the minima does."""
    return theta[..., 0, :] ** 2 - theta[..., 1, :] ** 2


def slid(flow, theta, label):
    """The flow at TIME; on the way it keeps to the minima, and the sharpness falls."""
    end = float(np.log1p(TIME))
    run = sliding_run(flow, theta, Request(end, rtol=1e-8, atol=1e-11))
    arrival = next(event.tau for event in run.march.events if event.kind == "slide")
    points = np.linspace(run.log_t(np.array([arrival]))[0] + 1e-9, end, 30)
    states, q = run.states(points), flow.perturbation.p / (flow.perturbation.p - 1)
    margin, a = np.prod(states, axis=1) @ flow.data.z[0], flow.data.z[0]
    assert np.abs(margin - np.log(2)).max() < 1e-6, f"it leaves the minima: {label}"
    normal = (a * other_products(states)).reshape(len(points), -1)
    falls = np.diff(np.linalg.norm(normal, ord=q, axis=1))
    assert falls.max() < 1e-8, f"the sharpness rises by {falls.max()}: {label}"
    return imbalance(states[-1])


def compare(rng, iterated):
    """Discrete SAM by `iterated(rule)` beside the slide: its error halves with the step."""
    data, theta, rule = draw(rng)
    label = f"z={data.z.tolist()}, {rule}, theta={theta.tolist()}"
    flow = Flow(data, rule)
    assert one_dimensional(flow, theta) == flow, label
    target, errors = slid(flow, theta, label), []
    for count in COUNTS:
        how = {"learning_rate": TIME / count, "steps": int(count), "save_every": int(count)}
        last = iterate(Flow(data, iterated(rule)), theta, **how).theta[-1]
        errors.append(np.abs(imbalance(last) - target).max())
    order = -np.polyfit(np.log(COUNTS), np.log(errors), 1)[0]
    assert abs(order - 1.0) < 0.2, f"order {order:.3f}, errors {errors}: {label}"


def check(rng):
    compare(rng, lambda rule: rule)


def control(rng):
    """A step that vanishes with the gradient does not jump: unnormalised SAM rests."""
    compare(rng, lambda rule: unnormalised(rule.rho))


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
