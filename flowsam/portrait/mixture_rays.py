"""The rays between one feature and a mixture in a balanced plane of ASAM at L >= 3."""

from __future__ import annotations

import numpy as np

from flowsam.exact.adaptive_pair import Pair
from flowsam.portrait.planes import BalancedPlane
from flowsam.regimes import Case
from flowsam.shapes import Float

__all__ = ["rays"]


def rays(
    case: Case, plane: BalancedPlane, ends: tuple[float, float]
) -> tuple[tuple[str, Float[np.ndarray, "2 2"]], ...]:
    """Return the rays of alpha_2 / alpha_1 that bound basins (derivations/adaptive_deep.py)."""
    mu = case.flow.mu
    rule = case.flow.perturbation
    if (mu <= 0).any() or not rule.round or rule.gate(case.depth) >= 1:
        return ()
    pair = Pair(float(mu[1] / mu[0]), rule.rho, rule.p, case.depth)
    roots = pair.roots
    slopes = np.exp(roots[~pair.stable(roots)])
    reach = [min(ends[0], ends[1] / slope) for slope in slopes]
    return tuple(
        ("basin", np.array([[0.0, 0.0], [x, slope * x]]))
        for x, slope in zip(reach, slopes, strict=True)
    )
