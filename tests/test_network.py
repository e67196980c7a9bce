"""The diagonal network: products of layers, without division, in any batch shape."""

from fractions import Fraction
from math import prod

import numpy as np
import pytest

from flowsam.network import balanced, beta, checked_theta, other_products

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("depth", range(1, 9))
def test_beta_is_the_product_of_the_layers(depth):
    theta = RNG.normal(size=(4, depth, 3))
    exact = [[float(prod(Fraction(w) for w in theta[b, :, j])) for j in range(3)] for b in range(4)]
    np.testing.assert_allclose(beta(theta), exact, rtol=1e-15 * max(depth, 2))


@pytest.mark.parametrize("depth", range(1, 9))
def test_other_products_leave_out_their_own_layer(depth):
    theta = RNG.normal(size=(2, depth, 3))
    found = other_products(theta)
    for place in np.ndindex(2, depth, 3):
        b, layer, j = place
        rest = (Fraction(theta[b, k, j]) for k in range(depth) if k != layer)
        assert found[place] == pytest.approx(float(prod(rest, start=Fraction(1))), rel=2e-15)


def test_other_products_at_exact_zeros():
    # division by a weight would give nan here
    one_zero = np.array([[0.0], [2.0], [3.0]])
    assert other_products(one_zero).ravel().tolist() == [6.0, 0.0, 0.0]
    two_zeros = np.array([[0.0], [0.0], [3.0]])
    assert other_products(two_zeros).ravel().tolist() == [0.0, 0.0, 0.0]


def test_other_products_of_extreme_weights():
    # dividing beta = 1e-320 by a weight would lose all but four digits
    theta = np.array([[1e-200], [1e-160], [1e40]])
    np.testing.assert_allclose(other_products(theta).ravel(), [1e-120, 1e-160, 0.0], rtol=1e-15)


def test_beta_accepts_integers_and_lists():
    assert beta([[1, 2], [3, 4]]).tolist() == [3.0, 8.0]


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_balanced_has_equal_layers_and_signs_on_the_first(depth):
    theta = balanced([[0.5, 2], [1, 3]], depth, [-1, 1])
    assert theta.shape == (2, depth, 2)
    assert (np.abs(theta) == np.abs(theta[:, :1])).all()
    assert (theta[:, 0] == [[-0.5, 2], [-1, 3]]).all()
    assert (theta[:, 1:] > 0).all()


def test_balanced_takes_a_number():
    assert balanced(np.float64(0.5), 3).tolist() == [[0.5]] * 3


def test_balanced_does_not_write_to_its_input():
    alpha = np.array([1.0, 2.0])
    balanced(alpha, 2, [-1, -1])
    assert alpha.tolist() == [1.0, 2.0]


def test_checked_theta_keeps_batches():
    assert checked_theta(np.ones((5, 4, 3, 2)), 2).shape == (5, 4, 3, 2)
