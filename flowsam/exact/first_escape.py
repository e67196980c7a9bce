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

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.exact import linf_signs, winning
from flowsam.exact.hyperelliptic import remaining
from flowsam.exact.linf_course import Course, read
from flowsam.exact.linf_deep import fates
from flowsam.labels import Fate, Label
from flowsam.network import checked_start
from flowsam.shapes import (
    Codes,
    Column,
    Float,
    Int,
    Labels,
    Mask,
    Masks,
    Theta,
    Vector,
    Vectors,
    Which,
)

TIE = (
    8 * np.finfo(float).eps
)  # relative difference of blow-up times that counts as none
BOUND = 4  # the deepest network in which a coordinate that has slid stays bounded
WIDE = 4096  # coordinates of which most are looked at no closer
FEW = 1000  # whose ends come first
_BOUNDED = 1e-9  # how far a bound of a time is rounded
SHARP = 6  # the deepest one in which the bound above and the law of phases are known


@dataclass(frozen=True)
class Finding:
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
    return earliest(_blow_up(_active(theta0, mu, rho)))


def contested(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Which:
    """Return where some of Filippov's solutions end the race before the first blow-up (L >= 5)."""
    return _contested(_active(theta0, mu, rho))


def _contested(course: Course) -> Which:
    """Tell it of starts that are read."""
    runaway = _runaway(course).min(axis=-1)
    early = runaway <= _blow_up(course).min(axis=-1)
    return np.asarray(early & np.isfinite(runaway))


def _blow_up(course: Course) -> Vectors:
    """Rescaled times of the blow-ups."""
    return np.where(course.surplus > 0, course.blow_up, np.inf) / course.speed


def earliest(blow_up: Vectors) -> Masks:
    """Tell which coordinates blow up first, several where they tie."""
    return (blow_up <= blow_up.min(axis=-1, keepdims=True) * (1 + TIE)) & (
        blow_up < np.inf
    )


def _runaway(course: Course) -> Vectors:
    """Rescaled time before which no coordinate with two weights at 0 blows up, whatever solution.

    After a slide at L = 5 and 6 by the integral above; elsewhere with every |w| + rho as perturbed.
    """
    if course.start.shape[-1] <= BOUND:
        return np.full(course.start.shape[:-1], np.inf)
    time = course.pinned.copy()
    falls = time < np.inf
    sharp = (
        falls & course.slides
        if course.start.shape[-1] <= SHARP
        else np.zeros_like(falls)
    )
    if sharp.any():
        rest = np.sort(course.glide.landed, axis=-1)[:, 1:] - course.rho
        later = _blow_up_of(np.maximum(rest, 0.0)) / course.rho**2
        time[sharp] += np.where(rest[:, 0] > 0, later, np.inf)
    loose = falls & ~sharp
    if loose.any():
        time[loose] += _blow_up_of(np.sort(course.landed[loose], axis=-1) + course.rho)
    return time / course.speed


def _blow_up_of(z: Float[np.ndarray, "N M"]) -> Column:
    """Time in which z_k' = prod_{l != k} z_l blows up from ascending z >= 0."""
    return remaining(z[:, 0], z[:, 1:] ** 2 - z[:, :1] ** 2)


def _labels(course: Course) -> Labels:
    """Return the labels of starts that are read."""
    fate = fates(course)
    found = of_race(_blow_up(course), fate, _kept(course, fate))
    # to L = 6 discrete SAM, its step to 0, does not run away
    open_ = course.start.shape[-1] > SHARP and (fate == Fate.PINNED).any()
    return np.where(_contested(course), Label.UNDECIDED, found) if open_ else found


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


def _kept(course: Course, fate: Int[np.ndarray, "*batch d"]) -> Masks:
    """Which coordinates equal layers hold at or below rho."""
    rests = course.equal & (fate == Fate.SADDLE)
    return (fate == Fate.STALL) | (rests & holds(course.start.shape[-1], course.rho))


def finding(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Finding:
    """Return the label of one start, what it rests on, and a sentence with the reason."""
    theta, mu, rho = checked_start(theta0, mu, rho, case="linf_deep")
    near = _near(theta, mu, rho)
    course = _active(theta[:, near], mu[near], rho)
    kept = near[_foremost(course)]
    idle = ", ".join(str(j + 1) for j in np.flatnonzero(mu == 0))
    if kept.size < near.size:
        course = read(theta[:, kept], mu[kept], rho)
    label = int(_labels(course))
    pinned = course.pinned / course.speed
    times = Times(_blow_up(course), pinned, _runaway(course), kept + 1)
    if label >= 1:
        label = int(kept[label - 1]) + 1
    if label == Label.UNDECIDED:
        certificate = "none"
        reason = _left_open(times)
    elif label >= 1 or label == Label.TIE:
        certificate = "limit of discrete SAM" if times.free else "theorem"
        reason = _won(label, times) + (_freed(times) if times.free else "")
    else:
        slid = np.isfinite(pinned).any()
        certificate = "limit of discrete SAM" if slid else "theorem"
        reason = _nobody(label, times)
    more = f"; idle, mu = 0: coordinate {idle}" if idle else ""
    return Finding(label, certificate, reason + more)


def _near(theta: Theta, mu: Vector, rho: float) -> Codes:
    """Return the coordinates of one wide start that bounds of their times do not leave behind.

    y = max |z_k| of one that escapes has y' <= |mu| y^(L-1); of one that falls no weight is faster
    than 2 |mu| y^(L-1), y = max |w_k| + rho, on slides too. Saddles are kept.
    """
    every = np.arange(mu.size)
    if mu.size <= WIDE:
        return every
    w, power = theta.T, len(theta) - 2
    size = np.abs(w)
    along = linf_signs.along(w, mu)
    surplus = linf_signs.surplus(size, along, rho)
    escapes = surplus > 0
    least, second = np.partition(size, 1, axis=1)[:, :2].T
    kept = (surplus == 0) | (least == second)
    ahead = np.abs(size - np.where(along, rho, -rho)[:, None]).max(axis=1)
    y = np.where(escapes, ahead, size.max(axis=1) + rho)
    with np.errstate(all="ignore"):
        lost = np.where(escapes, np.inf, second / y)
        left = -np.expm1(-power * np.log1p(lost)) / power
        soonest = left / (y**power * np.abs(mu) * np.where(escapes, 1.0, 2.0))
    sides = every[escapes], every[~escapes]
    few = np.concatenate([side[np.argsort(soonest[side])[:FEW]] for side in sides])
    some = read(theta[:, few], mu[few], rho)
    first = _blow_up(some).min()
    last = np.where(escapes, first, _matters(some, first))
    return every[kept | ~(soonest > last * (1 + _BOUNDED))]


def _matters(some: Course, first: float) -> float:
    """Return the time up to which others that fall may still be named, or end the race."""
    last = (some.pinned / some.speed).min()
    if some.start.shape[-1] > BOUND:
        last = max(last, min(first, _runaway(some).min()))
    return float(last)


def _foremost(course: Course) -> Codes:
    """Return the coordinates of one wide start that can be first in anything, and one a fate."""
    if course.mu.size <= WIDE:
        return np.arange(course.mu.size)
    blow_up = _blow_up(course)
    fate = fates(course)
    falls = course.falls & ~course.equal & (course.mu != 0)
    begin = np.where(falls, course.end, np.inf) / course.speed
    few = np.argpartition(begin, FEW)[:FEW]
    some = read(course.start[few].T, course.mu[few], course.rho)
    last = _matters(some, blow_up.min())
    kept = earliest(blow_up) | ((begin <= last) & (begin < np.inf))
    for code in (fate, _kept(course, fate)):
        kept[np.unique(code, return_index=True)[1]] = True
    return np.flatnonzero(kept)


def _active(theta0: ArrayLike, mu: ArrayLike, rho: float) -> Course:
    """Read the starts, or say that no coordinate moves."""
    course = read(theta0, mu, rho)
    if not course.mu.any():
        raise InputError(
            "a limit needs an example with a non-zero entry, got mu = 0; see Data"
        )
    return course


@dataclass(frozen=True, eq=False)
class Times:
    """When each coordinate blows up, has two weights at 0, and could run away."""

    blow_up: Vector
    pinned: Vector
    runaway: Vector
    names: Int[np.ndarray, " d"]  # of the coordinates, counted from 1

    @property
    def free(self) -> bool:
        """Whether some of Filippov's solutions end the race before the first blow-up."""
        return bool(
            (self.runaway <= self.blow_up.min()).any() & np.isfinite(self.runaway).any()
        )


def _won(label: int, times: Times) -> str:
    """The sentence for a blow-up that ends the race."""
    first = times.blow_up.min()
    word = f"coordinate {label} blows up first"
    if label == Label.TIE:
        word = "several coordinates blow up together"
    reason = f"{word}, at tau = {first:.6g}"
    if label >= 1:
        reason += "; as t -> inf the others freeze there"
    early = times.pinned < first
    if early.any():
        j = int(times.pinned.argmin())
        reason += (
            f"; coordinate {times.names[j]} has two weights at 0 from tau = "
            f"{times.pinned[j]:.6g}, where its path is not unique, and never escapes on any"
        )
    return reason


def _left_open(times: Times) -> str:
    """The sentence for a race that Filippov's solution leaves open."""
    first = times.blow_up.min()
    if not (times.runaway <= first).any() or np.isinf(times.runaway).all():
        return (
            "does not escape: a coordinate starts with all its weights at 0, where at odd depth "
            "the solution is not unique; start it away from 0"
        )
    j = int(times.runaway.argmin())
    later = f"coordinate {times.names[times.blow_up.argmin()]} blows up at tau = {first:.6g}"
    word = later if first < np.inf else "does not escape: no coordinate does"
    return (
        f"{word}, but coordinate {times.names[j]} has two weights at 0 from tau = "
        f"{times.pinned[j]:.6g}, the solution is not unique from there, and on some its other "
        f"layers blow up, from tau = {times.runaway[j]:.6g} at the earliest"
    )


def _freed(times: Times) -> str:
    """The clause for a race that some of Filippov's solutions end earlier."""
    j = int(times.runaway.argmin())
    return (
        f"; on some, other layers of coordinate {times.names[j]} blow up, from tau = "
        f"{times.runaway[j]:.6g} at the earliest: discrete SAM leaves those as its step tends to 0"
    )


def _nobody(label: int, times: Times) -> str:
    """The sentence where nothing blows up."""
    reason = {
        Label.STALLED: "equal layers at or below rho at odd depth keep |w| = rho in the limit",
        Label.SEPARATRIX: "the two weights nearest to rho are equally near: a saddle's start",
        Label.ZERO: "equal layers below rho at even depth reach 0 and rest there",
    }[Label(label)]
    if np.isinf(times.pinned).all():
        return reason
    j = int(times.pinned.argmin())
    open_from = (
        f"coordinate {times.names[j]} has two weights at 0 from tau = {times.pinned[j]:.6g}, where "
        "Filippov's solution is not unique: beta_j = 0 is the limit of discrete SAM, not of each "
        "solution"
    )
    if label == Label.ZERO:
        return f"no coordinate escapes; {open_from}"
    return f"no coordinate escapes; {reason}; {open_from}"
