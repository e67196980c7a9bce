"""Filippov's velocity on a surface to which the fields of both its sides point."""

from __future__ import annotations

import numpy as np

from flowsam.shapes import Bool, Float

__all__ = ["upper_share"]

Rates = Float[np.ndarray, "*k"]


def upper_share(
    a: Rates | float,
    b: Rates | float,
    *,
    back: Rates | float = 0.0,
    where: Bool[np.ndarray, "*k"] | bool = True,
    other: Rates | float = 1.0,
) -> Rates:
    """Return lambda = b / (b - a) of `lambda f+ + (1 - lambda) f-`; `other` where it is not asked.

    a and b are the rates of the height above and below; with `back` added to b, the height returns.
    """
    gap = np.asarray(b - a, dtype=float)
    out = np.array(np.broadcast_to(other, gap.shape), dtype=float)
    return np.divide(b + back, gap, out=out, where=where & (gap != 0))
