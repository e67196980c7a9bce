"""What is said of a race of coordinates: who blows up first, or why that is open."""

from dataclasses import dataclass

import numpy as np

from flowsam.exact.linf_deep import Deep
from flowsam.labels import Fate, Label
from flowsam.shapes import Codes, Vector

HELD = "a weight at 0 holds the others of its coordinate, as two or more are at rho"


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
