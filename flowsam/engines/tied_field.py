"""The rescaled field of l_1-SAM at L = 2 on thousands of starts, batch last, without events.

Components that tie for the largest |g_k| share rho, and with `|g_k|' = mu_j^2 (sign(g_k) w_k - rho
lambda_k)` stay together for

    lambda_k = max(0, sign(g_k) w_k - c / mu_j^2) / rho,   sum lambda = 1,

water up to one level c. A band around a tie, wider than a step may overshoot, pulls back into its
middle, so that what has met stays together.
"""

from collections.abc import Callable

import numpy as np

from flowsam.shapes import Bool, Float, Vector

Pairs = Float[np.ndarray, "2 d B"]
# difference of |g| that counts as a tie, in units of rtol |g| and rtol |mu|
BAND = 10.0
LEAST = 0.1
SLACK = 1e-9  # |u + sign(mu) v| of this share of |u| + |v| counts as 0, where it can come to rest
PULL = 4.0  # rate of return to the middle of a band, in units of max |mu|


def tied_field(mu: Vector, rho: float, rtol: float = 1e-9) -> Callable[[Pairs], Pairs]:
    """Return `w (2, d, B) -> dw/dtau (2, d, B)` of l_1-SAM, all modes of `vertex_sliding`."""
    a = np.abs(mu)[:, None]
    sign = np.sign(mu)[:, None]
    square = np.where(a > 0, a * a, 1.0)

    def field(w: Pairs) -> Pairs:
        g = mu[:, None] * w[::-1]
        size = np.abs(g)
        top = size.max(axis=(0, 1))
        tied = (size >= top - rtol * (BAND * top + LEAST * a.max())) & (a > 0)
        level = np.sign(g) * w + PULL * a.max() * (size - top) / square
        hat = w - np.sign(g) * _poured(level, 1.0 / square, tied, rho)
        slope = mu[:, None] * hat[::-1]
        s = w[0] + sign * w[1]
        still = (np.abs(s) <= SLACK * (np.abs(w[0]) + np.abs(w[1]))) & (a > 0)
        # u = -sign(mu) v is kept for ever; rounding would grow without this
        if still.any():
            half = np.where(still, (a * s + slope[0] + sign * slope[1]) / 2, 0.0)
            slope = slope - np.stack([half, sign * half])
        return slope

    return field


def _poured(
    level: Pairs,
    rise: Float[np.ndarray, "d 1"],
    tied: Bool[np.ndarray, "2 d B"],
    rho: float,
) -> Pairs:
    """Return rho lambda: `max(0, level - c rise)` over the tied components, of sum rho."""
    wet = tied
    depth = level
    for _ in range(2 * len(rise)):  # c only rises as dry ones go: none comes back
        c = ((wet * level).sum(axis=(0, 1)) - rho) / (wet * rise).sum(axis=(0, 1))
        depth = level - c * rise
        dry = wet & (depth < 0)
        if not dry.any():
            break
        wet = wet & ~dry
    return np.where(wet, depth, 0.0)
