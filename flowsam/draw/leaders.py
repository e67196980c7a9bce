"""Who leads, over the scale of the start and time, and what a predictor leans on."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex

from flowsam.draw.fills import fill
from flowsam.shapes import Float, Int, Times


def leaders(
    axes: Axes,
    x: Float[np.ndarray, " A"],
    tau: Times,
    leader: Int[np.ndarray, "A T"],
    *,
    ranks: Int[np.ndarray, " d"],
) -> QuadMesh:
    """Draw `amplification.dominance`: time upwards, who leads in words, dark is minor.

    Parameters
    ----------
    axes : Axes
    x : ndarray, shape (A,)
        Of each start: alpha, or another axis that rises with it.
    tau : ndarray, shape (T,)
    leader : ndarray of int, shape (A, T)
        Places counted from 1; 0 where the flow has collapsed.
    ranks : ndarray of int, shape (d,)
        Of each coordinate, its rank by |mu_j|, from 0: light is major, in grey too.

    Returns
    -------
    QuadMesh
    """
    shades = colormaps["viridis"](np.linspace(0, 0.95, len(ranks)))

    def look(label: int) -> tuple[str, ...]:
        """Colour and words of a leader."""
        if label == 0:
            return "#FFFFFF", "collapsed"
        return to_hex(shades[ranks[label - 1]]), f"{label} leads", str(label)

    mesh = fill(axes, (x, tau), leader.T, look, "small")
    axes.set(ylabel=r"rescaled time $\tau$", ylim=(tau[0], tau[-1]))
    return mesh


def leanings(
    axes: Any,
    log_t: Times,
    runs: Mapping[str, tuple[np.ndarray, np.ndarray]],
) -> None:
    """Draw a column a run: a heat map of shares over log t, and accuracy below it.

    Parameters
    ----------
    axes : array of Axes, shape (2, runs)
    log_t : ndarray, shape (T,)
        log(1 + t), drawn on a log axis.
    runs : mapping
        Title to shares by groups of features, strongest first, (T, groups), and accuracy (T,).
    """
    for column, (title, (ranks, accuracy)) in enumerate(runs.items()):
        top, low = axes[:, column]
        groups = np.arange(ranks.shape[1]) + 1
        top.pcolormesh(log_t, groups, ranks.T, vmin=0, vmax=0.5, rasterized=True)
        top.invert_yaxis()
        top.set(xscale="log", xticklabels=[], yticks=[])
        top.set_title(title, fontsize=7)
        low.semilogx(log_t, accuracy, color="black", linewidth=1.0)
        low.set(xlabel=r"$\log(1+t)$", ylim=(0.35, 1.03), xlim=(log_t[0], log_t[-1]))
        low.tick_params(labelleft=column == 0)
    axes[0, 0].set_yticks([1, ranks.shape[1]], ["strong", "weak"])
    axes[0, 0].set_ylabel("features", fontsize=7)
    axes[1, 0].set_ylabel("accuracy", fontsize=7)


def pixels(axes: Any, weights: Float[np.ndarray, "h w"], title: str) -> None:
    """Draw the weights of pixels as a picture: orange positive, purple negative, 0 white.

    Parameters
    ----------
    axes : Axes
    weights : ndarray, shape (h, w)
        Drawn in units of the largest.
    title : str
    """
    most = np.abs(weights).max() or 1.0
    axes.imshow(weights / most, cmap="PuOr_r", vmin=-1, vmax=1)
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=7)
