"""Data: signed examples are checked once, frozen, and remember nothing else."""

import numpy as np
import pytest

from flowsam import Data, Flow, from_labels, linf, single_example, split_signs
from flowsam.data import merged_signs
from flowsam.inputs import real_array


def test_single_example_is_one_row():
    data = single_example([1, -2.5, 0])
    assert data.z.tolist() == [[1.0, -2.5, 0.0]]
    assert data.name == "mu=(1, -2.5, 0)"


def test_names():
    assert single_example(np.ones(64)).name == "mu, d=64"
    assert single_example([1.0], name="a word").name == "a word"
    assert repr(Data([[1.0, 2.0]], "pair")) == "Data(name='pair', n=1, d=2)"


def test_data_are_frozen_copies():
    source = np.array([[1.0, 2.0]])
    data = Data(source)
    source[0, 0] = 9.0
    assert data.z[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        data.z[0, 0] = 3.0
    with pytest.raises(AttributeError):
        data.name = "other"


@pytest.mark.parametrize("kind", [list, np.int8, np.uint16, np.float32, bool])
def test_integers_floats_and_lists_are_welcome(kind):
    values = [1, 0] if kind is list else np.array([1, 0], dtype=kind)
    z = single_example(values).z
    assert z.dtype == np.float64
    assert z.tolist() == [[1.0, 0.0]]


def test_real_array_keeps_the_shape():
    assert real_array(3, "x").shape == ()
    assert real_array(np.zeros((2, 0)), "x").shape == (2, 0)


def test_from_labels_signs_by_the_larger_class():
    X = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    expected = [[-1.0, -2.0], [3.0, 4.0], [-5.0, -6.0]]
    for y in ([0, 1, 0], [-1, 1, -1], [3, 5, 3], ["no", "yes", "no"], [False, True, False]):
        assert from_labels(X, y).z.tolist() == expected
    # the order of appearance must not matter: only the order of the classes does
    assert from_labels(X, [1, 0, 1]).z.tolist() == (-np.array(expected)).tolist()


def test_split_signs_doubles_the_features():
    data = split_signs(Data([[1.0, -2.0], [3.0, 4.0]], "two"))
    assert data.z.tolist() == [[1.0, -2.0, -1.0, 2.0], [3.0, 4.0, -3.0, -4.0]]
    assert data.name == "two, signs split"
    assert split_signs(Data([[1.0]])).name == "signs split"


def test_split_signs_keeps_margins_of_the_difference():
    rng = np.random.default_rng(0)
    data = Data(rng.normal(size=(5, 3)))
    plus, minus = rng.random((2, 3))
    both = split_signs(data).z @ np.concatenate([plus, minus])
    np.testing.assert_allclose(both, data.z @ (plus - minus), rtol=1e-14, atol=1e-15)


def test_merged_signs_is_the_inverse_of_split_signs():
    data = Data([[1.0, 2.0], [3.0, -4.0]], "pair")
    beta = np.array([[5.0, 1.0, 2.0, 3.0]])
    merged, predictor = merged_signs(split_signs(data), beta)
    assert merged.name == "pair" and merged.z.tolist() == data.z.tolist()
    assert predictor.tolist() == [[3.0, -2.0]]
    assert (predictor @ data.z.T).tolist() == (beta @ split_signs(data).z.T).tolist()
    assert merged_signs(data, [1, 2])[0] is data and merged_signs(split_signs(Data([[1]])), [1, 2])


def test_data_are_equal_by_their_examples():
    one = single_example([1.0, 0.0], name="one")
    assert one == single_example([1.0, -0.0]) and hash(one) == hash(single_example([1.0, -0.0]))
    assert one != single_example([1.0, 2.0]) and one != Data([[1.0, 0.0]] * 2) and one != "one"
    assert Flow(one, linf(1.0)) == Flow(Data([[1.0, 0.0]]), linf(1.0))
