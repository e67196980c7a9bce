"""The regimes of l_2-SAM from uniform starts: over alpha and rho, and over the ratio of two mu.

Claims: l2_amplification_in_scale, l2_critical_scale. Takes: 3 s.
"""

import numpy as np

from figures import style
from flowsam import Flow, l2, phase_portrait, single_example
from flowsam.amplification import regimes, uniform_leaders
from flowsam.portrait.planes import RadiusPlane

FAST, START = {"n": 15, "points": 7}, RadiusPlane(np.ones((2, 3)))
MU, NAMES = np.array([1.0, 2.0, 6.0]), "all fall/2 leads first/$\\alpha^*$/$a_1$/$a_2$".split("/")
STEPS = (("1-0, all fall", 0.1), ("1-0", 6.0), ("1-2", 1.0), ("2", 0.1))


def compute(n=201, points=25):
    """Return limits over (alpha, rho), rays alpha/rho, leaders between them, and rays over m."""
    x, ratio = np.linspace(1 / n, 1, n), 1 + np.geomspace(0.02, 30, points)
    plane = phase_portrait(Flow(single_example(MU), l2(1.0)), x, 2 * x, start=START)
    found = [regimes(mu, 1.0) for mu in (MU, *([1.0, m] for m in ratio))]
    (low, *rest), *marks = [[f.falling, f.critical, *f.thresholds] for f in found]
    slopes = np.array([low, MU[:2].sum() / np.sqrt(2 * MU @ MU), *rest])
    found = [uniform_leaders(MU, 1.0, slope) for slope in np.append(0.01, slopes + 0.01)]
    order = ["-".join(map(str, seen)) + ("" if seen[-1] == 3 else "-0") for seen in found]
    words = {"rho": "vertical, right 1", "start": "alpha in every weight; right: mu = (1, m)"}
    words["shown"] = "numbers: who leads in turn, 0: collapse; lines: exact; grey: computed escapes"
    arrays = {"x": x, "labels": plane.labels, "slopes": slopes, "ratio": ratio, "order": order}
    return arrays | {"marks": np.array(marks), "card": style.card(plane, **words)}


def draw(caption, x, labels, slopes, **arrays):
    """Return the figure: who leads in turn between the rays of the thresholds; over the ratio."""
    figure, (left, right) = style.panels(2, width=style.PAGE, height=2.8)
    left.pcolormesh(x, 2 * x, labels > 0, cmap="Greys", vmax=5, rasterized=True)
    for slope, name, dash in zip(slopes, NAMES, ("--", "-.", "-", ":", ":"), strict=True):
        left.axline((0, 0), slope=1 / slope, color="black", linestyle=dash, linewidth=0.9)
        left.text(min(1, 2 * slope), 0.01 + min(2, 1 / slope), f" {name}", fontsize=7)
    middles = (np.append(0, slopes) + np.append(slopes, 1.7)) / 2
    for middle, order in zip(middles, arrays["order"], strict=True):
        spot, turn = min(0.85, 1.7 * middle), np.degrees(np.arctan(1 / middle))
        text = left.text(spot, spot / middle, order, rotation=turn, ha="center", va="center")
        text.set(transform_rotates_text=True, fontsize=7)
    left.set(xlabel="initial scale $\\alpha$", ylabel="radius $\\rho$", xlim=(0, 1), ylim=(0, 2))
    ratio, edges = arrays["ratio"] - 1, np.insert(arrays["marks"], [0, 3], [0.0, 1.2], axis=1)
    steps = zip(STEPS, ("#FFFFFF", *style.ranks(5)[2:]), ("--", "-", ":", ""), strict=True)
    for k, ((word, near), colour, dash) in enumerate(steps):
        low, high, spot = edges[:, k], edges[:, k + 1], np.argmin(np.abs(ratio - near))
        right.fill_between(ratio, low, high, color=colour, alpha=0.45, lw=0)
        right.plot(ratio, high, color="black", linestyle=dash, linewidth=0.9)
        right.text(ratio[spot], (low + high)[spot] / 2, word, ha="center", fontsize=7)
    right.set(xscale="log", xlabel="$\\mu_2/\\mu_1-1$", ylabel="$\\alpha/\\rho$", ylim=(0, 1.2))
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_amplification_regimes", compute, draw)
