"""What a sweep adds to its work, a chunk, and what a second process gains: in seconds.

OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_sweep [FOLDER]

The first is a sweep whose cells cost nothing. The second keeps cores busy and means something where
they are free; the third waits instead, so that other work on the machine disturbs it little.
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
        for kind in ("busy", "waiting"):
            case = CASE | {"measure": [f"tests.sweep_cases:{kind}"]}
            wall(case, folder, f"pool {kind}", jobs=2)  # the pool stays
            one, _ = wall(case, folder, f"one {kind}")
            two, _ = wall(case, folder, f"two {kind}", jobs=2)
            print(f"{kind}: one process {one:.1f} s, two {two:.1f} s: {one / two:.2f} times")
        print(f"load average of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
