"""Solved cases as functions of arrays give what their starts give as objects."""

import numpy as np
import pytest

from flowsam import balanced
from flowsam.exact import l2_two_layer, linf_balanced, linf_deep, linf_two_layer

MU = np.array([1.0, -2.0])
LINF = ("blow_up_time", "zero_time", "events", "fate")
L2 = ("blow_up_time", "zero_time", "collapse_time")
TWO = np.array([[0.5, 0.3], [0.4, -0.6]])
CASES = {
    linf_balanced: (balanced([1.4, 0.6], 3), LINF),
    linf_two_layer: (TWO, LINF),
    linf_deep: (np.array([[0.5, 1.3], [0.4, -1.6], [0.7, 1.2]]), LINF),
    l2_two_layer: (TWO, L2),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__.rpartition(".")[2])
def test_functions_give_what_objects_give(case):
    start, names = CASES[case]
    solved = case.read(start, MU, 0.7)
    found = case.weights(start, MU, rho=0.7, tau=[0.0, 0.3])
    assert np.array_equal(found, solved.weights([0.0, 0.3]))
    assert np.allclose(found[0], start, rtol=1e-14)
    for name in names:
        answer, same = getattr(case, name)(start, MU, rho=0.7), getattr(solved, name)
        assert np.array_equal(answer, same)
