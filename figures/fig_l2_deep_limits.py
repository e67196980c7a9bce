r"""Where l_2-SAM ends beyond two layers: a winner by the kept order, zero, or a finite stall.

Claims: l2_deep_limits, l2_stalling. Takes: 4 s.

Balanced starts $(\alpha_1, \alpha_2)$ under $\ell_2$-SAM with $\rho = 1$ and $\mu = (1, m)$,
coloured by the limit that certificates prove on the run. The circle is where both features rest,
the line where their scores $\mu_j w_j^{L-2}$ are equal. With three layers nothing collapses; for $m
= 6$, beyond the ratio $2 + \sqrt{3}$, some starts stall at a finite predictor. With four layers
small starts collapse to 0 and the scores decide the others.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Flow, l2, phase_portrait, single_example

TITLES = {(3, 2.0): "one of them wins", (3, 6.0): "some stall"}
TITLES |= {(4, 2.0): "small starts collapse", (4, 6.0): "small starts collapse"}
TICKS = (0, 0.4, 0.8)
FAST, RHO, CASES = {"n": 15}, 1.0, ((3, 2.0), (3, 6.0), (4, 2.0), (4, 6.0))


def compute(n=201):
    """Return labels (4, n, n) over balanced starts, and where both coordinates rest (4, 2)."""
    x = np.linspace(0.8 / n, 0.8, n)
    cases = [(depth, Flow(single_example([1.0, m]), l2(RHO))) for depth, m in CASES]
    planes = [phase_portrait(flow, x, x, depth=depth) for depth, flow in cases]
    scores = [flow.mu ** (-1 / (depth - 2)) for depth, flow in cases]
    rest = [RHO * s / np.sqrt(depth * (s @ s)) for (depth, _), s in zip(cases, scores, strict=True)]
    words = {"L": "3 and 4", "data": "mu = (1, m)", "start": "balanced alpha_1, alpha_2"}
    arrays = {"x": x, "labels": np.stack([p.labels for p in planes]), "rest": np.array(rest)}
    return arrays | {"card": style.card(*planes, **words)}


def draw(x, labels, rest):
    """Return the figure: one plane of starts for each depth and ratio."""
    figure, axes = style.panels(4, width=style.PAGE, height=2.2)
    for panel, found, point, (depth, m) in zip(axes, labels, rest, CASES, strict=True):
        paint.regions(panel, x, x, found, size="medium")
        first = 0 if depth % 2 else 1  # at even L scores decide from the circle on
        panel.plot(*np.array([first * point, 9 * point]).T, color="black")
        panel.plot(*point, "o", color="white", markeredgecolor="black")
        panel.set(xlabel=r"$\alpha_1$ (minor)", aspect="equal", xticks=TICKS, yticks=TICKS)
        panel.set(xlim=(0, x[-1]), ylim=(0, x[-1]))
        panel.set_title(f"$L={depth}$, $m={m:g}$:\n{TITLES[depth, m]}")
        panel.tick_params(labelleft=panel is axes[0])
    axes[0].set_ylabel(r"$\alpha_2$ (major)")
    style.point_at(axes[1], {"stalls": ((0.4, 0.03), (0.1, 0.2))})
    return figure


if __name__ == "__main__":
    style.save("fig_l2_deep_limits", compute, draw)
