"""l_inf-SAM and gradient flow from balanced starts, one example, any depth L >= 1.

Balanced: in each coordinate all `|w^(l)|` equal one `a`; the signs are free. In rescaled time

    a' = |mu| P (a - P rho)^(L-1),    P = sign(mu) prod_l sign(w^(l)).

Where `a` meets 0 an even depth rests; an odd depth passes through, all layers at once, and goes
on with P = +1 towards `a = rho`. L = 1 moves at constant speed whatever rho is, and rho = 0 is
gradient flow.

A coordinate that starts at 0 rests there: a zero gradient is not perturbed. At odd L >= 3 and
rho > 0 other solutions leave the origin, so that its fate is UNKNOWN.

Source: arXiv:2603.08290, Theorem 3.2; derivations/linf_trichotomy.py.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowsam.errors import InputError
from flowsam.exact.balanced_size import BalancedSize
from flowsam.inputs import real_array
from flowsam.labels import Fate
from flowsam.network import checked_theta
from flowsam.shapes import Bool, Float, Int8
from flowsam.trajectory import Event

__all__ = ["applies", "blow_up_time", "events", "fate", "race", "weights", "zero_time"]


def _checked(theta0: ArrayLike, mu: ArrayLike) -> tuple[NDArray, NDArray]:
    """Return both as finite arrays of shapes (..., L, d) and (d,)."""
    mu = np.atleast_1d(real_array(mu, "mu"))
    return checked_theta(theta0, mu.size), mu


def _size(theta0: ArrayLike, mu: ArrayLike, rho: float | int) -> BalancedSize:
    """Read starts and refuse those the formulas do not cover."""
    theta, mu = _checked(theta0, mu)
    # Entry by entry in memory, so that inner loops run over the batch.
    theta = np.moveaxis(
        np.array(np.moveaxis(theta, (-2, -1), (0, 1)), order="C"), (0, 1), (-2, -1)
    )
    if not 0 <= rho < np.inf:
        raise InputError(
            f"linf_balanced needs a finite rho >= 0, got {rho}; 0 is gradient flow"
        )
    if not applies(theta, mu).all():
        raise InputError(
            "linf_balanced needs equal |w| in all layers; other starts: flowsam.solve"
        )
    alignment = np.sign(mu) * np.prod(np.sign(theta), axis=-2)
    return BalancedSize(
        np.abs(theta[..., 0, :]), alignment, np.abs(mu), theta.shape[-2], float(rho)
    )


def applies(theta0: ArrayLike, mu: ArrayLike) -> Bool[np.ndarray, "*batch"]:
    """Tell which starts (..., L, d) have one `|w|` in each coordinate with mu_j != 0, shape (...).

    Examples
    --------
    >>> bool(applies([[1, -2], [-1, 2]], [1, 1])), bool(applies([[1, 2], [1, 3]], [1, 1]))
    (True, False)
    """
    theta, mu = _checked(theta0, mu)
    size = np.abs(theta)
    return np.asarray(
        ((size == size[..., :1, :]).all(axis=-2) | (mu == 0)).all(axis=-1)
    )


def weights(
    theta0: ArrayLike, mu: ArrayLike, *, rho: float | int, tau: ArrayLike
) -> Float[np.ndarray, "*batch T L d"]:
    """Return the weights at rescaled times: `w^(l) = sign(w^(l)(0)) a(tau)`.

    Examples
    --------
    >>> weights([[1.0, 0.5]] * 3, [1, 1], rho=0.5, tau=[1.0])[0, 0].round(6).tolist()
    [1.5, 0.5]
    >>> weights([[0.5]] * 2, [1], rho=1, tau=[0.5, 0.7])[:, 0, 0].round(6).tolist()
    [0.175639, 0.0]
    """
    theta, mu = _checked(theta0, mu)
    start = theta[..., None, :, :]
    tau = np.atleast_1d(real_array(tau, "tau"))
    if (tau < 0).any():
        raise InputError(
            f"linf_balanced needs tau >= 0, got {tau.min()}; starts are at tau = 0"
        )
    if theta.shape[-2] == 1:
        return start + mu * tau[:, None, None]
    moved = np.sign(start) * _size(theta, mu, rho).at(tau)[..., None, :]
    return np.where(mu == 0, start, moved)


def blow_up_time(
    theta0: ArrayLike, mu: ArrayLike, *, rho: float | int
) -> Float[np.ndarray, "*batch d"]:
    """Return each coordinate's own blow-up time, shape (..., d).

    `1 / ((L-2) |mu| (a - rho)^(L-2))` where L >= 3, P = +1 and a > rho, to a few eps; else inf.

    Examples
    --------
    >>> blow_up_time([[1, 0.3]] * 3, [1, 1.3], rho=0.5).tolist()
    [2.0, inf]
    """
    return _size(theta0, mu, rho).blow_up()


def race(
    theta0: ArrayLike, mu: ArrayLike, *, rho: float | int
) -> Float[np.ndarray, "*batch d"]:
    """Return blow-up times over a power of two of each start's own, shape (..., d).

    Ratios at any scale of weights and rho, where the times themselves underflow or overflow.

    Examples
    --------
    >>> times = race([[1e-200, 2e-200]] * 6, [1, 1], rho=0)
    >>> float(times[0] / times[1])
    16.0
    """
    return _size(theta0, mu, rho).race()


def zero_time(
    theta0: ArrayLike, mu: ArrayLike, *, rho: float | int
) -> Float[np.ndarray, "*batch d"]:
    """Return the time at which each coordinate comes to rest at 0, shape (..., d).

    0 where it starts there, inf where it never does, as at every odd L from a > 0.

    Examples
    --------
    >>> zero_time([[1.5, 0.6]] * 2, [1, 2], rho=1).round(6).tolist()
    [inf, 0.458145]
    """
    return _size(theta0, mu, rho).rest()


def events(theta0: ArrayLike, mu: ArrayLike, *, rho: float | int) -> tuple[Event, ...]:
    """Return what happens to ONE start (L, d) up to the first blow-up, in order of time.

    "zero": a coordinate comes to rest (at tau = 0 if it starts at rest); "cross": an odd depth
    passes through 0, all layers at once; "blow-up" ends the list.

    Examples
    --------
    >>> [(e.kind, e.coordinate) for e in events([[1, 0.1]] * 4, [1, 1], rho=0.5)]
    [('zero', 1), ('blow-up', 0)]
    """
    size = _size(theta0, mu, rho)
    hit = size.hit()
    rest = size.rest()
    blow_up = size.blow_up()
    rows = {
        "zero": rest,
        "cross": np.where(rest < np.inf, np.inf, hit),
        "blow-up": blow_up,
    }
    end = min(blow_up.min(), np.finfo(float).max)
    found = [
        Event(float(tau), kind, None, coordinate)
        for kind, times in rows.items()
        for coordinate, tau in enumerate(times)
        if tau <= end
    ]
    return tuple(sorted(found, key=lambda event: event.tau))


def fate(
    theta0: ArrayLike, mu: ArrayLike, *, rho: float | int
) -> Int8[np.ndarray, "*batch d"]:
    """Return what each coordinate does alone (`flowsam.labels.Fate`), shape (..., d).

    P = +1: ESCAPE for a > rho, SADDLE for a = rho; below, COLLAPSE (even L) or STALL at rho^L
    (odd L). P = -1: COLLAPSE (even L) or STALL (odd L). Gradient flow with P = -1 tends to 0
    without reaching it: SADDLE, as is a start at 0. The doubles are compared exactly.

    Examples
    --------
    >>> fate([[1.5, 0.6]] * 2, [1, 2], rho=1).tolist()
    [1, 0]
    """
    size = _size(theta0, mu, rho)
    idle = np.broadcast_to(size.speed == 0, size.a.shape)
    if size.depth == 1:
        return np.where(idle, Fate.IDLE, Fate.ESCAPE).astype(np.int8)
    even = size.depth % 2 == 0
    aligned = size.alignment > 0
    rules = [  # a later rule overrides an earlier one
        (size.a == 0, Fate.COLLAPSE if even else Fate.UNKNOWN),
        (aligned & (size.z == 0) | (size.rho == 0), Fate.SADDLE),
        (aligned & (size.z > 0), Fate.ESCAPE),
        (idle, Fate.IDLE),
    ]
    outcome = np.full_like(size.a, Fate.COLLAPSE if even else Fate.STALL, dtype=np.int8)
    for condition, name in rules:
        outcome = np.where(condition, np.int8(name), outcome)
    return outcome
