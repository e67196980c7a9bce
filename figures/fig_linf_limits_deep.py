r"""Where l_inf-SAM ends at L = 3, 4 and 5: a ray from the corner, and a stall at odd depth.

Claims: linf_limit, linf_regions. Takes: 3 s.

Balanced starts under $\ell_\infty$-SAM with $\rho = 1$ and $\mu = (1, 2)$; colours are the limits,
thin arrows the flow, blue lines some paths, black lines the boundaries of the theorem. Beyond the
corner $(\rho, \rho)$ the winner is the larger $\mu_j (\alpha_j - \rho)^{L-2}$, so the boundary is a
ray that turns towards the diagonal as $L$ grows. Below the corner odd depths rise to it and stall;
even ones sink to 0, and at $L = 4$ weights that reach 0 slide on the axes.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from figures.skeletons import pack, unpack
from flowsam import Flow, linf, phase_portrait, single_example
from flowsam.portrait import PlaneField, skeleton
from flowsam.portrait.planes import BalancedPlane

FAST, DEPTHS = {"n": 41, "columns": 6}, (3, 4, 5)
MARKS = {"stable pseudo-node": "attracts", "degenerate node": "repels"}
MARKS |= dict.fromkeys(("degenerate saddle-node", "degenerate pseudo-saddle"), "attracts in part")
START = "balanced, every point of the squares"
STARTS = [(0.6, 0.9), (0.9, 0.6), (1.2, 0.8), (1.35, 1.12), (1.1, 1.3), (0.75, 1.25)]


def compute(n=601, columns=14):
    """Return the grid (n,), labels (3, n, n) and the field of each depth."""
    flow, x = Flow(single_example([1, 2]), linf(1)), np.linspace(2.4 / n, 2.4, n)
    planes = [phase_portrait(flow, x, x, depth=depth) for depth in DEPTHS]
    fields = [PlaneField(flow, BalancedPlane(depth), (0, 2.4), (0, 2.4)) for depth in DEPTHS]
    found = [skeleton(field, starts=STARTS, columns=columns) for field in fields]
    arrays = {"cells": x, "labels": np.array([plane.labels for plane in planes])}
    arrays["card"] = style.card(planes[0], start=START, L="3, 4, 5")
    return arrays | {k: v for i, f in enumerate(found) for k, v in pack(f, f"field_{i}_").items()}


def draw(cells, labels, **arrays):
    """Return the figure: one panel a depth, the theorem's boundaries over the cells."""
    figure, axes = style.panels(3, width=style.PAGE, height=3.0)
    shown = {}
    for k, (panel, depth) in enumerate(zip(axes, DEPTHS, strict=True)):
        paint.regions(panel, cells, cells, labels[k], size="medium")
        shown |= paint.skeleton(panel, unpack(arrays, f"field_{k}_"), nullclines=False)
        low = "small starts stall" if depth % 2 else "small starts collapse"
        panel.set(aspect="equal", title=f"$L = {depth}$: {low}", xticks=range(3), yticks=range(3))
        panel.set_xlabel(r"$\alpha_1$ (minor)")
        panel.tick_params(labelleft=panel is axes[0])
    axes[0].set_ylabel(r"$\alpha_2$ (major)")
    marks = {MARKS.get(word, word): line for word, line in shown.items()}
    figure.legend(marks.values(), marks, loc="outside lower center", ncols=6, fontsize=7)
    return figure


if __name__ == "__main__":
    style.save("fig_linf_limits_deep", compute, draw)
