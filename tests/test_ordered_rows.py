"""A plane of l_2-SAM from a few cells of each row: the labels that each cell has by itself."""

import numpy as np
import pytest

from flowsam import Flow, l2, limits, phase_portrait, single_example
from flowsam.labels import Label
from flowsam.portrait import decided_rows
from flowsam.portrait.plane_rows import Grid
from flowsam.portrait.planes import BalancedPlane

PLANE = BalancedPlane(2)
CRITICAL = 0.521321282599666543  # of mu = (1, 2), rho = 1, alpha_1 = alpha_2


def cell_by_cell(flow, x, y):
    """Labels of all cells, from a run each."""
    return limits(flow, PLANE(x[None], y[:, None]))


@pytest.mark.parametrize("mu", [
    [1.0, 2.0], [2.0, 1.0], [1.0, 1.01], [0.3, 7.0], [1.0, -2.0], [-3.0, 1.0], [1.0, 0.0],
    [0.0, 2.0], [1.5, 1.5], [-1.0, -1.0],
])  # fmt: skip
def test_labels_are_those_of_each_cell(mu):
    rng = np.random.default_rng(int(1000 * abs(mu[0]) + abs(mu[1])))
    rho = 10 ** rng.uniform(-1, 1)
    flow = Flow(single_example(mu), l2(rho))
    x, y = rho * rng.uniform(0, 1.2, 17), rho * rng.uniform(0, 1.2, 13)
    x[4], y[6], x[5] = 1e-9 * rho, 1e-12 * rho, x[7]
    for across, along in ((x, y), (np.sort(x), np.sort(y))):
        found = phase_portrait(flow, across, along).labels
        assert np.array_equal(found, cell_by_cell(flow, across, along))


def test_cells_on_the_separatrix_have_their_label():
    flow = Flow(single_example([1.0, 2.0]), l2(1.0))
    near = CRITICAL * (1 + np.array([-0.5, -1e-9, -1e-14, 0.0, 1e-14, 1e-9, 0.5]))
    found = phase_portrait(flow, near, near[2:5]).labels
    assert np.array_equal(found, cell_by_cell(flow, near, near[2:5]))
    assert found[1].tolist() == [0, 0, *[Label.SEPARATRIX] * 3, 2, 2]
    for x in (near[:1], near[3:4], near[3:5], near[-1:]):  # narrow planes
        assert np.array_equal(phase_portrait(flow, x, near).labels, cell_by_cell(flow, x, near))


def test_only_starts_beside_the_separatrix_are_followed(monkeypatch):
    asked = []
    monkeypatch.setattr(
        decided_rows,
        "limits",
        lambda flow, starts: (asked.append(starts), limits(flow, starts))[1],
    )
    x = CRITICAL * np.concatenate([np.linspace(0.1, 1.9, 300), [1 - 1e-9, 1 + 1e-9]])
    flow = Flow(single_example([1.0, 2.0]), l2(1.0))
    found = decided_rows.ordered(Grid(flow, PLANE, np.sort(x), x))(slice(None))
    asked = np.concatenate(asked)[:, 0] / CRITICAL
    assert len(asked) < 9 and np.allclose(asked[1:], 1, atol=1e-8)
    assert found[-2, 150] == 0 and found[-1, 151] == 2
