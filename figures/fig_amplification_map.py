"""Which coordinate of beta leads, over the size of the start and time: l_2-SAM, and GD beside it.

Claims: l2_amplification_in_time, l2_amplification_in_scale, finite_vs_infinite. Takes: 2 s.
"""

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap

from figures import style
from flowsam import Flow, balanced, l2, single_example, solve
from flowsam.amplification import dominance, regimes

FAST, RHO = {"n": 41}, 1.0
COLOURS = ["#DDDDDD", "#0072B2", "#56B4E9", "#009E73", "#F0E442", "#E69F00", "#D55E00"]


def compute(n=401):
    """Return alpha (n,), tau (n,), the leaders of both rules (2, n, n), and the thresholds."""
    mu, tau = np.array([1.0, 1.5, 2.0, 2.5, 3.0, 4.0]), np.linspace(0, 12, n)
    found = regimes(mu, RHO)
    alpha = np.linspace(0.4 * found.falling, 1.15 * found.major, n)
    leaders = np.stack([dominance(mu, rho, alpha, tau) for rho in (RHO, 0.0)])
    run = solve(Flow(single_example(mu), l2(RHO)), balanced(alpha[-1] + 0 * mu, 2), tau_end=12)
    words = {"rule": "l_2-SAM and GD", "start": "alpha in every weight"}
    words["lines"] = "lines: where all fall, alpha*, a_1 to a_5"
    marks = np.array([found.falling, found.critical, *found.thresholds])
    return {"alpha": alpha, "tau": tau, "leaders": leaders, "marks": marks} | {
        "card": style.card(run, **words)
    }


def draw(caption, alpha, tau, leaders, marks):
    """Return the figure: one map a rule, leaders as colours, thresholds as lines."""
    figure, axes = style.panels(2, width=style.PAGE)
    norm = BoundaryNorm(np.arange(-0.5, 7), 7)
    for panel, leader, rule in zip(axes, leaders, ("$\\ell_2$-SAM", "GD"), strict=True):
        picture = (alpha, tau, leader.T, ListedColormap(COLOURS))
        mesh = panel.pcolormesh(*picture[:3], cmap=picture[3], norm=norm, rasterized=True)
        panel.set(title=rule, xlabel="$\\alpha$", ylabel="$\\tau$")
    for place, dash in zip(marks, ["--", "-", *[":"] * 9], strict=False):
        axes[0].axvline(place, color="black", linewidth=0.7, linestyle=dash)
    bar = figure.colorbar(mesh, ax=axes, ticks=range(7), label="leading coordinate")
    bar.set_ticklabels(["collapsed", *"123456"])
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_amplification_map", compute, draw)
