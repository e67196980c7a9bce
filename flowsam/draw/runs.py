"""Runs as curves, one colour and dash a rule; who leads, and what a predictor leans on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D

from flowsam.captions import typeset
from flowsam.data import Data, merge_signs, unsplit
from flowsam.draw.fills import fill
from flowsam.errors import InputError
from flowsam.shapes import Curve, Float, Int, Times
from flowsam.signatures import public
from flowsam.trajectory import Trajectory

_OTHER: dict[str, Any] = {"color": "#009E73", "linestyle": (0, (1, 1))}


RULE_STYLES: dict[str, dict[str, Any]] = {
    "GD": {"color": "#000000", "linestyle": (0, (5, 2))},
    "l_inf-SAM": {"color": "#0072B2", "linestyle": "-"},
    "l_2-SAM": {"color": "#D55E00", "linestyle": (0, (6, 1, 1, 1))},
}

_QUANTITIES = {
    "beta": r"predictor $\beta_j$",
    "share": r"share $|\beta_j| / \|\beta\|_1$",
    "margins": r"margins $m_i$",
}
_CLOCKS = {"tau": r"rescaled time $\tau$", "log_t": r"$\log(1+t)$"}
_NAMED = 6  # curves with a colour and a name: the largest at the end; others are grey
_LOOKS = (  # the later ones are dashed, so that equal curves show through
    ("#0072B2", "-"),
    ("#D55E00", (0, (6, 3))),
    ("#009E73", (0, (3, 3))),
    ("#CC79A7", (0, (1.5, 3))),
    ("#E69F00", (0, (6, 2, 1, 2))),
    ("#56B4E9", (0, (1, 1))),
)


def paths(axes: Axes, curves: dict[str, Curve], *, width: float = 1.4) -> list[Line2D]:
    """Draw planar paths, one a rule, each in its rule's colour and dash.

    Parameters
    ----------
    axes : Axes
    curves : dict
        Rule name, as in `Perturbation.name`, to points (m, 2).
    width : float
        Line width in points.

    Returns
    -------
    list of Line2D
    """
    lines = []
    for name, curve in curves.items():
        style: dict[str, Any] = {**RULE_STYLES.get(name, _OTHER)}
        lines += axes.plot(*curve.T, linewidth=width, label=typeset(name), **style)
    return lines


@public
def run(
    axes: Axes,
    trajectory: Trajectory,
    *,
    quantity: str = "beta",
    clock: str = "tau",
) -> list[Line2D]:
    """Draw a run over its clock: the predictor, its shares, or the margins.

    The six curves that are largest at the end have colours and names, those of the features where
    the data have them; the others are grey. A blow-up is a dotted line at its time. Of a run on
    columns [z, -z] the predictor is that of z.

    Parameters
    ----------
    axes : Axes
    trajectory : Trajectory
    quantity : str
        "beta"; "share", |beta_j| / ||beta||_1, nothing where beta is 0; or "margins".
    clock : str
        "tau", rescaled time, or "log_t", log(1 + t).

    Returns
    -------
    list of Line2D
        One a coordinate, or one an example.

    Raises
    ------
    ValueError
        For another quantity or clock.
    """
    for given, known in ((quantity, _QUANTITIES), (clock, _CLOCKS)):
        if given not in known:
            raise InputError(f"draw.run knows {', '.join(known)}, got {given!r}")
    time = getattr(trajectory, clock)
    data = unsplit(trajectory.data)
    split = data is not trajectory.data
    values = merge_signs(trajectory.data, trajectory.beta) if split else trajectory.beta
    values = trajectory.margins if quantity == "margins" else values
    whole = np.isfinite(time) & np.isfinite(values).all(axis=1)
    if not whole.any():
        raise InputError(
            "draw.run needs a finite row, got none; the run has no numbers"
        )
    shown = values[whole]
    if quantity == "share":
        total = np.abs(shown).sum(axis=1, keepdims=True)
        shown = np.abs(shown) / np.where(total > 0, total, np.nan)
    named = np.argsort(-np.abs(values[whole][-1]), kind="stable")[:_NAMED]
    looks = dict(zip(named.tolist(), _LOOKS, strict=False))
    lines = []
    for j, curve in enumerate(shown.T):
        name = _name(data, quantity, j) if j in looks else f"_{j}"
        colour, dash = looks.get(j, ("#B0B0B0", "-"))
        style = {"color": colour, "linestyle": dash, "zorder": 2 + (j in looks)}
        lines += axes.plot(time[whole], curve, linewidth=1.4, label=name, **style)
    if not whole[-1] and np.isfinite(time[-1]):
        axes.axvline(time[-1], color="black", linewidth=0.8, linestyle=":")
    axes.set(xlabel=_CLOCKS[clock], ylabel=_QUANTITIES[quantity])
    legend = axes.legend(fontsize=6.5, frameon=False, handlelength=1.2)
    for text in legend.get_texts():
        text.set_parse_math(text.get_text().startswith("$"))
    return lines


def _name(data: Data, quantity: str, j: int) -> str:
    """What a curve is called: its feature, or its place from 1."""
    if quantity == "margins":
        return f"example {j + 1}"
    return data.features[j] if data.features else f"$\\beta_{{{j + 1}}}$"


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
