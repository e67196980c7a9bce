"""Rows of a plane of balanced starts of two layers, decided many at once.

Under l_2-SAM the label of a row changes at one place: N(tau) rises with every alpha_j, so that
bisection and the separatrix decide it, and the flow itself what is next to it. Under l_inf-SAM and
GD coordinates move apart: x decides the first fate alone and y the second.
(derivations/l2_critical_scale.py, derivations/linf_two_layer.py)
"""

from collections.abc import Callable

import numpy as np

from flowsam.exact import linf_two_layer
from flowsam.labels import Fate, Label
from flowsam.outcomes import limits
from flowsam.outcomes.theorems import fate_labels
from flowsam.portrait.plane_rows import Grid
from flowsam.shapes import Codes, Int

Rows = Int[np.ndarray, "rows nx"]
Writer = Callable[[slice], Rows]
BESIDE = 3e-8  # log of the scale beside the separatrix where it does not decide: its error and more


def ordered(grid: Grid) -> Writer:
    """Decide some rows, and return a function that writes out the labels of a slice of them."""
    label = _labels(grid)
    order = np.argsort(grid.x, kind="stable")
    x = grid.x[order]
    runs = _rising(lambda row, k: label(x[k], grid.y[row]), grid.y.size, x.size)
    back = None if (np.diff(order) == 1).all() else np.argsort(order)

    def write(rows: slice) -> Rows:
        some = runs[rows].tolist()
        found = np.empty((len(some), x.size), dtype=np.int16)
        for row, (first, start, end, last) in zip(found, some, strict=True):
            row[:start] = first
            row[start:end] = Label.SEPARATRIX
            row[end:] = last
        return found if back is None else found[:, back]

    return write


def _labels(grid: Grid) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The label of starts (alpha_1, alpha_2): by their side of the separatrix, or by their flow."""
    from flowsam.exact.l2_separatrix import balanced_excess

    flow = grid.flow
    rho = flow.rho
    by_flow = lambda x, y: limits(flow, grid.plane.at(x, y)[0])  # noqa: E731
    if not (flow.mu > 0).all():
        return by_flow
    excess = balanced_excess(flow.mu, rho=rho)
    far = np.full(1, rho)
    escape = by_flow(far, far)[0]

    def label(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        side = excess(np.stack([x, y], axis=-1))
        found = np.where(side > 0, escape, Label.ZERO)
        near = np.flatnonzero(np.abs(side) < BESIDE)
        if near.size:
            found[near] = by_flow(x[near], y[near])
        return found

    return label


def _rising(
    label: Callable[[Codes, Codes], np.ndarray], height: int, width: int
) -> Int[np.ndarray, "ny 4"]:
    """Runs of rows of rising alpha_1: (first label, start, end, last label)."""
    rows = np.arange(height)
    first = label(rows, 0 * rows)
    last = label(rows, 0 * rows + width - 1)
    ends = np.zeros((2, height), dtype=np.int64)
    change = np.flatnonzero(first != last)
    most = np.full(change.size, width - 1)
    ends[:, change] = _first(lambda row, k: label(row, k) == last[row], change, most)
    between = change[label(change, ends[1, change] - 1) != first[change]]
    most = ends[1, between] - 1
    ends[0, between] = _first(lambda row, k: label(row, k) != first[row], between, most)
    return np.stack([first, *ends, last], axis=1)


def _first(
    holds: Callable[[Codes, Codes], np.ndarray], rows: Codes, high: Codes
) -> Codes:
    """The first place of each row from which on a condition holds, as it does at the last."""
    low = np.zeros_like(high)
    high = high.copy()
    while (open_ := np.flatnonzero(high - low > 1)).size:
        middle = (low[open_] + high[open_]) // 2
        found = holds(rows[open_], middle)
        high[open_[found]] = middle[found]
        low[open_[~found]] = middle[~found]
    return high


def separable(grid: Grid) -> Writer:
    """Decide some rows, and return a function that writes out the labels of a slice of them."""
    mu = grid.flow.mu
    of_x, of_y = (
        linf_two_layer.read(grid.plane.at(a, a)[0], mu, grid.flow.rho).fate[:, j]
        for j, a in enumerate((grid.x, grid.y))
    )
    pairs = np.indices((len(Fate),) * 2).T  # (fate of x, fate of y) at [of y, of x]
    kinds = fate_labels(pairs, mu).astype(np.int16).take(of_x, axis=1)
    return lambda rows: kinds[of_y[rows]]
