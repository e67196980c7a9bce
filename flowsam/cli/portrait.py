"""flowsam portrait: a plane of starts and the limit of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowsam.cli.planes import plane_options
from flowsam.cli.portrait_files import facts_of, write
from flowsam.cli.problem import flow_options
from flowsam.cli.proofs import keep_proof, proof_options, wanted_proof
from flowsam.cli.reading import numbers
from flowsam.cli.sentences import mapped
from flowsam.cli.writing import Output, output_options, progress_bar

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
@click.option(
    "--field", is_flag=True, help="Velocity, rest points, nullclines, separatrices."
)
@click.option(
    "--path", "starts", multiple=True, help="X,Y: a trajectory from there; repeatable."
)
@click.option(
    "--times", is_flag=True, help="When each start is decided, in a picture or .json."
)
@proof_options
@click.option(
    "--resume", help="Go on with the rows an interrupted run kept in this file."
)
@output_options(
    "a picture (.pdf, .png, .svg), the labels (.npz; .npy streams any size) or everything as .json",
    (".npz", ".npy", ".png", ".pdf", ".svg", ".json"),
)
def command(
    flow: Any,
    start: Any,
    x: Any,
    y: Any,
    output: Output,
    **how: Any,
) -> int:
    """Map a plane of starts to limits as t -> inf, by theorem or by integration.

    Progress counts finished cells on stderr. An interrupt keeps the finished rows in a file, and
    --resume goes on from it.

    \b
    flowsam portrait --mu 1,2 --rho 1 --out limits.png
    flowsam portrait --mu 1 --rho 1 --x=-3,3 --field --path 0.5,0.7 --out layers.svg
    flowsam portrait --mu 1,2 --norm 1.5 --rho 1 --depth 3 --grid 100 --refine --out deep.json
    """
    path = output.path
    _check_shown(path, how)
    if path and path.suffix == ".npy":
        return _stream(flow, start, (x, y), output)
    points = _points(how["starts"])
    if (how["field"] or points) and not output.as_json:
        _check_drawn(path, "--field" if how["field"] else "--path")
    if how["levels"] is not None:
        from flowsam.portrait.refining import check_axes

        check_axes(x, y)
    if how["times"]:
        _check_times(flow, start, (x, y), path)
    lines = _skeleton(flow, start, (x, y), points) if how["field"] or points else None
    found = _labels(flow, start, (x, y), how, output.quiet)
    stopped = bool(found.unfinished)
    if how["levels"] is not None and not stopped:
        found, stopped = _refined(found, how["levels"], output.quiet)
    if stopped:
        return _keep(found, path)
    facts = facts_of(found, lines)
    if path:
        write(found, lines, facts, path, times=how["times"])
    output.show(found, facts, mapped(found))
    return 0


def _points(starts: tuple[str, ...]) -> list[list[float]]:
    """The starts of trajectories."""
    points = [numbers(text, "--path") for text in starts]
    if any(len(point) != 2 for point in points):
        raise click.UsageError(f"--path needs X,Y, got {starts}; e.g. --path 0.5,0.7")
    return points


def _check_shown(path: Path | None, how: dict[str, Any]) -> None:
    """Refuse options that a file of labels has no place for."""
    given = {
        "--refine": how["levels"] is not None,
        "--field": how["field"],
        "--path": bool(how["starts"]),
        "--times": how["times"],
        "--prove": how["prove"],
        "--proof": how["proof"] is not None,
        "--resume": how["resume"] is not None,
    }
    asked = [name for name, typed in given.items() if typed]
    if asked and path and path.suffix == ".npy":
        move = (
            "the same command goes on by itself"
            if asked == ["--resume"]
            else "give another --out"
        )
        raise click.UsageError(
            f"--out {path} streams labels alone, got {', '.join(asked)}; {move}"
        )


def _check_times(
    flow: Any, start: Any, axes: tuple[Any, Any], path: Path | None
) -> None:
    """Refuse --times before the work where nothing would show it or know it."""
    from flowsam.portrait.plane_rows import settled_rows

    _check_drawn(path, "--times")
    settled_rows(flow, start, (axes[0][:1], axes[1][:1]))


def _check_drawn(path: Path | None, option: str) -> None:
    """Refuse an option before the work where nothing would show what it asks for."""
    if path is None or path.suffix == ".npz":
        raise click.UsageError(
            f"{option} needs --out with a picture or .json, got {path}; add it"
        )


def _stream(flow: Any, start: Any, axes: tuple[Any, Any], output: Output) -> int:
    """Write the labels row by row, in little memory; the same command goes on after a stop."""
    from flowsam.cards import text_card
    from flowsam.portrait import stream_portrait

    cells = axes[0].size * axes[1].size
    path: Any = output.path
    with progress_bar(cells, "cells", output.quiet) as bar:
        found = stream_portrait(
            flow, *axes, path=path, start=start, progress=bar.update
        )
    facts = found.provenance | {"fractions": found.fractions}
    rows = [(name, str(value)) for name, value in facts.items()]
    output.tell(text_card(f"Portrait in {path}", rows), facts)
    return 0


def _labels(
    flow: Any, start: Any, axes: tuple[Any, Any], how: dict[str, Any], quiet: bool
) -> Portrait:
    """The labels of the plane: proved, or those an earlier run kept included."""
    from flowsam.portrait import load, phase_portrait, resume

    prove, kept = wanted_proof(how)
    if prove and how["resume"] is not None:
        raise click.UsageError(
            "--prove needs a plane as a whole, got --resume; leave one out"
        )
    if how["resume"] is None:
        # cells count twice where they are proved
        with progress_bar(
            (1 + prove) * axes[0].size * axes[1].size, "cells", quiet
        ) as bar:
            found = phase_portrait(
                flow, *axes, start=start, progress=bar.update, prove=prove
            )
        keep_proof(found.proof, kept)
        return found
    rows = load(how["resume"])
    with progress_bar(rows.unfinished * axes[0].size, "cells", quiet) as bar:
        return resume(rows, flow, axes=axes, start=start, progress=bar.update)


def _refined(found: Portrait, levels: int, quiet: bool) -> tuple[Portrait, bool]:
    """The portrait with its boundaries located, or as it was and True after an interrupt."""
    from flowsam.portrait import refine

    try:
        with progress_bar(None, "labels", quiet) as bar:
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


def _skeleton(
    flow: Any, start: Any, axes: tuple[Any, Any], points: list[list[float]]
) -> Skeleton:
    """What organises the plane's field, with the paths asked for."""
    from flowsam.portrait import PlaneField, skeleton

    window = []
    for low, high, cells in ((axis.min(), axis.max(), axis.size) for axis in axes):
        edge = (
            0 < low <= 1.5 * (high - low) / max(cells - 1, 1)
        )  # the axis is a cell away
        window.append((0.0 if edge else float(low), float(high)))
    return skeleton(PlaneField(flow, start, *window), starts=points)
