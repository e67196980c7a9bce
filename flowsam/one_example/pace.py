"""The speed of original time, log dt/dtau, where the ascent step switches infinitely fast.

Where l_inf-SAM slides dt/dtau is its mean over both values of eps, as for discrete SAM with a step
of 0; `sign(0) = 0` would be wrong by tens of per cent. (derivations/rescaled_clock.py)
"""

from __future__ import annotations

import numpy as np

from flowsam.engines.two_sides import upper_share
from flowsam.flow import Flow
from flowsam.network import other_products
from flowsam.shapes import Float

__all__ = ["linf_log_pace"]


def linf_log_pace(
    flow: Flow, theta: Float[np.ndarray, "*batch L d"]
) -> Float[np.ndarray, "*batch"]:
    """Return log dt/dtau of l_inf-SAM or gradient flow, on sliding segments and at rest too.

        e^m -> prod_j (lambda_j e^{m_j+} + (1 - lambda_j) e^{m_j-}),  lambda = b / (b - a)

    over the coordinates with a weight at 0 exactly. That they switch independently, and that one at
    rest gives e^0, are conventions on which the path does not depend.
    """
    if theta.all() or not flow.perturbation.perturbs or theta.shape[-2] == 1:
        return np.asarray(-flow.log_lambda(theta))
    mu = flow.mu
    rho = flow.perturbation.rho
    zero = theta == 0
    resting = zero.all(axis=-2)
    sides = (
        np.where(theta == 0, side, np.where(theta > 0, 1.0, -1.0)) for side in (1, -1)
    )
    hats = [theta - rho * np.sign(mu) * other_products(side) for side in sides]
    a, b = (np.where(zero, mu * other_products(hat), 0.0).sum(axis=-2) for hat in hats)
    # a <= 0 <= b slides; elsewhere the weight passes through 0, to the side both point to
    whole = np.where((a < 0) & (b <= 0), 0.0, 1.0)
    slides = zero.any(axis=-2) & ~resting & (a * b < 0)
    share = upper_share(a, b, where=slides, other=whole)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        logs = [
            np.where(weight > 0, np.log(weight) + mu * np.prod(hat, axis=-2), -np.inf)
            for weight, hat in zip((share, 1.0 - share), hats, strict=True)
        ]
    log_means = np.where(resting, 0.0, np.logaddexp(*logs))
    return np.asarray(-flow.loss.log_slope(log_means.sum(axis=-1)))
