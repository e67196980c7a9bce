"""A plane in colours, one a label, each region named in its widest place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.text import Text
from scipy.ndimage import distance_transform_edt
from scipy.ndimage import label as component

from flowsam.shapes import Float, Int

__all__ = ["fill"]


def fill(
    axes: Axes,
    grid: tuple[Float[np.ndarray, " nx"], Float[np.ndarray, " ny"]],
    labels: Int[np.ndarray, "ny nx"],
    look: Callable[[int], tuple[str, ...]],
    size: str,
) -> QuadMesh:
    """Fill a plane; `look` gives a label's colour and its names, the first that fits is written."""
    present = np.unique(labels)
    looks = [look(int(k)) for k in present]
    colours = [colour for colour, *_ in looks]
    norm = BoundaryNorm(np.arange(present.size + 1) - 0.5, present.size)
    index = np.searchsorted(present, labels)
    mesh = axes.pcolormesh(
        *grid,
        index,
        cmap=ListedColormap(colours),
        norm=norm,
        shading="nearest",
        rasterized=True,
    )
    for k, (_, *names) in enumerate(looks):
        pieces, count = component(index == k)
        for piece in range(1, min(count, 8) + 1):
            written = (
                _name_region(axes, grid, pieces == piece, name) for name in names
            )
            for text in filter(None, written):
                text.set_fontsize(size)
                break
    return mesh


def _name_region(
    axes: Axes,
    grid: tuple[Float[np.ndarray, " nx"], Float[np.ndarray, " ny"]],
    inside: np.ndarray,
    text: str,
) -> Text | None:
    """Write the name where the region is widest; where it does not fit, none."""
    depth = distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    letters = 3 if text.startswith("$") else max(2, len(text))
    if depth.max() - 0.5 < 0.01 * letters * max(inside.shape):
        return None
    wide = np.argwhere(
        depth >= 0.9 * depth.max()
    )  # of the widest places the most central
    central = np.argmin(((wide - np.argwhere(inside).mean(axis=0)) ** 2).sum(axis=1))
    row, column = wide[central]
    x, y = grid
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1.5}
    return axes.text(x[column], y[row], text, ha="center", va="center", bbox=box)
