"""All benchmarks side by side, one thread: a table, benchmarks.json, and two figures.

OMP_NUM_THREADS=1 python -m tests.benchmarks [--fast] [--out FOLDER]

Errors are the largest of the first 50 starts against DOP853 at rtol 1e-13, relative to the
largest weight of a start (or to rho, where that is larger).
"""

import argparse
import importlib
import importlib.util
import json
import os
import platform
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import numpy as np  # noqa: E402
import scipy  # noqa: E402

from flowsam.version import __version__  # noqa: E402
from tests.benchmarks import tasks  # noqa: E402
from tests.benchmarks.targets import show_targets, targets  # noqa: E402

ALL = (
    *(tasks.single_runs, tasks.ensembles, tasks.grid, tasks.grid_with_signs),
    *(tasks.portraits, tasks.late),
)


def show(rows):
    """Print the rows of one task, with the ratio of each to the fastest."""
    least = min(row.seconds for row in rows)
    print(f"\n{rows[0].task}\n  {'engine':36s} {'seconds':>10s} {'ratio':>9s} {'error':>9s}")
    for row in rows:
        part = f"{row.note}; {row.share:.2%} done" if row.share < 1 else row.note
        print(
            f"  {row.engine:36s} {row.seconds:10.3g} {row.seconds / least:9.3g} "
            f"{row.error:9.1e}  {part}",
            flush=True,
        )


def prepare():
    """Name what is not installed, and keep heyoka to one thread."""
    for name in ("diffrax", "torch", "heyoka"):
        if importlib.util.find_spec(name) is None:
            print(f"skipped: {name}, not installed")
        elif name == "heyoka":
            importlib.import_module(name).set_nthreads(1)


def main():
    """Run, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fast", action="store_true", help="a tenth of the work")
    parser.add_argument("--out", type=Path, default=Path("benchmarks.json"))
    parser.add_argument("--only", nargs="*", help="names of tasks")
    parser.add_argument("--no-figures", action="store_true")
    asked = parser.parse_args()
    rows = []
    prepare()
    for task in ALL:
        if asked.only and task.__name__ not in asked.only:
            continue
        found = task(0.1 if asked.fast else 1.0)
        for _, several in groupby(found, key=lambda row: row.task):
            rows += (here := list(several))
            show(here)
    facts = {"flowsam": __version__, "numpy": np.__version__, "scipy": scipy.__version__}
    facts |= {"python": platform.python_version(), "machine": platform.machine(), "threads": 1}
    show_targets(aims := targets(rows))
    records = [asdict(row) for row in rows]
    for record in records:  # JSON has no nan: it did not arrive
        record["error"] = record["error"] if np.isfinite(record["error"]) else None
    facts |= {"rows": records, "targets": aims}
    asked.out.write_text(json.dumps(facts, indent=1, allow_nan=False))
    print(f"\nwritten: {asked.out}")
    if not asked.no_figures:
        from figures import fig_scaling, fig_work_precision, style

        for figure in (fig_work_precision, fig_scaling):
            name = figure.__name__.rpartition(".")[2]
            sizes = figure.FAST if asked.fast else {}
            print("drawn:", style.save(name, figure.compute, figure.draw, **sizes))


if __name__ == "__main__":
    main()
