"""The (tau, A) plane: the leader depends on tau/A alone, so its regions are cones.

Claims: l2_two_layer, l2_amplification_in_time, l2_patterns. Takes: 1 s.
"""

import numpy as np

from figures import style
from flowsam import Flow, l2, single_example, solve
from flowsam.amplification import critical_scale, leaders
from flowsam.exact.l2_two_layer import curve

FAST, RHO, SHARES = {"points": 41}, 1.0, (0.6, 0.99, 1.0, 1 + 1e-4, 1.05, 1.6)
COLOURS = ["#56B4E9", "#009E73", "#E69F00", "#D55E00"]


def compute(points=401, tau_end=9.0):
    """Return paths A (6, points) over tau, their switches (2, K), and mu."""
    mu, tau = np.array([1.0, 1.6, 2.3, 3.2]), np.linspace(0, tau_end, points)
    alphas = critical_scale(mu, RHO) * np.array(SHARES)
    starts = alphas[:, None, None] * np.ones((2, mu.size))
    a = curve(starts, mu, rho=RHO).a_at(tau)
    times = [leaders(start, mu, rho=RHO).times for start in starts]
    places = [curve(s, mu, rho=RHO).a_at(t) for s, t in zip(starts, times, strict=True)]
    run = solve(Flow(single_example(mu), l2(RHO)), starts[-1], tau_end=tau_end)
    words = f"alpha/alpha* = {list(SHARES)} in every weight, alpha* = {alphas[2]:.6f}"
    switches = np.stack([np.concatenate(times), np.concatenate(places)])
    return {
        "tau": tau,
        "a": a,
        "switches": switches,
        "mu": mu,
        "card": style.card(run, start=words),
    }


def draw(caption, tau, a, switches, mu):
    """Return the figure: cones of leadership, six paths, and where the lead changes hands."""
    figure, axes = style.panels(height=3.0)
    edges = [0.0, *(mu[:-1] + mu[1:]), np.inf]
    for k, colour in enumerate(COLOURS):
        low, high = tau / edges[k + 1], tau / edges[k] if k else np.full_like(tau, 99.0)
        axes.fill_between(tau, low, high, color=colour, alpha=0.35, linewidth=0)
        axes.text(8.7, min(low[-1] + high[-1], 10) / 2, f"{k + 1}", fontsize=7, va="center")
    axes.plot(tau, np.where(np.isfinite(a), a, np.nan).T, color="black", linewidth=0.9)
    axes.plot(*switches, "o", markersize=3, color="white", markeredgecolor="black")
    axes.set(
        xlim=(0, tau[-1]), ylim=(0, 7), xlabel="$\\tau$", ylabel="$A$", title="leading coordinate"
    )
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_amplification_cones", compute, draw)
