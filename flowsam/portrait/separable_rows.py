"""Rows of a plane whose coordinates move apart: l_inf-SAM and GD, balanced, two layers.

x decides the first fate alone and y the second. (derivations/linf_two_layer.py)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from flowsam.exact import linf_two_layer
from flowsam.flow import Flow
from flowsam.outcomes.theorems import fate_labels
from flowsam.portrait.planes import BalancedPlane
from flowsam.shapes import Axis, Int


def decided(
    flow: Flow,
    plane: BalancedPlane,
    x: Axis,
    y: Axis,
) -> Callable[[slice], Int[np.ndarray, "rows nx"]]:
    """Decide some rows, and return a function that writes out the labels of a slice of them."""
    mu = flow.mu
    rho = flow.rho
    alone = [
        linf_two_layer.fate(plane.at(a, a)[0], mu, rho=rho)[:, j]
        for j, a in enumerate((x, y))
    ]
    fates, which = np.unique(alone[1], return_inverse=True)
    pairs = np.stack(np.broadcast_arrays(alone[0], fates[:, None]), axis=-1)
    kinds = fate_labels(pairs, mu).astype(np.int16)
    return lambda rows: kinds[which[rows]]
