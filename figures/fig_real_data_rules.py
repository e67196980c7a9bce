r"""Digits 3 against 5 under three rules at depth 1, 2 and 3: where minor pixels come first at all.

Claims: l2_limit, depth_one_margin. Takes: 12 s.

The share that eight groups of pixels, strongest above, have in the mean prediction over original
time, from a uniform start just above the scale of collapse. Numbers: the share of the strongest
quarter at the start, at its least, and at the end; "open" where halving the step of an iterated
run has not settled. GD leans on strong pixels throughout, and with one layer so do all. Weak
pixels come first under $\ell_2$-SAM at two layers; at three layers, from these starts, hardly
under $\ell_2$-SAM and a little under $\ell_\infty$-SAM.
"""

import numpy as np

from figures import style
from flowsam import gradient_flow, l2, linf
from flowsam.real_data.leaning import Uniform, leaning
from flowsam.real_data.scale_scan import scale_unit
from flowsam.real_data.tables import digit_table

RHO, FACTOR = 0.1, 1.2
FAST = {"depths": (2,), "rows": 5, "end": 1.0}


def compute(depths=(1, 2, 3), rows=50, end=20.0):
    """Return shares by rank, one run a depth and rule, (depths, 3, rows, 8), and a table."""
    train, test = digit_table().standardised(test=0.25)
    log_t, runs = np.geomspace(0.05, end, rows), []
    for depth in depths:
        own, round_ = (scale_unit(train, rule, depth) for rule in (linf(RHO), l2(RHO)))
        units = {gradient_flow(): round_, linf(RHO): own, l2(RHO): round_}
        for rule, unit in units.items():
            start = Uniform(FACTOR * unit, depth)
            runs.append(leaning(train, test, rule, start=start, log_t=log_t))
    reached = (run.major[np.isfinite(run.major)] for run in runs)
    major = [(shares[0], shares.min(), shares[-1]) for shares in reached]
    card = style.card(
        rule="GD, l_inf-SAM and l_2-SAM", rho=f"{RHO}; GD: 0",
        L=", ".join(map(str, depths)), data=train.name,
        start=f"balanced, uniform, {FACTOR:g} units: the scale of collapse, or rho L^(-1/p)",
        clock=style.ORIGINAL, loss="logistic", tolerances="rtol 1e-6; l_inf: halved steps",
        method="DOP853, Radau; l_inf: iterated, white where its steps do not reach",
        numbers="numbers: share of the strongest quarter at the start, least, at the end",
    )  # fmt: skip
    ranks = np.reshape([run.ranks for run in runs], (len(depths), 3, rows, 8))
    open_ = [run.status == "sliding_ambiguous" for run in runs]
    arrays = {"log_t": log_t, "ranks": ranks, "major": major, "open_": open_}
    return arrays | {"depths": depths, "card": card}


def draw(log_t, ranks, major, open_, depths):
    """Return the figure: a heat map each, rows the depths, columns the rules."""
    figure, axes = style.panels(
        3, width=style.PAGE, rows=len(depths), height=1.2 * len(depths) + 0.9
    )
    axes = np.reshape(axes, (len(depths), 3))
    for at, shares, moves in zip(np.ndindex(axes.shape), major, open_, strict=True):
        panel, numbers = axes[at], r"{:.2f} $\to$ {:.2f} $\to$ {:.2f}".format(*shares)
        numbers += ", open" if moves else ""
        drawn = panel.pcolormesh(log_t, np.arange(8) + 1, ranks[at].T, vmin=0, vmax=0.5)
        panel.text(log_t[1], 8, numbers, color="white", fontsize=7, va="center")
        panel.set(xscale="log", yticks=[1, 8], yticklabels=["strong", "weak"], ylim=(8.5, 0.5))
        panel.set_ylabel(f"$L$ = {depths[at[0]]}; pixels" if at[1] == 0 else "")
        panel.tick_params(labelleft=at[1] == 0, labelbottom=at[0] == len(depths) - 1)
    for panel, name in zip(axes[0], ("GD", r"$\ell_\infty$-SAM", r"$\ell_2$-SAM"), strict=True):
        panel.set_title(name)
    axes[-1, 1].set_xlabel(r"$\log(1+t)$")
    figure.colorbar(drawn, ax=axes, label="share of the mean prediction", extend="max", aspect=40)
    return figure


if __name__ == "__main__":
    style.save("fig_real_data_rules", compute, draw)
