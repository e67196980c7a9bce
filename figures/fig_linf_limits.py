"""Where l_inf-SAM ends up at L = 2: at 0 or at any basis vector, chosen by the initialisation.

Claims: linf_limit, linf_regions. Takes: 1 s.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Flow, linf, phase_portrait, single_example

FAST, START = {"n": 41}, "balanced, every point of the square"


def compute(n=801):
    """Return the grid (n,), the labels (n, n) and the boundary segments of the theorem."""
    x = np.linspace(2 / n, 2, n)
    plane = phase_portrait(Flow(single_example([1, 2]), linf(1)), x, x)
    lines = {f"line_{k}": curve for k, (_, curve) in enumerate(plane.boundaries)}
    return {"x": x, "labels": plane.labels, "card": style.card(plane, start=START)} | lines


def draw(x, labels, caption, **lines):
    """Return the figure: cells named in place, the theorem's boundary over them."""
    figure, axes = style.panels(height=3.2)
    paint.regions(axes, x, x, labels)
    paint.boundaries(axes, tuple(lines.items()))
    axes.set(
        xlabel=r"initial weight $\alpha_1$ (minor)", ylabel=r"initial weight $\alpha_2$ (major)"
    )
    axes.set(xlim=(0, 2), ylim=(0, 2), aspect="equal", title=r"Limit of $\ell_\infty$-SAM")
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_linf_limits", compute, draw)
