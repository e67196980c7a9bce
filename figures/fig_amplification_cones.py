r"""Who leads under l_2-SAM depends on one ratio alone, so its regions are cones.

Claims: l2_two_layer, l2_amplification_in_time, l2_patterns. Takes: 1 s.

$\ell_2$-SAM on two layers: the leader in $\beta$ depends on $\tau/A$ alone, where $A$ is the
integral of $\rho$ over the gradient's norm, so the plane falls into cones, one a feature of $\mu =
(1, 1.6, 2.3, 3.2)$. Black: runs from uniform starts at the written multiples of the critical scale
$\alpha^{*}$. Circles are where the lead changes hands, always on the edge of a cone. A run that
collapses ends; one above $\alpha^{*}$ runs through the cones down to that of the major feature.
"""

import numpy as np

from figures import style
from flowsam import Flow, l2, single_example, solve
from flowsam.amplification import critical_scale, leaders
from flowsam.exact.l2_two_layer import read

FAST, RHO, SHARES = {"points": 41}, 1.0, (0.6, 0.98, 1.003, 1.05, 1.3)
PLACES = [(0.8, 6.5), (3.4, 6.5), (6.3, 4.5), (6.2, 1.5), (6.2, 0.42)]  # of names


def compute(points=401, tau_end=9.0):
    """Return paths tau and A (5, points), their switches (2, K), and mu."""
    mu = np.array([1.0, 1.6, 2.3, 3.2])
    alphas = critical_scale(mu, RHO) * np.array(SHARES)
    starts = alphas[:, None, None] * np.ones((2, mu.size))
    ends = np.minimum(tau_end, read(starts, mu, RHO).collapse_time)
    tau = ends[:, None] * (1 - np.linspace(1, 1e-4, points) ** 4)  # A grows like a log at its end
    a = np.stack([read(s, mu, RHO).curve.a_at(t) for s, t in zip(starts, tau, strict=True)])
    times = [leaders(start, mu, rho=RHO).times for start in starts]
    places = [read(s, mu, RHO).curve.a_at(t) for s, t in zip(starts, times, strict=True)]
    run = solve(Flow(single_example(mu), l2(RHO)), starts[-1], tau_end=tau_end)
    words = (
        f"alpha in every weight, alpha/alpha* at the lines, alpha* = {alphas[0] / SHARES[0]:.6f}"
    )
    switches = np.stack([np.concatenate(times), np.concatenate(places)])
    arrays = {"tau": tau, "a": a, "switches": switches, "mu": mu}
    return arrays | {"card": style.card(run, start=words, circles="circles: switches")}


def draw(tau, a, switches, mu):
    """Return the figure: cones of leadership, five paths, and where the lead changes hands."""
    figure, axes = style.panels(height=3.2)
    edges, wide = [0.0, *(mu[:-1] + mu[1:]), np.inf], np.linspace(0, 9, 2)
    for k, colour in enumerate(style.ranks(mu.size)):
        low, high = wide / edges[k + 1], wide / edges[k] if k else np.full_like(wide, 99.0)
        axes.fill_between(wide, low, high, color=colour, alpha=0.45, linewidth=0)
        height = 4.2 if k == 0 else (low[-1] + high[-1]) / 2
        axes.text(9.1, height, f"{k + 1} leads", fontsize=7, va="center")
    axes.plot(tau.T, a.T, color="black", linewidth=0.9)
    axes.plot(*switches, "o", markersize=3, color="white", markeredgecolor="black")
    for share, place in zip(SHARES, PLACES, strict=True):
        axes.text(*place, f"$\\alpha/\\alpha^*={share:g}$", fontsize=6.5)
    axes.set_title(r"Who leads is a matter of $\tau/A$ alone")
    axes.set(xlim=(0, 9), ylim=(0, 7), xlabel="rescaled time $\\tau$", ylabel="$A=\\int\\rho/N$")
    return figure


if __name__ == "__main__":
    style.save("fig_amplification_cones", compute, draw)
