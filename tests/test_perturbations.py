"""The ascent step of SAM maximises <eps, g> over the l_p ball: equality in Hoelder's inequality."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsam.perturbations import (
    KINDS,
    Perturbation,
    asam,
    gradient_flow,
    l2,
    linf,
    lp,
    unnormalised,
)
from tests.rules import rules

P_VALUES = [1.0, 1.01, 1.3, 2.0, 2.5, 4.0, 17.0, 300.0, math.inf]
RNG = np.random.default_rng(3)


def norm(x, p):
    """||x||_p over the last two axes, scaled by the largest entry."""
    size = np.abs(x)
    top = size.max(axis=(-2, -1), keepdims=True)
    if math.isinf(p):
        return top[..., 0, 0]
    return top[..., 0, 0] * ((size / top) ** p).sum(axis=(-2, -1)) ** (1 / p)


def dual(p):
    """q with 1/p + 1/q = 1."""
    return math.inf if p == 1 else 1.0 if math.isinf(p) else p / (p - 1)


@pytest.mark.parametrize("p", P_VALUES)
def test_equality_in_hoelder(p):
    g = RNG.normal(size=(300, 3, 4)) * 10.0 ** RNG.uniform(-6, 6, size=(300, 3, 4))
    rho = 10.0 ** RNG.uniform(-3, 3)
    eps = Perturbation(p, rho).epsilon(g)
    np.testing.assert_allclose(norm(eps, p), rho, rtol=1e-12)
    np.testing.assert_allclose((eps * g).sum(axis=(-2, -1)), rho * norm(g, dual(p)), rtol=1e-12)


@given(st.floats(1, 60) | st.just(math.inf), st.integers(0, 2**32 - 1))
def test_equality_in_hoelder_for_any_p(p, seed):
    g = np.random.default_rng(seed).normal(size=(5, 2, 3))
    eps = lp(0.7, p=p).epsilon(g)
    np.testing.assert_allclose(norm(eps, p), 0.7, rtol=1e-12)
    np.testing.assert_allclose((eps * g).sum(axis=(-2, -1)), 0.7 * norm(g, dual(p)), rtol=1e-12)


@pytest.mark.parametrize("p", P_VALUES)
def test_no_point_of_the_ball_does_better(p):
    g = RNG.normal(size=(2, 3))
    best = float((Perturbation(p, 1.0).epsilon(g) * g).sum())
    others = RNG.normal(size=(2000, 2, 3)) * (RNG.random((2000, 2, 3)) < 0.7)
    others[:, 0, 0] += 1e-3  # none is zero
    others /= norm(others, p)[:, None, None]
    assert (others * g).sum(axis=(-2, -1)).max() <= best * (1 + 1e-12)
    # the bound is sharp: near the maximiser the products come close, and stay below
    near = Perturbation(p, 1.0).epsilon(g) + 1e-4 * others
    near /= norm(near, p)[:, None, None]
    assert best * (1 - 1e-3) < (near * g).sum(axis=(-2, -1)).max() <= best * (1 + 1e-12)


def test_special_cases_by_hand():
    g = np.array([[3.0, -4.0], [0.0, 1.0]])
    assert linf(2).epsilon(g).tolist() == [[2.0, -2.0], [0.0, 2.0]]
    np.testing.assert_allclose(l2(2).epsilon(g), 2 * g / math.sqrt(26), rtol=1e-15)
    assert lp(2, p=1).epsilon(g).tolist() == [[0.0, -2.0], [0.0, 0.0]]
    assert unnormalised(2).epsilon(g).tolist() == (2 * g).tolist()
    assert gradient_flow().epsilon(g).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    # p = 4, q - 1 = 1/3: eps ~ sign(g) |g|^(1/3)
    cube = lp(1, p=4).epsilon([[8.0, -1.0]])
    np.testing.assert_allclose(cube[0, 0] / cube[0, 1], -2.0, rtol=1e-15)


def test_ties_of_p_one_share():
    assert lp(1, p=1).epsilon([[2.0, -2.0], [1.0, 2.0]]).tolist() == pytest.approx(
        np.array([[1 / 3, -1 / 3], [0.0, 1 / 3]])
    )


def test_an_iteration_steps_to_one_corner():
    g = np.array([[[2.0, -2.0], [1.0, 2.0]], [[0.5, 1.0], [-3.0, 0.0]]])
    alone = [[[2.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [-3.0, 0.0]]]
    steps = lp(1, p=1).iterated.step(g)
    assert steps.tolist() == np.sign(alone).tolist()
    for rule in (linf(1), l2(1), asam(1, p=1), gradient_flow()):
        assert rule.iterated is rule


def test_the_limits_of_p():
    g = RNG.normal(size=(2, 3))
    np.testing.assert_allclose(lp(1, p=1e9).epsilon(g), linf(1).epsilon(g), rtol=1e-7)
    np.testing.assert_allclose(lp(1, p=1 + 1e-3).epsilon(g), lp(1, p=1).epsilon(g), atol=1e-9)


@pytest.mark.parametrize("p", P_VALUES)
def test_the_zero_gradient_is_not_perturbed(p):
    with np.errstate(all="raise"):
        assert not Perturbation(p, 1.0).epsilon(np.zeros((2, 3))).any()


@pytest.mark.parametrize("p", P_VALUES)
def test_normalised_rules_ignore_the_scale_of_the_gradient(p):
    g = RNG.normal(size=(2, 3))
    rule = Perturbation(p, 1.0)
    for scale in (1e-300, 1e-150, 1e150, 1e300):
        np.testing.assert_allclose(rule.epsilon(scale * g), rule.epsilon(g), rtol=1e-12)


@pytest.mark.parametrize("p", P_VALUES)
def test_zero_components_get_no_step(p):
    g = np.array([[0.0, -2.0], [-0.0, 0.5]])
    eps = Perturbation(p, 1.0).epsilon(g)
    assert (eps[g == 0] == 0).all()
    assert (eps[g != 0] * g[g != 0] >= 0).all()


def test_every_rule_without_a_radius_is_gradient_flow():
    rules = [linf(0), l2(0), lp(0, p=1), lp(0.0, p=3), unnormalised(0)]
    assert all(rule == gradient_flow() for rule in rules)
    assert len({*rules, gradient_flow()}) == 1


def test_names():
    names = [rule.name for rule in (gradient_flow(), linf(1), l2(1), lp(1, p=1.5), unnormalised(1))]
    assert names == ["GD", "l_inf-SAM", "l_2-SAM", "l_1.5-SAM", "unnormalised SAM"]


def test_every_rule_is_of_one_kind_and_gd_of_its_own():
    known = rules(0.5)
    assert set(KINDS) == set(known)
    assert lp(0.5, p=1e17).kind == "2<p<inf" and lp(0.5, p=1.01).kind == "1<p<2"
    for rule in known.values():
        assert replace(rule, rho=0.0).kind == "GD"


@pytest.mark.parametrize("about", [(3, 1, False), (2, 1, False, True), (np.inf, 0.5, False)])
def test_unnormalised_sam_has_no_norm_to_choose(about):
    with pytest.raises(ValueError, match="unnormalised SAM has p = 2"):
        Perturbation(*about)
    assert Perturbation(3, 0, False) == gradient_flow()
