"""l_2-SAM at L = 3 and 4: who leads in beta over alpha and time; the order of mu w^(L-2) is kept.

Claim: l2_deep. Takes: 15 s.
"""

import numpy as np
from matplotlib.colors import ListedColormap
from scipy.integrate import solve_ivp

from figures import style
from flowsam import Flow, balanced, l2, single_example

FAST, RHO, DEPTHS = {"n": 7, "points": 31}, 1.0, (3, 4)
COLOURS = ["#0072B2", "#E69F00", "#D55E00"]
MU, ALPHAS = np.array([1.0, 2.0, 3.0]), {3: 0.5, 4: 0.6}


def run(alpha, depth, tau_end):
    """Return the path of log w (3,) from a uniform balanced start, until w is 1e-4 or 1e4."""
    flow = Flow(single_example(MU), l2(RHO))

    def slope(_, x):
        return flow.field(balanced(np.exp(x), depth))[0] / np.exp(x)

    def end(_, x):
        return 9.2 - np.abs(x).max()

    end.terminal, start = True, np.log(np.full(3, alpha))
    return solve_ivp(slope, (0, tau_end), start, "DOP853", events=end, dense_output=True, rtol=1e-8)


def compute(n=41, points=301):
    """Return leaders (2, n, points) over shares of the run, and log beta of one run a depth."""
    alpha, share = np.linspace(0.1, 1.5, n), np.linspace(0, 1, points)
    runs = [[run(a, depth, 60.0) for a in alpha] for depth in DEPTHS]
    leaders = [[r.sol(share * r.t[-1]).argmax(axis=0) + 1 for r in row] for row in runs]
    shown = [run(ALPHAS[depth], depth, 60.0) for depth in DEPTHS]
    sizes = [r.sol(share * r.t[-1]) * k for r, k in zip(shown, DEPTHS, strict=True)]
    arrays = {"alpha": alpha, "share": share, "leaders": leaders, "sizes": sizes}
    facts = {"rule": "l_2-SAM", "rho": RHO, "L": "3 and 4", "data": f"mu = {MU.tolist()}"}
    facts |= {"start": f"alpha in every weight (lines: {ALPHAS})", "tolerances": "rtol 1e-8"}
    facts |= {"clock": "tau (rescaled) over the run's last", "method": "DOP853 in log w"}
    return arrays | {"card": style.card(**facts, loss="any")}


def draw(caption, alpha, share, leaders, sizes):
    """Return the figure: for each depth the leaders over alpha and time, and one run."""
    figure, axes = style.panels(4, width=style.PAGE, height=2.2)
    for k, depth in enumerate(DEPTHS):
        axes[2 * k].pcolormesh(
            alpha, share, leaders[k].T, cmap=ListedColormap(COLOURS), vmin=1, vmax=3
        )
        axes[2 * k].set(title=f"leader, $L={depth}$", xlabel="$\\alpha$", ylabel="share of the run")
        for size, colour in zip(sizes[k] / np.log(10), COLOURS, strict=True):
            axes[2 * k + 1].plot(share, size, color=colour)
        axes[2 * k + 1].set(xlabel="share of the run", ylabel="$\\log_{10}\\beta$", ylim=(-1.5, 4))
    axes[1].legend([f"$\\mu={m:g}$" for m in MU])
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_l2_deep", compute, draw)
