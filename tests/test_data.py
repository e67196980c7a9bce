"""Data: signed examples are checked once, frozen, and remember nothing else."""

import copy
import subprocess
import sys

import numpy as np
import pytest

from flowsam import Data, from_labels, single_example, split_signs
from flowsam.data import merge_signs, unsplit
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


def test_merge_signs_is_the_inverse_of_split_signs():
    data = Data([[1.0, -2.0], [3.0, 4.0]], "two", ["a", "b"])
    split, beta = split_signs(data), np.array([[1.0, 2.0, 0.5, 5.0], [np.inf, 0.0, 1.0, 2.0]])
    assert split.features == ("a", "b", "-a", "-b")
    for given in (split, data):
        predictor = merge_signs(given, beta)
        assert predictor.tolist() == [[0.5, -3.0], [np.inf, -2.0]]
    assert (merge_signs(split, beta[0]) @ data.z.T).tolist() == (beta[0] @ split.z.T).tolist()
    back = unsplit(split)
    assert back == data and (back.name, back.features) == ("two", ("a", "b"))
    assert unsplit(data) is data
    for wrong, beta in ((data, [1.0, 2.0]), (split, [1.0, 2.0]), (split, np.array(1.0))):
        with pytest.raises(ValueError, match="merge_signs needs a predictor of split_signs"):
            merge_signs(wrong, beta)


NUMERIC = {
    "text": ["9", "10", "9"],
    "text of floats": ["9", "10.0", "9.0"],
    "exponents": ["9e0", "1e1", "+9"],
    "beyond doubles": ["9007199254740992", "9007199254740993", "9007199254740992"],
    "floats": [9.0, 10.0, 9.0],
    "integers": np.array([9, 10, 9], dtype=np.int8),
    "objects": np.array([9, 10, 9], dtype=object),
    "small": ["-1e-300", "1e-300", "-1e-300"],
}


@pytest.mark.parametrize("name", NUMERIC)
def test_labels_that_are_all_numbers_compare_as_numbers(name):
    assert from_labels(np.ones((3, 1)), NUMERIC[name]).z.ravel().tolist() == [-1, 1, -1]


def test_labels_are_words_as_soon_as_one_is():
    assert from_labels(np.ones((3, 1)), ["9", "10a", "9"]).z.ravel().tolist() == [1, -1, 1]
    with pytest.raises(ValueError, match=r"got 3 \(1, 1.0, a\)"):
        from_labels(np.ones((3, 1)), ["1", "1.0", "a"])


HOLES = {
    "nan": [1.0, np.nan, 2.0],
    "None": [1, None, 2],
    "empty": ["a", " ", "b"],
    "NA": ["a", "NA", "b"],
    "nan among words": ["a", np.nan, "b"],
    "masked": np.ma.array([1, 2, 2], mask=[0, 1, 0]),
    "not a time": np.array(["2020", "NaT", "2021"], dtype="datetime64[Y]"),
}


@pytest.mark.parametrize("name", HOLES)
def test_a_hole_is_no_class(name):
    with pytest.raises(ValueError, match="y, row 2 needs a label, got"):
        from_labels(np.ones((3, 1)), HOLES[name])


@pytest.mark.parametrize(
    "X", [[[1.0, 2.0], [np.nan, 3.0]], np.ma.array(np.ones((2, 2)), mask=[[0, 0], [1, 0]]),
          np.array([[1, 2], [None, 3]], dtype=object), np.array([[1, 2], ["x", 3]], dtype=object)]
)  # fmt: skip
def test_a_hole_in_the_features_is_named_by_row_and_column(X):
    for call in (lambda: from_labels(X, [0, 1]), lambda: Data(X)):
        with pytest.raises((ValueError, TypeError), match="row 2, column 1"):
            call()


def test_a_data_frame_keeps_its_names():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"height": [1.5, 2.0, 1.0], "age": [3, 4, 5]})
    data = from_labels(frame, pandas.Series(["no", "yes", "no"]))
    assert data.features == ("height", "age") and data.z.tolist()[1] == [2.0, 4.0]
    assert Data(frame).features == ("height", "age")
    assert copy.copy(data).features == data.features
    frame["age"] = pandas.array([3, None, 5], dtype="Int64")
    with pytest.raises((ValueError, TypeError), match="row 2, column 'age'"):
        from_labels(frame, ["no", "yes", "no"])
    with pytest.raises(ValueError, match="y, row 3 needs a label"):
        from_labels(frame[["height"]], pandas.array([1, 2, None], dtype="Int64"))
    with pytest.raises(ValueError, match="a name for each of 2 columns, got 1"):
        Data([[1, 2]], features=["a"])


WRONG = {
    "from_labels([[1.0], [2.0]], [[1], [2, 3]])": "rows of several lengths",
    "Data([[1.0, 2.0]], features='ab')": "list of names, got 'ab'",
    "Data([[1.0, 2.0]], features=3)": "list of names, got 3",
    "merge_signs(Data([[1.0]]), ['a', 'b'])": "merge_signs needs numbers",
    "from_labels([[1.0]] * 2, [np.ma.masked, 1])": "y, row 1 needs a label, got '--'",
}


def test_wrong_objects_are_named_where_no_type_checker_runs():
    lines = [
        "import numpy as np",
        "from flowsam import *",
        "from flowsam.errors import InputError",
        f"for call in {list(WRONG)}:",
        "    try: eval(call)",
        "    except InputError as error: print(error)",
    ]
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        check=True,
    )
    for message, words in zip(run.stdout.splitlines(), WRONG.values(), strict=True):
        assert words in message


@pytest.mark.parametrize("wrong", [None, "x", 3, [[1.0, 2.0]], Data])
def test_merging_signs_needs_data(wrong):
    with pytest.raises(TypeError, match="merge_signs needs data to be a Data"):
        merge_signs(wrong, [1.0, 2.0])
