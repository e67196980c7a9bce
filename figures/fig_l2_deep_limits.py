"""Where l_2-SAM ends beyond two layers: a winner by the kept order, zero, or a finite stall.

Claims: l2_deep_limits, l2_stalling. Takes: 5 s.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Flow, l2, phase_portrait, single_example

FAST, RHO, CASES = {"n": 15}, 1.0, ((3, 2.0), (3, 6.0), (4, 2.0), (4, 6.0))


def compute(n=201):
    """Return labels (4, n, n) over balanced starts, and where both coordinates rest (4, 2)."""
    x = np.linspace(0.8 / n, 0.8, n)
    cases = [(depth, Flow(single_example([1.0, m]), l2(RHO))) for depth, m in CASES]
    planes = [phase_portrait(flow, x, x, depth=depth) for depth, flow in cases]
    scores = [flow.mu ** (-1 / (depth - 2)) for depth, flow in cases]
    rest = [RHO * s / np.sqrt(depth * (s @ s)) for (depth, _), s in zip(cases, scores, strict=True)]
    words = {"L": "3 and 4", "data": "mu = (1, m)", "start": "balanced alpha_1, alpha_2"}
    words["marks"] = "line: equal scores mu_j w_j^(L-2); circle: both at rest"
    words["method"] = "certificates on runs"
    arrays = {"x": x, "labels": np.stack([p.labels for p in planes]), "rest": np.array(rest)}
    return arrays | {"card": style.card(planes[0], **words)}


def draw(caption, x, labels, rest):
    """Return the figure: one plane of starts for each depth and ratio."""
    figure, axes = style.panels(4, width=style.PAGE, height=2.2)
    for panel, found, point, (depth, m) in zip(axes, labels, rest, CASES, strict=True):
        paint.regions(panel, x, x, found)
        first = 0 if depth % 2 else 1  # at even L scores decide from the circle on
        panel.plot(*np.array([first * point, 9 * point]).T, color="black")
        panel.plot(*point, "o", color="white", markeredgecolor="black")
        panel.set(title=f"$L={depth}$, $m={m:g}$", xlabel="$\\alpha_1$", aspect="equal")
        panel.set(xlim=(0, x[-1]), ylim=(0, x[-1]))
    axes[0].set_ylabel("$\\alpha_2$")
    style.point_at(axes[1], {"stalls": ((0.4, 0.03), (0.1, 0.2))})
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_l2_deep_limits", compute, draw)
