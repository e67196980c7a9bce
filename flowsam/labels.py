"""The words for where a flow ends: labels of limits, and the fate of one coordinate.

A label j >= 1 is the coordinate's place among all d, counted from 1; the other labels are the
members of `Label`. "Not known" is a label of its own, never a guess.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Fate", "Label", "kind_of"]


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
    """What one coordinate of the one-example flow does when nothing stops it.

    COLLAPSE rests at 0; ESCAPE means sign(mu_j) beta_j -> +inf; SADDLE tends to the unstable
    equilibrium; STALL tends to a finite non-zero value; IDLE has mu_j = 0 and never moves;
    PINNED slides until two weights are 0, and never escapes, though what follows is not unique;
    UNKNOWN is not decided by the formulas.

    Examples
    --------
    >>> int(Fate.ESCAPE)
    1
    """

    COLLAPSE = 0
    ESCAPE = 1
    SADDLE = 2
    STALL = 3
    IDLE = 4
    UNKNOWN = 5
    PINNED = 6


def kind_of(label: int) -> str:
    """Return the word for a label: "basis" for j >= 1, else the member's name in lower case.

    Examples
    --------
    >>> kind_of(2), kind_of(-5)
    ('basis', 'other direction')
    """
    return "basis" if label >= 1 else Label(label).name.lower().replace("_", " ")
