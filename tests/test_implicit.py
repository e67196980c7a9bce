"""Radau's steps of our own against SciPy's, on a problem that is stiff and not linear."""

import numpy as np
import pytest
from scipy.integrate import Radau, solve_ivp

from flowsam.engines.implicit import Quick


def robertson(t, y):
    a, b, c = y
    return np.array([1e4 * b * c - 0.04 * a, 0.04 * a - 1e4 * b * c - 3e7 * b * b, 3e7 * b * b])


def slopes(t, y):
    _, b, c = y
    rates = np.array([[-0.04, 1e4 * c, 1e4 * b], [0.0, 6e7 * b, 0.0]])
    return np.array([rates[0], -rates[0] - rates[1], rates[1]])


@pytest.mark.parametrize("end", [1.0, 1e4])
def test_a_stiff_reaction(end):
    how = {"jac": slopes, "rtol": 1e-7, "atol": 1e-12, "dense_output": True}
    start = np.array([1.0, 0.0, 0.0])
    fine = solve_ivp(robertson, (0.0, end), start, method=Radau, **how | {"rtol": 1e-11})
    ours = solve_ivp(robertson, (0.0, end), start, method=Quick, **how)
    theirs = solve_ivp(robertson, (0.0, end), start, method=Radau, **how)
    inside = np.geomspace(1e-3 * end, end, 30)
    assert np.abs(ours.sol(inside) / fine.sol(inside) - 1).max() < 1e-6
    assert np.abs(ours.y[:, -1] / fine.y[:, -1] - 1).max() < 1e-7
    assert ours.t.size <= theirs.t.size and ours.nfev <= theirs.nfev
