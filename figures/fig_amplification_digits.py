r"""Weak pixels lead first, the strongest last: l_2-SAM just above collapse, digits 3 against 5.

Claims: l2_amplification_in_time, finite_vs_infinite, on real data. Takes: 2 s.

First the difference $\mu$ of the class means, orange where the 3 is darker, purple where the 5 is.
Then the predictor $\beta$ of $\ell_2$-SAM over rescaled time, each picture in units of its largest
entry: two layers, every weight 2 % above the critical scale of $\rho = 1$, so that at the start all
pixels are equal. The box is the pixel that leads; its rank by $|\mu_j|$ rises from 4 of 37, among
the weakest, to the strongest. Hatched pixels, with $|\mu_j|$ below 5 % of the largest, are left
out.
"""

import numpy as np
from matplotlib.patches import Rectangle

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


def draw(mu, beta, leader, rank, tau, **_):
    """Return the figure: mu, then beta at each time with the leader boxed and ranked by |mu_j|."""
    half = (len(beta) + 2) // 2
    figure, axes = style.panels(half, rows=2, width=style.PAGE, height=3.9)
    idle = mu == 0
    style.pixels(
        axes[0, 0], np.where(idle, np.nan, mu / np.abs(mu).max()), "what is learnt\n" r"$\mu$"
    )
    for k, panel in enumerate(axes.flat[1:]):
        if k >= len(beta):
            panel.set_axis_off()
            continue
        shown = np.where(idle, np.nan, beta[k]) / np.abs(beta[k][~idle]).max()
        words = f"$\\tau={tau[k]:.3g}$\nleader: rank {rank[k]} of {(~idle).sum()}"
        style.pixels(panel, shown, words)
        spot = ((leader[k] - 1) % 8 - 0.5, (leader[k] - 1) // 8 - 0.5)
        panel.add_patch(Rectangle(spot, 1, 1, fill=False, edgecolor="#009E73", linewidth=2.2))
    return figure


if __name__ == "__main__":
    style.save("fig_amplification_digits", compute, draw)
