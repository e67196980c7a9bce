"""Proved labels and tubes against weights followed by the definition."""

from dataclasses import replace

import numpy as np
from scipy.integrate import solve_ivp

from tests.theorems.ledger import needs, negative_control, numeric, symbolic

CLAIM = "proved_labels"
SOURCE = "flowsam"
NEEDS = "flint"  # without it the numbers are not checked, and the ledger says so


def draw(rng):
    """An example of either sign, and a start that is not decided at once."""
    from flowsam.certify import Problem, prove

    while True:
        mu = rng.uniform(0.5, 2.0, 2) * rng.choice([-1, 1], 2)
        theta = rng.normal(size=(2, 2)) * 0.8
        problem = Problem(tuple(mu.tolist()), 1.0, 2.0, tuple(map(tuple, theta.tolist())))
        proof = prove(problem)
        if proof.tube.steps:
            return mu, theta, proof


def followed(mu, theta, tau):
    """Weights at tau, and which way the gradient's norm has gone a while later."""

    def velocity(_, state):
        w = state.reshape(theta.shape)
        ahead = mu * w[::-1]
        step = w - ahead / np.linalg.norm(ahead)
        return (mu * step[::-1]).ravel()

    def fallen(_, state):
        return np.linalg.norm(mu * state.reshape(theta.shape)) - 1e-2

    fallen.terminal = True
    how = {"method": "DOP853", "rtol": 1e-10, "atol": 1e-12}
    there = solve_ivp(velocity, (0, tau), theta.ravel(), **how).y[:, -1]
    later = solve_ivp(velocity, (0, tau + 30), theta.ravel(), events=fallen, **how)
    return there.reshape(theta.shape), later.status == 1


def demand(mu, theta, proof):
    """The proof holds, its tube contains the weights, and they go where it says."""
    from flowsam.certify.balls import precision
    from flowsam.certify.checking import GUARD, Refused, checked
    from flowsam.certify.proofs import check as check_proof

    what = f"mu={mu.tolist()}, theta={theta.tolist()}"
    try:
        check_proof(proof)
        with precision(proof.tube.bits + GUARD):
            end = checked(proof.problem.field(), proof.tube)
    except Refused as error:
        raise AssertionError(f"{error}: {what}") from None
    tau, a = float(end.x), float(end.centre[0])
    there, collapses = followed(mu, theta, tau)
    s = theta[0] + theta[1]
    right = s * np.exp(mu * tau - mu**2 * a)
    slack = 1e-7 + 10 * float(end.radius)
    assert np.allclose(there[0] + there[1], right, rtol=slack, atol=slack), what
    assert collapses == (proof.label == 0), what


def check(rng):
    """One start under l_2."""
    demand(*draw(rng))


def control(rng):
    """The same tube without its radius: a path on paper, no proof."""
    from flowsam.certify.balls import arb

    mu, theta, proof = draw(rng)
    steps = [replace(step, radius=(arb(0), arb(0))) for step in proof.tube.steps]
    tube = replace(proof.tube, steps=tuple(steps))
    demand(mu, theta, replace(proof, tube=tube))


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    needs(NEEDS)
    numeric(check)


def test_negative_control():
    needs(NEEDS)
    negative_control(control)
