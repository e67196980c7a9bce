"""Which pixels lead when: l_2-SAM just above collapse on the digits' class-mean difference.

Claims: l2_amplification_in_time, finite_vs_infinite, on real data. Takes: 2 s.
"""

import numpy as np

from figures import style
from figures.cases import digits_case
from flowsam import Flow, balanced, l2, single_example, solve
from flowsam.amplification import critical_scale, leaders

FAST = {"strip": 3}


def compute(strip=8, rho=1.0, above=1.02):
    """Return mu (64,), and at each of a strip of times tau, log t, the leader, and beta (64,)."""
    full = digits_case()[0].z[0]
    kept = np.abs(full) >= 0.05 * np.abs(full).max()
    data = single_example(np.where(kept, full, 0.0), name="digits 3 - 5, class means, d = 64")
    mu, signs = data.z[0], np.where(full < 0, -1, 1)
    alpha = above * critical_scale(mu, rho)
    start = balanced(np.full(64, alpha), 2, signs)
    first = leaders(start, mu, rho=rho)
    shown = np.linspace(0, len(first.times) - 1, strip - 1).round().astype(int)
    tau = np.append(0.0, first.times[shown] * (1 + 1e-9))
    run = solve(Flow(data, l2(rho)), start, tau_end=tau[-1], save_at=tau)
    words = f"{above:g} alpha* = {alpha:.4f} in every layer, aligned"
    out = f"{(~kept).sum()} pixels with |mu_j| < 5 % of the largest left out (hatched)"
    arrays = {"mu": mu, "tau": tau, "log_t": run.log_t, "beta": run.beta, "leader": first.at(tau)}
    return arrays | {"card": style.card(run, start=words, left_out=out)}


def draw(caption, mu, beta, **times):
    """Return the figure: beta over its largest entry at each time, the leader named."""
    figure, axes = style.panels(len(beta), width=style.PAGE, height=1.6)
    for k, panel in enumerate(axes):
        place = f"$\\tau$ = {times['tau'][k]:.3g}\nlog t = {times['log_t'][k]:.3g}"
        shown = np.where(mu == 0, np.nan, beta[k]) / np.abs(beta[k][mu != 0]).max()
        style.pixels(panel, shown, f"{place}\npixel {times['leader'][k] - 1} leads")
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_amplification_digits", compute, draw)
