"""Work whose cost the figures show: calls without arguments, and engines by name."""

import numpy as np

from figures.naive import discrete_sam, solve_ivp_loop
from flowsam import Data, Flow, exponential, l2, linf, phase_portrait, single_example, solve
from flowsam.engines import taylor
from flowsam.ensemble import solve_many
from flowsam.exact import l2_two_layer


def run_of(d, n):
    """Return the cost of 64 starts with n examples in d features, to tau = 1/2."""
    rng = np.random.default_rng(0)
    flow = Flow(Data(0.1 + np.abs(rng.normal(size=(n, d)))), l2(0.1), exponential)
    starts = rng.uniform(0.7, 1.3, (64, 2, d)) / np.sqrt(d / 2)
    return lambda: solve_many(flow, starts, tau_end=0.5, method="DOP853")


def late_run(log_t):
    """Return a run of 20 examples in 4 features to late original time."""
    rng = np.random.default_rng(0)
    flow = Flow(Data(0.1 + np.abs(rng.normal(size=(20, 4)))), l2(0.1), exponential)
    start = rng.uniform(0.3, 0.6, (2, 4))
    return lambda: solve(flow, start, log_t_end=log_t, rtol=1e-8, save_at=2)


def plane_of(cells):
    """Return an exact portrait of about so many cells."""
    x = np.linspace(2e-3, 2, int(cells**0.5))
    return lambda: phase_portrait(Flow(single_example([1, 2]), linf(1.0)), x, x)


def engines(flow, end, looped):
    """Return by name: states of starts (B, 2, d) for a setting, and the settings, the finest last.

    The loop takes the first `looped` starts; discrete SAM, whose setting is its steps, 64.
    """
    z, rho = flow.data.z, flow.perturbation.rho
    rtols = 10.0 ** np.arange(-3, -13, -1)

    def by(method):
        return lambda s, x: solve_many(flow, s, tau_end=end, rtol=x, method=method).theta

    def exact(s, _):
        return l2_two_layer.read(s, z[0], rho).weights([end])[:, 0]

    def loop(s, x):
        return solve_ivp_loop(z, rho, s[:looped], tau_end=end, rtol=x)

    def discrete(s, steps):
        return discrete_sam(z, rho, s[:64], tau_end=end, steps=int(steps))

    found = {"exact form": (exact, [0]), "solve_many": (by("DOP853"), rtols)}
    found |= {"solve_ivp loop": (loop, rtols[::2])}
    found |= {"discrete SAM": (discrete, 4.0 ** np.arange(3, 8))}
    if taylor.installed():
        found["heyoka"] = (by("heyoka"), rtols[:7])
    return found
