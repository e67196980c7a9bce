"""Planes of starts by limit: cells in colours, names in place, theory drawn over computation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.lines import Line2D

from flowsam.draw.fills import fill
from flowsam.labels import Label
from flowsam.portrait import Portrait
from flowsam.shapes import Codes, Curves, Float, LabelGrid
from flowsam.signatures import public

if TYPE_CHECKING:
    from flowsam.certify import PlaneProof


# neighbours differ in luminance too: e_1 .69, e_2 .81, 0 .94, stalled .61 of white
_BASIS = ("#74BCEB", "#F6CF6B", "#2E8B70", "#D9A3C4", "#F3EC8A", "#0072B2", "#E08A55")
# colour and names, the longest first
_OTHERS = {
    Label.ZERO: ("#F0F0F0", "0"),
    Label.UNDECIDED: ("#FFFFFF", "not known", "?"),
    Label.SEPARATRIX: ("#404040", "separatrix"),
    Label.TIE: ("#202020", "tie"),
    Label.STALLED: ("#9C9C9C", "stalled"),
    Label.OTHER_DIRECTION: ("#D8D0E8", "another direction", "mixture"),
    Label.FAILED: ("#FF0000", "failed"),
}
LIMIT_COLOURS = {int(k): look[0] for k, look in _OTHERS.items()} | {
    j + 1: colour for j, colour in enumerate(_BASIS)
}


def name_of(label: int, sign: str = "") -> str:
    """Return what a picture calls a limit; label j is `sign(mu_j) e_j`.

    Examples
    --------
    >>> name_of(2), name_of(1, "-"), name_of(0)
    ('$e_{2}$', '$-e_{1}$', '0')
    """
    return f"${sign}e_{{{label}}}$" if label >= 1 else _OTHERS[Label(label)][1]


def regions(
    axes: Axes,
    x: Float[np.ndarray, " nx"],
    y: Float[np.ndarray, " ny"],
    labels: LabelGrid,
    *,
    size: str = "large",
) -> QuadMesh:
    """Fill a plane by limit, one colour a label, and name each region in its widest place.

    Parameters
    ----------
    axes : Axes
    x, y : ndarray
        Cell centres.
    labels : ndarray of int, shape (ny, nx)
    size : str
        Of the names, in Matplotlib's words.

    Returns
    -------
    QuadMesh
        Rasterised inside vector output: a million cells stay a small file.
    """
    return fill(axes, (x, y), labels, _look, size)


def _look(label: int) -> tuple[str, ...]:
    """The colour of a limit, its name, and a shorter one where there is one."""
    if label < 1:
        return _OTHERS[Label(label)]
    # the colours of basis vectors repeat after the seventh
    return _BASIS[(label - 1) % len(_BASIS)], name_of(label)


def tiles(
    axes: Axes,
    labels: Codes,
    corners: Float[np.ndarray, "N m 2"],
) -> PolyCollection:
    """Lay the tiles of a refinement over the cells of `regions`: no seams, no steps.

    Parameters
    ----------
    axes : Axes
    labels : ndarray of int, shape (N,)
    corners : ndarray, shape (N, m, 2)
        Polygons; a later one covers earlier ones.

    Returns
    -------
    PolyCollection
        Rasterised inside vector output, at the resolution of the file.
    """
    present, which = np.unique(labels, return_inverse=True)
    colours = np.array([_look(int(k))[0] for k in present], dtype=object)
    laid = PolyCollection(
        [*corners],
        facecolors=colours[which],
        edgecolors="none",
        antialiased=False,
        rasterized=True,
    )
    axes.add_collection(laid, autolim=False)
    return laid


def boundaries(axes: Axes, curves: Curves) -> list[Line2D]:
    """Draw the curves theory gives, over the computed cells.

    Returns
    -------
    list of Line2D
        The first carries the label "theory" for a legend.
    """
    lines = []
    for k, (_, curve) in enumerate(curves):
        label = "theory" if k == 0 else None
        lines += axes.plot(*curve.T, color="black", linewidth=1.2, label=label)
    return lines


@public
def portrait(axes: Axes, plane: Portrait) -> QuadMesh:
    """Draw a phase portrait: cells, names in place, axes named, theory over located boundaries.

    Parameters
    ----------
    axes : Axes
    plane : Portrait

    Returns
    -------
    QuadMesh
    """
    found = plane.refinement
    labels = found.tiling.grid if found else plane.labels

    features = plane.flow.data.features

    def look(label: int) -> tuple[str, ...]:
        if label < 1:
            return _look(label)
        sign = plane.signs[label - 1]
        named = (
            (f"{sign}{features[label - 1]}".replace("$", r"\$"),) if features else ()
        )
        return _look(label)[0], *named, name_of(label, sign)

    mesh = fill(axes, (plane.x, plane.y), labels, look, "large")
    if found:
        tiles(axes, found.tiling.labels, found.tiling.corners)
    located = found.curves if found else ()
    for _, curve in located:
        axes.plot(*curve.T, color="#303030", linewidth=0.7)
    boundaries(axes, plane.boundaries[: len(plane.boundaries) - len(located)])
    if plane.proof:
        _proofs(axes, plane, plane.proof)
    _frame(axes, plane)
    return mesh


def _frame(axes: Axes, plane: Portrait) -> None:
    """Name the axes, and end them where the plane ends."""
    axes.set(
        xlim=(plane.x.min(), plane.x.max()),
        ylim=(plane.y.min(), plane.y.max()),
        xlabel=_maths(plane.axes[0]),
        ylabel=_maths(plane.axes[1]),
    )


def _proofs(axes: Axes, plane: Portrait, proof: PlaneProof) -> None:
    """Dots at the starts whose proofs decide all others; crosses over cells without a proof."""
    places = [*proof.proofs] if proof.ordered else []  # else every cell has its own
    for cells, mark in ((places, "."), (np.flatnonzero(~proof.proved), "x")):
        row, column = np.divmod(np.array(cells, dtype=np.int64), plane.x.size)
        axes.plot(
            *(plane.x[column], plane.y[row], mark),
            rasterized=True,
            markersize=2.5,
            color="black",
            markeredgewidth=0.5,
        )


@public
def times(axes: Axes, plane: Portrait) -> QuadMesh:
    """Draw when each start is decided, in rescaled time: a collapse or a blow-up.

    Colours run from dark to light, in grey too, by the logarithm, from the 2nd percentile to the
    98th. Light grey: the limit is reached only as tau -> inf; white: not known.

    Parameters
    ----------
    axes : Axes
    plane : Portrait
        With its start function.

    Returns
    -------
    QuadMesh
        For a colour bar.
    """
    settled = plane.settled_at
    inside = settled[np.isfinite(settled) & (settled > 0)]
    low, high = np.percentile(inside, (2, 98)) if inside.size else (0.1, 1.0)
    scale = LogNorm(low, max(high, 1.001 * low), clip=True)
    how: dict[str, Any] = {"shading": "nearest", "rasterized": True}
    never = np.where(np.isposinf(settled), 1.0, np.nan)
    known = np.where(np.isfinite(settled), settled, np.nan)
    grey = ListedColormap(["#E4E4E4"])
    axes.pcolormesh(plane.x, plane.y, never, cmap=grey, **how)
    mesh = axes.pcolormesh(plane.x, plane.y, known, cmap="cividis", norm=scale, **how)
    _frame(axes, plane)
    return mesh


def _maths(words: str) -> str:
    """Set Greek and indexed words of an axis name in Matplotlib's own mathematics."""
    greek = ("alpha", "rho", "tau", "beta", "mu")
    return " ".join(
        f"$\\{word}$" if word.split("_")[0] in greek else word
        for word in words.split(" ")
    )
