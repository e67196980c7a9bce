"""The words for where a flow ends: labels of limits, and the fate of one coordinate.

A label j >= 1 is the coordinate's place, counted from 1; the others are members of `Label`.
"""

from enum import IntEnum


class Label(IntEnum):
    """Limits that are not basis vectors.

    ZERO
        beta -> 0.
    UNDECIDED
        no theorem and no certificate decides; the reason says why.
    SEPARATRIX
        the start lies on the stable set of an unstable equilibrium.
    TIE
        several coordinates win together.
    STALLED
        beta tends to a finite, non-zero vector.
    OTHER_DIRECTION
        a direction that is not a basis vector (n > 1, or L = 1), given in `Limit.direction`.
    FAILED
        the integration failed.

    Examples
    --------
    >>> Label(-3).name
    'TIE'
    """

    ZERO = 0
    UNDECIDED = -1
    SEPARATRIX = -2
    TIE = -3
    STALLED = -4
    OTHER_DIRECTION = -5
    FAILED = -6


class Fate(IntEnum):
    """What one coordinate of the one-example flow does when nothing stops it."""

    COLLAPSE = 0  # rests at 0
    ESCAPE = 1  # sign(mu_j) beta_j -> +inf
    SADDLE = 2  # tends to the unstable equilibrium
    STALL = 3  # tends to a finite non-zero value
    IDLE = 4  # mu_j = 0: never moves
    UNKNOWN = 5  # not decided by the formulas
    # slides until two weights are 0; never escapes, what follows is not unique
    PINNED = 6


def kind_of(label: int) -> str:
    """Return the word for a label: "basis" for j >= 1, else the member's name in lower case."""
    return "basis" if label >= 1 else Label(label).name.lower().replace("_", " ")
