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
from flowsam.exact import foremost, winning
from flowsam.exact.linf_deep import SHARP, Deep, read
from flowsam.labels import Fate, Label
from flowsam.network import checked_start
from flowsam.shapes import Codes, Int, Labels, Mask, Masks, Vector, Vectors

TIE = (
    8 * np.finfo(float).eps
)  # relative difference of blow-up times that counts as none
HELD = "a weight at 0 holds the others of its coordinate, as two or more are at rho"


class Finding(NamedTuple):
    """A label, what it rests on, and the sentence that says so."""

    label: int
    # "theorem"; "limit of discrete SAM": of not all of Filippov's; "none"
    certificate: str
    reason: str  # the times that decided, or why none did


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
    new = ~foremost.repeated(theta, mu)
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
    found = of_race(course.escape_time, fate, course.kept)
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


def finding(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Finding:
    """Return the label of one start, what it rests on, and a sentence with the reason."""
    theta, mu, rho = checked_start(theta0, mu, rho, case="linf_deep")
    kept = foremost.of(theta, mu, rho)
    course = _active(theta[:, kept], mu[kept], rho)
    label = int(_labels(course))
    race = Race(course, kept + 1)
    if label >= 1:
        label = int(kept[label - 1]) + 1
    if label == Label.UNDECIDED:
        return Finding(label, "none", race.left_open())
    if label >= 1 or label == Label.TIE:
        open_ = bool(course.contested)
        reason = race.won(label) + (race.freed() if open_ else "")
    else:
        open_ = bool((course.fate == Fate.PINNED).any())
        reason = race.nobody(label)
    return Finding(label, "limit of discrete SAM" if open_ else "theorem", reason)


def _active(theta0: ArrayLike, mu: ArrayLike, rho: float) -> Deep:
    """Read the starts, or say that no coordinate moves."""
    course = read(theta0, mu, rho)
    if not course.mu.any():
        raise InputError(
            "a limit needs an example with a non-zero entry, got mu = 0; see Data"
        )
    return course


def _from(time: float) -> str:
    """Say from when on."""
    if time == np.inf:
        return "from a time beyond the range of doubles"
    return f"from tau = {time:.6g}"


@dataclass(frozen=True, eq=False)
class Race:
    """One start, and the names of its coordinates, counted from 1."""

    course: Deep
    names: Codes

    @property
    def first(self) -> float:
        """When the first blow-up is."""
        return float(self.course.escape_time.min())

    def _first(self, times: Vector) -> int:
        """Who of those with two weights at 0 is the first in something."""
        falls = np.flatnonzero(self.course.fate == Fate.PINNED)
        return int(falls[times[falls].argmin()])

    @property
    def pinned(self) -> str:
        """Who is the first with two weights at 0, and when."""
        return self._pinned(self._first(self.course.pinned_time))

    def _pinned(self, j: int) -> str:
        when = _from(self.course.pinned_time[j])
        return f"coordinate {self.names[j]} has two weights at 0 {when}"

    @property
    def _loosest(self) -> int:
        """Who may be the first to run away."""
        return self._first(self.course.runaway_time)

    @property
    def runaway(self) -> str:
        """From when on other layers can blow up."""
        return f"{_from(self.course.runaway_time.min())} at the earliest"

    def won(self, label: int) -> str:
        """The sentence for a blow-up that ends the race."""
        word = f"coordinate {label} blows up first"
        if label == Label.TIE:
            word = "several coordinates blow up together"
        reason = f"{word}, at tau = {self.first:.6g}"
        if label >= 1:
            reason += "; as t -> inf the others freeze there"
        if self.course.pinned_time.min() < self.first:
            reason += f"; {self.pinned}, where its path is not unique, and never escapes on any"
        return reason

    def left_open(self) -> str:
        """The sentence for a race that Filippov's solution leaves open."""
        if not self.course.contested:
            return (
                "does not escape: a coordinate starts with all its weights at 0, where at odd "
                "depth the solution is not unique; start it away from 0"
            )
        word = "does not escape: no coordinate does"
        if self.first < float("inf"):
            name = self.names[self.course.escape_time.argmin()]
            word = f"coordinate {name} blows up at tau = {self.first:.6g}"
        pinned = self._pinned(self._loosest)
        return (
            f"{word}, but {pinned}, the solution is not unique from there, and on some its other "
            f"layers blow up, {self.runaway}"
        )

    def freed(self) -> str:
        """The clause for a race that some of Filippov's solutions end earlier."""
        name = self.names[self._loosest]
        return (
            f"; on some, other layers of coordinate {name} blow up, {self.runaway}: discrete SAM "
            "leaves those as its step tends to 0"
        )

    def nobody(self, label: int) -> str:
        """The sentence where nothing blows up."""
        reason = {
            Label.STALLED: "equal layers at or below rho at odd depth keep |w| = rho in the limit",
            Label.SEPARATRIX: "the two weights nearest to rho are equally near: a saddle's start",
            Label.ZERO: "equal layers below rho at even depth reach 0 and rest there",
        }[Label(label)]
        if not (self.course.fate == Fate.PINNED).any():
            held = label == Label.ZERO and self.course.held.any()
            return HELD if held else reason
        open_from = (
            f"{self.pinned}, where Filippov's solution is not unique: beta_j = 0 is the limit of "
            "discrete SAM, not of each solution"
        )
        if label == Label.ZERO:
            return f"no coordinate escapes; {open_from}"
        return f"no coordinate escapes; {reason}; {open_from}"
