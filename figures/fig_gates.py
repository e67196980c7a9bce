r"""Between l_1.5 and l_inf the gates change: rest points, nullclines, separatrices at L = 2.

Claims: lp_gates, l2_critical_scale, linf_limit. Takes: 4 s.

Balanced starts under $\ell_p$-SAM with $\rho = 1$, $L = 2$ and $\mu = (1, 2)$. Colours are limits,
arrows the flow, dotted and dashed curves nullclines. Each feature has a gate, a rest point of its
own on its axis; where both are at rest is another. Filled marks attract, open ones repel,
half-filled ones are saddles; diamonds lie where the field jumps. At $p = 2$ the kinds of rest
change: below it starts beyond the gates go to the major feature, above it a region of $e_1$ opens,
and at $p = \infty$ it is everything to the right of $\rho$ and below it.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from figures.skeletons import pack, unpack
from flowsam import Flow, lp, phase_portrait, single_example
from flowsam.portrait import PlaneField, refine, skeleton
from flowsam.portrait.planes import BalancedPlane

FAST, NORMS, REACH = {"n": 16, "columns": 6, "levels": 2}, (1.5, 2.0, 3.0, np.inf), 1.3
NULLCLINES = {"nullcline x' = 0": r"$\alpha_1$ is constant"}
NULLCLINES["nullcline y' = 0"] = r"$\alpha_2$ is constant"
TITLES = ("major wins", "major wins", "minor can win", "minor can win")
START = "balanced, every point of the squares"
LINES = "colours and names: the limit; arrows: the flow; e_1 | e_2 at p = 3: located by bisection"


def compute(n=201, columns=13, levels=5):
    """Return the grid (n,), labels (4, n, n) the field of each norm, and where p = 3 divides."""
    data, x = single_example([1, 2]), np.linspace(REACH / n, REACH, n)
    arrays, labels = {"cells": x}, []
    planes = []
    for k, norm in enumerate(NORMS):
        plane = phase_portrait(Flow(data, lp(1, p=norm)), x, x)
        planes.append(plane)
        field = PlaneField(plane.flow, BalancedPlane(2), (0, REACH), (0, REACH))
        arrays |= pack(skeleton(field, columns=columns), f"field_{k}_")
        labels.append(plane.labels)
    x = np.linspace(REACH / 24, REACH, 24)
    located = refine(phase_portrait(Flow(data, lp(1, p=3)), x, x), levels=levels).refinement.curves
    arrays["divide"] = np.vstack([curve for name, curve in located if name == "e_1 | e_2"])
    words = {"start": START}
    words["lines"] = LINES
    return arrays | {"labels": np.array(labels), "card": style.card(*planes, **words)}


def draw(cells, labels, **arrays):
    """Return the figure: one panel a norm, and what the marks mean."""
    figure, axes = style.panels(4, width=style.PAGE, height=2.15)
    shown = {}
    for k, (panel, norm) in enumerate(zip(axes, NORMS, strict=True)):
        paint.regions(panel, cells, cells, labels[k], size="medium")
        shown |= paint.skeleton(panel, unpack(arrays, f"field_{k}_"))
        name = r"\infty" if np.isinf(norm) else f"{norm:g}"
        panel.set(
            aspect="equal",
            title=f"$p = {name}$: {TITLES[k]}",
            xticks=(0, 0.5, 1),
            yticks=(0, 0.5, 1),
        )
        panel.set_xlabel(r"$\alpha_1$ (minor)")
    (shown["between $e_1$, $e_2$"],) = axes[2].plot(
        *arrays["divide"].T, "-.", color="black", linewidth=1.2
    )
    axes[0].set_ylabel(r"$\alpha_2$ (major)")
    words = [NULLCLINES.get(word, word) for word in shown]
    figure.legend(shown.values(), words, loc="outside upper center", ncols=5, fontsize=7)
    return figure


if __name__ == "__main__":
    style.save("fig_gates", compute, draw)
