"""d = 1,000,000 under l_2-SAM to tau = 5: the planar curve against the 2d-dimensional ODE.

Prints CPU seconds, peak memory and the error of each against the ODE at rtol 1e-12, in the max-norm
relative to the largest weight. Run: python tests/benchmarks/bench_l2_large.py [d]
"""

from __future__ import annotations

import sys
import time
import tracemalloc

import numpy as np
from scipy.integrate import solve_ivp

from flowsam.exact.l2_two_layer import read

TAU = 5.0


def measured(work) -> tuple[float, float, np.ndarray]:
    """Return CPU seconds, peak MiB (of a second, traced run) and the answer."""
    start = time.process_time()
    answer = work()
    seconds = time.process_time() - start
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seconds, peak / 2**20, answer


def by_ode(theta: np.ndarray, mu: np.ndarray, rho: float, rtol: float = 1e-9) -> np.ndarray:
    """Integrate all 2d weights: u' = mu (v - rho mu u / N), v' likewise."""

    def velocity(_: float, state: np.ndarray) -> np.ndarray:
        u, v = state.reshape(2, -1)
        pull = rho * mu / np.sqrt(((mu * u) ** 2).sum() + ((mu * v) ** 2).sum())
        return np.concatenate([mu * (v - pull * u), mu * (u - pull * v)])

    run = solve_ivp(
        velocity, (0, TAU), theta.ravel(), "DOP853", t_eval=[TAU], rtol=rtol, atol=1e-3 * rtol
    )
    return run.y[:, -1].reshape(2, -1)


def main() -> None:
    """Print both, and the ratios."""
    d = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rng = np.random.default_rng(0)
    # weights of order 1, and N of the order of rho
    mu, theta, rho = rng.uniform(0.5, 1.5, d), rng.normal(size=(2, d)), np.sqrt(d)
    ours = measured(lambda: read(theta, mu, rho).weights([TAU])[0])
    exact = by_ode(theta, mu, rho, 1e-12)
    ode = measured(lambda: by_ode(theta, mu, rho))
    for name, (seconds, peak, answer) in (("curve", ours), ("solve_ivp", ode)):
        error = np.abs(answer - exact).max() / np.abs(exact).max()
        sys.stdout.write(f"{name:10s} {seconds:8.2f} s  {peak:8.1f} MiB  error {error:.1e}\n")
    sys.stdout.write(f"ratios     {ode[0] / ours[0]:8.1f}    {ode[1] / ours[1]:8.1f}\n")


if __name__ == "__main__":
    main()
