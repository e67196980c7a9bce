"""The path of one coordinate with two layers under l_inf-SAM, in at most three pieces.

By symmetry every start is one with `large >= |small|`, mu > 0; with `x = |mu| tau`, `s = large +
small`, `e = large - small`:

1. small < 0:   s' = s,            e' = -(e + 2 rho)     until small = 0,
2. small >= 0:  s' = s - 2 rho,    e' = -e               until small = 0, if ever,
3. small = 0, large <= rho:        large' = -rho         until large = 0: both rest.

The hits of small = 0 solve quadratics in e^x. (derivations/linf_two_layer.py)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowsam.shapes import Times, Vector, Vectors

_ROUNDING = 8 * np.finfo(float).eps  # more than the six roundings in `excess`
_LEAST = float(np.nextafter(0.0, 1.0))


def excess(
    u: Vectors,
    v: Vectors,
    rho: float,
    *,
    exact_below: float = _ROUNDING,
) -> Vectors:
    """Return `|u+v| (2 rho + |u| + |v|) / (8 rho^2) - 1`, with the right sign always, for mu > 0.

    Where uv >= 0 that of `|u+v| - 2 rho`; nearer to 0 than `exact_below` in rational arithmetic.
    """
    value = np.abs(u + v)
    if rho == 0:
        return value
    width = np.abs(u)
    width += np.abs(v)
    width += 2 * rho
    with np.errstate(over="ignore", invalid="ignore"):
        width /= 4 * rho
        value /= 2 * rho
        value *= width  # nan where 0 meets an overflow: neither > 0 nor = 0
    value -= 1
    near = (value < exact_below) & (value > -exact_below)
    if near.any():
        pairs = list(zip(u[near].tolist(), v[near].tolist(), strict=True))
        exact = {pair: _rational_excess(*pair, rho) for pair in set(pairs)}
        value[near] = [exact[pair] for pair in pairs]
    return value


def _rational_excess(*numbers: float) -> float:
    """Exact excess of (u, v, rho), rounded once and never to 0."""
    from fractions import Fraction  # it loads decimal, which few starts need

    u, v, rho = map(Fraction, numbers)
    over = abs(u + v) * (2 * rho + abs(u) + abs(v)) / (8 * rho * rho) - 1
    return float(over) or _LEAST * ((over > 0) - (over < 0))


@dataclass(frozen=True, eq=False)
class TwoLayerPath:
    """Starts with `large >= |small|` and mu > 0, and the ends of their pieces; shapes (..., d)."""

    small: Vectors
    large: Vectors
    # `large` where piece 2 begins (with small = 0, or at the start itself)
    entry: Vectors
    deficit: Vectors  # 2 rho - s there: > 0 where piece 2 ends
    landing: Vectors  # `large` where piece 3 begins
    # times at which the pieces end; 0 for a piece 1 that is empty
    ends: tuple[Vectors, ...]
    speed: Vector  # |mu|
    rho: float

    def at(self, tau: Times) -> tuple[NDArray, NDArray]:
        """Return (small, large) at times `tau` as `w(0) e^-x + increment`, without cancellation."""
        tau = tau[:, None]
        first, second, third = (end[..., None, :] for end in self.ends)
        small, large, entry, deficit, landing = (
            part[..., None, :]
            for part in (self.small, self.large, self.entry, self.deficit, self.landing)
        )
        opposed = first > 0  # whether there is a piece 1
        x = self.speed * np.maximum(tau - first, 0.0)
        begin = np.where(opposed, 0.0, small)
        total = entry + begin
        with np.errstate(over="ignore"):
            # no sooner inf than the weight
            half = np.expm1(np.where(deficit == 0, 0.0, x / 2))
            rise = (-total * np.expm1(-x) - deficit * half * (half + 2)) / 2
            slid = landing - self.rho * self.speed * np.maximum(tau - second, 0.0)
        decay = np.exp(-x)
        low = begin * decay + rise
        high = entry * decay + rise
        if self.rho > 0:
            low = np.maximum(low, 0.0)
        if opposed.any():
            x = self.speed * np.minimum(tau, first)
            half = np.expm1(x / 2)
            drift = self.rho * np.expm1(-x)
            # s sinh(x)
            rise = (small + large) * half * (half + 2) * (1 + np.exp(-x)) / 2
            before = tau < first
            low = np.where(before, small * np.exp(-x) + rise - drift, low)
            high = np.where(before, large * np.exp(-x) + rise + drift, high)
        if (second < np.inf).any():
            low = np.where(tau < second, low, 0.0)
            high = np.where(tau < second, high, np.maximum(slid, 0.0))
            high = np.where(tau < third, high, 0.0)
        return low, high


def two_layer_path(
    small: Vectors,
    large: Vectors,
    *,
    speed: Vector,
    rho: float,
) -> TwoLayerPath:
    """Return the path from starts with `large >= |small|`."""
    opposed = (small < 0) & (speed > 0) & (rho > 0)
    with np.errstate(all="ignore"):
        entry, deficit, one = _piece_one(small, large, rho)
        entry = np.where(opposed, entry, large)
        begin = np.where(opposed, 0.0, small)
        total, lost = two_sum(large, small)
        deficit = np.where(opposed, deficit, (2 * rho - total) - lost)
        two, landing = _piece_two(begin, entry, deficit, rho)
        # What has not begun is not over: no duration of a motion underflows to 0.
        first = np.where(opposed, np.maximum(one / speed, _LEAST), 0.0)
        second = first + np.where(
            speed > 0, np.maximum(two / speed, _LEAST * (begin > 0)), np.inf
        )
        slide = np.maximum(landing / rho / speed, _LEAST * (landing > 0))
        third = second + np.where(second < np.inf, slide, np.inf)
    return TwoLayerPath(
        small, large, entry, deficit, landing, (first, second, third), speed, rho
    )


def two_sum(a: NDArray, b: NDArray) -> tuple[NDArray, NDArray]:
    """Return a + b rounded, and what that lost, exactly."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def _piece_one(
    small: NDArray,
    large: NDArray,
    rho: float,
) -> tuple[NDArray, NDArray, NDArray]:
    """Large and 2 rho - large where small = 0, and x there: s y^2 + 2 rho y = e + 2 rho."""
    total = large + small
    gap = large - small
    mean = np.sqrt(total) * np.sqrt(gap + 2 * rho)
    root = np.hypot(rho, mean)
    entry = mean * (mean / (rho + root))
    # 13 digits of a near miss or more
    over = excess(small, large, rho, exact_below=1e-3)
    deficit = np.where(over < 0.5, -8 * rho * over / (3 + root / rho), 2 * rho - entry)
    rise = (-2 * small / (rho + root)) * ((gap + 2 * rho) / (gap + rho + root))  # y - 1
    x = np.where(
        rise < np.inf, np.log1p(rise), np.log(gap + 2 * rho) - np.log(rho + root)
    )
    return entry, deficit, x


def _piece_two(
    begin: NDArray,
    entry: NDArray,
    deficit: NDArray,
    rho: float,
) -> tuple[NDArray, NDArray]:
    """x and large where small = 0 again: deficit y^2 - 2 rho y + e = 0, the root above 1."""
    root = np.hypot(rho - entry, np.sqrt(begin) * np.sqrt(2 * rho - begin))
    forward = entry + begin - rho
    rise = np.where(
        forward >= 0, (forward + root) / deficit, 2 * begin / (root - forward)
    )
    x = np.where(deficit > 0, np.log1p(rise), np.inf)
    landing = np.where(x > 0, (entry - begin) * deficit / (rho + root), entry)
    return x, np.where(x < np.inf, landing, 0.0)
