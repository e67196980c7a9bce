"""The limit of several coordinates of three or more layers: the first to blow up wins.

All coordinates share one rescaled clock, and original time is infinite when the first of them
blows up: the others freeze there. Only what happens before that instant matters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.exact.deep_motion import Motion, read
from flowsam.labels import Fate, Label

__all__ = ["holds", "labels", "limit_label", "winners"]

TIE = 8 * np.finfo(float).eps  # relative difference of blow-up times that counts as none


def holds(depth: int, rho: float) -> bool:
    """Tell whether equal layers that do not escape keep |beta_j| = rho^L: odd L, rho > 0.

    Below rho they tend to it, at rho they rest; even L loses them to 0.

    Examples
    --------
    >>> holds(3, 0.5), holds(4, 0.5), holds(3, 0.0)
    (True, False, False)
    """
    return depth % 2 == 1 and rho > 0


def labels(theta0: ArrayLike, mu: ArrayLike, *, rho: float | int) -> Int[np.ndarray, "*batch"]:
    """Return the limit's label for each start, as t -> inf.

    j >= 1 iff coordinate j blows up first and no other coordinate has met a weight at 0 before,
    unless it rests there. Without a blow-up: undecided if a coordinate meets such a weight,
    else stalled if equal layers hold one at or below rho (odd L), else separatrix if one tends
    to another equilibrium, else zero. Coordinates with mu_j = 0 are left out.

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
    Derivation: derivations/linf_deep.py. Equal layers: arXiv:2603.08290, Corollary 3.5.

    Examples
    --------
    >>> labels([[[1.0, 1.2]] * 3, [[0.4, 0.6]] * 3], [2.0, 1.0], rho=0.5)
    array([1, 2])
    >>> labels([[0.4, 0.4], [0.1, 1.2], [1.0, 1.2]], [2.0, 1.0], rho=0.5)
    array(-1)
    """
    motion = _active(theta0, mu, rho)
    scale = _scale(motion)
    found = np.empty(scale.shape, dtype=np.int64)
    for power in np.unique(scale):
        found[scale == power] = _labels(_unit(motion, scale == power, int(power)))
    return found


def winners(theta0: ArrayLike, mu: ArrayLike, *, rho: float | int) -> Bool[np.ndarray, " d"]:
    """Return which coordinates of one start (L, d) blow up first, several where they tie.

    Examples
    --------
    >>> winners([[1.0, 1.0], [1.2, 1.2], [1.3, 0.9]], [1.0, 1.0], rho=0.5).tolist()
    [True, False]
    """
    motion = _active(theta0, mu, rho)
    return _first(_unit(motion, ..., int(_scale(motion))))


def _scale(motion: Motion) -> Int[np.ndarray, "*batch"]:
    """The power of two of each start's largest weight or rho."""
    weights = np.abs(motion.start[..., motion.mu != 0, :])
    return np.asarray(np.frexp(np.maximum(weights.max(axis=(-1, -2)), motion.rho))[1])


def _unit(motion: Motion, some: Any, power: int) -> Motion:
    """Some starts in units of a power of two, where times neither underflow nor overflow."""
    theta = np.swapaxes(np.ldexp(motion.start[some], -power), -1, -2)
    return read(theta, motion.mu, float(np.ldexp(motion.rho, -power)))


def _first(motion: Motion) -> Bool[np.ndarray, "*batch d"]:
    """Which coordinates blow up first."""
    blow = motion.blow_up
    return (blow <= blow.min(axis=-1, keepdims=True) * (1 + TIE)) & (blow < np.inf)


def _labels(motion: Motion) -> Int[np.ndarray, " k"]:
    """Return the labels of starts of one scale."""
    first, open_from = motion.blow_up.min(axis=-1), motion.open_from
    ahead, fate = _first(motion), motion.fate
    found = np.where(ahead.sum(axis=-1) > 1, Label.TIE, ahead.argmax(axis=-1) + 1)
    held = np.where((fate == Fate.SADDLE).any(axis=-1), Label.SEPARATRIX, Label.ZERO)
    held = np.where(_kept(motion).any(axis=-1), Label.STALLED, held)
    found = np.where(np.isinf(first), held, found)
    decided = (open_from > first[..., None]) | np.isinf(open_from)
    return np.where(decided.all(axis=-1), found, Label.UNDECIDED)


def _kept(motion: Motion) -> Bool[np.ndarray, "*batch d"]:
    """Which coordinates equal layers hold at or below rho."""
    rests = motion.equal & (motion.fate == Fate.SADDLE)
    return (motion.fate == Fate.STALL) | (rests & holds(motion.start.shape[-1], motion.rho))


def limit_label(theta0: ArrayLike, mu: ArrayLike, *, rho: float | int) -> tuple[int, str]:
    """Return the label of one start and a sentence with the reason.

    Parameters
    ----------
    theta0 : array_like, shape (L, d)
        One start, L >= 3.
    mu : array_like, shape (d,)
        The example, not all 0.
    rho : float
        Radius, in the units of w; 0 for gradient flow.

    Returns
    -------
    label : int
        As `labels` gives it.
    reason : str
        The times that decided, or why none did.

    Examples
    --------
    >>> limit_label([[1.0, 0.3]] * 3, [1.0, 1.3], rho=0.5)
    (1, 'coordinate 1 blows up first, at tau = 2; as t -> inf the others freeze there')
    """
    label = int(labels(theta0, mu, rho=rho))
    motion = _active(theta0, mu, rho)
    power = int(_scale(motion))
    unit = _unit(motion, ..., power)  # its times are those of the start times 2^(power (L-2))
    with np.errstate(over="ignore", under="ignore"):
        times = np.ldexp([unit.blow_up, unit.open_from], -power * (len(np.asarray(theta0)) - 2))
    first, open_from = float(times[0].min()), times[1]
    if label >= 1:
        word = f"coordinate {label} blows up first, at tau = {first:.6g}"
        reason = f"{word}; as t -> inf the others freeze there"
    elif label == Label.UNDECIDED:
        j = int(open_from.argmin())
        ahead = f"before the first blow-up, at tau = {first:.6g}" if first < np.inf else "first"
        reason = (
            f"a weight of coordinate {j + 1} reaches 0 at tau = {open_from[j]:.6g}, {ahead}; "
            "with unequal layers the solution is not unique from there"
        )
    else:
        reason = {
            Label.TIE: f"several coordinates blow up together, at tau = {first:.6g}",
            Label.STALLED: "equal layers at or below rho at odd depth keep |w| = rho in the limit",
            Label.SEPARATRIX: "the two weights nearest to rho are equally near: a saddle's start",
            Label.ZERO: "equal layers below rho at even depth reach 0 and rest there",
        }[Label(label)]
    idle = ", ".join(str(j + 1) for j in np.flatnonzero(motion.mu == 0))
    return label, reason + (f"; idle, mu = 0: coordinate {idle}" if idle else "")


def _active(theta0: ArrayLike, mu: ArrayLike, rho: float | int) -> Motion:
    """Read the starts, or say that no coordinate moves."""
    motion = read(theta0, mu, rho)
    if not motion.mu.any():
        raise InputError("a limit needs an example with a non-zero entry, got mu = 0; see Data")
    return motion
