"""The speed of original time, log dt/dtau, where the ascent step switches infinitely fast.

Where l_inf-SAM slides, eps takes two values in turn and dt/dtau is its mean over them; that is
what discrete SAM does as its step goes to 0 (`sign(0) = 0` would be wrong by tens of per cent).
Derivation: derivations/rescaled_clock.py.
"""

from __future__ import annotations

import numpy as np

from flowsam.flow import Flow
from flowsam.network import other_products
from flowsam.shapes import Float

__all__ = ["linf_log_pace"]


def linf_log_pace(
    flow: Flow, theta: Float[np.ndarray, "*batch L d"]
) -> Float[np.ndarray, "*batch"]:
    """Return log dt/dtau of l_inf-SAM or gradient flow, on sliding segments and at rest too.

    dt/dtau is `1 + e^m` (logistic) or `e^m` (exponential) with the mean of e^m in place of e^m:
    `prod_j (lambda_j e^{m_j+} + (1 - lambda_j) e^{m_j-})` over the coordinates that slide, with
    `lambda = b / (b - a)`, a and b the velocities of the weight at 0 on its two sides.

    Which coordinates slide is read off the state: their weight is exactly 0. A coordinate at rest
    at the origin contributes e^0, a convention; that several sliding coordinates switch
    independently is another. The path depends on neither.

    Examples
    --------
    >>> from flowsam import exponential, linf, single_example
    >>> flow = Flow(single_example([1.0]), linf(1.0), exponential)
    >>> state = np.array([[0.0], [0.5]])  # (0.75 e^0.5 + 0.25 e^-1.5)
    >>> float(linf_log_pace(flow, state).round(6))
    0.256442
    """
    if theta.all() or not flow.perturbation.rho or theta.shape[-2] == 1:
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
    share = np.divide(
        b, b - a, out=whole, where=zero.any(axis=-2) & ~resting & (a * b < 0)
    )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        logs = [
            np.where(weight > 0, np.log(weight) + mu * np.prod(hat, axis=-2), -np.inf)
            for weight, hat in zip((share, 1.0 - share), hats, strict=True)
        ]
    log_means = np.where(resting, 0.0, np.logaddexp(*logs))
    return np.asarray(-flow.loss.log_slope(log_means.sum(axis=-1)))
