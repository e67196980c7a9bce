"""Exact labels of many starts of l_inf-SAM or gradient flow: one exact decision a pattern."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial

import numpy as np

from flowsam.certify.linf_labels import coordinate, exact_label, fate_of
from flowsam.exact.two_layer_path import excess
from flowsam.labels import Fate, Label
from flowsam.shapes import Bool, Float, Int, Int8

__all__ = ["exact_labels"]

ROUNDINGS = 64 * np.finfo(float).eps  # more than those of any comparison here
LARGEST = 1e307  # weights beyond, whose sums are no doubles, are compared as fractions
RESTS = 3  # beside the fates: a coordinate of weights 0

Starts = Float[np.ndarray, "N L d"]
Vectors = Float[np.ndarray, "N d"]


def exact_labels(
    starts: Starts, mu: Float[np.ndarray, " d"], rho: float
) -> Int[np.ndarray, " N"]:
    """Return the label of each start, UNDECIDED where `exact_label` has none."""
    moving = np.flatnonzero(mu)
    part = starts[..., moving]
    rates = mu[moving]
    depth = starts.shape[1]
    sizes = np.sort(np.abs(part), axis=1)
    fates = _fates(part, rates, sizes, rho)
    ahead = fates == Fate.ESCAPE
    even = (sizes[:, 0] == sizes[:, -1]).all(axis=1)
    alike = (depth == 2) | ((ahead.sum(axis=1) < 2) & (even | (depth < 5)))
    found = np.empty(len(starts), dtype=np.int64)
    pattern = np.where(sizes[:, -1] == 0, RESTS, fates)
    pattern = np.concatenate([pattern, even[:, None]], axis=1)
    decide = partial(_label, starts, mu, rho)
    _by_pattern(found, np.flatnonzero(alike), pattern, decide)
    first = np.full(len(starts), -1)
    scored = np.flatnonzero(~alike & even)
    first[scored] = _clear_score(sizes[scored, 0], rates, ahead[scored], depth, rho)
    known = first >= 0
    found[known] = moving[first[known]] + 1
    for k in np.flatnonzero(~alike & ~known):
        found[k] = decide(int(k))
    return found


def _label(starts: Starts, mu: Float[np.ndarray, " d"], rho: float, k: int) -> int:
    """The exact label of one start."""
    label = exact_label(starts[k].tolist(), mu.tolist(), rho)
    return int(Label.UNDECIDED) if label is None else label


def _by_pattern(
    found: Int[np.ndarray, " N"],
    rows: Int[np.ndarray, " k"],
    pattern: Int[np.ndarray, "N c"],
    decide: Callable[[int], int],
) -> None:
    """Write the labels of rows, whose pattern decides: one exact decision each."""
    if not rows.size:
        return
    code = np.zeros(rows.size, dtype=np.int64)
    for column in pattern[rows].T:  # numbered anew where there are many
        code = 4 * code + column
        code = np.unique(code, return_inverse=True)[1]
    _, place, which = np.unique(code, return_index=True, return_inverse=True)
    labels = [decide(int(rows[k])) for k in place]
    found[rows] = np.array(labels)[which]


def _fates(
    part: Starts, mu: Float[np.ndarray, " d"], sizes: Starts, rho: float
) -> Int8[np.ndarray, "N d"]:
    """What each coordinate does alone, exactly: its two smallest layers decide."""
    opposed = np.sign(mu) * np.sign(part).prod(axis=1) < 0
    first = np.where(opposed, -sizes[:, 0], sizes[:, 0])
    with np.errstate(over="ignore", invalid="ignore"):
        over = excess(first, sizes[:, 1], rho)
    fates = np.where(over > 0, Fate.ESCAPE, Fate.COLLAPSE)
    fates = np.where(over == 0, Fate.SADDLE, fates).astype(np.int8)
    for k, j in np.argwhere((sizes[:, 1] > LARGEST) | (rho > LARGEST)):
        exact = coordinate(0, part[k, :, j].tolist(), float(mu[j]))
        fates[k, j] = fate_of(exact, Fraction(rho))
    return fates


def _clear_score(
    sizes: Vectors,
    mu: Float[np.ndarray, " d"],
    ahead: Bool[np.ndarray, "N d"],
    depth: int,
    rho: float,
) -> Int[np.ndarray, " N"]:
    """The coordinate whose log|mu_j| + (L-2) log(a_j - rho) is clearly the largest, or -1."""
    rate = np.log(np.abs(mu))
    excess = np.log(np.where(ahead, sizes - rho, 1.0))
    scores = np.where(ahead, rate + (depth - 2) * excess, -np.inf)
    size = np.abs(rate) + (depth - 2) * (np.abs(excess) + 2)
    if not sizes.size:
        return np.zeros(len(sizes), dtype=np.int64)
    first = scores.argmax(axis=1)
    best = np.take_along_axis(scores, first[:, None], axis=1)
    np.put_along_axis(scores, first[:, None], -np.inf, axis=1)
    clear = best - scores > ROUNDINGS * size.max(axis=1, keepdims=True)
    return np.where(clear.all(axis=1), first, -1)
