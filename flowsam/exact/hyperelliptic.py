"""The one integral behind every deep coordinate, and its inverse.

    F(u) = int_u^inf dv / prod_{k=1}^{L-1} sqrt(v^2 + D_k),   u >= 0,  D_k >= 0:

the rescaled clock of L layers, elliptic at L = 3 and 4, hyperelliptic from L = 5 on.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowsam.shapes import Float

EPS = np.finfo(float).eps
STEP = 0.4  # in log y; the trapezoid's error falls like exp(-2 pi^2 / STEP) = 4e-22
SETTLED = 1e-9  # a Newton step this short leaves an error of its square
FLOOR = 1e-150  # the least u of an inverse: its square is still a number
ENTRIES = 2**15  # of one block of nodes: it stays in cache
TOGETHER = 128  # members whose nodes are summed at once: they stay in cache
TAIL = 39.0  # exp(-39) = 1e-17: what the trapezoid leaves off at each end
NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)


def remaining(u: ArrayLike, gaps: NDArray) -> Float[np.ndarray, "..."]:
    """Return the integral from `u` to infinity.

    Carlson's R_F (DLMF 19.29) at L = 3 and 4; from L = 5 on the trapezoidal rule in `log y`, `v^2 =
    u^2 + 2 y`, where the integrand is analytic in a strip of half-width pi.
    (derivations/linf_deep.py)
    """
    from scipy.special import elliprf  # two layers need none of it

    u = np.asarray(u, dtype=np.float64)
    squares = u[..., None] ** 2 + gaps
    if gaps.shape[-1] == 2:
        return np.asarray(elliprf(u * u, squares[..., 0], squares[..., 1]))
    if gaps.shape[-1] == 3:
        a, b, c = np.moveaxis(np.sqrt(squares), -1, 0)
        return np.asarray(
            elliprf((u * a + b * c) ** 2, (u * b + a * c) ** 2, (u * c + a * b) ** 2)
        )
    # products stay in range
    unit = np.ldexp(1.0, np.frexp(np.sqrt(squares[..., -1]))[1])
    unit = np.where((unit > 0) & (unit < np.inf), unit, 1.0)
    roots = np.concatenate([u[..., None], np.sqrt(squares)], axis=-1)
    scaled = _trapezoid(roots / unit[..., None])
    return np.asarray(scaled * unit ** (1 - gaps.shape[-1]))


def _trapezoid(roots: NDArray) -> NDArray:
    """`int exp(s) / prod sqrt(z_k^2 + 2 exp(s)) ds` over the range where it is not negligible."""
    depth = roots.shape[-1]
    with np.errstate(divide="ignore"):
        logs = np.log(roots)
    least = logs[..., 0]
    second = logs[..., 1]
    rest = logs[..., 2:].sum(axis=-1)
    singular = np.isneginf(second)
    ordinary = ~singular & (least < np.inf)
    total = np.where(singular, np.inf, 0.0)
    least, second, rest = (x[ordinary] for x in (least, second, rest))
    left = second + np.maximum(least - TAIL, second - 2 * TAIL)
    right = np.maximum(TAIL + rest, TAIL + (depth - 2) * second) * 2 / (depth - 2)
    total[ordinary] = STEP * _summed(roots[ordinary] ** 2, left, right)
    return total


def _summed(squares: NDArray, left: NDArray, right: NDArray) -> NDArray:
    """Sum over nodes from left to right, of who has about as many together."""
    total = np.empty(left.size)
    order = np.argsort(right - left)
    for some in np.split(order, range(TOGETHER, left.size, TOGETHER)):
        ends = right[some, None]
        begin = left[some, None]
        count = np.ceil((ends - begin).max(initial=0.0) / STEP) + 1
        s = begin + STEP * np.arange(count)
        # a member past its own end adds nothing
        y = np.exp(np.minimum(s, ends))
        twice = 2 * y
        factors = np.ones(y.shape)
        for square in squares[some].T:
            factors *= np.sqrt(square[:, None] + twice)
        total[some] = ((s <= ends) * y / factors).sum(axis=-1)
    return total


def elapsed(
    start: ArrayLike,
    stop: ArrayLike,
    gaps: NDArray,
) -> Float[np.ndarray, "..."]:
    """Return F(start) - F(stop), `F(-u) = 2 F(0) - F(u)`; by Gauss nodes where they are close."""
    start = np.asarray(start, dtype=np.float64)
    stop = np.asarray(stop, dtype=np.float64)
    # exact in the ellipse around both ends through i sqrt(D_1)
    narrow = 2 + gaps.shape[-1] / 50
    distances = np.sqrt(start**2 + gaps[..., 0]) + np.sqrt(stop**2 + gaps[..., 0])
    near = (distances > 0) & (distances >= narrow * (stop - start)) & (stop < np.inf)
    total = np.empty(start.shape)
    total[near] = _by_nodes(start[near], stop[near], gaps[near])
    total[~near] = _difference(start[~near], stop[~near], gaps[~near])
    return total


def _by_nodes(start: NDArray, stop: NDArray, gaps: NDArray) -> NDArray:
    """Sum over Gauss nodes between start and stop."""
    far = np.sqrt(np.maximum(start**2, stop**2) + gaps[:, -1])
    unit = np.ldexp(1.0, np.frexp(far)[1])  # products stay in range
    half = (stop - start) / 2
    total = np.empty(start.shape)
    block = ENTRIES // NODES.size
    for some in np.split(np.arange(start.size), range(block, start.size, block)):
        u = start[some] + half[some] * (1 + NODES[:, None])
        factors = np.ones(u.shape)
        for gap in gaps[some].T:
            factors *= np.sqrt(u * u + gap) / unit[some]
        total[some] = np.einsum("kn,k->n", 1 / factors, WEIGHTS)
    return half / unit * total * unit ** (1.0 - gaps.shape[-1])


def _difference(start: NDArray, stop: NDArray, gaps: NDArray) -> NDArray:
    """Return F(start) - F(stop) from the integrals to infinity."""
    first = remaining(np.abs(start), gaps)
    last = remaining(np.abs(stop), gaps)
    across = (start < 0) & (stop > 0)
    centre = remaining(np.zeros(np.count_nonzero(across)), gaps[across])
    with np.errstate(invalid="ignore"):
        total = np.where(start >= 0, first - last, last - first)
        both = (centre - first[across]) + (centre - last[across])
    total[across] = np.where(np.isinf(centre), np.inf, both)
    return total


def invert(target: ArrayLike, gaps: NDArray) -> Float[np.ndarray, "..."]:
    """Return the u >= 0 with `remaining(u, gaps) = target`.

    Newton's method on `F^(-1/(L-2))`, nearly linear in u, in a bracket that bisection shrinks.
    """
    target = np.asarray(target, dtype=np.float64)
    centre = np.broadcast_to(remaining(np.zeros(gaps.shape[:-1]), gaps), target.shape)
    gaps = np.broadcast_to(gaps, (*target.shape, gaps.shape[-1]))
    result = np.where(target > 0, 0.0, np.inf)
    inside = (target > 0) & (target < centre)
    result[inside] = _newton(target[inside], gaps[inside], centre[inside])
    return result


def _newton(target: NDArray, gaps: NDArray, centre: NDArray) -> NDArray:
    """Safeguarded Newton for targets strictly inside (0, F(0)), flat arrays; frozen when done."""
    power = float(gaps.shape[-1] - 1)
    slope = np.prod(np.sqrt(gaps), axis=-1)
    high = (power * target) ** (-1 / power)
    # F(0) is inf where a gap is 0, or its root below the doubles
    least = np.where(np.isfinite(centre), centre - target, 0.0) * slope
    low = np.maximum(np.maximum(least, high - np.sqrt(gaps[:, -1])), FLOOR)
    u = high.copy()
    active = np.arange(target.size)
    for _ in range(200):
        here = u[active]
        goal = target[active]
        gap = gaps[active]
        value = remaining(here, gap)
        high[active] = np.where(value <= goal, here, high[active])
        low[active] = np.where(value >= goal, here, low[active])
        rate = np.prod(np.sqrt(here[:, None] ** 2 + gap), axis=-1)
        ratio = (value / goal) ** (1 / power)
        new = here + power * value * (ratio - 1) * rate
        inside = (new >= low[active]) & (new <= high[active])
        middle = np.sqrt(low[active]) * np.sqrt(high[active])
        new = np.where(inside, new, middle)
        u[active] = new
        moving = (np.abs(value - goal) > 4 * EPS * goal) & (
            np.abs(new - here) > SETTLED * here
        )
        active = active[moving]
        if not active.size:
            break
    return u
