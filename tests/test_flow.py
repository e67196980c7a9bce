"""The velocity of the flow against derivatives of the loss that know nothing of the network."""

import numpy as np
import pytest
from mpmath import mp

from flowsam import (
    Data,
    Flow,
    exponential,
    gradient_flow,
    l2,
    linf,
    logistic,
    lp,
    single_example,
    unnormalised,
)

LOSSES = {"logistic": lambda m: mp.log1p(mp.exp(-m)), "exponential": lambda m: mp.exp(-m)}
RULES = [gradient_flow(), linf(0.3), l2(0.3), lp(0.3, p=1), lp(0.3, p=1.5), lp(0.3, p=4)]
RULES += [unnormalised(0.3)]
SHAPES = [(1, 3, 1), (1, 3, 2), (4, 2, 2), (1, 2, 3), (3, 2, 4)]  # n, d, L


def mp_loss(theta, z, name):
    """The loss from its definition, theta and z nested lists of mpf."""
    total = mp.mpf(0)
    for row in z:
        margin = sum(mp.fprod(layer[j] for layer in theta) * row[j] for j in range(len(row)))
        total += LOSSES[name](margin)
    return total / len(z)


def mp_gradient(theta, z, name):
    """Central differences of the definition in 50 digits, error about 1e-30."""
    h = mp.mpf(10) ** -16
    gradient = [[mp.mpf(0)] * len(theta[0]) for _ in theta]
    for layer in range(len(theta)):
        for j in range(len(theta[0])):
            moved = [[list(row) for row in theta] for _ in range(2)]
            moved[0][layer][j] += h
            moved[1][layer][j] -= h
            gradient[layer][j] = (mp_loss(moved[0], z, name) - mp_loss(moved[1], z, name)) / (2 * h)
    return gradient


def mp_velocity(theta, z, rule, name):
    """-grad Lo(theta + eps(grad Lo(theta))), entry by entry from the definitions."""
    theta = [[mp.mpf(float(w)) for w in row] for row in theta]
    z = [[mp.mpf(float(x)) for x in row] for row in z]
    g = [x for row in mp_gradient(theta, z, name) for x in row]
    eps = mp_step(g, rule)
    d = len(theta[0])
    hat = [[w + eps[i * d + j] for j, w in enumerate(row)] for i, row in enumerate(theta)]
    return -np.array(mp_gradient(hat, z, name)).astype(float)


def mp_step(g, rule):
    """The maximiser over the ball, by cases."""
    rho = mp.mpf(rule.rho)
    if not rule.normalised:
        return [rho * x for x in g]
    if rho == 0 or rule.p == 1:
        top = max(abs(x) for x in g)
        return [rho * mp.sign(x) * (abs(x) == top) for x in g]
    q = mp.mpf(1) if np.isinf(rule.p) else 1 / (1 - 1 / mp.mpf(rule.p))
    norm = sum(abs(x) ** q for x in g) ** (1 / q)
    return [rho * mp.sign(x) * (abs(x) / norm) ** (q - 1) for x in g]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "n{}d{}L{}".format(*s))
@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_velocity_is_minus_the_gradient_at_the_perturbed_point(rule, shape):
    n, d, depth = shape
    rng = np.random.default_rng([n, d, depth])
    z, theta = rng.normal(size=(n, d)), rng.normal(size=(depth, d))
    for loss in (logistic, exponential):
        with mp.workdps(50):
            expected = mp_velocity(theta, z, rule, loss.name)
        found = Flow(Data(z), rule, loss).velocity(theta[None])[0]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13 * abs(expected).max())


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
@pytest.mark.parametrize("loss", [logistic, exponential], ids=repr)
def test_the_rescaled_field_is_the_velocity_over_lambda(rule, loss):
    rng = np.random.default_rng(5)
    flow, theta = Flow(Data(rng.normal(size=(4, 3))), rule, loss), rng.normal(size=(6, 2, 3))
    speed = np.exp(flow.log_lambda(theta))[:, None, None]
    np.testing.assert_allclose(speed * flow.field(theta), flow.velocity(theta), rtol=1e-13)
    # Lambda is the mean of |ell'| at the perturbed point
    margins = np.prod(flow.perturbed(theta), axis=1) @ flow.data.z.T
    slope = 1 / (1 + np.exp(margins)) if loss is logistic else np.exp(-margins)
    np.testing.assert_allclose(speed[:, 0, 0], slope.mean(axis=1), rtol=1e-13)


@pytest.mark.parametrize("rule", RULES[:-1], ids=lambda r: r.name)
def test_one_example_has_a_field_free_of_the_loss(rule):
    theta, data = np.array([[0.7, -1.2], [1.1, 0.4]]), single_example([1.0, -2.0])
    fields = [Flow(data, rule, loss).field(theta) for loss in (logistic, exponential)]
    np.testing.assert_array_equal(*fields)
    hat = Flow(data, rule).perturbed(theta)
    np.testing.assert_allclose(fields[0], np.array([1.0, -2.0]) * hat[::-1], rtol=1e-15)


@pytest.mark.parametrize("loss", [logistic, exponential], ids=repr)
@pytest.mark.parametrize("rule", RULES[:-1], ids=lambda r: r.name)
@pytest.mark.parametrize("margin", [1e3, 1e10, 1e300, -1e300])
def test_margins_of_any_size(loss, rule, margin):
    z = np.sign(margin) * np.array([[1.0, 0.0], [1.0, 0.5]])
    theta = np.full((1, 2, 2), np.sqrt(abs(margin)))
    for data in (Data(z), Data(z[1:])):
        flow = Flow(data, rule, loss)
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            field, log_lambda = flow.field(theta), flow.log_lambda(theta)
            log_loss = flow.log_loss(theta)
        assert np.isfinite(field).all()
        assert np.isfinite(log_lambda).all()
        least = (np.prod(theta, axis=1) @ data.z.T).min()
        worst = -least if margin > 0 or loss is exponential else np.log(-least)
        assert log_loss == pytest.approx(worst, rel=1e-12, abs=1.0)


@pytest.mark.parametrize("margin", [1e8, 1e12, 1e300])
def test_shares_of_examples_add_up_to_one(margin):
    # examples of larger margin fade as e^-margin, so that the field is the first example's
    theta = np.full((1, 2, 1), np.sqrt(margin))
    fields = [Flow(Data(z), linf(0.1)).field(theta) for z in ([[1.0]], [[1.0], [2.0], [3.0]])]
    np.testing.assert_allclose(fields[1], fields[0], rtol=1e-12)


def test_one_state_of_several_examples():
    flow, theta = Flow(Data([[1.0, 0.0], [0.0, 1.0]]), linf(0.1)), np.ones((2, 2))
    np.testing.assert_array_equal(flow.velocity(theta), flow.velocity(theta[None])[0])
    assert flow.log_loss(theta) == flow.log_loss(theta[None])[0]


def test_shares_of_examples_survive_underflow():
    # |ell'| underflows for both examples; their ratio is e
    flow = Flow(Data([[1.0, 0.0], [0.0, 1.0]]), gradient_flow())
    pull, log_scale = flow.pull(np.array([[[1e5, 1e5 + 1.0]]]))
    np.testing.assert_allclose(pull[0], [np.e / (1 + np.e), 1 / (1 + np.e)], rtol=1e-10)
    assert log_scale[0] == pytest.approx(-1e5 + np.log((1 + np.exp(-1.0)) / 2), rel=1e-15)


def test_the_sign_of_the_gradient_survives_underflow():
    flow = Flow(single_example([1.0, -1e-3]), linf(0.5))
    theta = np.full((2, 2), 1e3)  # raw gradient: e^-1e6
    assert (flow.perturbed(theta) - theta).tolist() == [[-0.5, 0.5], [-0.5, 0.5]]


def test_batches_of_any_shape_agree_with_single_states():
    rng = np.random.default_rng(6)
    thetas = rng.normal(size=(2, 3, 3, 2))
    for rule in RULES:
        flow = Flow(Data(rng.normal(size=(2, 2))), rule)
        field, pace, loss = flow.field(thetas), flow.log_lambda(thetas), flow.log_loss(thetas)
        for place in np.ndindex(2, 3):
            one = thetas[place][None]
            np.testing.assert_allclose(field[place], flow.field(one)[0], rtol=1e-14)
            assert pace[place] == pytest.approx(flow.log_lambda(one)[0], rel=1e-14)
            assert loss[place] == pytest.approx(flow.log_loss(one)[0], rel=1e-14)


def test_mu_belongs_to_one_example():
    assert Flow(single_example([1, 2]), linf(1)).mu.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="n = 2"):
        _ = Flow(Data([[1.0], [2.0]]), linf(1)).mu


def test_linf_without_radius_is_gradient_flow():
    data = single_example([1, 2])
    assert Flow(data, linf(0)) == Flow(data, gradient_flow())


def test_description_names_rule_radius_loss_and_data():
    text = Flow(single_example([1, 2]), l2(0.5), exponential).describe()
    assert text == "l_2-SAM, rho=0.5, exponential loss, mu=(1, 2)"
    assert Flow(Data([[1.0], [2.0]]), gradient_flow()).describe() == "GD, logistic loss, n=2, d=1"


@pytest.mark.parametrize("maker", [gradient_flow, linf, l2])
def test_a_rule_that_was_not_called_is_refused(maker):
    with pytest.raises(TypeError, match=f"the function {maker.__name__}; call it"):
        Flow(single_example([1.0]), maker)
