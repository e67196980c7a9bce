"""flowsam reproduce: every claim, every figure, one report."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowsam.cli.verify import seed_option, source_option
from flowsam.cli.writing import Output, checked_output, output_options

if TYPE_CHECKING:
    from flowsam.ledger.checks import Checks
    from flowsam.ledger.gallery import Drawings, Figure
    from flowsam.ledger.verdicts import Ledger


@click.command("reproduce")
@source_option
@click.option("--fast", is_flag=True, help="Figures from small arrays.")
@click.option(
    "--redraw", is_flag=True, help="Draw figures again from saved arrays, valid or not."
)
@seed_option
@output_options(
    "the report, an .html file [default: report.html in the checkout]", (".html",)
)
def command(
    source: str, fast: bool, redraw: bool, seed: int | None, output: Output
) -> int:
    """Verify every claim, draw every figure, write report.html.

    Verdicts and figures are kept in figures/output; a second run redoes those whose code, or what
    it imports, has changed, and one that was interrupted goes on. A figure whose drawing alone has
    changed is drawn from its saved arrays. Exit code 1 if a claim or figure failed.
    """
    from flowsam.archive import write_text

    checkout = Path(source)
    path = output.path or checkout / "report.html"
    if checkout.is_dir():
        checked_output(str(path), (".html",))
    found, figures = brought_up_to_date(
        checkout, fast=fast, redraw=redraw, seed=seed, quiet=output.quiet
    )
    from flowsam.ledger.report import page

    folder = path.resolve().parent
    away = Path(os.path.relpath(checkout.resolve(), folder)).as_posix()
    write_text(
        path,
        page(found, figures, source=checkout, address=lambda name: f"{away}/{name}"),
    )
    facts = found.facts() | {
        "figures": {f.name: f.error or f.state for f in figures},
        "report": str(path),
    }
    output.tell(f"{found.text()}\n{_drawn(figures)}\nreport: {path}", facts)
    return 0 if found.passed and not broken(figures) else 1


def broken(figures: Sequence[Figure]) -> list[Figure]:
    """Return the figures that failed; one that lacks a library is skipped."""
    return [f for f in figures if f.error and f.state != "skipped"]


def _drawn(figures: Sequence[Figure]) -> str:
    """What failed, a line each, and how many figures are in which state."""
    counts = Counter(figure.state for figure in figures)
    always = ("computed", "redrawn", "kept")
    states = [f"{counts[word]} {word}" for word in always]
    states += [f"{counts['skipped']} skipped"] * ("skipped" in counts)
    failed = [f"{figure.name} failed: {figure.error}" for figure in broken(figures)]
    drawn = sum(not figure.error for figure in figures)
    last = f"{drawn} of {len(figures)} figures: {', '.join(states)}"
    return "\n".join([*failed, last])


def brought_up_to_date(
    checkout: Path,
    *,
    fast: bool,
    redraw: bool = False,
    seed: int | None = None,
    quiet: bool = False,
) -> tuple[Ledger, tuple[Figure, ...]]:
    """Check and draw what has changed since the last time; return all verdicts and figures."""
    from flowsam.ledger import checks, gallery
    from flowsam.ledger.schedule import perform

    gallery.figure_names(checkout)  # refuses a folder that is no checkout
    kept = checkout / "figures" / "output"
    kept.mkdir(exist_ok=True)
    checked_output(str(kept / "any.npz"), (".npz",))
    claims = checks.plan(checkout, seed=seed, kept=kept)
    drawings = gallery.plan(checkout, fast=fast, redraw=redraw)
    if not quiet:
        click.echo(_foreword(claims, drawings), err=True)
    made = perform([*claims.tasks, *drawings.tasks], quiet=quiet)
    return claims.ledger(made), drawings.figures(made)


def _foreword(claims: Checks, drawings: Drawings) -> str:
    """What a run will do, how long it takes, how to go on after an interrupt."""
    from flowsam.ledger.schedule import expected
    from flowsam.workers import processors

    tasks = [*claims.tasks, *drawings.tasks]
    kept = len(claims.kept) + len(drawings.kept)
    if not tasks:
        return f"nothing has changed: all {kept} claims and figures are kept, writing the report"
    return (
        f"{len(claims.tasks)} claims to check and {len(drawings.tasks)} figures to draw, {kept} "
        f"kept from before: about {expected(tasks):.0f} s on {processors()} processors. Ctrl-C "
        "stops at any moment: what is finished is kept, and the same command goes on."
    )
