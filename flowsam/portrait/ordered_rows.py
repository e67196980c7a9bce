"""Rows of a plane along which the label changes at one place: l_2-SAM, balanced, two layers.

`N(tau)` increases with every alpha_j: what lies left of a collapse and below it collapses, what
lies right of an escape and above it escapes, to the same coordinate. Two starts decide all rows
that the separatrix, drawn before, crosses between the same two cells. Elsewhere equal labels of
two cells decide the row between them: as many starts as its number of cells has binary digits.
(derivations/l2_critical_scale.py)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from flowsam.exact.l2_separatrix import balanced_separatrix
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.outcomes import limits
from flowsam.portrait.planes import BalancedPlane

__all__ = ["covers", "decided"]

Places = Int[np.ndarray, " N"]
At = Callable[[Places, Places], np.ndarray]  # from rows and places in them
UNSEEN = -99  # no label
POINTS = 4001  # of the separatrix: between them it is straight to within 1e-7


def covers(flow: Flow, start: object) -> bool:
    """Return whether the rows of a plane have this order.

    Examples
    --------
    >>> from flowsam import l2, linf, single_example
    >>> data = single_example([1.0, 2.0])
    >>> [covers(Flow(data, rule), BalancedPlane(2)) for rule in (l2(1.0), linf(1.0))]
    [True, False]
    """
    rule, plane = flow.perturbation, isinstance(start, BalancedPlane) and start.depth == 2
    return plane and len(flow.data.z) == 1 and rule.normalised and rule.p == 2 and rule.rho > 0


def decided(
    flow: Flow, plane: BalancedPlane, x: Float[np.ndarray, " nx"], y: Float[np.ndarray, " ny"]
) -> Callable[[slice], Int[np.ndarray, "rows nx"]]:
    """Decide some rows, and return a function that writes out the labels of a slice of them.

    Parameters
    ----------
    flow, plane
        Which `covers` accepts.
    x, y : ndarray, shapes (nx,) and (ny,)
        alpha_1 and alpha_2, positive, in any order.

    Returns
    -------
    callable
        `slice -> ndarray of int16, shape (rows, nx)`, those that `limits` gives each cell.

    Notes
    -----
    Derivation: derivations/l2_critical_scale.py. Not in arXiv:2603.08290.

    Examples
    --------
    >>> from flowsam import l2, single_example
    >>> flow, x = Flow(single_example([1.0, 2.0]), l2(1.0)), np.array([0.25, 0.5, 0.75, 1.0])
    >>> decided(flow, BalancedPlane(2), x, np.array([0.25, 0.5]))(slice(None))
    array([[0, 0, 2, 2],
           [0, 0, 2, 2]], dtype=int16)
    """
    order, upward = np.argsort(x, kind="stable"), np.argsort(y, kind="stable")
    at = lambda row, place: limits(flow, plane.at(x[order[place]], y[upward[row]])[0])  # noqa: E731
    guess = np.searchsorted(x[order], _crossing(flow, y[upward]))
    runs = np.empty((y.size, 4), dtype=np.int64)
    runs[upward] = _runs(at, guess, x.size)
    back = None if (np.diff(order) == 1).all() else np.argsort(order)

    def write(rows: slice) -> Int[np.ndarray, "rows nx"]:
        found = _written(runs[rows], x.size)
        return found if back is None else found[:, back]

    return write


def _written(runs: Int[np.ndarray, "rows 4"], width: int) -> Int[np.ndarray, "rows nx"]:
    """The labels of rows from their runs."""
    out = np.empty((len(runs), width), dtype=np.int16)
    for row, (first, start, end, last) in zip(out, runs.tolist(), strict=True):
        row[:start] = first
        row[start:end] = Label.SEPARATRIX
        row[end:] = last
    return out


def _crossing(flow: Flow, y: Float[np.ndarray, " ny"]) -> Float[np.ndarray, " ny"]:
    """Where the separatrix crosses rows, nearly; 0 where it does not, or is not drawn."""
    if flow.mu.size != 2 or not (flow.mu > 0).all():
        return np.zeros(y.size)
    curve = balanced_separatrix(flow.mu, rho=flow.perturbation.rho, points=POINTS)
    return np.interp(y, curve[:, 1], curve[:, 0])


def _runs(label: At, guess: Places, width: int) -> Int[np.ndarray, "ny 4"]:
    """Rows of rising alpha_1, in the order of alpha_2: (first label, start, end, last label).

    From start to end is the separatrix. A guess is the number of cells before it.
    """
    found, open_ = _stairs(label, guess, width)
    inside = np.clip(guess[open_], min(1, width - 1), width - 1)
    found[open_] = _rising(lambda row, place: label(open_[row], place), inside, width)
    return found


def _stairs(
    label: At, guess: Places, width: int
) -> tuple[Int[np.ndarray, "ny 4"], Int[np.ndarray, " open"]]:
    """Runs of rows by two cells of all that have one guess, and the rows that these leave open.

    The last of the rows collapses before the separatrix, the first one escapes behind it.
    """
    low = np.flatnonzero(np.diff(guess, prepend=guess[0] - 1))
    high, step = np.append(low[1:], guess.size) - 1, guess[low]
    before, behind = np.full(low.size, Label.ZERO), np.full(low.size, Label.ZERO)
    some, any_ = step > 0, step < width
    asked = label(
        np.concatenate([high[some], low[any_]]), np.concatenate([step[some] - 1, step[any_]])
    )
    before[some], behind[any_] = np.split(asked, [np.count_nonzero(some)])
    escapes = (behind != Label.ZERO) & (behind != Label.SEPARATRIX)
    sure = (before == Label.ZERO) & (escapes | ~any_)
    group = np.repeat(np.arange(low.size), high - low + 1)
    found = np.stack([before, step, step, behind], axis=1)[group]
    return found, np.flatnonzero(~sure[group])


def _rising(label: At, guess: Places, width: int) -> Int[np.ndarray, "ny 4"]:
    """Runs of rows, each by cells of its own."""
    rows, low, high = np.arange(guess.size), np.zeros_like(guess), np.full_like(guess, width - 1)
    first, last = np.split(label(np.tile(rows, 2), np.concatenate([low, high])), 2)
    change = np.flatnonzero(first != last)
    start, end = low.copy(), low.copy()  # of what is not the first label, and of the last
    ends = (low[change], high[change], guess[change])
    end[change], under = _first_place(label, change, ends, last[change])
    start[change] = end[change]
    between = change[under != first[change]]
    ends = (low[between], end[between] - 1, end[between] - 1)
    start[between], _ = _first_place(label, between, ends, np.full(between.size, Label.SEPARATRIX))
    return np.stack([first, start, end, last], axis=1)


def _first_place(
    label: At, rows: Places, ends: tuple[Places, Places, Places], wanted: Places
) -> tuple[Places, Places]:
    """The first place of each row with a label that holds from there on; the label before it.

    By bisection from (low, high, guess): `high` has the label, `low` has not; the guess and the
    place before it are asked first.
    """
    low, high, guess = (end.copy() for end in ends)
    under = np.full(rows.size, UNSEEN)
    asked, every = [guess, np.maximum(guess - 1, low)], np.arange(rows.size)
    found = label(np.tile(rows, 2), np.concatenate(asked))
    for places, labels in zip(asked, np.split(found, 2), strict=True):
        _narrow((low, high, under), every, places, (labels, wanted))
    while (open_ := np.flatnonzero((high - low > 1) | (under == UNSEEN))).size:
        middle = (low[open_] + high[open_]) // 2
        _narrow((low, high, under), open_, middle, (label(rows[open_], middle), wanted[open_]))
    return high, under


def _narrow(
    ends: tuple[Places, Places, Places], rows: Places, places: Places, labels: tuple[Places, Places]
) -> None:
    """Move one end of each row to a place that has been asked, if that is inside."""
    (low, high, under), (found, wanted) = ends, labels
    above = found == wanted
    high[rows[above]] = np.minimum(high[rows[above]], places[above])
    below = ~above & (places >= low[rows])
    low[rows[below]], under[rows[below]] = places[below], found[below]
