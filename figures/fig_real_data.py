r"""Digits 3 against 5: l_2-SAM leans on minor pixels before major ones, gradient flow does not.

Claims: l2_limit, finite_vs_infinite, l2_critical_scale. Takes: 9 s.

Two layers, 64 pixels, training examples of one split, $\rho = 0.1$; starts are uniform, in units of
the scale of collapse of the mean example. Top: the share that eight groups of pixels, strongest
above, have in the mean prediction over original time; below 1 unit the predictor collapses, just
above it weak pixels lead for a while, far above it SAM resembles GD. Middle: the predictor of GD
and that of SAM from the scale that leans furthest. Bottom: accuracy on the quarter held out; and,
for every split, the share of the strongest quarter over that of GD, at its least and at the end.
"""

import matplotlib.pyplot as plt
import numpy as np

from figures import style
from flowsam import l2
from flowsam.real_data.scale_scan import Splits, scan
from flowsam.real_data.tables import digit_table

SAYS = {"GD": ": strong throughout", "0.98 units": ": collapse"}
SAYS |= {"1.2 units": ": weak, then strong", "3 units": ": like GD"}
COLOURS = "#000000", "#8C8C8C", "#D55E00", "#56B4E9"
RHO, FACTORS = 0.1, (0.98, 1.05, 1.2, 1.5, 3.0)
FAST = {"seeds": 1, "factors": (1.5,), "rows": 5, "end": 3.0}


def compute(seeds=5, factors=FACTORS, rows=60, end=100.0):
    """Return shares, accuracy and predictors of the first split, and the scan of all splits."""
    log_t, splits = np.geomspace(0.05, end, rows), Splits(seeds)
    found = scan(digit_table(), l2(RHO), factors=factors, splits=splits, log_t=log_t)
    first = (found.gd[0][0], *found.sam[0])
    arrays = {key: [getattr(run, key) for run in first] for key in ("ranks", "accuracy")}
    picked, slow = found.sam[0][found.selected], int(np.argmin(found.sam[0][found.selected].major))
    moments = [slow // 2, slow, (2 * slow + rows) // 3, rows - 1]
    shown = np.array([found.gd[0][found.selected].predictor[slow], *picked.predictor[moments]])
    arrays |= {"shown": shown[:, :64], "moments": log_t[[slow, *moments]], "log_t": log_t}
    arrays |= {"least": found.least, "last": found.last, "factors": factors}
    card = style.card(
        rule="l_2-SAM and GD", rho=f"{RHO}; GD: 0", L=2,
        data=f"{digit_table().name}, 25 % held out",
        start=f"uniform; unit: alpha/rho = {found.alpha[0, 0] / factors[0] / RHO:.4f} in split 1",
        clock=style.ORIGINAL, loss="logistic", method="DOP853, Radau", tolerances="rtol 1e-6",
        scan=found.words(),
    )  # fmt: skip
    return arrays | {"card": card}


def draw(log_t, factors, moments, shown, **scanned):
    """Return the figure: shares of three scales beside GD, weights, accuracy, the scan."""
    ranks, accuracy = scanned["ranks"], scanned["accuracy"]
    figure = plt.figure(figsize=(style.PAGE, 5.6))
    top, middle, bottom = figure.subfigures(3, height_ratios=(1.35, 1.2, 1.35))
    names = ["GD", *(f"{factor:g} units" for factor in factors)]
    picked = np.unique([0, 1, 1 + len(factors) // 2, len(factors)])
    maps = top.subplots(1, len(picked), sharey=True)
    for panel, run in zip(maps, picked, strict=True):
        groups = np.arange(ranks.shape[2]) + 1
        drawn = panel.pcolormesh(log_t, groups, ranks[run].T, vmin=0, vmax=0.5, rasterized=True)
        title = names[run] + SAYS.get(names[run], "")
        panel.set(xscale="log", xlabel=r"$\log(1+t)$", title=title)
        panel.set(yticks=groups[[0, -1]], yticklabels=["strong", "weak"])
        if np.isnan(ranks[run][-1]).any():
            panel.text(0.9, 0.5, "collapsed", rotation=90, va="center", transform=panel.transAxes)
    maps[0].invert_yaxis()
    top.colorbar(drawn, ax=maps, label="share", extend="max", pad=0.01)
    whose = ("GD", *[r"$\ell_2$-SAM"] * 4)
    pictures = middle.subplots(1, 5)
    for panel, who, when, beta in zip(pictures, whose, moments, shown, strict=True):
        title = f"{who},\n$\\log(1+t)$ = {when:.3g}"
        style.pixels(panel, beta / np.abs(beta).max(), title)
    left, right = bottom.subplots(1, 2)
    for run, dash, shade in zip(picked, ("--", ":", "-", "-."), COLOURS, strict=False):
        left.semilogx(log_t, accuracy[run], dash, color=shade, label=names[run])
    left.set(xlabel=r"$\log(1+t)$", ylabel="accuracy, held out", ylim=(0.4, 1.02))
    left.set_title("less accurate while it leans on weak pixels")
    left.legend(loc="lower left")
    right.axhline(1.0, color="black", linewidth=0.6, linestyle=":")
    for name, mark, word in (("last", "^", "at the end"), ("least", "v", "at its least")):
        lines = right.plot(scanned[name].T, mark, color="black", alpha=0.6, markersize=4)
        lines[0].set_label(word)
    right.set_xticks(range(len(factors)), [f"{factor:g}" for factor in factors])
    right.set(xlabel=r"start $\alpha$, units of collapse", ylim=(-0.05, 1.1))
    right.set_ylabel("strong share / GD's")
    right.set_title("every split: near collapse it falls furthest")
    right.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    style.save("fig_real_data", compute, draw)
