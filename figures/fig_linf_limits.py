r"""Where l_inf-SAM ends up at L = 2: at 0 or at any basis vector, chosen by the initialisation.

Claims: linf_limit, linf_regions. Takes: 2 s.

Limits of $\ell_\infty$-SAM over balanced starts, $\rho = 1$ and $\mu = (1, 2)$: a weight that
starts below $\rho$ is suppressed. Where both do, the flow collapses to 0; where only the minor one
exceeds $\rho$, it wins; elsewhere the major one does. Arrows are the flow, blue lines some paths,
black lines the theorem's boundary. The circle is an unstable rest point, half-filled marks are
saddles, the full one, 0, attracts.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from figures.skeletons import pack, unpack
from flowsam import Flow, linf, phase_portrait, single_example
from flowsam.portrait import PlaneField, skeleton
from flowsam.portrait.planes import BalancedPlane

FAST, START = {"n": 41, "columns": 8}, "balanced, every point of the square"
STARTS = [
    (0.9, 0.95),
    (0.97, 0.9),
    (1.05, 0.9),
    (1.2, 0.95),
    (0.9, 1.02),
    (1.05, 1.03),
    (1.1, 1.01),
]


def compute(n=801, columns=20):
    """Return the grid (n,), the labels (n, n) and the field with the theorem's boundary."""
    flow, x = Flow(single_example([1, 2]), linf(1)), np.linspace(2 / n, 2, n)
    plane = phase_portrait(flow, x, x)
    field = PlaneField(flow, BalancedPlane(2), (0, 2), (0, 2))
    found = pack(skeleton(field, starts=STARTS, columns=columns), "field_")
    return {"cells": x, "labels": plane.labels, "card": style.card(plane, start=START)} | found


def draw(cells, labels, **arrays):
    """Return the figure: cells named in place, field and theorem's boundary over them."""
    figure, axes = style.panels(height=3.4)
    paint.regions(axes, cells, cells, labels)
    paint.skeleton(axes, unpack(arrays, "field_"), nullclines=False)
    axes.set(
        xlabel=r"initial weight $\alpha_1$ (minor)", ylabel=r"initial weight $\alpha_2$ (major)"
    )
    axes.set(aspect="equal", title=r"$\ell_\infty$-SAM: the start chooses the limit")
    return figure


if __name__ == "__main__":
    style.save("fig_linf_limits", compute, draw)
