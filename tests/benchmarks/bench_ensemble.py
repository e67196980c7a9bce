"""solve_many against a loop of solve_ivp, side by side, one thread: l_2, L = 2, 10,000 starts.

Run with `OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_ensemble`.
"""

import time

import numpy as np
from scipy.integrate import solve_ivp

from flowsam.data import single_example
from flowsam.ensemble import Ending, solve_many
from flowsam.flow import Flow
from flowsam.perturbations import l2

TAU_END, RTOL = 4.0, 1e-9


def lean(mu):
    """The leanest right-hand side for one start."""

    def rhs(_, y):
        w = y.reshape(2, -1)
        g = mu * w[::-1]
        return (mu * (w - g / np.sqrt(np.vdot(g, g)))[::-1]).ravel()

    return rhs


def loop(mu, starts):
    """Last states by one solve_ivp a start."""
    rhs = lean(mu)
    runs = (
        solve_ivp(rhs, (0, TAU_END), start.ravel(), "DOP853", rtol=RTOL, atol=1e-3 * RTOL)
        for start in starts
    )
    return np.array([run.y[:, -1].reshape(2, -1) for run in runs])


def error(found, starts, mu):
    """Largest error against rtol 1e-13, in tolerance units."""
    exact = [
        solve_ivp(lean(mu), (0, TAU_END), s.ravel(), "DOP853", rtol=1e-13, atol=1e-15).y[:, -1]
        for s in starts
    ]
    exact = np.reshape(exact, starts.shape)
    return np.max(np.abs(found - exact) / (1e-3 * RTOL + RTOL * np.abs(exact)))


def timed(call, *arguments):
    """Processor seconds of a call, and its result."""
    begin = time.process_time()
    result = call(*arguments)
    return time.process_time() - begin, result


def compare(d, number=10_000, looped=10_000):
    """Print the times of both and their errors on 50 starts."""
    mu = np.linspace(1.0, 2.0, d)
    starts = np.random.default_rng(d).uniform(0.7, 2.0, (number, 2, d))
    flow = Flow(single_example(mu), l2(1.0))
    many, run = timed(lambda: solve_many(flow, starts, tau_end=TAU_END, rtol=RTOL))
    each, states = timed(loop, mu, starts[:looped])
    each *= number / looped
    errors = [error(x[:50], starts[:50], mu) for x in (run.theta, states)]
    print(
        f"d = {d}: solve_many {many:.3f} s, loop {each:.1f} s ({each / many:.0f} times), "
        f"errors {errors[0]:.2f} and {errors[1]:.2f} tolerance units"
    )


def collapsing(number=10_000):
    """Print what 6 % collapsing members cost."""
    rng, flow = np.random.default_rng(6), Flow(single_example([1.0, 2.0]), l2(1.0))
    starts = rng.uniform(0.7, 2.0, (number, 2, 2))
    some = starts.copy()
    some[:: number // 600][:600] = rng.uniform(0.05, 0.3, (600, 2, 2))
    none, _ = timed(lambda: solve_many(flow, starts, tau_end=TAU_END, rtol=RTOL))
    with_some, run = timed(lambda: solve_many(flow, some, tau_end=TAU_END, rtol=RTOL))
    share = (run.status == Ending.COLLAPSED).mean()
    print(f"{share:.0%} collapsing: {with_some:.3f} s against {none:.3f} s")


def main():
    """Print all comparisons."""
    solve_many(Flow(single_example([1.0]), l2(1.0)), np.ones((2, 1)), tau_end=0.1)  # warm up
    compare(2)
    compare(10)
    collapsing()


if __name__ == "__main__":
    main()
