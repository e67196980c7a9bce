"""Work that must stay bounded, counted and not timed: `python -m tests.bounded_work NAME`.

Frames of the package that a call enters, its lines that it runs, steps, peak memory, the answer.
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
    phase_portrait,
    single_example,
    solve,
    solve_many,
)
from flowsam.amplification import critical_scale, dominance
from flowsam.sweeps import plan

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


def counted(call, *, lines=True):
    """Return the frames and lines of the package that a call enters and runs, and its answer.

    A loop over points or features runs lines in proportion, whatever each of them takes.
    """
    count = {"frames": 0, "lines": 0}

    def entered(frame, event, _):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        count["frames"] += 1
        return ran if lines else None

    def ran(frame, event, _):
        count["lines"] += event == "line"
        return ran

    sys.settrace(entered)
    try:
        found = call()
    finally:
        sys.settrace(None)
    return count, found


def peak(call):
    """Return the most bytes that a call holds at once, and its answer."""
    tracemalloc.start()
    try:
        found = call()
        return tracemalloc.get_traced_memory()[1], found
    finally:
        tracemalloc.stop()


def judged(flow, theta0, *, lines=False):
    """Work, label and reason of a limit."""
    count, found = counted(lambda: limit(flow, theta0), lines=lines)
    return count | {"label": int(found.label), "reason": found.reason}


def of_one_example():
    """Limits of single starts, and of five at once."""
    found = {name: judged(Flow(single_example(mu), rule), w) for name, (mu, rule, w) in ONE.items()}
    starts = np.random.default_rng(0).uniform(0.05, 1.5, (5, 2, 2))
    for ratio in (1e4, 1e8):
        flow = Flow(single_example([1.0, ratio]), lp(1.0, p=1.5))
        found[f"five, mu = (1, {ratio:g})"] = counted(lambda: limits(flow, starts), lines=False)[0]  # noqa: B023
    return found


def of_many_features(depth):
    """Frames, and peak memory in copies of the start, of l_inf limits, by number of features."""
    found = {}
    for d in (10_000, 100_000):
        rng = np.random.default_rng(1)
        flow = Flow(single_example(rng.uniform(0.5, 1.5, d)), linf(1.0))
        theta0 = rng.uniform(0.5, 1.5, (depth, d))
        most, found[d] = peak(lambda: judged(flow, theta0, lines=True))  # noqa: B023
        found[d]["copies"] = most / theta0.nbytes
    return found


def to_the_end_of_doubles():
    """Ensembles to tau = 1.7e308."""
    starts = np.random.default_rng(0).uniform(0.2, 1.5, (5, 2, 2))
    found = {}
    for rule in (l2(1.0), lp(1.0, p=1.5), gradient_flow()):
        flow = Flow(single_example([1.0, 2.0]), rule)
        run = lambda: solve_many(flow, starts, tau_end=1.7e308, method="DOP853")  # noqa: B023, E731
        found[rule.name] = counted(run, lines=False)[0]
    return found


def late_steps():
    """Steps of 20 examples in 5 features to log t = 1e4, of each seed's layers, equal or not."""
    found = {}
    for seed, even in {0: True, 5: False, 8: True, 11: False}.items():
        rng = np.random.default_rng(seed)
        z = rng.standard_normal((20, 5))
        data = Data(z * np.sign(z @ rng.uniform(0.5, 1.5, 5))[:, None])
        for (name, rule), depth in product(RULES.items(), (1, 2, 3)):
            free = rng.uniform(0.5, 1.5, (depth, 5))
            theta0 = balanced(free[0], depth) if even else free
            run = solve(Flow(data, rule), theta0, log_t_end=1e4, save_at=2)
            found[f"{seed}, {name}, L = {depth}"] = [run.status, run.steps]
    return found


def of_three_examples():
    """The limit of three examples."""
    return judged(
        Flow(Data([[1.0, 0.5], [0.3, 1.0], [0.8, 0.2]]), gradient_flow()), [[1, 0.7], [0.9, 0.6]]
    )


def points():
    """A closed form of one start, by number of points."""
    flow, start = Flow(single_example([1, 2]), linf(1.0)), balanced([1.5, 0.6], 2)
    return {n: counted(lambda: solve(flow, start, tau_end=3, save_at=n))[0] for n in (100, 10_000)}  # noqa: B023


def portraits():
    """Portraits by number of limits, and peak memory in copies of the labels."""
    flow, found = Flow(single_example([1, 2]), linf(1.0)), {}
    for n in (200, 2000):
        x = np.linspace(1e-3, 2, n)
        draw = lambda: phase_portrait(flow, x, x)  # noqa: B023, E731
        most, plane = peak(draw)
        found[n * n] = counted(draw)[0] | {"copies": most / plane.labels.nbytes}
    return found


def one_who_escapes():
    """An l_inf limit of distinct mu, by number of features."""
    found = {}
    for d in (10_000, 1_000_000):
        start = np.full((2, d), 0.5)
        start[:, 3_456] = 1.5
        found[d] = judged(Flow(single_example(np.linspace(1.0, 2.0, d)), linf(1.0)), start)
    return found


def amplifications():
    """A critical scale, and a map of leaders at 160,000 points."""
    large = (np.linspace(1, 3, 8), 1, np.linspace(0.05, 2, 400), np.linspace(0, 5, 400))
    scale = counted(lambda: critical_scale([1, 2], 1))[0]
    return {"critical scale": scale, "map": counted(lambda: dominance(*large))[0]}


def sweeps_too_large():
    """Plans of 1e12 cells and of 1e8 chunks, which are refused, and of 1e8 cells."""
    case, axis = {"mu": [1, 2], "alpha": [1.5, 0.6]}, {"start": 0.1, "stop": 1, "points": 100}
    names = ("rho", "scale", "alpha_1", "alpha_2", "mu_1", "mu_2")

    def asked(count, chunk):
        try:
            return plan(case, dict.fromkeys(names[:count], axis), chunk=chunk).chunks
        except ValueError as error:
            return str(error)

    found = {}
    for count, chunk in ((6, None), (4, 1), (4, None)):
        most, (work, said) = peak(lambda: counted(lambda: asked(count, chunk)))  # noqa: B023
        found[f"{count} axes, chunk={chunk}"] = work | {"bytes": most, "said": said}
    return found


WORK = {
    "one example": of_one_example,
    "three examples": of_three_examples,
    "wide": lambda: {depth: of_many_features(depth) for depth in (2, 3)},
    "escape": one_who_escapes,
    "ends": to_the_end_of_doubles,
    "late": late_steps,
    "points": points,
    "portraits": portraits,
    "amplification": amplifications,
    "sweeps": sweeps_too_large,
}


def main(name):
    """Print one of them as JSON."""
    sys.stdout.write(json.dumps(WORK[name]()) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
