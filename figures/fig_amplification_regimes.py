r"""The ratio of scale to radius decides which features lead in turn under l_2-SAM.

Claims: l2_amplification_in_scale, l2_critical_scale. Takes: 4 s.

Two layers under $\ell_2$-SAM, every weight $\alpha$ at the start. Left: $\mu = (1, 2, 6)$; between
two rays the same features lead in the same turn, written along them, and 0 is a collapse. Lines are
exact: below $\alpha^*$ the flow collapses, between $\alpha^*$ and $a_1$ the minor feature leads for
a while, beyond $a_2$ the major one from the start; circles are where computed limits change. Right:
the same for $\mu = (1, m)$ over the ratio of the two, at $\rho = 1$.
"""

import numpy as np

from figures import style
from flowsam import Flow, l2, phase_portrait, single_example
from flowsam.amplification import regimes, uniform_leaders
from flowsam.portrait.planes import RadiusPlane

FAST, START = {"n": 15, "points": 7}, RadiusPlane(np.ones((2, 3)))
MU = np.array([1.0, 2.0, 6.0])
NAMES = (r"$\leftarrow$ all fall", r"2 first $\rightarrow$", r"$\alpha^{*}$", "$a_1$", "$a_2$")
DASHES = ("--", "-.", "-", ":", ":")
COLOURS = ("#FFFFFF", "#DCE9EE", "#B9D5DE", "#A9DDB8", "#C9E7B4", "#F3EFA0")  # 0 blue, then major
STEPS = (
    (r"all fall, to 0", 0.12),
    (r"1 $\to$ 0", 6.0),
    (r"1 $\to$ 2: minor first", 0.5),
    ("2 throughout", 0.15),
)


def compute(n=201, points=17):
    """Return limits over (alpha, rho), rays alpha/rho, leaders between them, and rays over m."""
    x, ratio = np.linspace(1 / n, 1, n), 1 + np.geomspace(0.02, 30, points)
    plane = phase_portrait(Flow(single_example(MU), l2(1.0)), x, 2 * x, start=START)
    found = [regimes(mu, 1.0) for mu in (MU, *([1.0, m] for m in ratio))]
    (low, *rest), *marks = [[f.falling, f.critical, *f.thresholds] for f in found]
    slopes = np.array([low, MU[:2].sum() / np.sqrt(2 * MU @ MU), *rest])
    found = [uniform_leaders(MU, 1.0, slope) for slope in np.append(0.01, slopes + 0.01)]
    order = ["-".join(map(str, seen)) + ("" if seen[-1] == 3 else "-0") for seen in found]
    words = {"rho": "vertical; right: 1", "start": "alpha in every weight; right: mu = (1, m)"}
    arrays = {"x": x, "labels": plane.labels, "slopes": slopes, "ratio": ratio, "order": order}
    return arrays | {"marks": np.array(marks), "card": style.card(plane, **words)}


def draw(x, labels, slopes, **arrays):
    """Return the figure: who leads in turn between the rays of the thresholds; over the ratio."""
    ratio, marks, order = (arrays[name] for name in ("ratio", "marks", "order"))
    figure, (left, right) = style.panels(2, width=style.PAGE, height=2.8)
    edges = np.array([1e-3, *slopes, 1e3])
    rise = np.array([0, 1])
    for k, colour in enumerate(COLOURS):
        left.fill_between(rise, rise / edges[k + 1], rise / edges[k], color=colour, lw=0)
    for slope, name, dash in zip(slopes, NAMES, DASHES, strict=True):
        left.axline((0, 0), slope=1 / slope, color="black", linestyle=dash, linewidth=0.9)
        side = "right" if name.endswith("fall") else "left"
        place = min(1.01, 2.02 * slope), min(2.02, 1 / slope)
        left.text(*place, name, fontsize=7, va="bottom", ha=side)
    middles = (np.append(0, slopes) + np.append(slopes, 1.7)) / 2
    for middle, word in zip(middles, order, strict=True):
        spot = min(0.85, 1.7 * middle)
        turn = np.degrees(np.arctan(1 / middle))
        text = left.text(spot, spot / middle, turns(word), rotation=turn, fontsize=7)
        text.set(transform_rotates_text=True, ha="center", va="center")
    some = np.arange(len(x) // 10, len(x), max(len(x) // 9, 1))
    first = np.argmax(labels[some] > 0, axis=1)
    seen = labels[some, first] > 0
    dots = {"color": "black", "fillstyle": "none", "markersize": 3.5}
    left.plot(x[first[seen]], 2 * x[some[seen]], "o", **dots)
    left.set(xlabel=r"initial scale $\alpha$", ylabel=r"radius $\rho$", xlim=(0, 1), ylim=(0, 2))
    left.set_title(r"$\alpha/\rho$ decides who leads in turn", pad=14)
    over = np.insert(marks, [0, 3], [0.0, 1.2], axis=1)
    for k, (word, near) in enumerate(STEPS):
        low, high = over[:, k], over[:, k + 1]
        spot = np.argmin(np.abs(ratio - 1 - near))
        right.fill_between(ratio - 1, low, high, color=COLOURS[k + (k > 1) + (k > 2)], lw=0)
        right.plot(ratio - 1, high, color="black", linestyle=("--", "-", ":", "")[k], linewidth=0.9)
        right.text(near, (low + high)[spot] / 2, word, ha="center", fontsize=7)
    right.set(xscale="log", xlabel=r"$\mu_2/\mu_1-1$", ylabel=r"$\alpha/\rho$", ylim=(0, 1.2))
    right.set_title("two features: minor first above collapse", pad=14)
    return figure


def turns(word):
    """Return leaders in turn with arrows."""
    return r"$\to$".join(str(word).replace(", all fall", "").split("-"))


if __name__ == "__main__":
    style.save("fig_amplification_regimes", compute, draw)
