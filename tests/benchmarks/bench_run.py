"""One run against a bare `solve_ivp` and frameworks: time, evaluations and error, in one process.

A run is the best of several. A loop goes through many random starts once, each start by one and
then by the other, so that both meet the machine in the same state.
Run: python -m tests.benchmarks.bench_run [repeats] [FILE.json] [starts of a loop]
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial

import numpy as np
from scipy.integrate import solve_ivp

from figures.timing import timed
from flowsam import Data, Flow, exponential, gradient_flow, l2, lp, single_example, solve
from tests.benchmarks import rivals

RULES = {"l_2": l2(0.1), "GD": gradient_flow(), "l_1.5": lp(0.1, p=1.5), "l_3": lp(0.1, p=3)}
CASES = (
    ("l_2", (2, 1, 2), 1.0),
    ("l_2", (2, 1, 3), 0.6),
    ("l_2", (10, 20, 2), 6.0),
    ("GD", (10, 20, 2), 6.0),
    ("l_1.5", (10, 20, 2), 3.0),
    ("l_3", (10, 20, 2), 3.0),
    ("l_3", (10, 20, 3), 2.0),
    ("l_3", (100, 100, 2), 3.0),
    ("l_2", (10, 20, 3), 4.0),
    ("l_2", (100, 100, 2), 6.0),
    ("signed", (10, 20, 2), 3.0),
)
RTOL, ATOL = 1e-9, 1e-12
STEPS = 2000  # of a loop of fixed ones
LOOP = 1000  # starts


def problem(name, size, count=1):
    """Return a flow and starts of size (d, n, L); weights of either sign where they are signed."""
    d, n, depth = size
    rng = np.random.default_rng(d + n)
    rule = RULES.get(name, RULES["l_2"])
    data = single_example(np.linspace(1.0, 2.0, d)) if n == 1 else None
    z = rng.standard_normal((n, d)) / np.sqrt(d) + 0.3
    starts = rng.uniform(0.3, 0.8, (count, depth, d))
    if name == "signed":
        starts *= rng.choice([-1.0, 1.0], starts.shape)
    return Flow(data or Data(z), rule, exponential), starts


def lean(flow, shape):
    """Return the right-hand side that somebody in a hurry would write, `(tau, flat) -> flat`."""
    z, rho, depth, p = flow.data.z, flow.perturbation.rho, shape[0], flow.perturbation.p

    def descent(w):
        if depth == 2:
            beta, others = w[0] * w[1], w[::-1]
        else:
            others = np.array([w[1] * w[2], w[0] * w[2], w[0] * w[1]])
            beta = w[0] * others[0]
        if len(z) == 1:
            return z[0] * others
        margins = z @ beta
        shares = np.exp(margins.min() - margins)
        return (shares / shares.sum()) @ z * others

    def step(g):
        if p == 2:
            return g * (rho / np.sqrt((g * g).sum()))
        raised = np.abs(g) ** (1 / (p - 1))
        return np.copysign(raised, g) * (rho / (raised * np.abs(g)).sum() ** (1 / p))

    def velocity(tau, flat):
        w = flat.reshape(shape)
        return descent(w - step(descent(w)) if rho else w).ravel()

    return velocity


def least(calls, repeats):
    """Return the least processor time of each call, taken in turn."""
    best = [np.inf] * len(calls)
    for _ in range(repeats):
        for place, call in enumerate(calls):
            began = time.process_time()
            call()
            best[place] = min(best[place], time.process_time() - began)
    return best


def loops(calls, starts):
    """Return the processor time of all starts by each call, which take turns at every start."""
    spent = np.zeros(len(calls))
    for start in starts:
        for place, call in enumerate(calls):
            began = time.process_time()
            call(start)
            spent[place] += time.process_time() - began
    return spent


def others(flow, start, tau_end, fine):
    """Milliseconds and errors of the frameworks that are installed, on l_2-SAM."""
    if flow.kind != "l_2":
        return {}
    z, rho = flow.data.z, flow.perturbation.rho
    torch = lambda: rivals.torch_sam(z, (2, rho), start[None], tau_end=tau_end, steps=STEPS)  # noqa: E731
    found = {f"PyTorch, {STEPS} steps": timed(torch)}
    if len(start) == 2:  # it times itself, without compiling
        found["diffrax"] = rivals.diffrax_vmap(z, rho, start[None], tau_end=tau_end, rtol=RTOL)
    return {
        name: [1e3 * run[0], float(np.abs(run[1].ravel() - fine).max())]
        for name, run in found.items()
        if run is not None and run[1] is not None
    }


def compare(name, size, tau_end, repeats, count):
    """Return the ratios of one case, flowsam over bare."""
    flow, starts = problem(name, size, count)
    start = starts[0]
    field = lean(flow, start.shape)

    def bare(start=start, rtol=RTOL, atol=ATOL):
        how = {"method": "DOP853", "rtol": rtol, "atol": atol}
        return solve_ivp(field, (0, tau_end), start.ravel(), **how)

    def ours(start=start):
        return solve(flow, start, tau_end=tau_end, rtol=RTOL, atol=ATOL)

    fine, ran, run = bare(rtol=1e-13, atol=1e-15).y[:, -1], bare(), ours()
    other = bare
    if not run.nfev:  # a closed form: against the steps of its error
        other = partial(bare, rtol=1e-12, atol=1e-15)
        ran = other()
    times = least([other, ours, lambda: ours().log_t], repeats)
    looped = loops((other, ours), starts)
    errors = [np.abs(end - fine).max() for end in (ran.y[:, -1], run.theta[-1].ravel())]
    return {
        "case": f"{name} {size}",
        "method": run.method,
        "ms": [1e3 * t for t in times],
        "time": times[1] / times[0],
        "loop": looped[1] / looped[0],
        "loop ms": [1e3 * t for t in looped],
        "with log_t": times[2] / times[0],
        "calls": run.nfev / ran.nfev,
        "errors": [float(error) for error in errors],
        "others": others(flow, start, tau_end, fine),
    }


def main():
    """Print a line a case, and write them."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    count = int(sys.argv[3]) if len(sys.argv) > 3 else LOOP
    rows = []
    for case in CASES:
        row = compare(*case, repeats, count)
        rows.append(row)
        ms = ", ".join(f"{t:.2f}" for t in row["ms"])
        names = "time", "loop", "with log_t", "calls"
        ratios = ", ".join(f"{name} {row[name]:5.2f}" for name in names)
        errors = " ".join(f"{error:.1e}" for error in row["errors"])
        print(
            f"{row['case']:20} {row['method']:20} {ratios}, errors {errors}, ms {ms}",
            flush=True,
        )
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
