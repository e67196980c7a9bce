"""Paths of l_2-SAM at L >= 3 from uniform starts, in log w and a clock of their own."""

import numpy as np
from scipy.integrate import solve_ivp

from flowsam import balanced

FAR = 9.2  # |log w| at which a path ends: w is 1e-4 or 1e4
FINE = 6001  # points of the clock between which a path is linear


def deep_paths(flow, alphas, depth, share):
    """Return log w (starts, d, shares) over shares of each path's rescaled time.

    All starts at once in the length s of their paths, |dx/ds| = 1 and dtau/ds = 1/|dx/dtau| for x =
    log w: it is finite where tau ends, and where a path lingers.
    """
    shape = (len(alphas), flow.mu.size)

    def slope(_, state):
        w = np.exp(np.clip(state[: -len(alphas)], -2 * FAR, 2 * FAR).reshape(shape))
        speed = flow.field(balanced(w, depth))[:, 0] / w
        size = np.sqrt((speed**2).sum(axis=1))
        return np.concatenate([(speed / size[:, None]).ravel(), 1 / size])

    first = np.concatenate([np.repeat(np.log(alphas), shape[1]), np.zeros(len(alphas))])
    s = np.linspace(0, 4 * FAR, FINE)
    run = solve_ivp(slope, (0, s[-1]), first, "DOP853", t_eval=s, rtol=1e-8, atol=1e-8)
    x, tau = run.y[: -len(alphas)].reshape(*shape, -1), run.y[-len(alphas) :]
    return np.stack([_ended(*path, share) for path in zip(x, tau, strict=True)])


def _ended(x, tau, share):
    """One path (d, s) at shares of the time it has when its largest |x| is `FAR`."""
    size = np.abs(x).max(axis=0)
    last = int(np.argmax(size > FAR))
    part = (FAR - size[last - 1]) / (size[last] - size[last - 1])
    end = tau[last - 1] + part * (tau[last] - tau[last - 1])
    return np.stack([np.interp(share * end, tau, row) for row in x])
