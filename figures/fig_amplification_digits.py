"""Which pixels lead when: l_2-SAM just above collapse on the digits' class-mean difference.

Claims: l2_amplification_in_time, finite_vs_infinite, on real data. Takes: 2 s.
"""

import numpy as np

from figures import style
from figures.cases import digits_case
from flowsam import Flow, balanced, l2, single_example, solve
from flowsam.amplification import critical_scale, leaders

FAST = {"strip": 3}


def compute(strip=7, rho=1.0, above=1.02):
    """Return mu (64,), and at each of a strip of times tau, log t, the leader, and beta (64,)."""
    full = digits_case()[0].z[0]
    kept = np.abs(full) >= 0.05 * np.abs(full).max()
    data = single_example(np.where(kept, full, 0.0), name="digits 3 - 5, class means, d = 64")
    mu, signs = data.z[0], np.where(full < 0, -1, 1)
    alpha = above * critical_scale(mu, rho)
    start = balanced(np.full(64, alpha), 2, signs)
    first = leaders(start, mu, rho=rho)
    rank = 1 + np.abs(mu[kept]).argsort().argsort()  # of |mu_j|, the smallest first
    ranks = np.cumsum(kept)  # places among those kept
    order = rank[ranks[np.array(first.order) - 1] - 1]
    low = int(order.argmin())  # the most minor leader, then up to the major one
    shown = np.append(low, np.linspace(low, order.size - 1, strip - 1).round().astype(int)[1:])
    tau = np.append(0.0, first.times[shown - 1] * (1 + 1e-9))
    run = solve(Flow(data, l2(rho)), start, tau_end=tau[-1], save_at=tau)
    words = f"{above:g} alpha* = {alpha:.4f} in every layer, aligned"
    out = f"{(~kept).sum()} pixels with |mu_j| < 5 % of the largest left out (hatched)"
    arrays = {"mu": mu, "tau": tau, "log_t": run.log_t, "beta": run.beta, "leader": first.at(tau)}
    late = "log t = " + ", ".join(f"{x:.3g}" for x in run.log_t)
    ring = "each picture over its largest entry; ring: the leader, with its rank by |mu_j|"
    card = style.card(run, start=words, left_out=out, scale=ring, original=late)
    return arrays | {"rank": order[np.append(0, shown)], "card": card}


def draw(caption, mu, beta, leader, rank, **times):
    """Return the figure: mu, then beta at each time with the leader ringed and ranked by |mu_j|."""
    figure, axes = style.panels(len(beta) + 1, width=style.PAGE, height=1.55)
    first = np.where(mu == 0, np.nan, mu / np.abs(mu).max())
    style.pixels(axes[0], first, "mean difference\n$\\mu_j$")
    for k, panel in enumerate(axes[1:]):
        shown = np.where(mu == 0, np.nan, beta[k]) / np.abs(beta[k][mu != 0]).max()
        words = f"$\\tau={times['tau'][k]:.3g}$\nrank {rank[k]} of {(mu != 0).sum()}"
        style.pixels(panel, shown, words)
        panel.plot((leader[k] - 1) % 8, (leader[k] - 1) // 8, "o", mfc="none", color="red")
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_amplification_digits", compute, draw)
