"""What is said of a race of coordinates: who blows up first, or why that is open."""

from dataclasses import dataclass

import numpy as np

from flowsam.labels import Label
from flowsam.shapes import Int, Vector


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


def won(label: int, times: Times) -> str:
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


def left_open(times: Times) -> str:
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


def freed(times: Times) -> str:
    """The clause for a race that some of Filippov's solutions end earlier."""
    j = int(times.runaway.argmin())
    return (
        f"; on some, other layers of coordinate {times.names[j]} blow up, from tau = "
        f"{times.runaway[j]:.6g} at the earliest: discrete SAM leaves those as its step tends to 0"
    )


def nobody(label: int, times: Times) -> str:
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
