"""Velocity on a plane: arrows, trajectories, and what organises them."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.quiver import Quiver

from flowsam.portrait import Equilibrium, Skeleton
from flowsam.shapes import Curve, Float

_NULLCLINES = {"x' = 0": (0, (1, 1.2)), "y' = 0": (0, (4, 1.5))}
_SLIDING = "#B0397F"
_PATH = "#00446B"
_HEAD = {"arrowstyle": "-|>", "color": _PATH, "linewidth": 0, "mutation_scale": 8}
_HEAD |= {"shrinkA": 0, "shrinkB": 0}


def skeleton(
    axes: Axes,
    found: Skeleton,
    *,
    nullclines: bool = True,
) -> dict[str, Line2D]:
    """Draw a planar field and what organises it, computed parts first, theory over them.

    Arrows show directions, all of one length; nullclines are dotted (x' = 0) and dashed (y' = 0),
    sliding segments wide, separatrices black, trajectories blue with an arrow.

    Parameters
    ----------
    axes : Axes
    found : Skeleton
    nullclines : bool
        Whether to draw them.

    Returns
    -------
    dict of str to Line2D
        One artist a kind of line or point that was drawn, for a legend.
    """
    arrows(axes, found.x, found.y, found.velocity)
    shown = {}
    for name, curve in found.nullclines if nullclines else ():
        (shown[f"nullcline {name}"],) = axes.plot(
            *curve.T, linestyle=_NULLCLINES[name], color="#404040", linewidth=0.9
        )
    for name, curve in found.sliding:
        (shown[name],) = axes.plot(
            *curve.T, color=_SLIDING, linewidth=2.6, solid_capstyle="butt", zorder=2.2
        )
    for line in trajectories(axes, found.paths):
        shown["trajectory"] = line
    for _, curve in found.separatrices:
        (shown["separatrix"],) = axes.plot(
            *curve.T, color="black", linewidth=1.4, zorder=2.4
        )
    shown |= rest_points(axes, found.equilibria)
    axes.set(xlim=found.window[0], ylim=found.window[1])
    _uncover(axes, found.equilibria)
    return shown


def _uncover(axes: Axes, points: tuple[Equilibrium, ...]) -> None:
    """Move names of regions from under rest points to their upper right."""
    (left, right) = axes.get_xlim()
    (low, high) = axes.get_ylim()
    span = np.array([right - left, high - low])
    for name in (text for text in axes.texts if text.get_text()):
        for point in points:
            if (
                np.abs(np.array(name.get_position()) - point.point) < 0.06 * span
            ).all():
                name.set_position(tuple(np.array(point.point) + 0.1 * span))


def arrows(
    axes: Axes,
    x: Float[np.ndarray, " nx"],
    y: Float[np.ndarray, " ny"],
    velocity: Float[np.ndarray, "ny nx 2"],
) -> Quiver:
    """Draw directions on a lattice, as arrows of one length centred on its points.

    Each arrow is the field at its own point: none is drawn across a surface where the field jumps.

    Parameters
    ----------
    axes : Axes
    x, y : ndarray
        Evenly spaced.
    velocity : ndarray, shape (ny, nx, 2)

    Returns
    -------
    Quiver
    """
    size = np.hypot(velocity[..., 0], velocity[..., 1])[..., None]
    unit = np.divide(velocity, size, where=size > 0, out=np.zeros_like(velocity))
    length = 0.72 * min(np.ptp(x) / max(x.size - 1, 1), np.ptp(y) / max(y.size - 1, 1))
    return axes.quiver(
        *(x, y, *np.moveaxis(length * unit, -1, 0)),
        color="#585858",
        pivot="middle",
        width=0.0025,
        headwidth=4.5,
        angles="xy",
        scale_units="xy",
        scale=1.0,
        zorder=1.5,
    )


def trajectories(axes: Axes, curves: tuple[Curve, ...]) -> list[Line2D]:
    """Draw paths in the plane, each with an arrow half-way along what is seen of it.

    Parameters
    ----------
    axes : Axes
    curves : tuple of ndarray, shape (m, 2)
        In order of time.

    Returns
    -------
    list of Line2D
    """
    lines = []
    for curve in curves:
        lines += axes.plot(*curve.T, color=_PATH, linewidth=1.1, zorder=2.3)
        length = np.append(0, np.hypot(*np.diff(curve, axis=0).T).cumsum())
        middle = int(np.searchsorted(length, length[-1] / 2))
        if 0 < middle < len(curve) and length[-1] > 0:
            axes.annotate(
                "",
                xy=curve[middle],
                xytext=curve[middle - 1],
                arrowprops=_HEAD,
                zorder=2.35,
            )
    return lines


def rest_points(axes: Axes, points: tuple[Equilibrium, ...]) -> dict[str, Line2D]:
    """Mark rest points: attracting ones filled, repelling ones open, saddles half filled.

    Degenerate ones are squares, pseudo-equilibria diamonds, the others circles.

    Parameters
    ----------
    axes : Axes
    points : tuple of Equilibrium

    Returns
    -------
    dict of str to Line2D
        One artist a kind.
    """
    shown = {}
    for point in points:
        kind = point.kind
        shape = "s" if "degenerate" in kind else "D" if "pseudo" in kind else "o"
        fill = "left" if "saddle" in kind else "full"
        inside = "black" if kind.startswith("stable") or fill == "left" else "white"
        (shown[kind],) = axes.plot(
            *(*point.point, shape),
            linestyle="none",
            clip_on=False,
            zorder=3,
            markersize=4.8 if shape == "D" else 5.6,
            markeredgecolor="black",
            fillstyle=fill,
            markerfacecolor=inside,
            markerfacecoloralt="white",
        )
    return shown
