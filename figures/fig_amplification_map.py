r"""Which feature leads over scale and time: l_2-SAM passes through all of them, GD does not.

Claims: l2_amplification_in_time, l2_amplification_in_scale, finite_vs_infinite. Takes: 3 s.

Six features, $\mu = (1, 1.5, 2, 2.5, 3, 4)$, two layers, every weight $\alpha$ at the start, $\rho
= 1$. Colours and numbers say which feature leads in $\beta$, dark is minor. Left of the critical
scale $\alpha^*$ the flow collapses after the minor feature has led; right of it the lead passes
from minor to major, feature by feature, the sooner the larger $\alpha$. Lines are the exact
thresholds: dashed, below it all fall from the start; $a_k$, above it feature $k$ never leads. Under
GD the major feature leads throughout. The axis is logarithmic on both sides of 0 and linear within
0.002 of it.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from flowsam import Flow, balanced, l2, single_example, solve
from flowsam.amplification import dominance, regimes

FAST, RHO, END = {"n": 21}, 1.0, 6.0
TITLES = r"$\ell_2$-SAM: minor first, major last", "GD: major throughout"
MU, NEAR = np.array([1.0, 1.5, 2.0, 2.5, 3.0, 4.0]), 2e-3


def compute(n=301):
    """Return alpha/alpha* - 1 (m,), tau (2n,), leaders (2, m, 2n) of both, and thresholds."""
    found, tau = regimes(MU, RHO), np.linspace(0, END, 2 * n)
    middle = np.linspace(-NEAR, NEAR, 2 * (n // 20) + 2)
    off = np.concatenate([-np.geomspace(0.9, NEAR, n), middle[1:-1], np.geomspace(NEAR, 2.5, n)])
    alpha = found.critical * (1 + off)
    leaders = np.stack([dominance(MU, rho, alpha, tau) for rho in (RHO, 0.0)])
    run = solve(Flow(single_example(MU), l2(RHO)), balanced(alpha[-1] + 0 * MU, 2), tau_end=END)
    words = {"rule": "l_2-SAM and GD", "rho": "1; GD: 0", "start": "alpha in every weight"}
    words["lines"] = "dashed: below it all fall from the start; full: alpha*; dotted: a_1 to a_5"
    marks = np.array([found.falling, found.critical, *found.thresholds]) / found.critical - 1
    arrays = {"off": off, "tau": tau, "leaders": leaders, "marks": marks}
    return arrays | {"card": style.card(run, **words)}


def draw(off, tau, leaders, marks):
    """Return the figure: one map a rule, leaders as colours, thresholds as lines."""
    figure, axes = style.panels(2, width=style.PAGE, height=2.9, widths=(3.4, 1))
    scale, ticks = {"linthresh": NEAR, "linscale": 0.1}, [-0.1, -0.01, 0, 0.01, 0.1, 1]
    for panel, leader, title in zip(axes, leaders, TITLES, strict=True):
        paint.leaders(panel, off, tau, leader, ranks=np.arange(MU.size))
        panel.set_title(title, pad=14)
        panel.set_xscale("symlog", **scale)
        panel.set(
            xlabel=r"start against the critical scale, $\alpha/\alpha^{*}-1$", xlim=off[[0, -1]]
        )
        panel.set_xticks(ticks, [f"{x:g}" for x in ticks])
        panel.minorticks_off()
    axes[1].set(xlabel=r"$\alpha/\alpha^{*}-1$", ylabel="", xticks=[-0.1, 0, 1], yticklabels=[])
    names = ["all fall", r"$\alpha^{*}$", *(f"$a_{k}$" for k in range(1, len(marks) - 1))]
    for place, name, dash in zip(marks, names, ["--", "-", *":::::"], strict=True):
        axes[0].axvline(place, color="black", linewidth=0.8, linestyle=dash)
        axes[0].text(place, 1.01 * END, name, ha="center", va="bottom", fontsize=7)
    written = {text.get_text() for text in axes[0].texts}
    for k in {2, 3, 4, 5} - {int(word) for word in written if word.isdigit()}:
        band = off[leaders[0, :, tau.size // 2] == k]
        spot = (np.sqrt(band[0] * band[-1]), tau[tau.size // 2])
        colour = "white" if k < 4 else "black"
        axes[0].text(*spot, k, ha="center", va="center", color=colour, fontsize=7)
    return figure


if __name__ == "__main__":
    style.save("fig_amplification_map", compute, draw)
