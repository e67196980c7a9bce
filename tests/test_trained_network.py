"""What a trained network leans on: an effect that is there, and controls where it is not."""

import numpy as np
import pytest

from tests.theorems.ledger import needs

LEVELS = np.array([0.5, 0.3])


@pytest.fixture(scope="module")
def net():
    needs("torch")
    needs("sklearn")
    from figures import networks

    return networks


def prediction_shares(net, rule, *, seeds, shuffled=False, steps=800):
    """Share of the prediction on strong pixels, (seeds, levels)."""
    pictures, found = net.digits((3, 5)), []
    for seed in range(seeds):
        data = net.split(*pictures, seed)
        data = data.shuffled(seed) if shuffled else data
        run = net.train(data, rule, net.Training(steps=steps), seed=seed)
        found.append(net.at_loss(run, LEVELS)[:, 0])
    return np.array(found)


def test_no_radius_is_gradient_descent(net):
    gd = prediction_shares(net, net.Rule("GD"), seeds=1, steps=100)
    same = prediction_shares(net, net.Rule("l_2", 0.0), seeds=1, steps=100)
    assert np.isfinite(gd).all() and (gd == same).all()


def test_every_ascent_has_its_norm(net):
    import torch

    rng = torch.Generator().manual_seed(3)
    weights = [torch.randn(3, 2, generator=rng), torch.randn(4, generator=rng)]
    gradients = [torch.randn(3, 2, generator=rng), torch.randn(4, generator=rng)]
    for rule, units in (("l_2", False), ("ASAM", True)):
        step = net.Rule(rule, 0.7).ascent(weights, gradients)
        scaled = [e / w.abs() if units else e for e, w in zip(step, weights, strict=True)]
        norm = torch.cat([s.flatten() for s in scaled]).norm()
        assert abs(float(norm) - 0.7) < 1e-6
    step = net.Rule("l_inf", 0.7).ascent(weights, gradients)
    assert max(float(e.abs().max()) for e in step) == pytest.approx(0.7)


@pytest.mark.long
def test_sam_near_its_collapse_leans_on_weak_pixels_longer(net):
    gd = prediction_shares(net, net.Rule("GD"), seeds=4)
    sam = prediction_shares(net, net.Rule("l_2", 0.5), seeds=4)
    assert (sam - gd)[:, 1].mean() < -0.04
    assert ((sam - gd)[:, 1] < 0.02).all()


@pytest.mark.long
def test_labels_that_say_nothing_leave_nothing_to_lean_on(net):
    true = prediction_shares(net, net.Rule("GD"), seeds=2)
    none = prediction_shares(net, net.Rule("GD"), seeds=2, shuffled=True)
    assert (true - none)[:, 1].min() > 0.1
