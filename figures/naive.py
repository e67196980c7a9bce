"""The textbook solver that fails: a sign inside the right-hand side given to `solve_ivp`."""

import numpy as np
from scipy.integrate import solve_ivp


class Stuck(Exception):
    """The budget of calls ran out."""


def calls_of_naive(method, budget):
    """Return calls and the rescaled time reached, for mu = (1, 2), rho = 1, alpha = (1.5, 0.6)."""
    mu, calls, reached = np.array([1.0, 2.0]), 0, 0.0

    def velocity(tau, w):
        nonlocal calls, reached
        calls, reached = calls + 1, max(reached, tau)
        if calls > budget:
            raise Stuck
        u, v = w.reshape(2, 2)
        return np.concatenate([mu * (v - np.sign(u)), mu * (u - np.sign(v))])

    try:
        solve_ivp(velocity, (0, 3), [1.5, 0.6, 1.5, 0.6], method=method, rtol=1e-8, atol=1e-10)
    except Stuck:
        pass
    return calls, reached
