"""The loop that trains the network of fig_trained_network takes `iterate`'s steps."""

import numpy as np

from flowsam import Batches, Data, Flow, asam, gradient_flow, iterate, l2, linf
from tests.theorems.ledger import needs, negative_control, numeric, symbolic

CLAIM = "trained_network"
SOURCE = "arXiv:2603.08290, appendix: re-created with own choices"
NEEDS = "torch"  # without it the numbers are not checked, and the ledger says so
RATE, STEPS = 0.05, 20


def draw(rng):
    """Random examples, a random start of any signs, and a rule of both libraries."""
    depth, d = int(rng.integers(1, 4)), int(rng.integers(2, 5))
    data = Data(rng.standard_normal((6, d)))
    theta = rng.standard_normal((depth, d))
    rho = float(rng.uniform(0.05, 0.5))
    balls = (("l_2", l2(rho)), ("l_inf", linf(rho)), ("ASAM", asam(rho)))
    rules = (("GD", gradient_flow()), *balls)
    name, rule = rules[int(rng.integers(4))]
    return data, theta, name, rule


def looped(data, theta, rule, shards):
    """Take STEPS steps in PyTorch, each the mean over its shards of SAM's two passes."""
    import torch

    from figures.networks import sam_step

    weights = [torch.tensor(row, requires_grad=True) for row in theta]
    for step in range(STEPS):
        moves = []
        for rows in shards[step % len(shards)]:
            z = torch.tensor(data.z[rows])

            def loss(layers, z=z):
                beta = torch.stack(list(layers)).prod(dim=0)
                return torch.nn.functional.softplus(-(z @ beta)).mean()

            new = sam_step(weights, loss, rule, RATE)
            moves.append([(a - b).detach() for a, b in zip(new, weights, strict=True)])
        mean = [sum(parts) / len(parts) for parts in zip(*moves, strict=True)]
        weights = [(w + m).detach().requires_grad_() for w, m in zip(weights, mean, strict=True)]
    return np.stack([w.detach().numpy() for w in weights])


def compare(data, theta, name, rule, rho):
    """Both loops from one start, full-batch."""
    from figures.networks import Rule

    own = iterate(Flow(data, rule), theta, learning_rate=RATE, steps=STEPS).theta[-1]
    other = looped(data, theta, Rule(name, rho), [[np.arange(len(data.z))]])
    far = np.abs(own - other).max()
    assert far < 1e-12 * (1 + np.abs(own).max()), f"{name}, rho={rule.rho}: {far:.2e} apart"


def check(rng):
    data, theta, name, rule = draw(rng)
    compare(data, theta, name, rule, rule.rho)


def control(rng):
    """A radius one percent larger is another iteration."""
    data, theta, name, rule = draw(rng)
    name, rule = ("l_2", l2(0.3)) if name == "GD" else (name, rule)
    compare(data, theta, name, rule, 1.01 * rule.rho)


def test_symbolic():
    symbolic(CLAIM)


def test_numeric():
    needs(NEEDS)
    numeric(check)


def test_negative_control():
    needs(NEEDS)
    negative_control(control)


def test_one_example_a_perturbation():
    """1-SAM: every example of a batch perturbs the weights by its own gradient."""
    needs(NEEDS)
    from figures.networks import Rule

    rng = np.random.default_rng(5)
    data, theta = Data(rng.standard_normal((6, 3))), rng.standard_normal((2, 3))
    batches = Batches(batch=3, shard=1, seed=4)
    flow = Flow(data, l2(0.2))
    run = iterate(flow, theta, learning_rate=RATE, steps=STEPS, batches=batches)
    dealt = batches.deal(6)
    shards = [next(dealt) for _ in range(STEPS)]
    other = looped(data, theta, Rule("l_2", 0.2), shards)
    assert np.abs(run.theta[-1] - other).max() < 1e-12
