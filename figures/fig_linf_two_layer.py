"""One coordinate at L = 2, any signs: field, conic separatrix, sliding segments, saddles.

Claim: linf_two_layer. Takes: 2 s.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Flow, layer_plane, linf, phase_portrait, single_example, solve

FAST, COARSE = {"n": 41}, np.linspace(-3, 3, 26)
START = "every point; lines: exact paths to tau = 6"
STARTS = np.array([(-2.7, 1.2), (-1.6, 2.4), (0.3, 1.2), (1.8, -2.9), (2.6, -1.0), (-0.4, -1.9)])


def compute(n=601):
    """Return labels (n, n), the field on a coarse grid, the separatrix and exact paths."""
    flow, x = Flow(single_example([1]), linf(1)), np.linspace(-3, 3, n)
    plane = phase_portrait(flow, x, x, start=layer_plane)
    field = flow.field(layer_plane(COARSE[None], COARSE[:, None]))[..., 0]
    paths = [solve(flow, s[:, None], tau_end=6, save_at=200).theta[..., 0] for s in STARTS]
    arrays = {
        "x": x,
        "labels": plane.labels,
        "field": field,
        "card": style.card(plane, start=START),
    }
    return arrays | {"paths": paths, "curves": [curve for _, curve in plane.boundaries]}


def draw(caption, x, labels, **overlays):
    """Return the figure: regions, field, paths, separatrix, sliding segments, saddles."""
    figure, axes = style.panels(height=3.3)
    paint.regions(axes, x, x, labels)
    paint.vectors(axes, COARSE, COARSE, overlays["field"])
    paint.boundaries(axes, tuple(("", curve) for curve in overlays["curves"]))
    axes.plot(*overlays["paths"].transpose(2, 1, 0), color="#0072B2", linewidth=1.1)
    axes.plot([-1, 1, np.nan, 0, 0], [0, 0, np.nan, -1, 1], color="#CC79A7", linewidth=2.5)
    axes.plot([-1, 1], [-1, 1], "o", markerfacecolor="white", markeredgecolor="black", markersize=5)
    style.point_at(axes, {"sliding": ((0, -0.7), (-1.9, 0.4)), "saddle": ((1, 1), (1.5, 0.4))})
    axes.set(xlim=(-3, 3), ylim=(-3, 3), xlabel="$u$", ylabel="$v$", aspect="equal")
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_linf_two_layer", compute, draw)
