r"""Whether a small network under SAM leans on weak pixels first, as the diagonal network does.

Claim: trained_network. Takes: 2 min. Needs PyTorch, the extra flowsam[deep]. For MNIST:
python -m figures.fig_trained_network FOLDER, with its IDX files.

Top: the share of strong pixels while the training loss falls, thin lines the splits, thick ones
their median; in the diagonal network, in a small convolutional network by its predictions, and by
Grad-CAM. Bottom: how far SAM differs from GD at equal loss, a dot a split that reaches it, a bar
their mean, for every rule and radius that was tried, on digits 3 and 5 where nothing else is said,
and a cross the mean at an equal step, the 15th. The background is the darkest quarter of the
pixels; shuffled labels are a control; half scale starts at half the weights. Near its collapse
$\ell_2$-SAM leans less on strong pixels, by its predictions alone; with ten classes, farther from
its collapse, it leans more on them.
"""

import sys

import numpy as np

from figures import networks as net
from figures import style
from flowsam import gradient_flow, l2
from flowsam.draw import RULE_STYLES

NEEDS = "torch"
FAST = {"seeds": 2, "steps": 150, "radii": (0.4,)}
UNREPEATED = ("*",)  # single precision: other machines round otherwise
LEVELS = np.geomspace(0.6, 0.1, 8)  # of the training loss, where runs are compared
AT, STEP = 3, 15  # the level of the lower row, and the step of its crosses
RHO, ALPHA = 0.1, 0.014  # of the diagonal network: just above its collapse
SIGNS = {"l_2": r"$\ell_2$", "l_inf": r"$\ell_\infty$", "ASAM": "ASAM"}
COLOURS = {"l_2": "#D55E00", "l_inf": "#0072B2", "ASAM": "#CC79A7"}


def compute(seeds=6, steps=800, radii=(0.3, 0.4, 0.5), folder=None):
    """Return measures at equal loss, (runs, seeds, levels, 4), and the diagonal's shares."""
    two, ten = net.digits((3, 5), folder), net.digits(range(10), folder)
    runs = net.plan(radii, steps)
    found = np.full((len(runs), seeds, len(LEVELS), 4), np.nan)
    stepped, accuracy = np.full((len(runs), seeds, 4), np.nan), np.empty((len(runs), seeds))
    diagonal = np.empty((2, seeds, len(LEVELS)))
    for seed in range(seeds):
        pair, every = net.split(*two, seed), net.split(*ten, seed)
        for place, rule in enumerate((gradient_flow(), l2(RHO))):
            diagonal[place, seed] = net.diagonal(pair, rule, ALPHA, LEVELS)
        kinds = {"shuffled": pair.shuffled(seed), "ten classes": every}
        for place, (word, rule, training) in enumerate(runs):
            run = net.train(kinds.get(word, pair), rule, training, seed=seed)
            stepped[place, seed] = net.at_step(run, STEP)
            found[place, seed], accuracy[place, seed] = net.at_loss(run, LEVELS), run.accuracy[-1]
    told = [net.verdict(found[[0, len(radii)], :, AT, measure]) for measure in (0, 2)]
    card = style.card(
        rule="GD, l_2-, l_inf- and adaptive SAM", rho=f"{RHO:g} (diagonal), else as written",
        L="2; network: 2 convolutions and a linear layer", clock="the training loss",
        data="digits 3 and 5, at last all ten; every run at equal training loss",
        start=f"alpha = {ALPHA:g} (diagonal), PyTorch's own (network); {seeds} splits and starts",
        loss="logistic", method=f"steps of {net.RATE:g}", tolerances="none",
        measured=f"share on strong pixels under l_2, rho = {radii[-1]:g}, than under GD at loss "
        f"{LEVELS[AT]:.2f}: {told[0]}; by Grad-CAM: {told[1]}",
        choices="re-created with own choices: the paper's network is in no public text",
    )  # fmt: skip
    words = [f"{word}|{rule.name}|{rule.rho:g}" for word, rule, _ in runs]
    measured = {"found": found, "stepped": stepped, "diagonal": diagonal, "accuracy": accuracy}
    return measured | {"words": words, "card": card}


def draw(found, diagonal, words, accuracy, stepped):
    """Return the figure: shares while the loss falls; below, differences from GD at equal loss."""
    figure, axes = style.panels(3, width=style.PAGE, rows=2, height=4.9)
    names = [str(word).split("|") for word in words]
    first = [place for place, name in enumerate(names) if name[:2] == ["3, 5", "l_2"]]
    last = max(first, key=lambda place: float(names[place][2]))
    _draw_shares(axes[0], diagonal, found[[0, last]], names[last][2])
    _draw_differences(axes[1], names, found[:, :, AT], stepped)
    return figure


def _draw_shares(axes, diagonal, trained, radius):
    """Draw the shares of GD and l_2-SAM while the loss falls, each run and their median."""
    for rule, exact, runs in zip(("GD", "l_2-SAM"), diagonal, trained, strict=True):
        for panel, shares in zip(axes, (exact, runs[:, :, 0], runs[:, :, 2]), strict=True):
            panel.plot(LEVELS, shares.T, linewidth=0.4, alpha=0.6, **RULE_STYLES[rule])
            word = rule.replace("l_2", r"$\ell_2$")
            panel.plot(LEVELS, np.median(shares, 0), linewidth=1.6, label=word, **RULE_STYLES[rule])
    axes[0].set_title("diagonal: weak pixels first")
    axes[1].set_title(f"trained, $\\rho$ = {radius}: fewer strong")
    axes[2].set_title("by Grad-CAM: no difference")
    for panel in axes:
        panel.set(xscale="log", xlim=(0.62, 0.095), ylim=(0, 1.02), xlabel="training loss, falling")
        panel.set_xticks([0.6, 0.3, 0.1], ["0.6", "0.3", "0.1"])
        panel.tick_params(which="minor", labelbottom=False)
    axes[0].set_ylabel("share on strong pixels")
    axes[0].legend()


def _draw_differences(axes, names, found, stepped):
    """Draw by how much runs of each rule differ from GD at equal loss, and at equal steps."""
    rows = [place for place, name in enumerate(names) if name[1] != "GD"]
    titles = ("share on strong pixels", "strong pixels, by Grad-CAM", "share on the background")
    for panel, measure, title in zip(axes, (0, 2, 3), titles, strict=True):
        for height, place in enumerate(rows):
            base = [name[0] for name in names].index(names[place][0])
            far = found[place, :, measure] - found[base, :, measure]
            colour = COLOURS[names[place][1]]
            panel.plot(far, np.full(len(far), height), ".", color=colour, markersize=3)
            if np.isfinite(far).any():
                panel.plot(np.nanmean(far), height, "|", color=colour, markersize=11)
            at_once = stepped[place, :, measure] - stepped[base, :, measure]
            panel.plot(np.mean(at_once), height, "x", color="#404040", markersize=4)
        panel.axvline(0.0, color="#808080", linewidth=0.6)
        panel.set(title=title, ylim=(len(rows) - 0.5, -0.5), yticks=[], xlim=(-0.3, 0.3))
        panel.set_xlabel(f"SAM less GD, at loss {LEVELS[AT]:.2f}")
    shown = [f"{SIGNS[names[p][1]]}, $\\rho$ = {names[p][2]}, {names[p][0]}" for p in rows]
    axes[0].set_yticks(range(len(rows)), [w.removesuffix(", 3, 5") for w in shown], fontsize=6.5)


if __name__ == "__main__":
    style.save("fig_trained_network", compute, draw, folder=(sys.argv[1:] or [None])[0])
