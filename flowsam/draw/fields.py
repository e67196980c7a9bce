"""Velocity on a plane: the field and what organises it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

__all__ = ["vectors"]


def vectors(
    axes: Axes,
    x: Float[np.ndarray, " nx"],
    y: Float[np.ndarray, " ny"],
    velocity: Float[np.ndarray, "ny nx 2"],
) -> object:
    """Draw the direction of a plane's velocity as streamlines.

    Parameters
    ----------
    axes : Axes
    x, y : ndarray
        Evenly spaced grid.
    velocity : ndarray, shape (ny, nx, 2)
        Components along x and y.

    Returns
    -------
    StreamplotSet
    """
    return axes.streamplot(
        x, y, velocity[..., 0], velocity[..., 1], color="#606060", linewidth=0.5, arrowsize=0.6
    )
