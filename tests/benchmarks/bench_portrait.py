"""A 2000 x 2000 portrait per cell, beside `solve` and beside a NumPy loop of discrete SAM.

OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_portrait
"""

import resource
import time

import numpy as np

from flowsam import Flow, balanced, linf, phase_portrait, single_example, solve

MU, RHO, CELLS = np.array([1.0, 2.0]), 1.0, 2000


def discrete_labels(alpha, *, learning_rate=1e-3, steps=20_000):
    """Return labels of balanced starts (k, 2) by a NumPy loop of l_inf-SAM, logistic loss."""
    w = np.repeat(alpha[:, None, :], 2, axis=1)
    for _ in range(steps):
        pull = -MU / (1 + np.exp((w.prod(axis=1) * MU).sum(axis=1)))[:, None]
        hat = w + RHO * np.sign(pull[:, None, :] * w[:, ::-1])
        slope = -MU / (1 + np.exp((hat.prod(axis=1) * MU).sum(axis=1)))[:, None]
        w = w - learning_rate * slope[:, None, :] * hat[:, ::-1]
    beta = w.prod(axis=1)
    return np.where(np.abs(beta).max(axis=1) < 1e-2, 0, beta.argmax(axis=1) + 1)


def seconds(function, *args, repeat=3, **options):
    """Return the least time of several calls, and the last result."""
    best = np.inf
    for _ in range(repeat):
        start = time.perf_counter()
        result = function(*args, **options)
        best = min(best, time.perf_counter() - start)
    return best, result


def main():
    """Measure and print."""
    flow, x = Flow(single_example(MU), linf(RHO)), np.linspace(2 / CELLS, 2, CELLS)
    phase_portrait(flow, x[:9], x[:9])
    exact, plane = seconds(phase_portrait, flow, x, x)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rng = np.random.default_rng(0)
    places = rng.integers(0, CELLS, (200, 2))
    alpha = x[places]
    theory = plane.labels[places[:, 1], places[:, 0]]
    solved, _ = seconds(
        lambda: [solve(flow, balanced(a, 2), tau_end=20, method="DOP853") for a in alpha[:20]],
        repeat=1,
    )
    looped, labels = seconds(discrete_labels, alpha, repeat=1)
    cells = {
        "phase_portrait": exact / CELLS**2,
        "solve (DOP853, events)": solved / 20,
        "discrete SAM, NumPy": looped / 200,
    }
    print(
        f"2000 x 2000 portrait: {exact:.4f} s, {exact / CELLS**2 * 1e9:.2g} ns a start, "
        f"peak memory of the process {memory:.0f} MB"
    )
    for name, cost in cells.items():
        print(f"{name:24s} {cost:.3g} s a cell, {cost / cells['phase_portrait']:.3g} times")
    agree = (labels == theory).mean()
    print(f"discrete SAM at t = 20 names the limit of {agree:.1%} of 200 random cells")


if __name__ == "__main__":
    main()
