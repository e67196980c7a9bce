r"""Minor first, major last beyond two layers: who leads under l_2-SAM at L = 3 and 4, and how far.

Claim: l2_deep. Takes: 3 s.

$\ell_2$-SAM with $\rho = 1$ on $\mu = (1, 2, 3)$, every weight $\alpha$ at the start. Left: which
feature leads in $\beta$, over $\alpha$ and the share of the run in rescaled time. With three layers
every start ends at the major feature, 3; with four, those left of the white line collapse to 0.
Right: one run each, from $\alpha = 0.5$ and from $0.6$: $\log_{10}(\beta_k/\beta_3)$ rises while
minor features lead, stays below the bound $(\mu_3/\mu_k)^{L/(L-2)}$, dashed, and falls at the end.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from figures.deep_runs import deep_paths
from flowsam import Flow, balanced, l2, limits, single_example

FAST, RHO, DEPTHS = {"n": 7, "points": 31}, 1.0, (3, 4)
MU, ALPHAS = np.array([1.0, 2.0, 3.0]), {3: 0.5, 4: 0.6}
TITLES = ("feature 3 leads in the end", "the same above collapse")


def compute(n=225, points=301):
    """Return leaders (2, n, points) over shares of the run, labels, and one run a depth."""
    alpha, share = np.linspace(0.1, 1.5, n), np.linspace(0, 1, points)
    flow, starts = Flow(single_example(MU), l2(RHO)), np.repeat(alpha[:, None], 3, axis=1)
    leaders = [deep_paths(flow, alpha, L, share).argmax(axis=1) + 1 for L in DEPTHS]
    sizes = [L * deep_paths(flow, [ALPHAS[L]], L, share)[0] for L in DEPTHS]
    ends = np.stack([limits(flow, balanced(starts, depth)) for depth in DEPTHS])
    facts = {"rule": "l_2-SAM", "rho": RHO, "L": "3 and 4", "data": f"mu = {MU.tolist()}"}
    facts |= {"start": "alpha in every weight; right: 0.5 at L = 3, 0.6 at L = 4", "loss": "any"}
    facts |= {"clock": "tau (rescaled) over its last", "method": "DOP853 in log w"}
    card = style.card(**facts, tolerances="rtol 1e-8")
    arrays = {"alpha": alpha, "share": share, "leaders": np.array(leaders), "ends": ends}
    return arrays | {"sizes": np.array(sizes), "card": card}


def draw(alpha, share, leaders, ends, sizes):
    """Return the figure: for each depth the leaders over alpha and time, and one run."""
    figure, axes = style.panels(2, rows=2, width=style.PAGE, height=4.4)
    colours = style.ranks(3)
    for k, (left, right) in enumerate(axes):
        depth = DEPTHS[k]
        paint.leaders(left, alpha, share, leaders[k], ranks=np.arange(3))
        left.set(title=f"$L={depth}$: {TITLES[k]}", ylabel="share of the run's time")
        for first in np.flatnonzero(np.diff(ends[k] == 0)):
            left.axvline(alpha[first : first + 2].mean(), color="white")
            left.text(0.13, 0.04, "collapses", rotation=90, color="white", fontsize=7)
        for j, size in enumerate((sizes[k] - sizes[k][2]) / np.log(10)):
            bound = np.log10(MU[2] / MU[j]) * depth / (depth - 2)
            right.plot(share, size, color=colours[j], linewidth=1.6, label=f"feature {j + 1}")
            if j < 2:
                right.axhline(bound, color=colours[j], linestyle="--", linewidth=1.0)
                right.text(0, bound, f"bound for feature {j + 1}", va="bottom", fontsize=7)
        words = f"$L={depth}$, $\\alpha={ALPHAS[depth]}$: minor ones ahead, bounded"
        right.legend(loc="lower left", ncols=3, handlelength=1.2)
        right.set(title=words, ylim=(-0.5, 1.7), ylabel=r"$\log_{10}(\beta_k/\beta_3)$")
    axes[1, 0].set_xlabel(r"initial scale $\alpha$")
    axes[1, 1].set_xlabel("share of the run's time")
    return figure


if __name__ == "__main__":
    style.save("fig_l2_deep", compute, draw)
