"""Runs of l_2-SAM at L >= 3 from uniform starts, in log w."""

import numpy as np
from scipy.integrate import solve_ivp

from flowsam import balanced


def deep_run(flow, alpha, depth, tau_end=60.0):
    """Return the path of log w (d,) from a uniform balanced start, until w is 1e-4 or 1e4."""

    def slope(_, x):
        return flow.field(balanced(np.exp(x), depth))[0] / np.exp(x)

    def end(_, x):
        return 9.2 - np.abs(x).max()

    end.terminal, start = True, np.log(np.full(flow.mu.size, alpha))
    return solve_ivp(slope, (0, tau_end), start, "DOP853", events=end, dense_output=True, rtol=1e-8)
