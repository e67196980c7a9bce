"""Filippov's velocity on a surface to which the fields of both its sides point."""

import numpy as np

from flowsam.shapes import Bool, Float

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


def change(old: int, new: int, tau: float) -> str:
    """Return the kind of event of sides, 0 on a surface; a start on one only enters a region."""
    if new == 0:
        return "slide" if old != 0 or tau == 0 else ""
    if new == old or tau == 0:
        return ""
    return "leave" if old == 0 else "cross"


def mean_pace(
    share: Rates,
    above: Rates,
    below: Rates,
) -> Rates:
    """Return log(share/Lambda+ + (1 - share)/Lambda-) from log Lambda+ and log Lambda-."""
    top = -np.minimum(above, below)
    mean = share * np.exp(-above - top) + (1.0 - share) * np.exp(-below - top)
    # the share leaves [0, 1] in trial steps only
    return np.asarray(top + np.log(np.maximum(mean, 1e-9)))
