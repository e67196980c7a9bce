"""What repels balanced weights of l_p-SAM where they rest, L = 2: derivations/lp_gates.py."""

import numpy as np

from flowsam.exact.lp_gates import rest_weights


def rest_rates(mu, support, *, p):
    """Return the eigenvalues: along the support, and of the coordinates off it."""
    size = np.abs(np.asarray(mu, dtype=float))
    on = np.asarray(support, dtype=bool)
    own, others = size[on], size[~on]
    w = rest_weights(own, rho=1.0, p=p, depth=2)
    g = np.sqrt(2.0 * w**p)  # g_j^2 = v_j w_j = 2 w_j^p / rho^p
    root = np.sqrt(own)
    inner = ((p - 2) * np.eye(own.size) + np.outer(g, g)) / (p - 1)
    along = np.linalg.eigvalsh(root[:, None] * inner * root)
    if p > 2:
        return along, np.full(others.size, -np.inf)
    return along, others if p < 2 else others * (1 - others / own.max())
