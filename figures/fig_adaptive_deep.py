r"""ASAM at L = 3: two features, and the wedge of starts that ends in a mixture of both.

Claim: adaptive_deep. Takes: 3 s.

Balanced starts of ASAM with three layers, $\mu = (1, \mu_2)$; colours are the limits, black rays
their edges by formula. Between the rays a wedge of starts ends in a mixture of both features.
Right: the ratios at which the weights rest, over $\rho$, for three $\mu_2$. One root alone divides
the two features; where there are three, the middle one is the mixture and the outer two bound its
wedge.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Flow, asam, phase_portrait, single_example
from flowsam.exact.adaptive_pair import Pair

TITLES = "one feature wins", "a mixture can win", "a mixture can win"
FAST, CASES = {"n": 41, "points": 21}, ((1.0, 0.3), (1.0, 0.5), (1.2, 0.6))


def compute(n=401, points=161):
    """Return labels (3, n, n) with their rays, and the edges of the mixture's basin over rho."""
    x = np.linspace(2 / n, 2.0, n)
    arrays = {"cells": x, "rho": np.linspace(0.3, 1.2, points)}
    for k, (mu, rho) in enumerate(CASES):
        plane = phase_portrait(Flow(single_example([1.0, mu]), asam(rho)), x, x, depth=3)
        arrays[f"labels_{k}"] = plane.labels
        arrays[f"rays_{k}"] = np.array([c for _, c in plane.boundaries]).reshape(-1, 2, 2)
    edges = np.full((points, 3, 3), np.nan)
    for row, rho in enumerate(arrays["rho"]):
        for column, mu in enumerate((1.0, 1.2, 1.5)):
            roots = Pair(mu, float(rho), 2.0, 3).roots
            edges[row, column, : roots.size] = np.exp(roots)
    card = style.card(plane, rho="as titled", data="mu = (1, as titled)", start="balanced")
    return arrays | {"edges": edges, "card": card}


def draw(cells, rho, edges, **arrays):
    """Return the figure: three planes, and where mixtures and their edges are over rho."""
    figure, axes = style.panels(4, width=style.PAGE, height=2.2)
    for k, (mu, radius) in enumerate(CASES):
        paint.regions(axes[k], cells, cells, arrays[f"labels_{k}"], size="medium")
        for ray in arrays[f"rays_{k}"]:
            axes[k].plot(*ray.T, color="black", linewidth=0.9)
        axes[k].set(aspect="equal", xticks=(0, 1, 2), yticks=(0, 1, 2))
        axes[k].set_title(f"$\\mu_2 = {mu:g}$, $\\rho = {radius:g}$:\n{TITLES[k]}")
        axes[k].tick_params(labelleft=k == 0)
        axes[k].set_xlabel(r"$\alpha_1$")
    axes[0].set_ylabel(r"$\alpha_2$")
    looks = {1: "#0072B2", 1.2: "#009E73", 1.5: "#D55E00"}
    for column, (mu, colour) in enumerate(looks.items()):
        axes[3].plot(rho, edges[:, column], ".", color=colour, markersize=1.5)
        axes[3].plot([], [], "o", color=colour, markersize=3, label=rf"$\mu_2 = {mu:g}$")
    axes[3].set(yscale="log", xlabel=r"$\rho$", ylabel=r"$w_2 / w_1$ at rest", ylim=(0.03, 300))
    axes[3].set_title("where mixtures exist:\nthree roots")
    axes[3].set_box_aspect(1)
    axes[3].legend(loc="upper left", borderpad=0, labelspacing=0.2)
    return figure


if __name__ == "__main__":
    style.save("fig_adaptive_deep", compute, draw)
