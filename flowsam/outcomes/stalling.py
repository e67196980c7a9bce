"""The sector of starts of l_2-SAM at L = 3 that stall: two balanced coordinates, one example.

With x = 1 - r (see `balanced_l2`), the minor coordinate first, R = |mu_2|/|mu_1|, the equilibrium x
= 0 is degenerate: `x_j' = 2 sum_i p_i x_i^2 - x_j^2` to second order, p = (R^2, 1)/(1 + R^2).
(derivations/l2_stalling.py)
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from flowsam.shapes import Bool, Float

__all__ = ["RATIO", "sector_depth", "trapped"]

RATIO = 2 + np.sqrt(3.0)  # of two |mu_j|, beyond which a sector stalls


def trapped(x: Float[np.ndarray, "2 B"], ratio: float) -> Bool[np.ndarray, " B"]:
    """Return which balanced states can only stall: `-h < x_1 < 0, x_1 <= x_2 <= R |x_1|`."""
    depth = sector_depth(ratio)
    return (-depth < x[0]) & (x[0] < 0) & (x[0] <= x[1]) & (x[1] <= -ratio * x[0])


def sector_depth(ratio: float) -> float:
    """Return how far from rest the edge of the sector is crossed inwards, 0 without a sector.

    (R b^2 + a^2)(R^2 a^4 + b^4) = 2 R (1 + R)(a^5 + b^5), a = 1 + h, b = 1 - R h, 0 < h < 1/R
    """

    def inward(h: float) -> float:  # over R^3
        a = 1 + h
        b = 1 - ratio * h
        gain = (b * b + a * a / ratio) * (a**4 + (b * b / ratio) ** 2)
        return gain - 2 * (1 + 1 / ratio) / ratio * (a**5 + b**5)

    return (
        float(brentq(inward, 0.0, 1 / ratio))
        if ratio > RATIO and inward(0.0) > 0
        else 0.0
    )
