"""flowsam sweep: a case over axes of parameters, from a TOML file into a store that survives."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flowsam.cli.options import FLAG, WHOLE, Option
from flowsam.cli.writing import TOLD, progress_bar, say, tell, to_json
from flowsam.errors import InputError

OPTIONS = (
    Option("FILE"),
    Option("--store", "Folder of the results; default: FILE with the ending .zarr."),
    Option("--jobs", "Processes; -1: all cores.", WHOLE, default="1"),
    Option("--scheduler", "Address of a Dask cluster that does the work."),
    Option("--resume", "Go on with a store that exists.", FLAG),
    Option("--retry-failed", "Repeat the failed cells of a store, no others.", FLAG),
    Option("--chunk", "Cells written as one; default: about a second of work.", WHOLE),
    Option("--dry-run", "Print cells, chunks, memory and time, and stop.", FLAG),
    *TOLD,
)


def command(given: Namespace) -> int:
    """Measure the case of FILE at all combinations of the values of its axes.

    Progress counts finished cells, on stderr; with --json it is one object a line. The result is
    a Zarr group: `xarray.open_zarr(STORE, consolidated=False)`. Exit code 1: some cells failed,
    and the store holds their errors. A FILE can run code: functions that measure names as
    module:function, looked for beside it too. A dry run runs none.

      [case]                      # FILE
      mu = [1, 2]
      alpha = [1.5, 0.6]
      measure = ["label", "settled_at"]
      [axes]
      norm = ["none", "2", "inf"]
      rho = {start = 0.1, stop = 2, points = 20}
    """
    if given.file is None:
        raise InputError("sweep needs a FILE, got none; e.g. phases.toml")
    _check_together(given)
    from flowsam.sweeps import plan, read_sweep

    case, axes = read_sweep(given.file)
    if given.dry_run:
        planned = plan(case, axes, chunk=given.chunk)
        tell(given, repr(planned), vars(planned))
        return 0
    return _run(case, axes, given)


def _check_together(given: Namespace) -> None:
    """Refuse options that another one leaves without a meaning."""
    running = {"--store", "--resume", "--retry-failed", "--scheduler"}
    running |= {"--jobs"} if given.jobs != 1 else set()
    names = [name for name in given.typed if name in running]
    if given.dry_run and names:
        raise InputError(
            f"--dry-run runs nothing and opens no store, got {', '.join(names)}; leave it out"
        )
    for pair in (("--resume", "--retry-failed"), ("--jobs", "--scheduler")):
        if {*pair} <= {*names}:
            raise InputError(f"give one of {' and '.join(pair)}, got both")


def _run(case: Any, axes: Any, given: Namespace) -> int:
    """Run the sweep and say what became of it."""
    from flowsam import sweep

    store = Path(given.store or Path(given.file).with_suffix(".zarr"))
    resume = "unfinished" if given.resume else None
    resume = "failed" if given.retry_failed else resume
    how = {"jobs": given.jobs, "scheduler": given.scheduler, "chunk": given.chunk}
    with _telling(given) as told:
        found = sweep(case, axes, store=store, resume=resume, progress=told, **how)
    errors = found.error.values[(found.state == 2).values].tolist()
    facts = {
        "store": str(store),
        "cells": found.state.size,
        "failed": len(errors),
        "first_error": (*errors, "")[0],
    }
    text = f"{found.state.size} cells in {store}, {len(errors)} failed"
    if errors:
        text += f", the first with {errors[0]}; see its variable error"
        text += ", then --retry-failed"
    tell(given, text, facts)
    return int(bool(errors))


@contextmanager
def _telling(given: Namespace) -> Iterator[Callable[[Any], None]]:
    """How to report progress on stderr."""
    if given.json:
        yield lambda now: say(to_json(vars(now)))
        return
    form = "{l_bar}{bar}| {n}/{total} {desc}"
    with progress_bar(0, "cell", given.quiet, bar_format=form, leave=True) as bar:

        def moved(now: Any) -> None:
            bar.total = now.cells
            bar.n = now.finished + now.failed
            left = bar.format_interval(now.seconds_left)
            bar.set_description_str(f"{now.failed} failed, {left}")

        yield moved
