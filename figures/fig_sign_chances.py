r"""Random signed starts under l_inf-SAM: chances of escape and of each feature fall with depth.

Claim: linf_signs. Takes: 5 s.

Weights drawn from a normal law, signs at random, under $\ell_\infty$-SAM. Left: the chance that one
feature escapes, over depth, for three scales of the law in units of $\rho$. Right: the chance that
each of three features wins, lines exact, dots frequencies among random starts; from $L = 5$ on the
limit of discrete SAM.
"""

import numpy as np
from scipy.stats import norm

from figures import style
from flowsam import Flow, limits, linf, single_example
from flowsam.regions.sign_chances import escape_chance, winning_chances

FAST, MU, SCALE = {"points": 2**10, "draws": 1000}, [1.0, 1.5, 2.0], 2.0
DEPTHS, RACES, LOOKS = np.arange(2, 9), (2, 3, 4, 5, 6), ("#0072B2", "#009E73", "#D55E00")


def compute(points=2**14, draws=10_000):
    """Return escape chances over L for three scales, and who wins at L = 2 to 6 with samples."""
    rng, arrays = np.random.default_rng(1), {}
    for k, scale in enumerate((1.0, 2.0, 4.0)):
        law = norm(0, scale)
        arrays[f"escape_{k}"] = [escape_chance(law, depth=int(L), rho=1.0) for L in DEPTHS]
    flow, law = Flow(single_example(MU), linf(1.0)), norm(0, SCALE)
    found = [winning_chances(law, MU, depth=L, rho=1.0, points=points) for L in RACES]
    arrays["wins"] = [np.append(chance.wins, chance.none) for chance in found]
    labels = [limits(flow, SCALE * rng.normal(size=(draws, L, 3))) for L in RACES]
    arrays["sampled"] = [[(at == j).mean() for j in (1, 2, 3, 0)] for at in labels]
    card = {"rule": "l_inf-SAM", "rho": "1", "L": "2 to 8", "loss": "any", "clock": "t -> inf"}
    card |= {"data": "mu = (1, 1.5, 2)", "start": "normal weights, of scale 2 on the right"}
    card |= {"method": "lines exact, dots 10,000 draws", "tolerances": "1e-10, 3e-4"}
    return arrays | {"card": style.card(**card)}


def draw(wins, sampled, **arrays):
    """Return the figure: chance of escape over depth, and each feature's chance at L = 2 to 6."""
    figure, axes = style.panels(2, width=style.PAGE, height=2.3)
    for k, (scale, colour) in enumerate(zip((1, 2, 4), LOOKS, strict=True)):
        axes[0].plot(
            DEPTHS, arrays[f"escape_{k}"], "o-", color=colour, label=rf"scale {scale}$\rho$"
        )
    axes[0].set(xlabel="depth $L$", ylabel="P(a coordinate escapes)", ylim=(0, 1))
    axes[0].set_title("the deeper, the fewer escape")
    axes[0].legend(fontsize=6.5)
    names = [rf"$\mu = {mu:g}$ wins" for mu in MU] + ["none escapes"]
    for j, (name, colour) in enumerate(zip(names, (*LOOKS, "black"), strict=True)):
        axes[1].plot(RACES, wins[:, j], "-", color=colour, label=name)
        axes[1].plot(RACES, sampled[:, j], "o", color=colour, markersize=3)
    axes[1].set(xlabel="depth $L$", ylabel="probability", xticks=RACES, ylim=(0, 0.95))
    axes[1].set_title("the major feature's advantage fades")
    axes[1].legend(fontsize=6.5)
    return figure


if __name__ == "__main__":
    style.save("fig_sign_chances", compute, draw)
