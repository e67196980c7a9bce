"""flowsam portrait: a plane of starts and the limit of each."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowsam.captions import typeset
from flowsam.cli.options import FLAG, Kind, Option, numbers, whole
from flowsam.cli.planes import PLANE, plane_asked
from flowsam.cli.problem import FLOW
from flowsam.cli.writing import (
    PROOF,
    TOLD,
    keep_proof,
    out,
    picture,
    progress_bar,
    say,
    tell,
    to_json,
)
from flowsam.errors import InputError

if TYPE_CHECKING:
    from flowsam.portrait import Portrait, Skeleton
    from flowsam.portrait.plane_rows import Grid


def _point(text: str) -> list[float]:
    """A point of the plane."""
    point = numbers(text)
    if len(point) != 2:
        raise InputError(f"needs X,Y, got {text!r}; e.g. 0.5,0.7")
    return point


_LEVELS = "10"  # halvings of a cell: a thousandth
OPTIONS = (
    *FLOW,
    *PLANE,
    Option(
        "--refine",
        f"Locate boundaries to 2^-N of a cell; without a number {_LEVELS}.",
        whole(1, 16),
        bare=_LEVELS,
    ),
    Option("--field", "Velocity, rest points, nullclines, separatrices.", FLAG),
    Option(
        "--path",
        "X,Y: a trajectory from there; repeatable.",
        Kind("X,Y", _point),
        many=True,
    ),
    Option("--times", "When each start is decided, in a picture or .json.", FLAG),
    *PROOF,
    Option("--resume", "Go on with the rows an interrupted run kept in this file."),
    out(
        "a picture (.pdf, .png, .svg), the labels (.npz; .npy streams any size) or everything as "
        ".json"
    ),
    *TOLD,
)


def command(given: Namespace) -> int:
    """Map a plane of starts to limits as t -> inf, by theorem or by integration.

    Progress counts finished cells on stderr. An interrupt keeps the finished rows in a file, and
    --resume goes on from it.

      flowsam portrait --mu 1,2 --rho 1 --out limits.png
      flowsam portrait --mu 1 --rho 1 --x=-3,3 --field --path 0.5,0.7 --out layers.svg
      flowsam portrait --mu 1,2 --norm 1.5 --rho 1 --depth 3 --grid 100 --refine --out deep.json
    """
    asked = plane_asked(given)
    path = given.out
    _check_shown(given)
    if path and path.suffix == ".npy":
        return _stream(asked, given)
    _check_work(asked, given)
    lines = _skeleton(asked, given.path) if given.field or given.path else None
    found = _labels(asked, given)
    stopped = bool(found.unfinished)
    if given.refine is not None and not stopped:
        found, stopped = _refined(found, given)
    if stopped:
        return _keep(found, path)
    facts = _facts(found, lines)
    if path:
        _write(found, lines, facts, path, times=given.times)
    tell(given, f"{_sentence(found)}\n{found!r}", facts)
    return 0


def _check_shown(given: Namespace) -> None:
    """Refuse options that a file of labels has no place for."""
    beside = "--refine --field --path --times --prove --proof --resume".split()
    asked = [name for name in given.typed if name in beside]
    if asked and given.out and given.out.suffix == ".npy":
        move = "give another --out"
        if asked == ["--resume"]:
            move = "the same command goes on by itself"
        raise InputError(
            f"--out {given.out} streams labels alone, got {', '.join(asked)}; {move}"
        )


def _check_work(asked: Grid, given: Namespace) -> None:
    """Refuse before the work what the plane has none of, or nothing would show."""
    if not given.json:
        for option in ("--field", "--path"):
            if getattr(given, option[2:]):
                _check_drawn(given.out, option)
    if given.refine is not None:
        from flowsam.portrait.refining import check_axes

        check_axes(asked.x, asked.y)
    if given.times:
        from flowsam.portrait.plane_rows import settled_rows

        _check_drawn(given.out, "--times")
        settled_rows(replace(asked, x=asked.x[:1], y=asked.y[:1]))


def _check_drawn(path: Path | None, option: str) -> None:
    """Refuse an option before the work where nothing would show what it asks for."""
    if path is None or path.suffix == ".npz":
        raise InputError(
            f"{option} needs --out with a picture or .json, got {path}; add it"
        )


def _stream(asked: Grid, given: Namespace) -> int:
    """Write the labels row by row, in little memory; the same command goes on after a stop."""
    from flowsam.cards import text_card
    from flowsam.portrait import stream_portrait

    with progress_bar(asked.x.size * asked.y.size, "cells", given.quiet) as bar:
        found = stream_portrait(
            *(asked.flow, asked.x, asked.y),
            path=given.out,
            start=asked.plane,
            progress=bar.update,
        )
    facts = found.provenance | {"fractions": found.fractions}
    rows = [(name, str(value)) for name, value in facts.items()]
    tell(given, text_card(f"Portrait in {given.out}", rows), facts)
    return 0


def _labels(asked: Grid, given: Namespace) -> Portrait:
    """The labels of the plane: proved, or those an earlier run kept included."""
    from flowsam.portrait import load, phase_portrait, resume

    prove = bool(given.prove or given.proof)
    axes = (asked.x, asked.y)
    how: dict[str, Any] = {"start": asked.plane}
    if given.resume is not None:
        if prove:
            raise InputError(
                "--prove needs a plane as a whole, got --resume; leave one out"
            )
        rows = load(given.resume)
        with progress_bar(rows.unfinished * asked.x.size, "cells", given.quiet) as bar:
            return resume(rows, asked.flow, axes=axes, progress=bar.update, **how)
    cells = (1 + prove) * asked.x.size * asked.y.size  # twice where they are proved
    with progress_bar(cells, "cells", given.quiet) as bar:
        how |= {"progress": bar.update, "prove": prove}
        found = phase_portrait(asked.flow, *axes, **how)
    keep_proof(found.proof, given.proof)
    return found


def _refined(found: Portrait, given: Namespace) -> tuple[Portrait, bool]:
    """The portrait with its boundaries located, or as it was and True after an interrupt."""
    from flowsam.portrait import refine

    try:
        with progress_bar(None, "labels", given.quiet) as bar:
            return refine(found, levels=given.refine, progress=bar.update), False
    except KeyboardInterrupt:
        return found, True


def _keep(found: Portrait, path: Path | None) -> int:
    """Save the finished rows of a stopped run, and say where and how to go on."""
    kept = (path or Path("portrait")).with_suffix(".partial.npz")
    found.save(kept)
    done = found.y.size - found.unfinished
    say(
        f"flowsam: stopped; {done} of {found.y.size} rows are kept in {kept}; the same command "
        f"with --resume {kept} goes on"
    )
    return 130


def _skeleton(asked: Grid, points: tuple[list[float], ...]) -> Skeleton:
    """What organises the plane's field, with the paths asked for."""
    from flowsam.portrait import PlaneField, skeleton

    window = []
    for axis in (asked.x, asked.y):
        low = float(axis.min())
        high = float(axis.max())
        # the axis is a cell away
        edge = 0 < low <= 1.5 * (high - low) / max(axis.size - 1, 1)
        window.append((0.0 if edge else low, high))
    field = PlaneField(asked.flow, asked.plane, *window)
    return skeleton(field, starts=points)


def _sentence(plane: Portrait) -> str:
    """The shares of a plane of starts, the largest first."""
    shares = sorted(plane.fractions.items(), key=lambda item: -item[1])
    words = [f"{plane.limit_name(k)} from {share:.1%} of them" for k, share in shares]
    shown = ", ".join(words[:6]) + ", ..." * (len(words) > 6)
    return f"These starts end at {shown}."


def _facts(found: Portrait, lines: Skeleton | None) -> dict[str, Any]:
    """What JSON shows: provenance, fractions with errors, refinement, rest points."""
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
            {
                "point": p.point,
                "kind": p.kind,
                "eigenvalues": [
                    str(v) if isinstance(v, complex) else v
                    for v in p.eigenvalues.tolist()
                ],
            }
            for p in lines.equilibria
        ]
    return facts


def _write(
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
        curves = [{"name": name, "points": curve} for name, curve in found.boundaries]
        arrays = {name: getattr(found, name) for name in ("x", "y", "labels")}
        arrays |= {"boundaries": curves}
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
        figure.legend(
            *(shown.values(), shown),
            loc="outside lower center",
            ncols=2,
            fontsize=6.5,
            frameon=False,
        )
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
