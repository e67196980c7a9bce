"""The regimes of l_2-SAM from uniform starts: over alpha and rho, and over the ratio of two mu.

Claims: l2_amplification_in_scale, l2_critical_scale. Takes: 3 s.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Flow, l2, phase_portrait, single_example
from flowsam.amplification import regimes
from flowsam.portrait.planes import RadiusPlane

FAST, MU = {"n": 15, "points": 7}, np.array([1.0, 2.0, 3.0])
NAMES = ["all fall", "$\\alpha^*$", "$a_1$", "$a_2$"]


def compute(n=201, points=25):
    """Return labels over (alpha, rho), slopes alpha/rho of the thresholds, and those over m."""
    x = np.linspace(1 / n, 1, n)
    flow, start = Flow(single_example(MU), l2(1.0)), RadiusPlane(np.ones((2, 3)))
    plane = phase_portrait(flow, x, 2 * x, start=start)
    ratio = 1 + np.geomspace(0.02, 30, points)
    found = [regimes(mu, 1.0) for mu in (MU, *([1.0, m] for m in ratio))]
    marks = [[f.falling, f.critical, *f.thresholds] for f in found]
    words = {"rho": "vertical, right 1", "start": "alpha in every weight; right: mu = (1, m)"}
    arrays = {"x": x, "labels": plane.labels, "slopes": np.array(marks[0]), "ratio": ratio}
    return arrays | {"marks": np.array(marks[1:]), "card": style.card(plane, **words)}


def draw(caption, x, labels, slopes, **arrays):
    """Return the figure: limits with the rays of the thresholds; thresholds over the ratio."""
    figure, (left, right) = style.panels(2, width=style.PAGE, height=2.8)
    paint.regions(left, x, 2 * x, labels)
    for slope, name, dash in zip(slopes, NAMES, ("--", "-", ":", ":"), strict=True):
        left.plot([0, 2 * slope], [0, 2], color="black", linestyle=dash, linewidth=0.9)
        top = min(2.0, 1 / slope)
        left.text(slope * top, top, f" {name}", va="bottom" if top == 2 else "center", fontsize=7)
    left.set(xlabel="initial scale $\\alpha$", ylabel="radius $\\rho$", xlim=(0, 1), ylim=(0, 2))
    steps = ["every weight falls", "1 leads, then all collapse", "1, then 2", "2 from the start"]
    ratio, marks = arrays["ratio"] - 1, arrays["marks"]
    edges = np.column_stack([0 * ratio, marks, 0 * ratio + 1.2])
    for k, colour in enumerate(("#FFFFFF", *style.ranks(5)[2:])):
        right.fill_between(ratio, edges[:, k], edges[:, k + 1], color=colour, alpha=0.45, lw=0)
        middle = np.argmin(np.abs(ratio - (0.1, 4.0, 4.0, 0.1)[k]))
        height = edges[middle, k : k + 2].mean()
        right.text(ratio[middle], height, steps[k], ha="center", fontsize=6.5)
    for mark, dash in zip(marks.T, ("--", "-", ":"), strict=True):
        right.plot(ratio, mark, color="black", linestyle=dash, linewidth=0.9)
    right.set(xscale="log", xlabel="$\\mu_2/\\mu_1-1$", ylabel="$\\alpha/\\rho$", ylim=(0, 1.2))
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_amplification_regimes", compute, draw)
