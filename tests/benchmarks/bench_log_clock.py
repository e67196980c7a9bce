"""Many examples in large: n = d = 1,000 to log t = 50, seconds and steps, one thread's work.

Run: python -m tests.benchmarks.bench_log_clock [n = d]
"""

from __future__ import annotations

import sys
import time

import numpy as np

from flowsam import Data, Flow, balanced, gradient_flow, l2, solve


def kinds(n: int) -> dict[str, Data]:
    """Return data that separate: two Gaussian classes, signs by a random plane, random signs."""
    rng = np.random.default_rng(0)
    classes = rng.standard_normal((n, n)) / np.sqrt(n)
    classes[:, :2] += [1.0, 2.0]
    z = rng.standard_normal((n, n)) / np.sqrt(n)
    planted = z * np.sign(z @ rng.standard_normal(n))[:, None]
    gaussian = rng.standard_normal((n, n))
    return {"classes": Data(classes), "planted": Data(planted), "Gaussian": Data(gaussian)}


def main() -> None:
    """Print a line a run; the hardest, Gaussian at L = 2 and all but classes at L = 3, are left."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    depths = {"classes": (1, 2, 3), "planted": (1, 2), "Gaussian": (1,)}
    for name, data in kinds(n).items():
        for depth in depths[name]:
            start = balanced(np.full(n, n**-0.5), depth) if depth > 1 else np.zeros((1, n))
            for rule in (gradient_flow(), l2(0.05)):
                began = time.process_time()
                run = solve(Flow(data, rule), start, log_t_end=50.0, save_at=2)
                took = time.process_time() - began
                work = f"{run.steps} steps, {run.method}, {run.status}"
                print(f"{name:9} L = {depth} {rule.name:8} {took:6.1f} s  {work}", flush=True)


if __name__ == "__main__":
    main()
