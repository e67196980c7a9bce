"""l_2-SAM at L = 3 and 4: who leads in beta over alpha and time, and by how much at most.

Claim: l2_deep. Takes: 40 s.
"""

import numpy as np

import flowsam.draw as paint
from figures import style
from figures.deep_runs import deep_run
from flowsam import Flow, balanced, l2, limits, single_example

FAST, RHO, DEPTHS = {"n": 7, "points": 31}, 1.0, (3, 4)
MU, ALPHAS = np.array([1.0, 2.0, 3.0]), {3: 0.5, 4: 0.6}


def compute(n=225, points=301):
    """Return leaders (2, n, points) over shares of the run, labels, and one run a depth."""
    alpha, share = np.linspace(0.1, 1.5, n), np.linspace(0, 1, points)
    flow, starts = Flow(single_example(MU), l2(RHO)), np.repeat(alpha[:, None], 3, axis=1)
    runs = [[deep_run(flow, a, depth) for a in alpha] for depth in DEPTHS]
    leaders = [[r.sol(share * r.t[-1]).argmax(axis=0) + 1 for r in row] for row in runs]
    shown = [deep_run(flow, ALPHAS[depth], depth) for depth in DEPTHS]
    sizes = [r.sol(share * r.t[-1]) * k for r, k in zip(shown, DEPTHS, strict=True)]
    ends = np.stack([limits(flow, balanced(starts, depth)) for depth in DEPTHS])
    facts = {"rule": "l_2-SAM", "rho": RHO, "L": "3 and 4", "data": f"mu = {MU.tolist()}"}
    facts |= {"start": f"alpha in every weight (lines: {ALPHAS})", "loss": "any"}
    facts |= {"clock": "tau (rescaled) over its last", "method": "DOP853 in log w"}
    card = style.card(**facts, tolerances="rtol 1e-8", theory="dashed: (mu_3/mu_k)^(L/(L-2))")
    arrays = {"alpha": alpha, "share": share, "leaders": np.array(leaders), "ends": ends}
    return arrays | {"sizes": np.array(sizes), "card": card}


def draw(caption, alpha, share, leaders, **arrays):
    """Return the figure: for each depth the leaders over alpha and time, and one run."""
    figure, axes = style.panels(4, width=style.PAGE, height=2.3)
    colours = style.ranks(3)
    for k, depth in enumerate(DEPTHS):
        left, right = axes[2 * k], axes[2 * k + 1]
        paint.leaders(left, alpha, share, leaders[k], ranks=np.arange(3))
        left.set(title=f"leader, $L={depth}$", xlabel="$\\alpha$", ylabel="share of the run")
        for first in np.flatnonzero(np.diff(arrays["ends"][k] == 0)):
            left.axvline(alpha[first : first + 2].mean(), color="white")
            left.text(0.13, 0.04, "collapse", rotation=90, color="white", fontsize=7)
        for j, size in enumerate((arrays["sizes"][k] - arrays["sizes"][k][2]) / np.log(10)):
            bound = np.log10(MU[2] / MU[j]) * depth / (depth - 2)
            right.axhline(bound, color=colours[j], linestyle="--", linewidth=0.8)
            right.plot(share, size, color=colours[j])
            spot = (0.6 - 0.1 * j, np.interp(0.6 - 0.1 * j, share, size))
            style.point_at(right, {f"$k={j + 1}$": (spot, (0.6 - 0.3 * j, -0.55))})
            right.text(0, bound, f"bound of {j + 1}" * (j < 2), va="bottom", fontsize=7)
        right.set(xlabel="share of the run", ylim=(-0.8, 1.7))
        right.set_ylabel("$\\log_{10}\\beta_k/\\beta_3$", labelpad=0)
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_l2_deep", compute, draw)
