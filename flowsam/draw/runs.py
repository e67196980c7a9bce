"""Runs as curves: one colour and dash a rule, wherever it appears."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

__all__ = ["RULE_STYLES", "paths"]

RULE_STYLES = {
    "GD": {"color": "#000000", "linestyle": (0, (5, 2))},
    "l_inf-SAM": {"color": "#0072B2", "linestyle": "-"},
    "l_2-SAM": {"color": "#D55E00", "linestyle": (0, (6, 1, 1, 1))},
}


def paths(
    axes: Axes, curves: dict[str, Float[np.ndarray, "_ 2"]], *, width: float = 1.4
) -> list[Line2D]:
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
        style = RULE_STYLES.get(name, {"color": "#009E73", "linestyle": (0, (1, 1))})
        shown = name.replace("l_inf", r"$\ell_\infty$").replace("l_2", r"$\ell_2$")
        lines += axes.plot(curve[:, 0], curve[:, 1], linewidth=width, label=shown, **style)
    return lines
