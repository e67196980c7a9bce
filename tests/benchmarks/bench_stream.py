"""Portraits of 10^8 cells streamed to disk, l_inf and l_2: seconds, and peak memory of the process.

python -m tests.benchmarks.bench_stream [SIDE] [FOLDER]
"""

import resource
import sys
import tempfile
from pathlib import Path

import numpy as np

from figures.timing import timed
from flowsam import Flow, l2, linf, single_example
from flowsam.portrait import stream_portrait


def main():
    """Measure and print."""
    side = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    x = np.linspace(2 / side, 2, side)
    for rule in (linf(1.0), l2(1.0)):
        flow = Flow(single_example([1.0, 2.0]), rule)
        with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
            path = Path(folder) / "labels.npy"
            seconds, found = timed(lambda: stream_portrait(flow, x, x, path=path))  # noqa: B023
            size = path.stat().st_size / 1e6
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        each = seconds / side**2 * 1e9
        print(f"{rule.name}, {side**2:.3g} cells: {seconds:.2f} s, {each:.2g} ns a start")
        print(f"file {size:.0f} MB, peak memory {peak:.0f} MB, fractions {found.fractions}")


if __name__ == "__main__":
    main()
