"""Discrete l_inf-SAM of one coordinate, from the definition, for claims about sizes and zeros."""

import numpy as np


def discrete_sam(w, mu, rho, *, until, most=20_000, step=2e-3):  # noqa: PLR0913
    """Iterate w + step mu prod others of w_hat with eps = -rho sign(mu prod others of w).

    The step is in units of the coordinate's own rate. Ends where `until(w)` holds or after `most`
    steps; returns (tau, w).
    """
    w, tau = np.array(w, dtype=float), 0.0
    others = [[k for k in range(w.size) if k != layer] for layer in range(w.size)]
    for _ in range(most):
        if until(w):
            break
        hat = w - rho * np.sign(mu * w[others].prod(axis=1))
        speed = mu * hat[others].prod(axis=1)
        h = step * max(rho, np.abs(w).max()) / np.abs(speed).max()
        w, tau = w + h * speed, tau + h
    return tau, w
