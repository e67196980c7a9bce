"""Maps of who leads, over the scale of the start and time."""

from __future__ import annotations

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
