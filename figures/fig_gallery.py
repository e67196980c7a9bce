r"""A gallery: where balanced starts end under six rules at two, three and four layers.

Claims: l2_limit, l2_deep_limits, decided_states, sinking, unnormalised_stalling, l1_deep.
Takes: 11 s.

Limits of balanced starts between 0 and 2 for $\mu = (1, 2)$: blue $e_1$, the minor feature, yellow
$e_2$, the major one, light grey 0, dark grey a finite predictor; $\rho = 1$, and 8 for unnormalised
SAM, whose steps are long only where gradients are. At two layers $\ell_2$ is the last of the
$\ell_p$ rules under which the major feature wins wherever nothing collapses. With more layers the
minor feature can win under every rule.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Flow, l2, linf, lp, phase_portrait, single_example, unnormalised
from flowsam.portrait import refine

FAST, DEPTHS, REACH = {"n": 12, "levels": 1}, (2, 3, 4), 2.0
RULES = {r"$\ell_1$": lp(1, p=1), r"$\ell_{1.5}$": lp(1, p=1.5), r"$\ell_2$": l2(1)}
RULES |= {r"$\ell_3$": lp(1, p=3), r"$\ell_\infty$": linf(1), "unnormalised": unnormalised(8)}


def compute(n=30, levels=3):
    """Return the grid, labels (18, n, n), curves (panel, x, y), tiles (panel, label, corners)."""
    data, x = single_example([1, 2]), np.linspace(0.01, REACH, n)
    labels, curves, tiles = [], [], []
    planes = []
    for panel, (depth, rule) in enumerate((L, r) for L in DEPTHS for r in RULES.values()):
        plane = refine(phase_portrait(Flow(data, rule), x, x, depth=depth), levels=levels)
        planes.append(plane)
        fill = plane.refinement.tiling
        labels.append(fill.grid)
        place = [np.full(fill.labels.size, panel), fill.labels]
        tiles.append(np.column_stack([*place, fill.corners.reshape(-1, 10)]))
        for _, curve in plane.boundaries:
            ends = np.vstack([curve, [[np.nan] * 2]])
            curves.append(np.column_stack([np.full(len(ends), panel), ends]))
    words = {"rule": "rules as named", "rho": "1 (unnormalised: 8)", "L": "2, 3, 4"}
    words |= {"start": "balanced, every point"}
    arrays = {"cells": x, "labels": np.array(labels), "curves": np.vstack(curves)}
    return arrays | {"tiles": np.vstack(tiles), "card": style.card(*planes, **words)}


def draw(cells, labels, curves, tiles):
    """Return the figure: a row a depth, a column a rule."""
    figure, axes = style.panels(6, rows=3, width=style.PAGE, height=3.75)
    for k, panel in enumerate(axes.flat):
        paint.regions(panel, cells, cells, labels[k], size="small")
        fill = tiles[tiles[:, 0] == k]
        paint.tiles(panel, fill[:, 1].astype(int), fill[:, 2:].reshape(-1, 5, 2))
        panel.plot(*curves[curves[:, 0] == k, 1:].T, color="black", linewidth=0.9)
        panel.set(aspect="equal", xticks=(), yticks=(), xlim=(0, REACH), ylim=(0, REACH))
    for panel, name in zip(axes[0], RULES, strict=True):
        panel.set_title(name, fontsize=9)
    for row, depth in zip(axes, DEPTHS, strict=True):
        row[0].set_ylabel(f"$L = {depth}$;  $\\alpha_2$ (major)", fontsize=7)
    for panel in axes[-1]:
        panel.set_xlabel(r"$\alpha_1$ (minor)", fontsize=7)
    return figure


if __name__ == "__main__":
    style.save("fig_gallery", compute, draw)
