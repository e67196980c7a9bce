r"""GD, l_2-SAM and ASAM on one example: which features stay, and the water level that decides.

Claims: adaptive_limit, adaptive_many. Takes: 1 s.

Four features, two layers, every weight 1.2 at the start, $\rho = 0.9$: their shares of the
predictor over rescaled time. GD and $\ell_2$-SAM end at one feature; ASAM ends at a mixture of
those that stand above a water level $\lambda$, triangles. Right: that mixture over $\rho$, and the
level, black; the larger $\rho$, the more features stay.
"""

import numpy as np

from figures import style
from flowsam import Flow, asam, gradient_flow, l2, single_example, solve
from flowsam.exact.adaptive_level import water_level

TITLES = "GD: one feature stays", r"$\ell_2$-SAM: one stays", "ASAM: a mixture stays"
FAST, MU, RHO = {"rows": 31, "points": 41}, np.array([1.0, 1.3, 1.6, 2.0]), 0.9
START = np.full((2, 4), 1.2)
RULES = {"GD": gradient_flow(), "l_2-SAM": l2(RHO), "ASAM": asam(RHO)}
LOOKS = tuple(
    zip(("#0072B2", "#009E73", "#E69F00", "#D55E00"), ("-", "--", ":", "-."), strict=True)
)


def compute(rows=161, points=241):
    """Return shares |beta_j| / ||beta||_1 over tau of each rule, and levels over rho."""
    arrays = {"rho": np.linspace(0.02, 1.38, points)}
    runs = []
    for k, rule in enumerate(RULES.values()):
        run = solve(Flow(single_example(MU), rule), START, tau_end=8.0, save_at=rows)
        runs.append(run)
        arrays[f"shares_{k}"] = np.abs(run.beta) / np.abs(run.beta).sum(axis=1, keepdims=True)
    found = [water_level(MU, rho=float(rho), p=2.0) for rho in arrays["rho"]]
    arrays["level"] = [level.value for level in found]
    arrays["mix"] = [np.abs(level.direction) / np.abs(level.direction).sum() for level in found]
    end = water_level(MU, rho=RHO, p=2.0)
    arrays |= {"tau": run.tau, "end": np.abs(end.direction) / np.abs(end.direction).sum()}
    card = style.card(*runs, start="all weights 1.2")
    return arrays | {"card": card}


def draw(tau, rho, level, **arrays):
    """Return the figure: shares under three rules, then the level and the limit over rho."""
    figure, axes = style.panels(4, width=style.PAGE, height=2.3)
    for k in range(len(RULES)):
        for j, (colour, dash) in enumerate(LOOKS):
            axes[k].plot(tau, arrays[f"shares_{k}"][:, j], dash, color=colour)
        axes[k].set(title=TITLES[k], ylim=(0, 1), xlabel=r"rescaled time $\tau$")
    axes[2].plot(np.full(4, tau[-1]), arrays["end"], "k>", markersize=3.5, clip_on=False)
    axes[0].set_ylabel(r"share $|\beta_j| / \|\beta\|_1$")
    for j, (colour, dash) in enumerate(LOOKS):
        axes[3].plot(rho, arrays["mix"][:, j], dash, color=colour)
        axes[0].plot([], [], dash, color=colour, label=rf"$\mu = {MU[j]:g}$")
    axes[3].plot(rho, level / MU.max(), color="black")
    axes[3].text(0.75, 0.72, r"level $\lambda / \mu_4$", fontsize=7)
    axes[3].set(title="ASAM's mixture", xlabel=r"$\rho$", ylim=(0, 1))
    axes[0].legend(loc="center right", handlelength=1.8)
    return figure


if __name__ == "__main__":
    style.save("fig_adaptive", compute, draw)
