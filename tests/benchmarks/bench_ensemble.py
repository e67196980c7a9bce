"""solve_many against a loop of solve_ivp with the leanest field; and what collapsing members cost.

`python -m tests.benchmarks.bench_ensemble`: l_2, L = 2, one example, 10,000 starts, one thread.
"""

import numpy as np
from scipy.integrate import solve_ivp

from figures.timing import timed
from flowsam import Flow, l2, single_example
from flowsam.ensemble import Ending, solve_many

TAU_END, NUMBER, CHECKED = 4.0, 10_000, 50


def lean_loop(mu, starts, *, rtol=1e-9):
    """Return last states, one `solve_ivp` a start; N cannot be 0 on starts that escape."""

    def rhs(_, state):
        w = state.reshape(2, -1)
        g = mu * w[::-1]
        return (mu * (w - g / np.sqrt(np.vdot(g, g)))[::-1]).ravel()

    how = {"method": "DOP853", "rtol": rtol, "atol": 1e-3 * rtol}
    ends = [solve_ivp(rhs, (0, TAU_END), start.ravel(), **how).y[:, -1] for start in starts]
    return np.reshape(ends, starts.shape)


def compare(d):
    """Print seconds of both on the same starts, and their errors in tolerance units."""
    mu = np.linspace(1.0, 2.0, d)
    starts = np.random.default_rng(d).uniform(0.7, 2.0, (NUMBER, 2, d))
    many, run = timed(lambda: _batch(mu, starts), repeat=3)
    each, states = timed(lambda: lean_loop(mu, starts))
    fine = lean_loop(mu, starts[:CHECKED], rtol=1e-13)
    found = (
        np.abs(x[:CHECKED] - fine) / (1e-12 + 1e-9 * np.abs(fine)) for x in (run.theta, states)
    )
    units = ", ".join(f"{x.max():.2f}" for x in found)
    print(
        f"d = {d}: solve_many {many:.3f} s, loop {each:.1f} s ({each / many:.0f} times); "
        f"errors {units} tolerance units"
    )


def collapsing(share=0.06):
    """Print what it costs that some members collapse."""
    rng, mu = np.random.default_rng(6), np.array([1.0, 2.0])
    starts = rng.uniform(0.7, 2.0, (NUMBER, 2, 2))
    some, count = starts.copy(), round(share * NUMBER)
    some[rng.permutation(NUMBER)[:count]] = rng.uniform(0.05, 0.3, (count, 2, 2))
    (none, _), (with_some, run) = (timed(lambda: _batch(mu, x), repeat=3) for x in (starts, some))  # noqa: B023
    found = (run.status == Ending.COLLAPSED).mean()
    print(f"{found:.1%} collapsing: {with_some / none:.2f} times the cost of none")


def _batch(mu, starts):
    return solve_many(Flow(single_example(mu), l2(1.0)), starts, tau_end=TAU_END, method="DOP853")


if __name__ == "__main__":
    compare(2)
    compare(10)
    collapsing()
