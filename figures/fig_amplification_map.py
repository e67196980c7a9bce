"""Which coordinate of beta leads, over the size of the start and time: l_2-SAM, and GD beside it.

Claims: l2_amplification_in_time, l2_amplification_in_scale, finite_vs_infinite. Takes: 2 s.
"""

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap

from figures import style
from flowsam import Flow, balanced, l2, single_example, solve
from flowsam.amplification import dominance, regimes

FAST, RHO, END = {"n": 41}, 1.0, 6.0


def compute(n=601):
    """Return alpha (n,), tau (n,), the leaders of both rules (2, n, n), and the thresholds."""
    mu, tau = np.array([1.0, 1.5, 2.0, 2.5, 3.0, 4.0]), np.linspace(0, END, n)
    found = regimes(mu, RHO)
    alpha = np.linspace(0.4 * found.falling, 1.15 * found.major, n)
    leaders = np.stack([dominance(mu, rho, alpha, tau) for rho in (RHO, 0.0)])
    run = solve(Flow(single_example(mu), l2(RHO)), balanced(alpha[-1] + 0 * mu, 2), tau_end=END)
    words = {"rule": "l_2-SAM and GD", "start": "alpha in every weight"}
    words["lines"] = "dashed: below it all fall from the start; full: alpha*; dotted: a_1 to a_5"
    marks = np.array([found.falling, found.critical, *found.thresholds])
    card = style.card(run, **words)
    return {"alpha": alpha, "tau": tau, "leaders": leaders, "marks": marks, "card": card}


def draw(caption, alpha, tau, leaders, marks):
    """Return the figure: one map a rule, leaders as colours, thresholds as lines."""
    figure, axes = style.panels(2, width=style.PAGE, widths=(2.2, 1))
    colours, norm = ListedColormap(["white", *style.ranks(6)]), BoundaryNorm(np.arange(-0.5, 7), 7)
    for panel, leader, rule in zip(axes, leaders, ("$\\ell_2$-SAM", "GD"), strict=True):
        mesh = panel.pcolormesh(alpha, tau, leader.T, cmap=colours, norm=norm, rasterized=True)
        panel.set_title(rule, loc="left", pad=14)
        panel.set(xlabel="initial scale $\\alpha$", ylabel="rescaled time $\\tau$")
    for place, dash in zip(marks, ["--", "-", *[":"] * 9], strict=False):
        axes[0].axvline(place, color="black", linewidth=0.8, linestyle=dash)
    names = ["all fall", "$\\alpha^*$ ", *(f" $a_{k}$" for k in range(1, len(marks) - 1))]
    sides = ["center", "right", "left", *["center"] * 9]
    for place, name, side in zip(marks, names, sides, strict=False):
        axes[0].text(place, 1.01 * END, name, ha=side, va="bottom", fontsize=7)
    axes[0].text(marks[:2].mean(), 3.5, "collapsed", ha="center")
    axes[1].text(alpha.mean(), END / 2, "6 leads\nfrom the start", ha="center", va="center")
    bar = figure.colorbar(mesh, ax=axes, ticks=range(1, 7), label="leading coordinate")
    bar.ax.set_ylim(0.5, 6.5)
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_amplification_map", compute, draw)
