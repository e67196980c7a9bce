"""The work of what once took minutes without a word, counted: `python -m tests.bounded_work`.

Frames of the package that a call enters, and the answer; steps of late runs; memory of wide starts.
"""

import json
import os
import sys
import tracemalloc
from itertools import product

import numpy as np

import flowsam
from flowsam import (
    Data,
    Flow,
    balanced,
    gradient_flow,
    l2,
    limit,
    limits,
    linf,
    lp,
    single_example,
    solve,
    solve_many,
)

PACKAGE = os.path.dirname(flowsam.__file__) + os.sep  # not what is installed beside it
RULES = {"GD": gradient_flow(), "l_2": l2(0.1), "l_2, rho = .5": l2(0.5)}
EVEN = [[0.2, 0.3], [0.1, 0.2]]
SIGNED = [[0.5, 0.7, 1], [-0.3, 0.8, 1], [0.6, -0.4, 1]]
ONE = {
    "l_3, one feature": ([1.0], lp(1.0, p=3), [[1.0], [1.0], [-0.5]]),
    "l_2, L = 3, signs": ([-1.0, 3.0, 0.0], l2(1.0), SIGNED),
    "l_1.5, mu = (1, 1e3)": ([1.0, 1e3], lp(1.0, p=1.5), EVEN),
    "l_1.5, mu = (1, 1e4)": ([1.0, 1e4], lp(1.0, p=1.5), EVEN),
    "l_1.5, mu = (1, 1e8)": ([1.0, 1e8], lp(1.0, p=1.5), EVEN),
}


def frames(call):
    """Return how many frames of the package a call enters, and what it returns."""
    count = 0

    def entered(frame, event, _):
        nonlocal count
        count += event == "call" and frame.f_code.co_filename.startswith(PACKAGE)

    sys.setprofile(entered)
    try:
        found = call()
    finally:
        sys.setprofile(None)
    return count, found


def judged(flow, theta0):
    """Frames, label and reason of a limit."""
    count, found = frames(lambda: limit(flow, theta0))
    return {"frames": count, "label": int(found.label), "reason": found.reason}


def of_one_example():
    """Limits of single starts, and of five at once."""
    found = {name: judged(Flow(single_example(mu), rule), w) for name, (mu, rule, w) in ONE.items()}
    starts = np.random.default_rng(0).uniform(0.05, 1.5, (5, 2, 2))
    for ratio in (1e4, 1e8):
        flow = Flow(single_example([1.0, ratio]), lp(1.0, p=1.5))
        found[f"five, mu = (1, {ratio:g})"] = {"frames": frames(lambda: limits(flow, starts))[0]}  # noqa: B023
    return found


def of_many_features(depth):
    """Frames, and peak memory in copies of the start, of l_inf limits, by number of features."""
    found = {}
    for d in (10_000, 100_000):
        rng = np.random.default_rng(1)
        flow = Flow(single_example(rng.uniform(0.5, 1.5, d)), linf(1.0))
        theta0 = rng.uniform(0.5, 1.5, (depth, d))
        tracemalloc.start()
        found[d] = judged(flow, theta0)
        found[d]["copies"] = tracemalloc.get_traced_memory()[1] / theta0.nbytes
        tracemalloc.stop()
    return found


def to_the_end_of_doubles():
    """Ensembles to tau = 1.7e308."""
    starts = np.random.default_rng(0).uniform(0.2, 1.5, (5, 2, 2))
    found = {}
    for rule in (l2(1.0), lp(1.0, p=1.5), gradient_flow()):
        flow = Flow(single_example([1.0, 2.0]), rule)
        run = lambda: solve_many(flow, starts, tau_end=1.7e308, method="DOP853")  # noqa: B023, E731
        found[rule.name] = {"frames": frames(run)[0]}
    return found


def late_steps():
    """Steps of 20 examples in 5 features to log t = 1e4."""
    found = {}
    for seed in (0, 5, 8, 11):
        rng = np.random.default_rng(seed)
        z = rng.standard_normal((20, 5))
        data = Data(z * np.sign(z @ rng.uniform(0.5, 1.5, 5))[:, None])
        for (name, rule), depth in product(RULES.items(), (1, 2, 3)):
            free = rng.uniform(0.5, 1.5, (depth, 5))
            for start, theta0 in (("balanced", balanced(free[0], depth)), ("free", free)):
                run = solve(Flow(data, rule), theta0, log_t_end=1e4, save_at=2)
                found[f"{seed}, {name}, L = {depth}, {start}"] = [run.status, run.steps]
    return found


def main():
    """Print all of it as JSON."""
    three = Flow(Data([[1.0, 0.5], [0.3, 1.0], [0.8, 0.2]]), gradient_flow())
    found = {
        "one": of_one_example(),
        "three": judged(three, [[1.0, 0.7], [0.9, 0.6]]),
        "wide": {depth: of_many_features(depth) for depth in (2, 3)},
        "ends": to_the_end_of_doubles(),
        "steps": late_steps(),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
