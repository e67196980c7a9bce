"""flowsam portrait: a plane of starts and the limit of each."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowsam.cli.planes import plane_options
from flowsam.cli.problem import flow_options
from flowsam.cli.reading import numbers
from flowsam.cli.writing import (
    checked_output,
    json_option,
    out_option,
    quiet_option,
    save_figure,
    show,
    to_json,
)

if TYPE_CHECKING:
    from flowsam.portrait import Portrait, Skeleton

_LEVELS = 10  # halvings of a cell: a thousandth


@click.command("portrait")
@flow_options
@plane_options
@click.option(
    "--refine", "levels", type=click.IntRange(1, 16), is_flag=False, flag_value=_LEVELS,
    help=f"Locate boundaries to 2^-LEVELS of a cell; without a number {_LEVELS}.",
)  # fmt: skip
@click.option("--field", is_flag=True, help="Velocity, rest points, nullclines, separatrices.")
@click.option("--path", "starts", multiple=True, help="X,Y: a trajectory from there; repeatable.")
@click.option("--resume", help="Go on with the rows an interrupted run kept in this file.")
@out_option(
    "a picture (.pdf, .png, .svg), the labels (.npz; .npy streams any size) or everything as .json"
)
@json_option
@quiet_option
def command(
    flow: Any, start: Any, x: Any, y: Any, out: str | None, as_json: bool, quiet: bool, **how: Any
) -> int:
    """Map a plane of starts to limits as t -> inf, by theorem or by integration.

    Progress counts finished cells on stderr. An interrupt keeps the finished rows in a file, and
    --resume goes on from it.

    \b
    flowsam portrait --mu 1,2 --rho 1 --out limits.png
    flowsam portrait --mu 1 --rho 1 --x=-3,3 --field --path 0.5,0.7 --out layers.svg
    flowsam portrait --mu 1,2 --norm 1.5 --rho 1 --depth 3 --grid 100 --refine --out deep.json
    """
    path = checked_output(out, (".npz", ".npy", ".png", ".pdf", ".svg", ".json"))
    if path and path.suffix == ".npy":
        return _stream((flow, start), (x, y), path, as_json=as_json, quiet=quiet)
    points = [numbers(text, "--path") for text in how["starts"]]
    if any(len(point) != 2 for point in points):
        raise click.UsageError(f"--path needs X,Y, got {how['starts']}; e.g. --path 0.5,0.7")
    lines = _skeleton(flow, start, (x, y), points) if how["field"] or points else None
    found = _labels(flow, start, (x, y), how["resume"], quiet)
    stopped = bool(found.unfinished)
    if how["levels"] is not None and not stopped:
        found, stopped = _refined(found, how["levels"], quiet)
    if stopped:
        return _keep(found, path)
    facts = _facts(found, lines)
    if path:
        _write(found, lines, facts, path)
    show(found, facts, as_json=as_json, quiet=quiet)
    return 0


def _bar(total: int | None, unit: str, quiet: bool) -> Any:
    """A progress bar on stderr, hidden where nobody would see it."""
    from tqdm import tqdm

    hidden = quiet or not sys.stderr.isatty()
    return tqdm(total=total, unit=f" {unit}", unit_scale=True, disable=hidden, leave=False)


def _stream(what: Any, axes: tuple[Any, Any], path: Path, *, as_json: bool, quiet: bool) -> int:
    """Write the labels row by row, in little memory; the same command goes on after a stop."""
    from flowsam.archive import text_card
    from flowsam.portrait import stream_portrait

    (flow, start), (x, y) = what, axes
    with _bar(x.size * y.size, "cells", quiet) as bar:
        found = stream_portrait(flow, x, y, path=path, start=start, progress=bar.update)
    facts = found.provenance | {"fractions": found.fractions}
    if not quiet:
        rows = [(name, str(value)) for name, value in facts.items()]
        click.echo(to_json(facts) if as_json else text_card(f"Portrait in {path}", rows))
    return 0


def _labels(
    flow: Any, start: Any, axes: tuple[Any, Any], kept: str | None, quiet: bool
) -> Portrait:
    """The labels of the plane, those an earlier run kept included."""
    from flowsam.portrait import load, phase_portrait, resume

    cells = axes[0].size * axes[1].size
    if kept is None:
        with _bar(cells, "cells", quiet) as bar:
            return phase_portrait(flow, *axes, start=start, progress=bar.update)
    rows = load(kept)
    with _bar(rows.unfinished * axes[0].size, "cells", quiet) as bar:
        return resume(rows, flow, axes=axes, start=start, progress=bar.update)


def _refined(found: Portrait, levels: int, quiet: bool) -> tuple[Portrait, bool]:
    """The portrait with its boundaries located, or as it was and True after an interrupt."""
    from flowsam.portrait import refine

    try:
        with _bar(None, "labels", quiet) as bar:
            return refine(found, levels=levels, progress=bar.update), False
    except KeyboardInterrupt:
        return found, True


def _keep(found: Portrait, path: Path | None) -> int:
    """Save the finished rows of a stopped run, and say where and how to go on."""
    kept = (path or Path("portrait")).with_suffix(".partial.npz")
    found.save(kept)
    done = found.y.size - found.unfinished
    click.echo(
        f"flowsam: stopped; {done} of {found.y.size} rows are kept in {kept}; the same command "
        f"with --resume {kept} goes on",
        err=True,
    )
    return 130


def _skeleton(flow: Any, start: Any, axes: tuple[Any, Any], points: list[list[float]]) -> Skeleton:
    """What organises the plane's field, with the paths asked for."""
    from flowsam.portrait import PlaneField, skeleton

    window = []
    for low, high, cells in ((axis.min(), axis.max(), axis.size) for axis in axes):
        edge = 0 < low <= 1.5 * (high - low) / max(cells - 1, 1)  # the axis is a cell away
        window.append((0.0 if edge else float(low), float(high)))
    return skeleton(PlaneField(flow, start, *window), starts=points)


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
            {"point": p.point, "kind": p.kind, "eigenvalues": _real(p.eigenvalues)}
            for p in lines.equilibria
        ]
    return facts


def _real(values: Any) -> list[Any]:
    """Eigenvalues as numbers, or as text where they are complex."""
    return [str(v) if isinstance(v, complex) else v for v in values.tolist()]


def _write(found: Portrait, lines: Skeleton | None, facts: dict[str, Any], path: Path) -> None:
    """Write the file asked for, in one move."""
    if path.suffix == ".npz":
        found.save(path)
    elif path.suffix == ".json":
        named = [{"name": name, "points": curve} for name, curve in found.boundaries]
        arrays = {"x": found.x, "y": found.y, "labels": found.labels, "boundaries": named}
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(to_json(facts | arrays) + "\n", encoding="utf-8")
        partial.replace(path)
    else:
        _picture(found, lines, path)


def _picture(found: Portrait, lines: Skeleton | None, path: Path) -> None:
    """The portrait drawn, with its facts above and its signs below."""
    import numpy as np
    from matplotlib.figure import Figure

    from flowsam.draw import portrait, skeleton

    figure = Figure(figsize=(4.0, 4.2 if lines is None else 4.9), layout="constrained")
    axes = figure.add_subplot()
    portrait(axes, found)
    if np.ptp(found.x) == np.ptp(found.y):
        axes.set_aspect("equal")
    if lines:
        shown = skeleton(axes, lines)
        figure.legend(
            shown.values(), shown, loc="outside lower center", ncols=2, fontsize=6.5, frameon=False
        )
    axes.set_title(f"{found.flow.describe()}, L = {found.depth}", fontsize=8)
    save_figure(figure, path)
