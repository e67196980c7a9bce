"""A plane in colours, one a label, each region named in its widest place."""

import re
from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.font_manager import FontProperties
from scipy.ndimage import distance_transform_edt, minimum_filter
from scipy.ndimage import label as component

from flowsam.shapes import Axis, LabelGrid

_BEHIND = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1.5}


def fill(
    axes: Axes,
    grid: tuple[Axis, Axis],
    labels: LabelGrid,
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
            _name_region(axes, grid, pieces == piece, names, size)
    return mesh


def _name_region(
    axes: Axes,
    grid: tuple[Axis, Axis],
    inside: np.ndarray,
    names: list[str],
    size: str,
) -> None:
    """Write the first name that fits where the region is widest; where none fits, none."""
    depth = distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    points = FontProperties(size=size).get_size_in_points()
    # a constrained layout leaves more room than this first one
    side = 1.15 * min(axes.get_window_extent().size) / axes.figure.dpi
    letter = points / 72 / side
    for name in names:
        letters = len(re.sub(r"[${}_\\]", "", name))
        share = np.array([1.3, 0.6 * letters + 0.4]) * letter  # 0.6 as wide as high
        box = np.maximum(1, np.round(share * inside.shape)).astype(int)
        room = depth * minimum_filter(inside, tuple(box), mode="constant")
        if room.any():
            # of the widest places the most central
            wide = np.argwhere(room >= 0.9 * room.max())
            middle = np.argwhere(inside).mean(axis=0)
            row, column = wide[np.argmin(((wide - middle) ** 2).sum(axis=1))]
            x, y = grid
            axes.text(
                *(x[column], y[row], name),
                ha="center",
                va="center",
                bbox=_BEHIND,
                fontsize=size,
            )
            return
