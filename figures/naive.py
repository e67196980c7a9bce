"""What one writes first: a sign in a right-hand side, which fails, loops, and plain fields."""

from itertools import count

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


def textbook_field(z, rho):
    """Return the right-hand side of l_2-SAM one writes first, L = 2, in the rescaled clock."""

    def descent(w):
        margins = z @ (w[0] * w[1])
        share = np.exp(margins.min() - margins)
        return (share / share.sum()) @ z * w[::-1]

    def velocity(_, state):
        w = state.reshape(2, -1)
        g = descent(w)
        return descent(w - rho * g / np.sqrt((g**2).sum())).ravel()

    return velocity


def solve_ivp_loop(z, rho, starts, *, tau_end, rtol):
    """Return last states (B, 2, d): one call of `solve_ivp` a start; nan after 20,000 calls.

    A start that collapses chatters about the origin, and its run would not end.
    """
    field, how = textbook_field(z, rho), {"method": "DOP853", "rtol": rtol, "atol": 1e-3 * rtol}

    def last(start):
        calls = count()

        def counted(tau, state):
            if next(calls) > 20_000:
                raise Stuck
            return field(tau, state)

        try:
            return solve_ivp(counted, (0, tau_end), start.ravel(), **how).y[:, -1]
        except Stuck:
            return np.full(start.size, np.nan)

    return np.array([last(start).reshape(2, -1) for start in starts])


def discrete_sam(z, rho, starts, *, tau_end, steps):
    """Return last states (B, 2, d) of discrete l_2-SAM, all starts at once, steps in tau."""

    def descent(w):
        margins = (w[:, 0] * w[:, 1]) @ z.T
        share = np.exp(margins.min(axis=1, keepdims=True) - margins)
        return ((share / share.sum(axis=1, keepdims=True)) @ z)[:, None] * w[:, ::-1]

    w = starts.copy()
    for _ in range(steps):
        g = descent(w)
        norm = np.sqrt((g**2).sum(axis=(1, 2), keepdims=True))
        w = w + tau_end / steps * descent(w - rho * g / norm)
    return w
