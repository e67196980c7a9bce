"""Rows of a plane of balanced starts of two layers, decided many at once.

Under l_2-SAM the label of a row changes at one place: N(tau) rises with every alpha_j, so that
bisection and the separatrix decide it, and the flow itself what is next to it. Under l_inf-SAM and
GD coordinates move apart: x decides the first fate alone and y the second.
(derivations/l2_critical_scale.py, derivations/linf_two_layer.py)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from flowsam.exact import linf_two_layer
from flowsam.flow import Flow
from flowsam.labels import Fate, Label
from flowsam.outcomes import limits
from flowsam.outcomes.theorems import fate_labels
from flowsam.portrait.planes import BalancedPlane
from flowsam.shapes import Axis, Codes, Int

At = Callable[[Codes, Codes], np.ndarray]  # from rows and places in them
Rows = Int[np.ndarray, "rows nx"]
Writer = Callable[[slice], Rows]
UNSEEN = -99  # no label
BESIDE = 3e-8  # log of the scale beside the separatrix where it does not decide: its error and more


def ordered(
    flow: Flow,
    plane: BalancedPlane,
    x: Axis,
    y: Axis,
) -> Writer:
    """Decide some rows, and return a function that writes out the labels of a slice of them."""
    label = _labels(flow, plane)
    order = np.argsort(x, kind="stable")
    runs = _rising(lambda row, place: label(x[order[place]], y[row]), y.size, x.size)
    back = None if (np.diff(order) == 1).all() else np.argsort(order)

    def write(rows: slice) -> Rows:
        found = _written(runs[rows], x.size)
        return found if back is None else found[:, back]

    return write


def _written(runs: Int[np.ndarray, "rows 4"], width: int) -> Rows:
    """The labels of rows from their runs."""
    out = np.empty((len(runs), width), dtype=np.int16)
    for row, (first, start, end, last) in zip(out, runs.tolist(), strict=True):
        row[:start] = first
        row[start:end] = Label.SEPARATRIX
        row[end:] = last
    return out


def _labels(
    flow: Flow,
    plane: BalancedPlane,
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The label of starts (alpha_1, alpha_2): by their side of the separatrix, or by their flow."""
    from flowsam.exact.l2_separatrix import balanced_excess

    rho = flow.rho
    by_flow = lambda x, y: limits(flow, plane.at(x, y)[0])  # noqa: E731
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


def _rising(label: At, height: int, width: int) -> Int[np.ndarray, "ny 4"]:
    """Runs of rows of rising alpha_1: (first label, start, end, last label)."""
    rows = np.arange(height)
    low = np.zeros_like(rows)
    high = np.full_like(rows, width - 1)
    first = label(rows, low)
    last = label(rows, high)
    change = np.flatnonzero(first != last)
    # of what is not the first label, and of the last
    start = low.copy()
    end = low.copy()
    end[change], under = _first_place(
        label, change, (low[change], high[change]), last[change]
    )
    start[change] = end[change]
    between = change[(under != first[change]) & (under != UNSEEN)]
    ends = (low[between], end[between] - 1)
    wanted = np.full(between.size, Label.SEPARATRIX)
    start[between], _ = _first_place(label, between, ends, wanted)
    return np.stack([first, start, end, last], axis=1)


def _first_place(
    label: At,
    rows: Codes,
    ends: tuple[Codes, Codes],
    wanted: Codes,
) -> tuple[Codes, Codes]:
    """The first place of each row with a label that holds from there on; the label before it."""
    low, high = (end.copy() for end in ends)
    under = np.full(rows.size, UNSEEN)
    while (open_ := np.flatnonzero(high - low > 1)).size:
        middle = (low[open_] + high[open_]) // 2
        found = label(rows[open_], middle)
        above = found == wanted[open_]
        high[open_[above]] = middle[above]
        low[open_[~above]], under[open_[~above]] = middle[~above], found[~above]
    return high, under


def separable(
    flow: Flow,
    plane: BalancedPlane,
    x: Axis,
    y: Axis,
) -> Writer:
    """Decide some rows, and return a function that writes out the labels of a slice of them."""
    mu = flow.mu
    alone = [slice(0, 1), slice(1, 2)]
    of_x, of_y = (
        linf_two_layer.fate(plane.at(a, a)[0][..., one], mu[one], rho=flow.rho)[:, 0]
        for a, one in zip((x, y), alone, strict=True)
    )
    pairs = np.indices((len(Fate),) * 2).T  # (fate of x, fate of y) at [of y, of x]
    kinds = fate_labels(pairs, mu).astype(np.int16).take(of_x, axis=1)
    return lambda rows: kinds[of_y[rows]]
