"""l_inf-SAM and gradient flow from balanced starts, one example, any depth L >= 1.

In each coordinate all `|w^(l)|` equal one `a`; the signs are free. In rescaled time

    a' = |mu| P (a - P rho)^(L-1),    P = sign(mu) prod_l sign(w^(l)).

At `a` = 0 an even depth rests; an odd one passes through and goes on with P = +1 towards rho. A
start at 0 rests, but at odd L >= 3 other solutions leave the origin: its fate is UNKNOWN.
(arXiv:2603.08290, Theorem 3.2; derivations/linf_trichotomy.py)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.events import Event
from flowsam.exact.balanced_size import BalancedSize
from flowsam.labels import Fate
from flowsam.network import checked_start, checked_times
from flowsam.shapes import Float, Int8, Vectors, Which


def _size(theta0: ArrayLike, mu: ArrayLike, rho: float) -> BalancedSize:
    """Read starts and refuse those the formulas do not cover."""
    theta, mu, rho = checked_start(theta0, mu, rho, case="linf_balanced")
    # Entry by entry in memory, so that inner loops run over the batch.
    theta = np.moveaxis(
        np.array(np.moveaxis(theta, (-2, -1), (0, 1)), order="C"), (0, 1), (-2, -1)
    )
    if not applies(theta, mu).all():
        raise InputError(
            "linf_balanced needs equal |w| in all layers; other starts: flowsam.solve"
        )
    alignment = np.sign(mu) * np.prod(np.sign(theta), axis=-2)
    return BalancedSize(
        np.abs(theta[..., 0, :]), alignment, np.abs(mu), theta.shape[-2], rho
    )


def applies(theta0: ArrayLike, mu: ArrayLike) -> Which:
    """Tell which starts (..., L, d) have one `|w|` in each coordinate with mu_j != 0."""
    theta, mu, _ = checked_start(theta0, mu, 0.0, case="linf_balanced")
    size = np.abs(theta)
    return np.asarray(
        ((size == size[..., :1, :]).all(axis=-2) | (mu == 0)).all(axis=-1)
    )


def weights(
    theta0: ArrayLike,
    mu: ArrayLike,
    *,
    rho: float,
    tau: ArrayLike,
) -> Float[np.ndarray, "*batch T L d"]:
    """Return the weights at rescaled times: `w^(l) = sign(w^(l)(0)) a(tau)`."""
    theta, mu, rho = checked_start(theta0, mu, rho, case="linf_balanced")
    start = theta[..., None, :, :]
    tau = checked_times(tau, case="linf_balanced")
    if theta.shape[-2] == 1:
        return start + mu * tau[:, None, None]
    moved = np.sign(start) * _size(theta, mu, rho).at(tau)[..., None, :]
    return np.where(mu == 0, start, moved)


def blow_up_time(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Vectors:
    """Return each blow-up time: `1 / ((L-2) |mu| (a - rho)^(L-2))` for P = +1, a > rho, L >= 3."""
    return _size(theta0, mu, rho).blow_up()


def race(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Vectors:
    """Return blow-up times over a power of two of each start's own: ratios at any scale."""
    return _size(theta0, mu, rho).race()


def zero_time(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> Vectors:
    """Return when each coordinate comes to rest at 0; inf where never, as at odd L from a > 0."""
    return _size(theta0, mu, rho).rest()


def events(theta0: ArrayLike, mu: ArrayLike, *, rho: float) -> tuple[Event, ...]:
    """Return what happens to ONE start (L, d) up to the first blow-up, in order of time.

    "zero": at rest at 0; "cross": an odd depth passes through 0, all layers at once; "blow-up".
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
    theta0: ArrayLike,
    mu: ArrayLike,
    *,
    rho: float,
) -> Int8[np.ndarray, "*batch d"]:
    """Return what each coordinate does alone (`flowsam.labels.Fate`), doubles compared exactly.

    P = +1: ESCAPE for a > rho, SADDLE for a = rho; below, COLLAPSE (even L) or STALL at rho^L (odd
    L). P = -1: COLLAPSE (even L) or STALL (odd L), but SADDLE under GD, as is a start at 0.
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
