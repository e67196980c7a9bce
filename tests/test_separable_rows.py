"""A plane of l_inf-SAM or GD from its two axes: the labels that each cell has by itself."""

import numpy as np
import pytest

from flowsam import Flow, gradient_flow, limits, linf, phase_portrait, single_example
from flowsam.labels import Label
from flowsam.portrait import decided_rows
from flowsam.portrait.planes import BalancedPlane

PLANE = BalancedPlane(2)


@pytest.mark.parametrize("rho", [0.0, 0.1, 0.7, 3.0])
@pytest.mark.parametrize("mu", [
    [1.0, 2.0], [2.0, 1.0], [0.3, 7.0], [1.0, -2.0], [-3.0, 1.0], [1.0, 0.0], [0.0, 2.0],
    [1.5, 1.5], [1.5, -1.5], [-1.0, -2.0],
])  # fmt: skip
def test_labels_are_those_of_each_cell(mu, rho):
    rng = np.random.default_rng(int(1000 * abs(mu[0]) + abs(mu[1])))
    flow, size = Flow(single_example(mu), linf(rho) if rho else gradient_flow()), rho or 1.0
    x, y = size * rng.uniform(0.1, 2.0, 17), size * rng.uniform(0.1, 2.0, 13)
    x[3:6] = y[7:10] = np.nextafter(size, [0.0, size, np.inf])
    x[8] = x[1]
    for across, along in ((x, y), (np.sort(x), np.sort(y)), (x[4:5], y[8:9])):
        found = phase_portrait(flow, across, along).labels
        assert found.dtype == np.int16
        assert np.array_equal(found, limits(flow, PLANE(across[None], along[:, None])))


def test_cells_on_rho_have_the_label_of_a_tie_or_of_the_separatrix():
    x = np.array([0.5, 1.0, 1.5])
    found = phase_portrait(Flow(single_example([1.0, 2.0]), linf(1.0)), x, x).labels
    assert found.tolist() == [[0, -2, 1], [-2, -2, 1], [2, 2, 2]]
    tied = phase_portrait(Flow(single_example([1.0, 1.0]), linf(1.0)), x, x).labels
    assert tied[2].tolist() == [2, 2, Label.TIE]


def test_only_the_axes_are_asked(monkeypatch):
    asked, read = [], decided_rows.linf_two_layer.read
    monkeypatch.setattr(
        decided_rows.linf_two_layer,
        "read",
        lambda starts, mu, rho: (asked.append(len(starts)), read(starts, mu, rho))[1],
    )
    x, y = np.linspace(0.1, 2.0, 300), np.linspace(0.1, 2.0, 200)
    phase_portrait(Flow(single_example([1.0, 2.0]), linf(1.0)), x, y)
    assert asked == [300, 200]
