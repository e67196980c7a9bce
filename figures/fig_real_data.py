"""Digits 3 against 5: l_2-SAM leans on minor pixels before major ones, gradient flow does not.

Claims: l2_limit, finite_vs_infinite. Takes: 20 s.
"""

import json

import numpy as np

from figures import style
from figures.digit_runs import shares, summary

FAST = {"seeds": 1, "ratios": (0.3,), "rows": 5, "end": 3.0}


def compute(seeds=5, ratios=(0.12, 0.14, 0.2, 0.3), rows=60, end=20.0):
    """Return shares by rank and accuracy of the first split, and major shares of all splits."""
    log_t = np.geomspace(0.05, end, rows)
    runs = [[shares(seed, ratio, log_t) for ratio in (None, *ratios)] for seed in range(seeds)]
    major = np.array([[run["major"] for run in row] for row in runs])
    first = {key: np.array([run[key] for run in runs[0]]) for key in ("ranks", "accuracy")}
    facts = json.loads(runs[0][1]["card"]) | {"rule": "l_2-SAM and GD", "clock": style.ORIGINAL}
    card = style.card(**facts, summary=summary(major, ratios))
    return first | {"log_t": log_t, "ratios": ratios, "major": major, "card": card}


def draw(log_t, ratios, caption, **arrays):
    """Return the figure: heat maps, test accuracy below, the scan over alpha/rho on the right."""
    names = ["gradient flow", *(rf"$\ell_2$, $\alpha/\rho = {r:g}$" for r in ratios)]
    figure, axes = style.panels(len(names) + 1, width=style.PAGE, rows=2, height=3.2)
    for k, name in enumerate(names):
        axes[0, k].pcolormesh(log_t, np.arange(8) + 1, arrays["ranks"][k].T, vmin=0, vmax=0.5)
        axes[1, k].semilogx(log_t, arrays["accuracy"][k], color="black")
        axes[0, k].set_title(name, fontsize=7)
        axes[0, k].set(xscale="log", yticks=[1, 8])
        axes[1, k].set(xlabel=r"$\log(1+t)$", ylim=(0.4, 1.02))
    axes[0, 0].set_ylabel("pixels by strength", fontsize=7)
    axes[1, 0].set_ylabel("test accuracy", fontsize=7)
    least = np.nanmin(arrays["major"], axis=2)
    axes[0, -1].plot(ratios, least[:, 1:].T, "o-", markersize=2, linewidth=0.8)
    axes[1, -1].plot(least[:, 0], "ko", markersize=2)
    axes[0, -1].set(xlabel=r"least share; $\alpha/\rho$", ylim=(0, 1))
    axes[1, -1].set(xlabel="GD's; seed", ylim=(0, 1))
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_real_data", compute, draw)
