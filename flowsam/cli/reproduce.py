"""flowsam reproduce: every claim, every figure, one report."""

from __future__ import annotations

import os
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flowsam.cli.options import FLAG, Option
from flowsam.cli.verify import SEED, SOURCE
from flowsam.cli.writing import TOLD, file_to_write, out, say, tell

if TYPE_CHECKING:
    from flowsam.ledger.claims import Ledger
    from flowsam.ledger.gallery import Figure
    from flowsam.ledger.kept_work import Task

OPTIONS = (
    SOURCE,
    Option("--fast", "Figures from small arrays.", FLAG),
    Option("--redraw", "Draw figures again from saved arrays, valid or not.", FLAG),
    SEED,
    out("the report, an .html file [default: report.html in the checkout]"),
    *TOLD,
)


def command(given: Namespace) -> int:
    """Verify every claim, draw every figure, write report.html.

    Verdicts and figures are kept in figures/output; a second run redoes those whose code, or what
    it imports, has changed, and one that was interrupted goes on. A figure whose drawing alone has
    changed is drawn from its saved arrays. Exit code 1 if a claim or figure failed.
    """
    from flowsam.archive import write_text

    checkout = Path(given.source)
    path = given.out or checkout / "report.html"
    if checkout.is_dir():
        file_to_write(".html").of(str(path), "--out")
    found, figures = brought_up_to_date(given)
    from flowsam.ledger.report import page

    away = Path(os.path.relpath(checkout.resolve(), path.resolve().parent))
    text = page(
        *(found, figures),
        source=checkout,
        address=lambda name: (away / name).as_posix(),
    )
    write_text(path, text)
    facts = found.facts() | {
        "figures": {f.name: f.error or f.state for f in figures},
        "report": str(path),
    }
    tell(given, f"{found.text()}\n{_drawn(figures)}\nreport: {path}", facts)
    return int(not found.passed or bool(broken(figures)))


def broken(figures: Sequence[Figure]) -> list[Figure]:
    """Return the figures that failed; one that lacks a library is skipped."""
    return [f for f in figures if f.error and f.state != "skipped"]


def _drawn(figures: Sequence[Figure]) -> str:
    """What failed, a line each, and how many figures are in which state."""
    counts = Counter(figure.state for figure in figures)
    states = [f"{counts[word]} {word}" for word in ("computed", "redrawn", "kept")]
    states += [f"{counts['skipped']} skipped"] * ("skipped" in counts)
    failed = [f"{figure.name} failed: {figure.error}" for figure in broken(figures)]
    drawn = sum(not figure.error for figure in figures)
    last = f"{drawn} of {len(figures)} figures: {', '.join(states)}"
    return "\n".join([*failed, last])


def brought_up_to_date(given: Namespace) -> tuple[Ledger, tuple[Figure, ...]]:
    """Check and draw what has changed since the last time; return all verdicts and figures."""
    from flowsam.ledger import checks, gallery
    from flowsam.ledger.kept_work import perform

    checkout = Path(given.source)
    gallery.figure_names(checkout)  # refuses a folder that is no checkout
    kept = checkout / "figures" / "output"
    kept.mkdir(exist_ok=True)
    file_to_write(".npz").of(str(kept / "any.npz"), "--out")
    claims = checks.plan(checkout, seed=vars(given).get("seed"), kept=kept)
    redraw = "--redraw" in given.typed
    drawings = gallery.plan(checkout, fast=given.fast, redraw=redraw)
    if not given.quiet:
        say(_foreword(claims.tasks, drawings))
    made = perform([*claims.tasks, *drawings], quiet=given.quiet)
    return claims.ledger(made), tuple(made[task.name] for task in drawings)


def _foreword(claims: Sequence[Task], drawings: Sequence[Task]) -> str:
    """What a run will do, how long it takes, how to go on after an interrupt."""
    from flowsam.ledger.kept_work import expected, waiting
    from flowsam.workers import processors

    tasks = waiting([*claims, *drawings])
    kept = len(claims) + len(drawings) - len(tasks)
    if not tasks:
        return f"nothing has changed: all {kept} claims and figures are kept, writing the report"
    return (
        f"{len(waiting(claims))} claims to check and {len(waiting(drawings))} figures to draw, "
        f"{kept} kept from before: about {expected(tasks):.0f} s on {processors()} processors. "
        "Ctrl-C stops at any moment: what is finished is kept, and the same command goes on."
    )
