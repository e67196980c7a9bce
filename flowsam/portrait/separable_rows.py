"""Rows of a plane whose coordinates move apart: l_inf-SAM and GD, balanced, two layers.

In rescaled time no coordinate feels another one, so that x decides the fate of the first alone and
y that of the second: the row of labels is one of a few, one for each fate of the second.
(derivations/linf_two_layer.py)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from flowsam.exact import linf_two_layer
from flowsam.flow import Flow
from flowsam.outcomes.theorem_labels import fate_labels
from flowsam.portrait.planes import BalancedPlane
from flowsam.shapes import Float, Int

__all__ = ["decided"]


def decided(
    flow: Flow,
    plane: BalancedPlane,
    x: Float[np.ndarray, " nx"],
    y: Float[np.ndarray, " ny"],
) -> Callable[[slice], Int[np.ndarray, "rows nx"]]:
    """Decide some rows, and return a function that writes out the labels of a slice of them.

    Parameters and result are those of `ordered_rows.decided`.

    Notes
    -----
    Derivation: derivations/linf_two_layer.py. Source: arXiv:2603.08290, Corollary 3.5.

    Examples
    --------
    >>> from flowsam import linf, single_example
    >>> flow, x = Flow(single_example([1.0, 2.0]), linf(1.0)), np.array([0.5, 1.0, 1.5])
    >>> decided(flow, BalancedPlane(2), x, np.array([0.5, 1.5]))(slice(None))
    array([[ 0, -2,  1],
           [ 2,  2,  2]], dtype=int16)
    """
    mu = flow.mu
    rho = flow.perturbation.rho
    alone = [
        linf_two_layer.fate(plane.at(a, a)[0], mu, rho=rho)[:, j]
        for j, a in enumerate((x, y))
    ]
    fates, which = np.unique(alone[1], return_inverse=True)
    pairs = np.stack(np.broadcast_arrays(alone[0], fates[:, None]), axis=-1)
    kinds = fate_labels(pairs, mu).astype(np.int16)
    return lambda rows: kinds[which[rows]]
