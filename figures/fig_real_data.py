"""Digits 3 against 5: l_2-SAM leans on minor pixels before major ones, gradient flow does not.

Claims: l2_limit, finite_vs_infinite, l2_critical_scale. Takes: 30 s.
"""

import numpy as np

from figures import style
from flowsam import l2
from flowsam.draw import leanings
from flowsam.real_data.scan import scan
from flowsam.real_data.tables import digit_table

RHO, FACTORS = 0.1, (0.98, 1.05, 1.2, 1.5, 3.0)
FAST = {"seeds": 1, "factors": (1.5,), "rows": 5, "end": 3.0}


def compute(seeds=5, factors=FACTORS, rows=60, end=100.0):
    """Return shares, accuracy and predictors of the first split, and the scan of all splits."""
    log_t, splits = np.geomspace(0.05, end, rows), (seeds, 0.25, True)
    found = scan(digit_table(), l2(RHO), factors=factors, splits=splits, log_t=log_t)
    first = (found.gd[0][0], *found.sam[0])
    arrays = {key: [getattr(run, key) for run in first] for key in ("ranks", "accuracy")}
    picked, slow = found.sam[0][found.selected], int(np.argmin(found.sam[0][found.selected].major))
    moments = [slow // 2, slow, (2 * slow + rows) // 3, rows - 1]
    shown = np.array([found.gd[0][found.selected].predictor[slow], *picked.predictor[moments]])
    arrays |= {"shown": shown[:, :64], "moments": log_t[[slow, *moments]], "log_t": log_t}
    arrays |= {"least": found.least, "last": found.last, "factors": factors}
    card = style.card(
        rule="l_2-SAM and GD", rho=RHO, L=2, data=f"{digit_table().name}, 25 % held out",
        start=f"uniform; unit: alpha/rho = {found.alpha[0, 0] / factors[0] / RHO:.4f} in split 1",
        clock=style.ORIGINAL, loss="logistic", method="DOP853, Radau", tolerances="rtol 1e-6",
        scan=found.words(), colours="shares: of the mean prediction, white: collapsed",
    )  # fmt: skip
    return arrays | {"card": card}


def draw(log_t, factors, moments, shown, caption, **arrays):
    """Return the figure: shares, accuracy below, pictures of the weights, the scan."""
    names = ["GD", *(rf"$\ell_2$, {factor:g} units" for factor in factors)]
    figure, axes = style.panels(max(len(names), 6), width=style.PAGE, rows=3, height=4.4)
    measured = zip(arrays["ranks"], arrays["accuracy"], strict=True)
    leanings(axes[:2], log_t, dict(zip(names, measured, strict=True)))
    figure.colorbar(axes[0, 0].collections[0], ax=axes[0], label="share", extend="max", pad=0.01)
    whose = ("GD", *[r"$\ell_2$, selected"] * 4)
    for panel, who, when, beta in zip(axes[2, :5], whose, moments, shown, strict=True):
        style.pixels(panel, beta / np.abs(beta).max(), f"{who}\n$\\log(1+t)$ = {when:.3g}")
    for name, mark in (("last", "^"), ("least", "v")):
        axes[2, 5].plot(arrays[name].T, "k" + mark, alpha=0.6, markersize=3)
    axes[2, 5].axhline(0.5, color="black", linewidth=0.5, linestyle=":")
    axes[2, 5].set_xticks(range(len(factors)), factors, fontsize=6, rotation=60)
    axes[2, 5].set(xlabel=r"$\alpha$, units", ylim=(-0.05, 1.05))
    axes[2, 5].set_title("major share / GD's:\nleast (down), last (up)", fontsize=6)
    return style.caption(figure, caption)


if __name__ == "__main__":
    style.save("fig_real_data", compute, draw)
