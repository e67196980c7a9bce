"""flowsam sweep: a case over axes of parameters, from a TOML file into a store that survives."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowsam.cli.writing import Output, output_options, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from flowsam.sweeps import Progress


@click.command("sweep")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option(
    "--store", help="Folder of the results; default: FILE with the ending .zarr."
)
@click.option(
    "--jobs", type=int, default=1, show_default=True, help="Processes; -1: all cores."
)
@click.option("--scheduler", help="Address of a Dask cluster that does the work.")
@click.option("--resume", is_flag=True, help="Go on with a store that exists.")
@click.option(
    "--retry-failed",
    is_flag=True,
    help="Repeat the failed cells of a store, no others.",
)
@click.option(
    "--chunk", type=int, help="Cells written as one; default: about a second of work."
)
@click.option(
    "--dry-run", is_flag=True, help="Print cells, chunks, memory and time, and stop."
)
@output_options()
def command(
    file: str, store: str | None, dry_run: bool, output: Output, **options: Any
) -> int:
    """Measure the case of FILE at all combinations of the values of its axes.

    Progress counts finished cells, on stderr; with --json it is one object a line. The result is
    a Zarr group: `xarray.open_zarr(STORE, consolidated=False)`. Exit code 1: some cells failed,
    and the store holds their errors. A FILE can run code: functions that measure names as
    module:function, looked for beside it too. A dry run runs none.

    \b
    [case]                      # FILE
    mu = [1, 2]
    alpha = [1.5, 0.6]
    measure = ["label", "settled_at"]
    [axes]
    norm = ["none", "2", "inf"]
    rho = {start = 0.1, stop = 2, points = 20}
    """
    from flowsam.sweeps import plan, read_sweep

    _check_together(dry_run, store, options)
    case, axes = read_sweep(file)
    if dry_run:
        planned = plan(case, axes, chunk=options["chunk"])
        output.show(planned, vars(planned))
        return 0
    path = Path(store or Path(file).with_suffix(".zarr"))
    return _run(case, axes, path, options, output)


def _check_together(dry_run: bool, store: str | None, options: dict[str, Any]) -> None:
    """Refuse options that another one leaves without a meaning."""
    given = {
        "--store": store is not None,
        "--resume": options["resume"],
        "--retry-failed": options["retry_failed"],
        "--scheduler": options["scheduler"] is not None,
        "--jobs": options["jobs"] != 1,
    }
    names = [name for name, typed in given.items() if typed]
    if dry_run and names:
        raise click.UsageError(
            f"--dry-run runs nothing and opens no store, got {', '.join(names)}; leave it out"
        )
    for pair in (("--resume", "--retry-failed"), ("--jobs", "--scheduler")):
        if {*pair} <= {*names}:
            raise click.UsageError(f"give one of {' and '.join(pair)}, got both")


def _run(
    case: Any, axes: Any, store: Path, options: dict[str, Any], output: Output
) -> int:
    """Run the sweep and say what became of it."""
    from flowsam import sweep

    resume = "unfinished" if options.pop("resume") else None
    resume = "failed" if options.pop("retry_failed") else resume
    told, close = _teller(output)
    try:
        found = sweep(case, axes, store=store, resume=resume, progress=told, **options)
    finally:
        close()
    failed = (found.state == 2).values
    facts = {
        "store": str(store),
        "cells": found.state.size,
        "failed": int(failed.sum()),
    }
    facts["first_error"] = str(found.error.values[failed][0]) if failed.any() else ""
    text = f"{facts['cells']} cells in {store}, {facts['failed']} failed"
    text += f", the first with {facts['first_error']}; see its variable error, then --retry-failed"
    output.tell(text if failed.any() else text.partition(", the")[0], facts)
    return int(failed.any())


def _teller(
    output: Output,
) -> tuple[Callable[[Progress], None], Callable[[], None]]:
    """How to report progress on stderr, and how to end it."""
    if output.as_json:

        def line(now: Progress) -> None:
            click.echo(to_json(vars(now)), err=True)

        return line, lambda: None
    from tqdm import tqdm

    hidden = output.quiet or not sys.stderr.isatty()
    bar = tqdm(
        total=0,
        unit="cell",
        disable=hidden,
        bar_format="{l_bar}{bar}| {n}/{total} {desc}",
    )

    def moved(now: Progress) -> None:
        bar.total = now.cells
        bar.n = now.finished + now.failed
        bar.set_description_str(
            f"{now.failed} failed, {tqdm.format_interval(now.seconds_left)}"
        )

    return moved, bar.close
