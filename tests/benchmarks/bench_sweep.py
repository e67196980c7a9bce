"""What a sweep adds to its work, a chunk, and what a second process gains: in seconds.

OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_sweep [FOLDER]

The first is a sweep whose cells cost nothing. The second has free cores to be compared on.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from flowsam import sweep

CASE = {"mu": [1, 2], "alpha": [1.5, 0.6], "rho": 1.0, "measure": ["tests.sweep_cases:cheap"]}
CHUNKS, CELLS = 16, 25


def wall(case, folder, name, **options):
    """Wall and processor seconds of a sweep of CHUNKS chunks of CELLS cells."""
    axes = {"scale": {"start": 0.5, "stop": 2.0, "points": CHUNKS * CELLS}}
    begin, spent = time.perf_counter(), time.process_time()
    sweep(case, axes, store=Path(folder) / name, chunk=CELLS, **options)
    return time.perf_counter() - begin, time.process_time() - spent


def main():
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        wall(CASE, folder, "warm")
        clock, cpu = (seconds / CHUNKS for seconds in wall(CASE, folder, "empty"))
        print(f"a chunk of {CELLS} cells that cost nothing, start and end of the sweep included:")
        print(f"{1e3 * clock:.1f} ms, of them {1e3 * cpu:.1f} ms of processor time")
        print(f"beside one second of work: {clock:.1%} and {cpu:.1%}")
        busy = CASE | {"measure": ["tests.sweep_cases:busy"]}
        wall(busy, folder, "pool", jobs=2)  # the pool stays
        one, _ = wall(busy, folder, "one")
        two, _ = wall(busy, folder, "two", jobs=2)
        print(f"one process {one:.1f} s, two {two:.1f} s: {one / two:.2f} times")
        print(f"load average of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
