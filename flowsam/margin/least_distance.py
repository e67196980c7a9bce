"""The shortest vector with all margins at least one: Lawson and Hanson's reduction, then repair.

Non-negative least squares guesses the support; QR on it squares no condition number, and Goldfarb
and Idnani's dual steps repair it, or raw features of seven decades would keep margins of 0.93.
Sources: Solving Least Squares Problems (1974), chapter 23; Mathematical Programming 27 (1983).
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cholesky, qr, solve_triangular
from scipy.optimize import nnls

from flowsam.errors import InputError
from flowsam.shapes import Bool, Examples, Float, PerExample

Vector = Float[np.ndarray, " _"]
Matrix = Float[np.ndarray, "_ _"]

_EPS = np.finfo(float).eps
_WIDE = 10  # features an example from which on signs are met by leaving features out
_ROUNDS = 50


class _Active(NamedTuple):
    """Supporting examples in order of entry, their dual weights, and the vector they span."""

    rows: list[int]
    dual: Vector
    beta: Vector


def shortest_separator(
    z: Examples, signs: Float[np.ndarray, " d"] | None = None
) -> tuple[Float[np.ndarray, " d"], PerExample]:
    """Return the shortest `beta` with `z beta >= 1`, and the dual a >= 0 that proves it.

    beta = sum_i a_i z_i,   a_i > 0 only where the margin is exactly 1
    """
    if signs is not None and signs.size > _WIDE * len(z):
        found = _of_signs(z, signs)
        if found:
            return found
    power = np.frexp(np.abs(z).max(axis=1))[1]
    rows = np.ldexp(z, -power[:, None])  # squares are doubles
    size = np.linalg.norm(rows, axis=1)
    rows = rows / size[:, None]
    length = np.ldexp(size, power)
    floor = 1.0 / length
    if signs is not None:
        bound = np.flatnonzero(signs)
        rows = np.vstack([rows, np.diag(signs)[bound]])
        floor = np.append(floor, np.zeros(bound.size))
    active = _solve_on(_guess(rows, floor), rows, floor)
    for _ in range(10 * sum(z.shape)):
        margins = rows @ active.beta
        slack = margins - floor
        rounding = 8 * _EPS * (np.abs(rows) @ np.abs(active.beta) + floor) + 1e-300
        short = np.where(
            np.isin(np.arange(len(rows)), active.rows), 0.0, -slack / rounding
        )
        worst = int(np.argmax(short))
        if short[worst] <= 1.0:
            dual = np.zeros(len(rows))
            dual[active.rows] = active.dual
            return active.beta, dual[: len(z)] / length
        active = _add(worst, active, rows, floor)
    raise InputError(
        f"max_margin found no separator of n={z.shape[0]}, d={z.shape[1]} examples in "
        f"{10 * sum(z.shape)} repairs; standardise the features, or ask separability(data)"
    )


def _of_signs(
    z: Examples, signs: Float[np.ndarray, " d"]
) -> tuple[Float[np.ndarray, " d"], PerExample] | None:
    """Return what few examples say, from the features that their dual pulls at with their sign.

    The others are 0, and no constraints of their own; None where that does not settle.
    """
    used = np.ones(signs.size, dtype=bool)
    for _ in range(_ROUNDS):
        if not z[:, used].any(axis=1).all():
            return None
        try:
            short, dual = shortest_separator(z[:, used])
        except InputError:
            return None
        before = used
        used = (signs == 0) | (signs * (dual @ z) > 0)
        if (used == before).all():
            beta = np.zeros(signs.size)
            beta[used] = short
            return beta, dual
    return None


def _guess(rows: Matrix, floor: Vector) -> list[int]:
    """Guess the support by non-negative least squares, at a scale where |beta| is about one."""
    root = rows.T if rows.shape[1] <= len(rows) else _triangle(rows)[0]
    target = np.append(np.zeros(len(root)), 1.0)
    scale = floor[floor > 0].min()
    support: list[int] = []
    for _ in range(3):
        try:
            dual, _ = nnls(np.vstack([root, scale * floor]), target)
        except RuntimeError:  # at its limit: the repair starts from the last guess
            break
        support = [int(i) for i in np.flatnonzero(dual)]
        rest = 1.0 - scale * (floor @ dual)
        size = np.linalg.norm(root @ dual)
        if rest > 0.01 or not 0 < rest * size < np.inf:
            break
        scale *= rest / size
    return support


def _triangle(rows: Matrix) -> tuple[Matrix, Bool[np.ndarray, " _"], bool]:
    """Find r, r^T r = rows rows^T; which rows are independent of earlier ones; if it is easy."""
    if 2 * len(rows) <= rows.shape[1]:
        try:
            r = cholesky(rows @ rows.T)
        except LinAlgError:
            r = np.zeros((1, 1))
        if np.diag(r).min() > 1e-2 * np.diag(r).max():
            return r, np.ones(len(rows), dtype=bool), True
    r = qr(rows.T, mode="r")[0][: len(rows)]
    size = np.abs(np.diag(r))
    free = np.arange(len(rows)) < len(size)
    free[: len(size)] &= size > 4 * len(rows) * _EPS
    return r, free, False


def _solve_on(support: list[int], rows: Matrix, floor: Vector) -> _Active:
    """Solve with equality on the support; drop the weights that come out negative."""
    while support:
        chosen = rows[support]
        r, free, easy = _triangle(chosen)
        if not free.all():
            support = [i for i, kept in zip(support, free, strict=True) if kept]
            continue
        precision = np.float64 if easy else np.longdouble
        beta, dual = _refined(chosen, floor[support], r, precision)
        if (dual > 0).all():
            return _Active(support, dual, beta)
        support = [i for i, weight in zip(support, dual, strict=True) if weight > 0]
    return _Active([], np.zeros(0), np.zeros(rows.shape[1]))


def _refined(
    rows: Matrix, floor: Vector, r: Matrix, precision: type
) -> tuple[Vector, Vector]:
    """Solve rows beta = floor, beta = rows^T dual: three corrections, residuals in `precision`."""
    wide: Matrix = rows.astype(precision, copy=False)
    beta = np.zeros(rows.shape[1])
    dual = np.zeros(len(rows))
    for _ in range(4):
        bend = (wide.T @ dual - beta).astype(float)
        gap = (floor - wide @ beta).astype(float) - rows @ bend
        step = solve_triangular(r, solve_triangular(r, gap, trans="T"))
        dual = dual + step
        beta = beta + (rows.T @ step + bend)
    return beta, dual


def _add(new: int, active: _Active, rows: Matrix, floor: Vector) -> _Active:
    """One dual step: raise the weight of a short example, dropping those it makes superfluous."""
    support = list(active.rows)
    dual = active.dual.copy()
    beta = active.beta
    weight = 0.0
    while True:
        basis = (
            np.linalg.lstsq(rows[support].T, rows[new])[0] if support else np.zeros(0)
        )
        outside = rows[new] - rows[support].T @ basis
        steepness = outside @ outside
        full = np.inf
        if steepness > (64 * _EPS) ** 2:
            full = (floor[new] - rows[new] @ beta) / steepness
        ratios = np.full(len(support), np.inf)
        np.divide(dual, basis, out=ratios, where=basis > 0)
        blocking = ratios.min(initial=np.inf)
        step = min(full, blocking)
        if not np.isfinite(step):
            raise InputError(
                "max_margin needs linearly separable data; ask separability(data) why"
            )
        dual = dual - step * basis
        weight = weight + step
        beta = beta + step * outside
        if full <= blocking:
            return _solve_on([*support, new], rows, floor)
        leaving = int(np.argmin(ratios))
        support.pop(leaving)
        dual = np.delete(dual, leaving)
