"""Work that two versions of flowsam do alike, by names that both have.

`python tests/benchmarks/compared.py CASE REPEATS FILE` with one of them on PYTHONPATH prints the
least processor seconds of the case, and keeps its numbers in FILE.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from flowsam import (
    Data,
    Flow,
    balanced,
    exponential,
    gradient_flow,
    l2,
    limit,
    linf,
    lp,
    max_margin,
    phase_portrait,
    single_example,
    solve,
)
from flowsam.amplification import critical_scale
from flowsam.ensemble import solve_many
from flowsam.exact import l2_two_layer, linf_balanced
from flowsam.portrait import stream_portrait
from flowsam.portrait.planes import ImbalancePlane

RULES = {"GD": gradient_flow(), "l_2": l2(0.1), "l_inf": linf(0.05)}
# free l_2 turns so fast at log t = 8.46 that at 1e-10 steps count as stuck; at 1e-9 the end is
# known to 1e-8
LATE, RTOL, TIGHT = 50.0, 1e-6, 1e-9


def limits_of(rule, start):
    """Limits of five random problems of 20 examples in 5 features, L = 2."""
    problems = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        z = rng.standard_normal((20, 5))
        z *= np.sign(z @ rng.uniform(0.5, 1.5, 5))[:, None]
        free = rng.uniform(0.5, 1.5, (2, 5))
        theta0 = balanced(free[0], 2) if start == "balanced" else free
        problems.append((Flow(Data(z), RULES[rule]), theta0))
    return lambda: [limit(*problem).label for problem in problems]


def few(rule):
    """The limit of 8 examples in 300 features, L = 2."""
    rng = np.random.default_rng(0)
    flow = Flow(Data(rng.standard_normal((8, 300))), rule)
    theta0 = rng.uniform(0.5, 1.5, (2, 300))
    return lambda: limit(flow, theta0).label


def large(rule, depth, start, *, rho=0.1, n=1000):
    """1,000 Gaussian examples in 1,000 features to log t = 50, on the side of a positive vector.

    Free starts reach any sign: their examples are as drawn, which separates them too.
    """
    rng = np.random.default_rng(0)
    z = rng.standard_normal((n, n))
    theta0 = rng.uniform(0.5, 1.5, (depth, n)) / np.sqrt(n)
    if start == "balanced":
        z *= np.sign(z @ rng.uniform(0.0, 1.0, n))[:, None]
        theta0 = balanced(theta0[0], depth)
    flow = Flow(Data(z), l2(rho) if rule == "l_2" else gradient_flow())
    return late_end(flow, theta0, LATE)


def late_end(flow, theta0, log_t):
    """Weights at a late time, as a function of the tolerance."""

    def call(rtol=RTOL):
        run = solve(flow, theta0, rtol=rtol, atol=1e-3 * rtol, log_t_end=log_t, save_at=2)
        assert run.status == "finished", run.message
        return run.theta[-1]

    return call


def easy(n, d, depth, rule, log_t):
    """Examples with a strong direction in common, which separates them at once."""
    rng = np.random.default_rng(7)
    flow = Flow(Data((rng.standard_normal((n, d)) + 3.0) / np.sqrt(d)), RULES[rule])
    theta0 = 2.0 * rng.uniform(0.5, 1.5, (depth, d)) / d ** (1 / depth)
    return late_end(flow, theta0, log_t)


def single(d, n, depth):
    """One run by steps to tau = 2."""
    rng = np.random.default_rng(100 * d + n)
    flow = Flow(Data(0.1 + np.abs(rng.normal(size=(n, d)))), l2(0.1), exponential)
    theta0 = rng.uniform(0.7, 1.3, (depth, d)) / np.sqrt(d / 2)
    return lambda: solve(flow, theta0, tau_end=2.0, save_at=2).theta[-1]


def late(log_t):
    """One run of 20 examples in 4 features to late original time."""
    rng = np.random.default_rng(420)
    flow = Flow(Data(0.1 + np.abs(rng.normal(size=(20, 4)))), l2(0.1), exponential)
    theta0 = rng.uniform(0.3, 0.6, (2, 4))
    return lambda: solve(flow, theta0, log_t_end=log_t, rtol=1e-8, save_at=2).theta[-1]


def ensemble(d, n, number):
    """Many starts to tau = 1 by batched steps."""
    rng = np.random.default_rng(d)
    z = np.linspace(1.0, 2.0, d)[None] if n == 1 else 0.1 + np.abs(rng.normal(size=(n, d)))
    starts = rng.uniform(0.7, 2.0, (number, 2, d))
    flow = Flow(Data(z), l2(1.0), exponential)
    return lambda: solve_many(flow, starts, tau_end=1.0, method="DOP853").theta


def dying():
    """Many starts above p = 2, whose weights die one by one."""
    starts = np.random.default_rng(1).uniform(-1.0, 1.0, (1000, 4, 2))
    flow = Flow(single_example([1.0, -1.6]), lp(1.0, p=2.5))
    return lambda: solve_many(flow, starts, tau_end=6.0).theta


def exact(form):
    """States of 20,000 starts by a closed form."""
    alpha = np.random.default_rng(1).uniform(0.1, 2.0, (20_000, 2))
    how = {"rho": 1.0, "tau": [4.0]}
    return lambda: form.weights(balanced(alpha, 2), [1.0, 2.0], **how)


def portrait(rule, side, start=None):
    """Labels of a plane."""
    x = np.linspace(2 / side, 2, side)
    plane = {"start": start} if start else {}
    return lambda: phase_portrait(Flow(single_example([1.0, 2.0]), rule), x, x, **plane).labels


def streamed(rule, side):
    """Labels of a plane on disk."""
    x = np.linspace(2 / side, 2, side)
    flow = Flow(single_example([1.0, 2.0]), rule)

    def write():
        with tempfile.TemporaryDirectory() as folder:
            stream_portrait(flow, x, x, path=f"{folder}/labels.npy")

    return write


def scales():
    """Critical scales of 10 random profiles of 10 features."""
    rng = np.random.default_rng(0)
    draws = [(rng.normal(size=10), rng.normal(size=(2, 10))) for _ in range(10)]
    return lambda: np.array([critical_scale(mu, 1.0, profile=theta) for mu, theta in draws])


def margin():
    """An l_2 max margin."""
    z = np.random.default_rng(0).standard_normal((100, 1000))
    return lambda: max_margin(Data(z), 2)


def wide(depth, start):
    """The limit of a million features under l_inf, rho = 1."""
    rng = np.random.default_rng(depth)
    mu, theta0 = rng.uniform(0.5, 1.5, 10**6), rng.uniform(0.5, 1.5, (depth, 10**6))
    if start == "small":
        theta0 *= 0.3
    if start == "signed":
        theta0 *= rng.choice([-1.0, 1.0], theta0.shape)
    flow = Flow(single_example(mu), linf(1.0))
    return lambda: limit(flow, theta0).label


LIMITS = {
    f"limit, n = 20, d = 5, {rule} {start}": lambda rule=rule, start=start: limits_of(rule, start)
    for rule in RULES
    for start in ("balanced", "free")
}
LIMITS |= {
    f"limit, n = 8, d = 300, {name}": lambda rule=rule: few(rule)
    for name, rule in (("l_inf", linf(0.1)), ("l_1.5", lp(0.1, p=1.5)))
}
WIDE = {
    f"limit, d = 1e6, l_inf, L = {depth}, {start}": (
        lambda depth=depth, start=start: wide(depth, start)
    )
    for depth in (2, 3, 4, 5, 6)
    for start in ("small", "at the radius", "signed")
}
BALANCED = {
    f"n = d = 1000, l_2 balanced L = {depth}, rho {rho}": lambda depth=depth, rho=rho: large(
        "l_2", depth, "balanced", rho=rho
    )
    for depth in (2, 3)
    for rho in (0.1, 0.5)
}
FREE = {
    f"n = d = 1000, {rule} free L = 3": lambda rule=rule: large(rule, 3, "free")
    for rule in ("GD", "l_2")
}
KEPT = {
    "exact l_inf, 20,000 starts": lambda: exact(linf_balanced),
    "exact l_2, 20,000 starts": lambda: exact(l2_two_layer),
    "ensemble, 10,000 starts, d = 2, n = 1": lambda: ensemble(2, 1, 10_000),
    "ensemble, 1,000 starts, d = 10, n = 20": lambda: ensemble(10, 20, 1000),
    "ensemble, 1,000 starts, l_2.5, L = 4": dying,
    "solve, d = 10, n = 20, L = 2": lambda: single(10, 20, 2),
    "solve, d = 10, n = 20, L = 3": lambda: single(10, 20, 3),
    "solve, d = 100, n = 100, L = 2": lambda: single(100, 100, 2),
    "solve to log t = 500": lambda: late(500.0),
    "solve to log t = 1e4": lambda: late(1e4),
    "portrait 2000 x 2000, l_inf": lambda: portrait(linf(1.0), 2000),
    "portrait 2000 x 2000, l_2": lambda: portrait(l2(1.0), 2000),
    "portrait 4000 x 4000 on disk, l_inf": lambda: streamed(linf(1.0), 4000),
    "portrait 4000 x 4000 on disk, l_2": lambda: streamed(l2(1.0), 4000),
    "portrait 60 x 60 by steps, l_2, L = 3": lambda: portrait(
        l2(1.0), 60, ImbalancePlane([1.0, 0.8], 3)
    ),
    "portrait 60 x 60 by steps, l_1.5": lambda: portrait(
        lp(1.0, p=1.5), 60, ImbalancePlane([1.0, 0.8], 2)
    ),
    "easy, n = d = 500, l_2, L = 2, log t = 500": lambda: easy(500, 500, 2, "l_2", 500.0),
    "easy, n = 1000, d = 20, l_inf, L = 2": lambda: easy(1000, 20, 2, "l_inf", 10.0),
    "easy, n = 20, d = 1000, l_2, L = 3": lambda: easy(20, 1000, 3, "l_2", 50.0),
    "max margin, n = 100, d = 1000": margin,
    "critical scales, d = 10": scales,
}
CASES = LIMITS | WIDE | BALANCED | FREE | KEPT


def main():
    """Warm up, time, print and keep; no repeats: a tight reference."""
    name, repeats, path = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    call = CASES[name]()
    if not repeats:
        np.save(path, call(TIGHT))
        return
    slow = name in BALANCED | FREE
    (large("l_2", 3, "free", n=300) if slow else call)()  # imports are not its work
    seconds = []
    for _ in range(repeats):
        begin = time.process_time()
        found = call()
        seconds.append(time.process_time() - begin)
    np.save(path, [] if found is None else found)
    sys.stdout.write(f"{min(seconds)!r}\n")


if __name__ == "__main__":
    main()
