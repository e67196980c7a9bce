r"""Signed starts under l_inf-SAM at L = 3, 4 and 5: which two layers' signs let a feature escape.

Claims: linf_signs, linf_slides. Takes: 3 s.

One feature under $\ell_\infty$-SAM, $\rho = 1$; layers 1 and 2 start as drawn, the others at the
values in the titles. Colours are the limits, white is not known, black curves the boundaries by
formula. Right: the three layers of one run, with its events.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Flow, linf, phase_portrait, single_example, solve
from flowsam.portrait.planes import WeightPlane

FAST, RHO = {"n": 41}, 1.0
REST = {3: [1.7], 4: [-0.6, 2.6], 5: [3.2, -2.8, 3.0]}
START = [[-0.35], [2.6], [1.3]]


def compute(n=301, rows=401):
    """Return labels (3, n, n), the boundary curves, and one run that crosses, turns and slides."""
    flow, x = Flow(single_example([1.0]), linf(RHO)), np.linspace(-4.3, 4.3, n)
    y = x + 1e-3  # off the diagonals, where two equal layers meet a saddle
    arrays = {"cells": x}
    for depth, rest in REST.items():
        theta = np.array([[0.0], [0.0], *([w] for w in rest)])
        plane = phase_portrait(flow, x, y, start=WeightPlane(theta, (0, 0), (1, 0)))
        arrays[f"labels_{depth}"] = plane.labels
        gap = np.full((1, 2), np.nan)
        rows_of = [part for _, curve in plane.boundaries for part in (curve, gap)]
        arrays[f"curves_{depth}"] = np.concatenate(rows_of)
    run = solve(flow, START, tau_end=9.0, save_at=rows)
    arrays |= {"run": np.c_[run.tau, run.theta[:, :, 0]], "words": [e.kind for e in run.events]}
    card = style.card(plane, start="layers 1 and 2 as drawn, others in brackets", L="3, 4, 5")
    return arrays | {"ends": [e.tau for e in run.events], "card": card}


def draw(cells, run, ends, words, **arrays):
    """Return the figure: three planes with their curves, and the weights of one run."""
    figure, axes = style.panels(4, width=style.PAGE, height=2.0, widths=(1, 1, 1, 1.3))
    for panel, (depth, rest) in zip(axes, REST.items(), strict=False):
        paint.regions(panel, cells, cells, arrays[f"labels_{depth}"])
        panel.plot(*arrays[f"curves_{depth}"].T, color="black", linewidth=0.9)
        others = ", ".join(f"${w:g}$" for w in rest)
        panel.set(aspect="equal", xlabel="layer 1", xlim=cells[[0, -1]], ylim=cells[[0, -1]])
        panel.set(xticks=(-3, 0, 3), yticks=(-3, 0, 3), ylabel="layer 2" if depth == 3 else "")
        panel.set_title(f"$L = {depth}$, others {others}", fontsize=7)
        panel.tick_params(labelleft=panel is axes[0])
    tau, *lines = run.T
    for k, (dash, line) in enumerate(zip(("-", "--", ":"), lines, strict=True)):
        axes[3].plot(tau, line, dash, label=f"layer {k + 1}")
    for end, word in zip(ends, words, strict=True):
        axes[3].axvline(end, color="black", linewidth=0.6)
        axes[3].text(end + 0.005, -0.12, word, rotation=90, va="top", fontsize=6.5)
    axes[3].set(xlabel=r"rescaled time $\tau$", title="a run: turn, slide, end", ylabel="weight")
    axes[3].set(xlim=(-0.02, 0.78), ylim=(-0.85, 2.8), box_aspect=0.78)
    axes[3].legend(loc=(0.4, 0.52), fontsize=6.5)
    return figure


if __name__ == "__main__":
    style.save("fig_linf_signs", compute, draw)
