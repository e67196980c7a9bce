"""How likely signed random starts escape under l_inf-SAM, and which feature wins the race."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.exact.linf_deep import read
from flowsam.inputs import real_axis
from flowsam.regions.measure import Sizes, check_law, integral
from flowsam.shapes import Float, Starts, Vector
from flowsam.signatures import public

MARKS = np.linspace(0.0, 1.0, 27)  # quantiles between which the law is integrated
_LEAST = 1e-150  # rho, whose square is a double


@dataclass(frozen=True, eq=False)
class Chances:
    """How likely each feature wins.

    Parameters
    ----------
    wins : ndarray, shape (d,)
        P(limit = e_j).
    none : float
        P(no coordinate escapes).
    error : float
        Standard error of `wins`, by independent scramblings; 0 where the law is in closed form.
    contested : float
        L >= 5: the share of sampled starts, to 2/sqrt(points), in which another coordinate could
        run away first on some of Filippov's solutions: `wins` are then who blows up first, the
        limit of discrete SAM at L = 5 and 6, and not proved from L = 7 on.
    """

    wins: Vector
    none: float
    error: float
    contested: float = 0.0


@public
def escape_chance(
    law: Any,
    *,
    depth: int,
    rho: float,
    sign: int = 1,
) -> float:
    """Return the probability that a coordinate escapes, its L weights independent with one law.

    With a the smallest size, G the law of sizes and Q its signed part, S and T their tails,

        P = (E_+[S, G] + E_-[S, G]) / 2 + sign (E_+[T, Q] - E_-[T, Q]) / 2,
        E_+[S, G] = L int S(max(a, 2 rho - a))^(L-1) dG(a),
        E_-[S, G] = L int S(sqrt((a + rho)^2 + 8 rho^2) - rho)^(L-1) dG(a),

    the two rules of `linf_signs`; Q vanishes for symmetric laws.

    Parameters
    ----------
    law : frozen continuous scipy.stats distribution
        Of each weight, any sign.
    depth : int
        Number of layers, L >= 2.
    rho : float
        Radius, in the units of w.
    sign : int
        Sign of mu.

    Returns
    -------
    float
        Error: about 1e-10.

    Raises
    ------
    TypeError, ValueError
        For a discrete law, L < 2 or rho < 0.

    Notes
    -----
    Derivation: derivations/linf_signs.py.

    Examples
    --------
    >>> from scipy.stats import norm, uniform
    >>> round(escape_chance(norm(0, 2), depth=2, rho=1.0), 6)
    0.538136
    >>> escape_chance(uniform(-1, 2), depth=5, rho=0.0)
    1.0
    """
    check_law(law)
    if depth < 2 or not (rho == 0 or _LEAST <= rho <= 1 / _LEAST):
        raise InputError(
            f"escape_chance needs L >= 2 and rho = 0 or from {_LEAST:g} to {1 / _LEAST:g}, got "
            f"{depth} and {rho:g}"
        )
    if rho == 0:
        return 1.0
    if sign not in (1, -1):
        raise InputError(f"escape_chance needs the sign of mu, 1 or -1, got {sign}")
    even = _pair(law, depth, rho, 1.0)
    odd = _pair(law, depth, rho, -1.0)
    return float((even[0] + even[1]) / 2 + sign * (odd[0] - odd[1]) / 2)


def _pair(
    law: Any,
    depth: int,
    rho: float,
    parity: float,
) -> tuple[float, float]:
    """E_+ and E_- of sizes, or (parity -1) of their signed parts, over quantiles of the law."""

    def tail(a: Sizes) -> Sizes:
        return np.asarray(law.sf(a) + parity * law.cdf(-a))

    def along(a: Sizes) -> Sizes:
        return tail(2 * rho - a) ** (depth - 1)

    def against(a: Sizes) -> Sizes:
        second = np.sqrt((a + rho) ** 2 + 8 * rho * rho) - rho
        return tail(second) ** (depth - 1)

    def mean(of: Callable[[Sizes], Sizes], low: float, high: float) -> float:
        """Mean over weights between two quantiles, those below 0 with the parity."""
        side = 1.0 if law.ppf((low + high) / 2) > 0 else parity
        marks = np.unique([low, high, *np.clip(MARKS, low, high)])
        return side * integral(lambda u: of(np.abs(law.ppf(u))), marks)

    least, middle, most = (float(law.cdf(x)) for x in (-rho, 0.0, rho))
    plus = mean(along, least, middle) + mean(along, middle, most)
    minus = mean(against, 0.0, middle) + mean(against, middle, 1.0)
    return float(tail(np.asarray(rho))) ** depth + depth * plus, depth * minus


@public
def winning_chances(
    law: Any,
    mu: ArrayLike,
    *,
    depth: int,
    rho: float,
    points: int = 2**14,
) -> Chances:
    """Return how likely each feature wins, all weights independent with one law.

    L = 2: the largest |mu_j| that escapes. L >= 3: the smallest blow-up time T_j/|mu_j|, so that
    P(j) = int prod_{k != j} (1 - H_k(t |mu_k|/|mu_j|)) dH_j(t), H the law of T, by scrambled
    Sobol points; the chance that none escapes is exact.

    Parameters
    ----------
    law : frozen continuous scipy.stats distribution
    mu : array_like, shape (d,)
        The example, no entry 0; equal |mu| at L = 2 tie and count for none.
    depth : int
        Number of layers, at least 2.
    rho : float
        Radius, in the units of w.
    points : int
        Points of each of eight scramblings, a power of two; L = 2 is exact and needs none.

    Returns
    -------
    Chances

    Examples
    --------
    >>> from scipy.stats import norm
    >>> found = winning_chances(norm(0, 2), [1.0, 2.0], depth=2, rho=1.0)
    >>> found.wins.round(6), found.error
    (array([0.248546, 0.538136]), 0.0)
    """
    mu = real_axis(mu, "mu")
    if not mu.all():
        raise InputError(f"winning_chances needs mu without zeros, got {mu}")
    if points < 1 or points & (points - 1):
        raise InputError(f"winning_chances needs a power of two, got points = {points}")
    chance = {
        sign: escape_chance(law, depth=depth, rho=rho, sign=int(sign))
        for sign in np.unique(np.sign(mu))
    }
    escapes = np.array([chance[sign] for sign in np.sign(mu)])
    none = float(np.prod(1 - escapes))
    if depth == 2:
        size = np.abs(mu)
        rivals = (size >= size[:, None]) & ~np.eye(mu.size, dtype=bool)
        wins = escapes * np.where(rivals, 1 - escapes, 1.0).prod(axis=1)
        return Chances(wins, none, 0.0)
    runs = np.array(
        [_race(_drawn(law, (depth, 1), points, k), mu, rho) for k in range(8)]
    )
    some = runs.sum(axis=1, keepdims=True)
    if none < 1 and not some.all():
        raise InputError(
            f"of {points} points none escapes, {1 - none:.2g} of all do; pass more points"
        )
    runs *= (1 - none) / np.where(none < 1, some, 1.0)
    error = float(runs.std(axis=0, ddof=1).max() / np.sqrt(8))
    starts = _drawn(law, (depth, mu.size), max(points // 4, 1), 0)
    contested = float(read(starts, mu, rho).contested.mean())
    return Chances(runs.mean(axis=0), none, error, contested)


def _drawn(
    law: Any,
    shape: tuple[int, int],
    points: int,
    seed: int,
) -> Starts:
    """Weights of a law at scrambled Sobol points."""
    from scipy.stats import qmc

    uniform = qmc.Sobol(shape[0] * shape[1], seed=seed).random(points)
    return np.asarray(law.ppf(uniform)).reshape(points, *shape)


def _race(
    theta: Float[np.ndarray, "N L 1"],
    mu: Vector,
    rho: float,
) -> Vector:
    """Return the share of one point set that each feature wins, times by their laws."""
    points = len(theta)
    times = {sign: _escapes(theta, sign, rho) for sign in np.unique(np.sign(mu))}
    laws = [times[np.sign(m)] / abs(m) for m in mu]
    rank = (np.arange(points) + 0.5) / points
    wins = np.empty(mu.size)
    for j, mine in enumerate(laws):
        left = np.ones(mine.size)
        for other in (other for k, other in enumerate(laws) if k != j and other.size):
            known = rank[: other.size]
            right = other.size / points
            left *= 1 - np.interp(mine, other, known, left=0.0, right=right)
        wins[j] = left.sum() / points
    return wins


def _escapes(
    theta: Float[np.ndarray, "N L 1"],
    sign: float,
    rho: float,
) -> Float[np.ndarray, " M"]:
    """Return the sorted blow-up times of those that escape, |mu| = 1."""
    mu = np.array([sign])
    some = read(theta, mu, rho).surplus[:, 0] > 0
    times = read(theta[some], mu, rho).blow_up_time[:, 0]
    return np.sort(times[np.isfinite(times)])
