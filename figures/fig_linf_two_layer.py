r"""One coordinate at L = 2, any signs: field, conic separatrix, sliding segments, saddles.

Claim: linf_two_layer. Takes: 2 s.

One feature, two layers $u$ and $v$ of any sign, under $\ell_\infty$-SAM with $\rho = 1$. Colours
are the limits; the separatrix between collapse and escape is a conic through the saddles; on the
purple segments of the axes the flow slides. Arrows are the flow, blue lines some paths.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from figures.skeletons import pack, unpack
from flowsam import Flow, layer_plane, linf, phase_portrait, single_example
from flowsam.portrait import PlaneField, skeleton

FAST, START = {"n": 41, "columns": 8}, "every point of the square"
WEST = [(-3, 0.4), (-3, 1.2), (-3, 2.4), (-2.6, 3), (-1.2, 3), (0.4, 3)]
STARTS = np.vstack([WEST, -np.array(WEST)])


def compute(n=601, columns=22):
    """Return labels (n, n), and the skeleton of the field with exact paths."""
    flow, x = Flow(single_example([1]), linf(1)), np.linspace(-3, 3, n)
    plane = phase_portrait(flow, x, x, start=layer_plane)
    found = skeleton(
        PlaneField(flow, layer_plane, (-3, 3), (-3, 3)), starts=STARTS, columns=columns
    )
    arrays = {"cells": x, "labels": plane.labels, "card": style.card(plane, start=START)}
    return arrays | pack(found, "field_")


def draw(cells, labels, **arrays):
    """Return the figure: regions, field, paths, separatrix, sliding segments, saddles."""
    figure, axes = style.panels(height=3.5)
    paint.regions(axes, cells, cells, labels)
    paint.skeleton(axes, unpack(arrays, "field_"), nullclines=False)
    words = {"sliding": ((0, -0.55), (-1.9, -0.55)), "saddle": ((1, 1), (1.35, 1.2))}
    style.point_at(axes, words | {"separatrix (conic)": ((-0.9, 2.41), (-0.55, 2.72))})
    axes.set(xlabel="first layer $u$", ylabel="second layer $v$", aspect="equal")
    axes.set_title("weights of any sign: a conic decides")
    return figure


if __name__ == "__main__":
    style.save("fig_linf_two_layer", compute, draw)
