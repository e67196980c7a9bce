"""flowsam portrait: a plane of starts and the limit of each."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowsam.cli.options import FLAG, Kind, Option, numbers, whole
from flowsam.cli.planes import PLANE, plane_asked
from flowsam.cli.portrait_files import facts_of, write
from flowsam.cli.problem import FLOW
from flowsam.cli.writing import PROOF, TOLD, keep_proof, out, progress_bar, say, tell
from flowsam.errors import InputError

if TYPE_CHECKING:
    from flowsam.portrait import Portrait, Skeleton
    from flowsam.portrait.plane_rows import Grid


def _point(text: str, option: str) -> list[float]:
    """A point of the plane."""
    point = numbers(text, option)
    if len(point) != 2:
        raise InputError(f"{option} needs X,Y, got {text!r}; e.g. {option} 0.5,0.7")
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
    Option(
        "--field",
        "Velocity, rest points, nullclines, separatrices.",
        FLAG,
    ),
    Option(
        "--path",
        "X,Y: a trajectory from there; repeatable.",
        Kind("X,Y", _point),
        many=True,
    ),
    Option(
        "--times",
        "When each start is decided, in a picture or .json.",
        FLAG,
    ),
    *PROOF,
    Option(
        "--resume",
        "Go on with the rows an interrupted run kept in this file.",
    ),
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
    shown = given.field or given.path
    if shown and not given.json:
        _check_drawn(path, "--field" if given.field else "--path")
    if given.refine is not None:
        from flowsam.portrait.refining import check_axes

        check_axes(asked.x, asked.y)
    if given.times:
        from flowsam.portrait.plane_rows import settled_rows

        _check_drawn(path, "--times")
        settled_rows(replace(asked, x=asked.x[:1], y=asked.y[:1]))
    lines = _skeleton(asked, given.path) if shown else None
    found = _labels(asked, given)
    stopped = bool(found.unfinished)
    if given.refine is not None and not stopped:
        found, stopped = _refined(found, given)
    if stopped:
        return _keep(found, path)
    facts = facts_of(found, lines)
    if path:
        write(found, lines, facts, path, times=given.times)
    tell(given, f"{_sentence(found)}\n{found!r}", facts)
    return 0


def _check_shown(given: Namespace) -> None:
    """Refuse options that a file of labels has no place for."""
    beside = "--refine --field --path --times --prove --proof --resume".split()
    asked = [name for name in given.typed if name in beside]
    if asked and given.out and given.out.suffix == ".npy":
        move = (
            "the same command goes on by itself"
            if asked == ["--resume"]
            else "give another --out"
        )
        raise InputError(
            f"--out {given.out} streams labels alone, got {', '.join(asked)}; {move}"
        )


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
    if prove and given.resume is not None:
        raise InputError(
            "--prove needs a plane as a whole, got --resume; leave one out"
        )
    how: dict[str, Any] = {"start": asked.plane}
    if given.resume is None:
        cells = (1 + prove) * asked.x.size * asked.y.size  # twice where they are proved
        with progress_bar(cells, "cells", given.quiet) as bar:
            how |= {"progress": bar.update, "prove": prove}
            found = phase_portrait(asked.flow, asked.x, asked.y, **how)
        keep_proof(found.proof, given.proof)
        return found
    rows = load(given.resume)
    with progress_bar(rows.unfinished * asked.x.size, "cells", given.quiet) as bar:
        how |= {"progress": bar.update, "axes": (asked.x, asked.y)}
        return resume(rows, asked.flow, **how)


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
        low, high = float(axis.min()), float(axis.max())
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
