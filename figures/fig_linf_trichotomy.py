r"""Suppressed, held or released: under l_inf-SAM a start against the radius decides.

Claim: linf_trichotomy. Takes: 2 s.

One balanced feature under $\ell_\infty$-SAM: the weight over rescaled time from starts below, at
and above $\rho$; lines are closed forms, dots an independent integration. Above $\rho$ it is
released and grows; at $\rho$ it stays; below $\rho$ it is suppressed at even depth, and at odd
depth it rises to $\rho$ and is held there.
"""

import numpy as np

from figures import style
from flowsam import Flow, balanced, linf, single_example, solve

FAST, DEPTHS = {"rows": 9}, (2, 3, 4)
SHARES = np.array([0.4, 0.7, 0.9, 1.0, 1.1, 1.3, 1.6])  # alpha / rho
WORDS = {"L": "2, 3, 4", "start": "balanced, alpha/rho = " + ", ".join(map(str, SHARES))}


def compute(rows=161, end=3.0):
    """Return tau (rows,) and weights (depths, starts, rows): closed form, and DOP853 at dots."""
    flow, tau = Flow(single_example([1.0]), linf(1.0)), np.linspace(0, end, rows)
    ways = {"exact": tau, "DOP853": tau[:: (rows - 1) // 8]}
    found = {way: np.full((3, SHARES.size, times.size), np.nan) for way, times in ways.items()}
    for i, depth in enumerate(DEPTHS):
        for k, alpha in enumerate(SHARES):
            for way, times in ways.items():
                run = solve(flow, balanced([alpha], depth), tau_end=end, method=way, save_at=times)
                found[way][i, k, : run.tau.size] = run.theta[:, 0, 0]  # to the blow-up
    return {"card": style.card(run, **WORDS, method="exact; dots: DOP853"), "tau": tau} | found


def draw(tau, exact, **dots):
    """Return the figure: one panel a depth, the start against rho in the line's shade."""
    figure, axes = style.panels(len(DEPTHS), width=style.PAGE, height=2.4)
    for depth, ax, lines, points in zip(DEPTHS, axes, exact, dots["DOP853"], strict=True):
        for share, line, dot in zip(SHARES, lines, points, strict=True):
            colour = "#000000" if share == 1 else "#0072B2" if share < 1 else "#D55E00"
            ax.plot(tau, line, color=colour, linestyle="--" if share == 1 else "-")
            ax.plot(tau[:: (tau.size - 1) // 8], dot, ".", color=colour, markersize=4)
        end = "held in the end" if depth % 2 else "suppressed"
        ax.set(xlabel=r"rescaled time $\tau$", ylim=(-0.1, 3.2))
        ax.set_title(rf"$L = {depth}$: below $\rho$, {end}")
        low = "held: rises to \u03c1" if depth % 2 else "suppressed"
        for word, y in (("released", 2.75), (low, 0.55 if depth % 2 else 0.05), ("held", 1.0)):
            ax.text(3.05, y, word, fontsize=7, va="center")
    axes[0].set_ylabel(r"weight $w / \rho$")
    return figure


if __name__ == "__main__":
    style.save("fig_linf_trichotomy", compute, draw)
