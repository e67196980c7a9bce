"""Loss and direction in original time fall at the rates that depth, rule and mu predict."""

import numpy as np

from flowsam import Flow, balanced, exponential, gradient_flow, l2, linf, single_example
from flowsam.engines.run import Request
from flowsam.many_examples.log_clock import late_run
from flowsam.rates import depth_one_loss, estimated_exponent, late_log_loss
from tests.theorems.ledger import negative_control, numeric, symbolic

CLAIM = "rates"
SOURCE = "flowsam"
END = 300.0


def draw(rng):
    """One coordinate above every gate, depth 1 to 3, and a rule.

    Nothing switches on such a path, so l_inf-SAM needs no event.
    """
    rule = (gradient_flow(), linf(0.2), l2(0.2))[rng.integers(3)]
    return float(rng.uniform(0.7, 1.5)), rule, int(rng.integers(1, 4)), rng.uniform(0.8, 1.2)


def late(flow, theta, log_t):
    run = late_run(flow, theta, Request(log_t, rtol=1e-6, atol=1e-9))
    return run.states(np.array([log_t / 10, log_t]))


def compare_loss(mu, rule, depth, alpha, claimed_depth):
    flow = Flow(single_example([mu]), rule)
    theta = late(flow, balanced([alpha], depth), END)[-1]
    label = f"mu={mu}, {rule}, depth={depth}, alpha={alpha}, claimed {claimed_depth}"
    plain, hat = (float(flow.log_loss(x)) for x in (theta, flow.perturbed(theta)))
    if claimed_depth == 1:
        error = plain + END - np.log(depth_one_loss(flow.data, rule))
        assert abs(error) < 1e-3, f"log (t loss) is off by {error:.3g}: {label}"
        return
    perturbed, predicted = late_log_loss(END, mu, claimed_depth, rule)
    assert abs(hat - perturbed) < 0.1, f"perturbed {hat:.4f} not {perturbed:.4f}: {label}"
    assert abs(plain - predicted) < 0.15, f"plain {plain:.4f} not {predicted:.4f}: {label}"


def compare_direction(rng):
    """At depth 2 the ratio of two predictors falls like (log t)^(mu_1/mu_2 - 1)."""
    mu = np.array([rng.uniform(0.4, 0.8), 1.0])
    flow = Flow(single_example(mu), gradient_flow(), exponential)
    states = late(flow, balanced(rng.uniform(0.8, 1.2, 2), 2), END)
    ratio = np.divide(*np.prod(states, axis=1).T)
    found = estimated_exponent([END / 10, END], ratio)
    assert abs(found - (mu[0] - 1.0)) < 0.05, f"exponent {found:.4f}: mu={mu.tolist()}"


def check(rng):
    mu, rule, depth, alpha = draw(rng)
    compare_loss(mu, rule, depth, alpha, depth)
    compare_direction(rng)


def control(rng):
    """The rate of the next depth does not fit."""
    mu, rule, depth, alpha = draw(rng)
    compare_loss(mu, rule, depth, alpha, depth + 1)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    numeric(check)


def test_negative_control():
    negative_control(control)
