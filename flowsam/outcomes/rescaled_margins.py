"""ASAM of several examples at L = 2: the l_1 max margin of data rescaled by the run's own end.

With c_j = 1 - rho s_j r_j, beta c tends to the l_1 max margin of z_ij c_j: a fixed point, for c
depends on beta. Whether it is unique is not known.
"""

from __future__ import annotations

import numpy as np

from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.outcomes.directions import CERTIFIED, late_direction
from flowsam.outcomes.outcome import Limit
from flowsam.regimes import Case
from flowsam.shapes import Float
from flowsam.solver import solve

__all__ = ["by_rescaled_margin", "factors", "rescaled_certificate"]

Theta = Float[np.ndarray, "L d"]


def factors(flow: Flow, theta: Theta) -> Float[np.ndarray, " d"]:
    """Return c_j = w_hat / w, the same in every layer; 1 where a weight is 0."""
    hat = flow.perturbed(theta)
    return np.divide(hat[0], theta[0], where=theta[0] != 0, out=np.ones_like(hat[0]))


def rescaled_certificate(flow: Flow, theta: Theta) -> float:
    """Return the weak-duality ratio of beta c on the data z c, at most the true margin ratio.

    min_i m_i(theta_hat) / ||beta c||_1  over  ||c sum_i q_i z_i||_inf,  both at theta_hat
    """
    c = factors(flow, theta)
    hat = flow.perturbed(theta)
    margins = flow.data.z @ np.prod(hat, axis=0)
    length = np.abs(np.prod(theta, axis=0) * c).sum()
    bound = np.abs(c * flow.pull(hat)[0]).max()
    return float(max(margins.min(), 0.0) / (length * bound))


def by_rescaled_margin(case: Case, theta0: Theta) -> Limit:
    """Return the verdict on ASAM of several examples, L = 2: what its run to log t = 1e4 proves."""
    found = late_direction(case.flow, theta0)
    if found.label != Label.OTHER_DIRECTION:
        return Limit(int(found.label), None, "none", found.reason, found)
    run = solve(case.flow, theta0, log_t_end=1e4, rtol=1e-7, atol=1e-10)
    ratio = rescaled_certificate(case.flow, run.theta[-1])
    certificate = "numerical" if ratio >= CERTIFIED else "conditional"
    reason = (
        f"at log t = {run.log_t[-1]:.4g} beta c has at least {ratio:.5f} of the largest l_1 margin "
        "of the data rescaled by c_j = 1 - rho s_j r_j, a fixed point that it has if directions "
        "converge; plain margins: "
        f"{found.comparison}"
    )
    return Limit(int(found.label), found.direction, certificate, reason, found)
