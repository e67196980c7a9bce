"""What `flowsam portrait` leaves behind: facts, arrays and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowsam.captions import typeset
from flowsam.cli.writing import picture, to_json

if TYPE_CHECKING:
    from pathlib import Path

    from flowsam.portrait import Portrait, Skeleton


def facts_of(found: Portrait, lines: Skeleton | None) -> dict[str, Any]:
    """Return what JSON shows: provenance, fractions with errors, refinement, rest points."""
    facts = found.provenance() | {
        "fractions": found.fractions,
        "fraction_errors": found.fraction_errors,
    }
    if found.refinement:
        facts["refinement"] = {
            "tolerance_in_cells": found.refinement.tolerance,
            "evaluations": found.refinement.evaluations,
        }
    if lines:
        facts["rest_points"] = [
            {"point": p.point, "kind": p.kind, "eigenvalues": _real(p.eigenvalues)}
            for p in lines.equilibria
        ]
    return facts


def _real(values: Any) -> list[Any]:
    """Eigenvalues as numbers, or as text where they are complex."""
    return [str(v) if isinstance(v, complex) else v for v in values.tolist()]


def write(
    found: Portrait,
    lines: Skeleton | None,
    facts: dict[str, Any],
    path: Path,
    *,
    times: bool,
) -> None:
    """Write the file asked for, in one move."""
    from flowsam.archive import write_text

    if path.suffix == ".npz":
        found.save(path)
    elif path.suffix == ".json":
        named = [{"name": name, "points": curve} for name, curve in found.boundaries]
        arrays = {
            "x": found.x,
            "y": found.y,
            "labels": found.labels,
            "boundaries": named,
        }
        if times:
            arrays["settled_at"] = found.settled_at
        if found.proof:
            arrays["proved"] = found.proof.proved.reshape(found.labels.shape)
        write_text(path, to_json(facts | arrays) + "\n")
    else:
        high = (3.6 if times else 4.2) + (0.7 if lines else 0.0)
        with picture(path, figsize=(8.0 if times else 4.0, high)) as figure:
            _draw(figure, found, lines, times)


def _draw(figure: Any, found: Portrait, lines: Skeleton | None, times: bool) -> None:
    """The portrait with its facts above, its signs below and times beside it."""
    import numpy as np

    from flowsam import draw

    panels = figure.subplots(1, 1 + times, squeeze=False)[0]
    draw.portrait(panels[0], found)
    if lines:
        shown = draw.skeleton(panels[0], lines)
        place = {
            "loc": "outside lower center",
            "ncols": 2,
            "fontsize": 6.5,
            "frameon": False,
        }
        figure.legend(shown.values(), shown, **place)
    if times:
        mesh = draw.times(panels[1], found)
        word = r"decided at rescaled time $\tau$"
        figure.colorbar(mesh, ax=panels[1], label=word, extend="both", shrink=0.8)
    for panel in panels if np.ptp(found.x) == np.ptp(found.y) else ():
        panel.set_aspect("equal")
    title = found.describe()
    if found.proof:
        title += f"\n{found.proof.describe()}"
    panels[0].set_title(typeset(title), fontsize=8, wrap=True)
