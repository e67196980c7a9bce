"""Who leads when, from any start of l_2-SAM at L = 2: every switch, certified, by root finding.

A stretch of the path is halved until its ends prove one leader, or one crossing (`exact.l2_sizes`).
(derivations/l2_amplification_in_time.py)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from flowsam.amplification.critical import checked_one
from flowsam.errors import InputError
from flowsam.exact.l2_march import trace
from flowsam.exact.l2_outcome import grow_and_shrink
from flowsam.exact.l2_sizes import SizePath
from flowsam.shapes import Float, Int, Pair, Vector
from flowsam.signatures import public

if TYPE_CHECKING:
    from flowsam.certify import ProvedLeaders


NARROW = 1e-12  # of a piece: a stretch in which the proof is given up


@dataclass(frozen=True, eq=False)
class Leaders:
    """Leaders in order, and the times at which they hand over.

    Parameters
    ----------
    times : ndarray, shape (K,)
        Rescaled times of the switches, increasing.
    order : tuple of int
        K + 1 places among all d, counted from 1.
    proof : ProvedLeaders or None
        With `prove=True`: the order proved, and `.times`, doubles around each switch.
    unproved : str
        Why there is no proof, where one was asked for.
    """

    times: Float[np.ndarray, " K"]
    order: tuple[int, ...]
    proof: ProvedLeaders | None = None
    unproved: str = ""

    def at(self, tau: ArrayLike) -> Int[np.ndarray, "..."]:
        """Return the leader at rescaled times.

        Parameters
        ----------
        tau : array_like, shape (...)
            Rescaled times before a collapse.

        Returns
        -------
        ndarray of int, shape (...)
        """
        return np.asarray(self.order)[
            np.searchsorted(self.times, np.asarray(tau), "right")
        ]


def _succession(path: SizePath) -> tuple[list[float], list[int]]:
    """Times and leaders, stretch by stretch."""
    stack = path.stretches()[::-1]
    times = []
    order = [stack[-1][0].first(1)]
    while stack:
        a, b = stack.pop()
        j = a.first(1)
        i = b.first(-1)
        ahead = path.ahead(a, b, j)
        if ahead.all():
            found = j
            when = a.tau
        elif b.x - a.x < NARROW:
            found = i
            when = b.tau
        elif (
            i != j
            and (ahead | path.ahead(a, b, i) | (np.arange(ahead.size) == i)).all()
            and (path.slopes(a, b, j)[1][i] < 0)
        ):
            found = i
            when = path.crossing(a, b, (j, i))
        else:
            middle = path.point((a.x + b.x) / 2)
            stack += [(middle, b), (a, middle)]
            continue
        if found != order[-1]:
            times.append(when)
            order.append(found)
    return times, order


def _proved(
    theta0: Pair,
    mu: Vector,
    rho: float,
    by: str,
    found: Leaders,
) -> Leaders:
    """Leaders with their proof, or the reason why there is none."""
    from flowsam.certify import Problem, Unproved, prove_leaders

    problem = Problem.of_arrays(mu, rho, 2.0, theta0)
    try:
        proof = prove_leaders(problem, weighted=by == "contribution")
    except Unproved as error:
        return Leaders(found.times, found.order, unproved=str(error))
    times = np.array([(low + high) / 2 for low, high in proof.times])
    return Leaders(times, proof.order, proof)


@public
def leaders(
    theta0: ArrayLike,
    mu: ArrayLike,
    *,
    rho: float,
    by: str = "size",
    prove: bool = False,
) -> Leaders:
    """Return the leaders of one run in order, and the times at which they hand over.

    Parameters
    ----------
    theta0 : array_like, shape (2, d)
        Any real weights, not all 0 in the active coordinates.
    mu : array_like, shape (d,)
        Any real example; idle coordinates (mu_j = 0) never lead.
    rho : float
        Perturbation radius, positive.
    by : str
        "size": largest `|beta_j|`; "contribution": largest `|mu_j beta_j|`.
    prove : bool
        Prove the order and enclose the times in balls. Needs the extra flowsam[certify].

    Returns
    -------
    Leaders
        Times to 1e-12, times the flow's own amplification. Coordinates that are equal for ever
        count as the first of them. On the separatrix to within 1e-12 of the start's scale, where
        `limit` says separatrix, rounding may decide whether the flow leaves the saddle: only what
        happens before it gets there is certain.

    Raises
    ------
    TypeError, ValueError
        For bad entries, other shapes, rho <= 0, or a start at the origin.

    Notes
    -----
    Derivation: derivations/l2_amplification_in_time.py. Source: arXiv:2603.08290, Theorem 4.4 and
    Proposition 4.7 bound the rates; exact times are not in it.

    Examples
    --------
    >>> run = leaders([[0.467] * 3] * 2, [1.0, 1.5, 6.0], rho=1.0)
    >>> run.order, run.times.round(6)
    ((2, 1, 2, 3), array([ 0.219249,  5.923856, 17.902574]))
    """
    theta0, mu, rho = checked_one(theta0, mu, rho, verb="leaders")
    if by not in ("size", "contribution"):
        raise InputError(
            f"by needs 'size' or 'contribution', got {by!r}; for growth see fastest"
        )
    active = np.flatnonzero(mu)
    grow, shrink = (sizes[0] for sizes in grow_and_shrink(theta0[None], mu))
    table = np.array([np.abs(mu[active]), grow, shrink])
    moving = np.flatnonzero(table[1:].any(axis=0))
    if not moving.size:
        raise InputError(
            "leaders needs a start away from the origin, got 0 in all active weights"
        )
    # equal coordinates move together: the first stands for all
    first = np.unique(table[:, moving], axis=1, return_index=True)[1]
    kept = moving[np.sort(first)]
    places = active[kept]
    sizes = table[0, kept]
    offset = np.log(sizes) if by == "contribution" else np.zeros(sizes.size)
    with np.errstate(divide="ignore"):
        log_squares = 2 * np.log(table[1:, kept])
    path = SizePath(trace(theta0, mu, rho=rho), sizes, log_squares, offset)
    times, order = _succession(path)
    found = Leaders(np.array(times), tuple(int(places[k]) + 1 for k in order))
    return _proved(theta0, mu, rho, by, found) if prove else found
