"""What `refine` finds out about a portrait: boundaries as curves, regions as tiles."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from flowsam.cards import Card, Rows
from flowsam.labels import kind_of
from flowsam.shapes import Codes, Curves, Float, LabelGrid


@dataclass(frozen=True, eq=False)
class Tiling:
    """A plane filled as sharply as its boundaries are known.

    Parameters
    ----------
    grid : ndarray of int16, shape (ny, nx)
        Labels of the grid points; one on a boundary has that of the region beside it.
    labels : ndarray of int16, shape (N,)
    corners : ndarray, shape (N, 5, 2)
        Polygons that fill all cells a boundary crosses, in the plane's parameters; corners may
        repeat, and a later polygon covers earlier ones.
    """

    grid: LabelGrid
    labels: Codes
    corners: Float[np.ndarray, "N 5 2"]


@dataclass(frozen=True, eq=False, repr=False)
class Refinement(Card):
    """What `refine` found out about a portrait.

    Parameters
    ----------
    curves : tuple of (str, ndarray of shape (m, 2))
        Located boundaries, named after the labels on their two sides.
    tolerance : float
        Largest distance to the boundary, in cells of the portrait.
    evaluations : int
        Labels computed beyond those of the portrait.
    fractions, errors : dict
        Share of the plane's area for each label, and a bound: tolerance times length.
    tiling : Tiling
        The regions, for pictures.
    """

    curves: Curves
    tolerance: float
    evaluations: int
    fractions: dict[int, float]
    errors: dict[int, float]
    tiling: Tiling

    def _rows(self) -> Rows:
        """The curves by name, how well they are known, and the shares of the regions."""
        names = ", ".join(dict.fromkeys(name for name, _ in self.curves)) or "none"
        shares = (
            f"{region(k)} {share:.6f} +- {self.errors[k]:.1g}"
            for k, share in self.fractions.items()
        )
        return [
            ("curves", f"{len(self.curves)}: {names}"),
            ("tolerance", f"{self.tolerance:g} of a cell"),
            ("evaluations", str(self.evaluations)),
            ("fractions", ", ".join(shares)),
        ]

    def facts(self) -> dict[str, Any]:
        """Return what a file's header says; curves and tiling are arrays beside it."""
        rest = {k: v for k, v in vars(self).items() if k not in ("curves", "tiling")}
        return rest | {"curves": len(self.curves)}

    @classmethod
    def of(
        cls,
        facts: dict[str, Any],
        curves: Curves,
        arrays: dict[str, np.ndarray],
    ) -> Refinement:
        """Rebuild what a file keeps, from `facts`, all boundaries, and its arrays."""
        shares = {name: by_label(facts[name]) for name in ("fractions", "errors")}
        located = curves[len(curves) - facts["curves"] :]
        tiling = Tiling(*(arrays[f"tiling_{part.name}"] for part in fields(Tiling)))
        return cls(**facts | shares | {"curves": located, "tiling": tiling})


def region(label: int) -> str:
    """Return the name of a region by its label."""
    return f"e_{label}" if label > 0 else kind_of(label)


def by_label(shares: dict[str, float]) -> dict[int, float]:
    """Return the shares of a file, where JSON made text of the labels."""
    return {int(label): float(share) for label, share in shares.items()}
