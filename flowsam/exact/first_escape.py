"""The limit of several coordinates of three or more layers: the first to blow up wins.

One clock for all: the others freeze there. A coordinate that has slid never escapes, on any of
Filippov's solutions. At L >= 5 and with two weights at 0 it can run away in its other layers R
while beta_j = 0, and so end the clock, but, L = 5 and 6, not before

    t_2 + (1/(|mu| rho^2)) int_0^inf dy / prod_R sqrt((a_k - rho)^2 + 2 y),

and never if one of them is below rho at t_2 (derivations/linf_slides.py). Discrete SAM does not
follow those solutions as its step tends to 0 (derivations/linf_phases.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.exact import linf_signs, race_sentences, winning
from flowsam.exact.linf_deep import BOUND, SHARP, Deep, read
from flowsam.labels import Fate, Label
from flowsam.network import checked_start
from flowsam.shapes import (
    Codes,
    Float,
    Int,
    Labels,
    Mask,
    Masks,
    Theta,
    Vector,
    Vectors,
)

TIE = (
    8 * np.finfo(float).eps
)  # relative difference of blow-up times that counts as none
WIDE = 4096  # coordinates of which most are looked at no closer
FEW = 1000  # whose ends come first
BLOCK = 2**15  # looked at together: they stay in the cache
_BOUNDED = 1e-9  # how far a bound of a time is rounded


class Finding(NamedTuple):
    """A label, what it rests on, and the sentence that says so."""

    label: int
    # "theorem"; "limit of discrete SAM": of not all of Filippov's; "none"
    certificate: str
    reason: str  # the times that decided, or why none did


def holds(depth: int, rho: float) -> bool:
    """Tell whether equal layers that do not escape keep |beta_j| = rho^L: odd L, rho > 0."""
    return depth % 2 == 1 and rho > 0


def labels(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Labels:
    """Return the limit's label for each start, as t -> inf.

    j >= 1 iff coordinate j blows up first; at L = 5 and 6, where another one could run away before
    it with two weights at 0, that is the limit of discrete SAM, at L >= 7 it is undecided. Without
    a blow-up: stalled if equal layers hold one at or below rho (odd L), else separatrix if one
    tends to another equilibrium, else zero.
    Coordinates with mu_j = 0 are left out.

    Parameters
    ----------
    theta0 : array_like, shape (..., L, d)
        Weights, L >= 3.
    mu : array_like, shape (d,)
        The example, not all 0.
    rho : float
        Radius, in the units of w; 0 for gradient flow.

    Returns
    -------
    ndarray of int, shape (...)
        `flowsam.labels.Label`, or the coordinate's place counted from 1. Exact but for blow-up
        times within 8 eps of each other, which are a tie.

    Raises
    ------
    TypeError, ValueError
        For bad entries, shapes, depth < 3, rho < 0, or mu = 0.

    Notes
    -----
    Equal layers: arXiv:2603.08290, Corollary 3.5.

    Examples
    --------
    >>> labels([[[1.0, 1.2]] * 3, [[0.4, 0.6]] * 3], [2.0, 1.0], rho=0.5)
    array([1, 2])
    >>> labels([[0.4, 0.4], [0.1, 0.5], [1.0, -1.2]], [2.0, 1.0], rho=0.5)
    array(0)
    """
    return _labels(_active(theta0, mu, rho))


def winners(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Mask:
    """Return which coordinates of one start (L, d) blow up first, several where they tie."""
    theta, mu, rho = checked_start(theta0, mu, rho, case="linf_deep")
    new = ~_repeated(theta, mu)
    found = earliest(_active(theta[:, new], mu[new], rho).escape_time)
    return found[np.cumsum(new) - 1]


def earliest(blow_up: Vectors) -> Masks:
    """Tell which coordinates blow up first, several where they tie."""
    return (blow_up <= blow_up.min(axis=-1, keepdims=True) * (1 + TIE)) & (
        blow_up < np.inf
    )


def _labels(course: Deep) -> Labels:
    """Return the labels of starts that are read."""
    fate = course.fate
    found = of_race(course.escape_time, fate, _kept(course, fate))
    # to L = 6 discrete SAM, its step to 0, does not run away
    open_ = course.start.shape[-1] > SHARP and (fate == Fate.PINNED).any()
    return np.where(course.contested, Label.UNDECIDED, found) if open_ else found


def of_race(
    blow_up: Vectors,
    fate: Int[np.ndarray, "*batch d"],
    kept: Masks,
) -> Labels:
    """Return labels: the first blow-up wins; without one what is kept, or rests, decides."""
    held = np.where((fate == Fate.SADDLE).any(axis=-1), Label.SEPARATRIX, Label.ZERO)
    held = np.where(kept.any(axis=-1), Label.STALLED, held)
    held = np.where((fate == Fate.UNKNOWN).any(axis=-1), Label.UNDECIDED, held)
    return winning(earliest(blow_up), held)


def _kept(course: Deep, fate: Int[np.ndarray, "*batch d"]) -> Masks:
    """Which coordinates equal layers hold at or below rho."""
    rests = course.equal & (fate == Fate.SADDLE)
    return (fate == Fate.STALL) | (rests & holds(course.start.shape[-1], course.rho))


def finding(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Finding:
    """Return the label of one start, what it rests on, and a sentence with the reason."""
    theta, mu, rho = checked_start(theta0, mu, rho, case="linf_deep")
    kept = _foremost(theta, mu, rho)
    course = _active(theta[:, kept], mu[kept], rho)
    label = int(_labels(course))
    race = race_sentences.Race(course, kept + 1)
    if label >= 1:
        label = int(kept[label - 1]) + 1
    if label == Label.UNDECIDED:
        return Finding(label, "none", race.left_open())
    if label >= 1 or label == Label.TIE:
        open_ = bool(course.contested)
        reason = race.won(label) + (race.freed() if open_ else "")
    else:
        open_ = bool(np.isfinite(course.pinned_time).any())
        reason = race.nobody(label)
    return Finding(label, "limit of discrete SAM" if open_ else "theorem", reason)


@dataclass(frozen=True, eq=False)
class Bounds:
    """What is known of the coordinates of a start before any is looked at closely."""

    soonest: Float[np.ndarray, "2 d"]  # times of two weights at 0, and of running away
    escapes: Mask
    open: Mask  # may be on a separatrix, or rest: what counts where nobody escapes


def _foremost(theta: Theta, mu: Vector, rho: float) -> Codes:
    """Return the coordinates of one start that are first in anything, and one a fate.

    Of a wide one those alone are looked at whose bounds are below what is found, by blocks.
    """
    kept = np.arange(mu.size)
    if mu.size <= WIDE:
        return kept
    same = _repeated(theta, mu)
    third = same & np.roll(same, 1)  # two are a tie
    bounds = _bounds(theta, mu, rho)
    soonest = bounds.soonest
    until = np.full((2, 2), np.inf)
    kept = kept[:0]
    for side in (1, 0):
        queue = np.flatnonzero((bounds.escapes == side) & ~third)
        queue = queue[np.argsort(soonest[0, queue])]
        for block in np.split(queue, range(FEW, queue.size, BLOCK)):
            late = soonest[:, block] > until[side, :, None] * (1 + _BOUNDED)
            near = ~late.all(axis=0) | (bounds.open[block] & np.isinf(until[1, 0]))
            here = np.union1d(kept, block[near])
            if here.size > kept.size:
                course = read(theta[:, here], mu[here], rho)
                ahead, until = _ahead(course, soonest[0, here])
                kept = here[ahead]
    return kept


def _repeated(theta: Theta, mu: Vector) -> Mask:
    """Tell which coordinates are as the one before."""
    same = (theta[:, 1:] == theta[:, :-1]).all(axis=0) & (mu[1:] == mu[:-1])
    return np.append(False, same)


def _bounds(theta: Theta, mu: Vector, rho: float) -> Bounds:
    """Return them for one start.

    Who escapes does both with its blow-up, y = max |z_k|, y' <= |mu| y^(L-1). Where prod z < 0 once
    s = +, the smallest |z| goes to 0 and back. Else sizes gain 2 rho at the most, rho from s = -,
    and a slide's speed is below 2 |mu| rho prod |z_k|.
    """
    size = np.abs(theta.T)
    depth = len(theta)
    along = linf_signs.along(theta.T, mu)
    surplus = linf_signs.surplus(size, along, rho)
    escapes = surplus > 0
    least, second = np.partition(size, 1, axis=1)[:, :2].T
    slack = np.where(along, 2 * rho, rho)
    with np.errstate(all="ignore"):
        x = size + rho
        crossed = np.sqrt(x * x - (least * (least + 2 * rho))[:, None]) - 2 * rho
        z = np.where(along[:, None], size - rho, crossed)
        near = np.partition(np.abs(z), 1, axis=1)[:, :2].T
        turn = -2 * near[0] ** 2 / z.prod(axis=1)
        y = np.where(along[:, None], np.abs(z), x).max(axis=1)
        grown = y ** (2 - depth) / (depth - 2)
        sides = (second + slack) * (least + slack) / (least + 2 * rho)
        fall = second * sides / (size + slack[:, None]).prod(axis=1)
        soonest = np.where(turn > 0, turn, np.where(escapes, 0.0, fall))
        soonest = np.maximum(soonest, np.where(escapes, grown, 0.0)) / np.abs(mu)
        even, fork = (b - a <= _BOUNDED * (b + rho) for a, b in ((least, second), near))
        runaway = soonest
        if BOUND < depth <= SHARP:
            far = np.maximum(size.max(axis=1), rho) + rho
            later = far ** (BOUND - depth) / ((depth - BOUND) * rho**2 * np.abs(mu))
            slides = np.maximum(soonest, later)
            runaway = np.where(escapes, soonest, slides)
    soonest = np.where(even & ~escapes, 0.0, [soonest, runaway])
    return Bounds(soonest, escapes, even | fork | (surplus == 0))


def _ahead(course: Deep, soonest: Vector) -> tuple[Codes, Float[np.ndarray, "2 2"]]:
    """Return who is first in anything, and one a fate; and the times beyond which nobody is.

    Of two weights at 0 and of running away: for those that fall, and for those that escape.
    """
    blow_up = course.escape_time
    fate = course.fate
    first = blow_up.min()
    falls = course.falls & ~course.equal & (course.mu != 0)
    begin = np.maximum(soonest, np.where(falls, course.end, np.inf) / course.speed)
    some = np.argsort(begin, kind="stable")[:FEW]
    last = _last(course, some, first)[0]
    some = np.flatnonzero((begin <= last.max() * (1 + _BOUNDED)) & (begin < np.inf))
    last, foremost = _last(course, some, first)
    codes = [
        np.unique(code, return_index=True)[1] for code in (fate, _kept(course, fate))
    ]
    few = [*np.argsort(blow_up, kind="stable")[:2], *some[foremost]]
    return np.unique([*few, *np.concatenate(codes)]), np.array([last, [first, first]])


def _last(
    course: Deep, some: Codes, first: float
) -> tuple[Float[np.ndarray, "2"], Int[np.ndarray, " _"]]:
    """Return the least times of two weights at 0 and of running away that matter, and whose."""
    if not some.size:
        return np.full(2, first), some
    part = read(course.start[some].T, course.mu[some], course.rho)
    times = np.array([part.pinned_time, part.runaway_time])
    last = np.minimum(times.min(axis=1), first)
    depth = part.start.shape[-1]
    if depth <= BOUND or (depth <= SHARP and first == np.inf):
        last[1] = 0.0  # nobody runs away, or ends no race
    return last, times.argmin(axis=1)


def _active(theta0: ArrayLike, mu: ArrayLike, rho: float) -> Deep:
    """Read the starts, or say that no coordinate moves."""
    course = read(theta0, mu, rho)
    if not course.mu.any():
        raise InputError(
            "a limit needs an example with a non-zero entry, got mu = 0; see Data"
        )
    return course
