r"""Minor first, major last: one start near the critical scale under GD, l_inf-SAM and l_2-SAM.

Claims: gradient_flow_limit, linf_limit, l2_limit. Takes: 5 s.

What share of the predictor $\beta$ each of three features has, in original time, from one start 3 %
above the critical scale of $\ell_2$-SAM: two layers, $\mu = (1, 2, 3)$, feature 1 minor and 3
major. GD turns to the major feature at once. $\ell_\infty$-SAM, $\rho = 0.45$, ends at the minor
one for good, the only one that starts above $\rho$. $\ell_2$-SAM, $\rho = 1$, leans on the minor
feature first, for all of any training that can be done, then on the next, and on the major one at
last: its limit for infinite time is that of GD.
"""

import numpy as np

from figures import style
from flowsam import Flow, balanced, gradient_flow, l2, linf, single_example, solve
from flowsam.amplification import critical_scale

FAST, END = {"rows": 21}, 1e20
PROFILE, ABOVE = np.array([1.1, 0.95, 0.95]), 1.03
RULES = gradient_flow(), linf(0.45), l2(1)
LOOKS = {
    "GD": ("GD: major at once", {"major": (1e10, 0.6)}),
    "l_inf-SAM": (r"$\ell_\infty$-SAM: minor for good", {"minor": (1e10, 0.5)}),
    "l_2-SAM": (
        r"$\ell_2$-SAM: minor first, major last",
        {"minor": (90, 0.5), "next": (2e11, 0.5), "major": (1e17, 0.6)},
    ),
}


def compute(rows=201):
    """Return columns (log(1 + t), beta) of each rule, to log(1 + t) = 1e20."""
    data = single_example([1, 2, 3])
    alpha = ABOVE * critical_scale(data.z[0], 1.0, profile=PROFILE) * PROFILE
    log_t = np.geomspace(0.1, END, rows)
    runs = [
        solve(Flow(data, rule), balanced(alpha, 2), log_t_end=END, save_at=log_t) for rule in RULES
    ]
    arrays = {run.perturbation.name: np.column_stack([run.log_t, run.beta]) for run in runs}
    start = f"alpha = ({', '.join(f'{x:.4f}' for x in alpha)}), {ABOVE:g} times critical for l_2"
    return arrays | {"card": style.card(*runs, clock=style.ORIGINAL, start=start)}


def draw(**runs):
    """Return the figure: shares of the features over log t, one panel a rule."""
    figure, axes = style.panels(3, width=style.PAGE, height=2.3)
    for panel, (rule, run) in zip(axes, runs.items(), strict=True):
        title, places = LOOKS[rule]
        shares = run[:, 1:] / run[:, 1:].sum(1, keepdims=True)
        panel.stackplot(run[:, 0], shares.T, colors=style.ranks(3), alpha=0.75, linewidth=0)
        for word, place in places.items():
            box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1.5}
            panel.text(*place, word, ha="center", va="center", fontsize=7.5, bbox=box)
        panel.set(xscale="log", xlabel=r"$\log(1 + t)$", title=title, ylim=(0, 1))
        panel.set(xlim=(run[0, 0], run[-1, 0]), xticks=[1, 1e5, 1e10, 1e15, 1e20])
        panel.minorticks_off()
        panel.tick_params(labelleft=panel is axes[0])
    axes[0].set_ylabel(r"share of $\beta$")
    return figure


if __name__ == "__main__":
    style.save("fig_rules_compared", compute, draw)
