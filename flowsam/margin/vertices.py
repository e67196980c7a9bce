"""The lightest vector with all margins at least one: a linear program, its vertex, its uniqueness.

The simplex method names the vertex; it is computed again from its tight examples and non-zero
entries, so that its error is rounding and not the solver's tolerance.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import OptimizeResult, linprog

from flowsam.errors import InputError
from flowsam.shapes import Bool, Examples, Float, PerExample

Vector = Float[np.ndarray, " _"]
Matrix = Float[np.ndarray, "_ _"]

_OPTIONS = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}


def equilibrated(
    z: Examples,
) -> tuple[Examples, PerExample, Float[np.ndarray, " d"]]:
    """Return `row_i z_ij column_j` of size about 1, for tolerances are absolute, and scalings."""
    size = np.abs(z).max(axis=0)
    column = 1.0 / np.where(size > 0, size, 1.0)
    row = 1.0 / np.abs(z * column).max(axis=1)
    return z * column * row[:, None], row, column


def simplex(
    cost: Vector, above: Matrix, floor: Vector, bounds: Sequence
) -> OptimizeResult:
    """Return SciPy's simplex solution of `min cost x` subject to `above x >= floor`."""
    return linprog(
        cost,
        A_ub=-above,
        b_ub=-floor,
        bounds=bounds,
        method="highs-ds",
        options=_OPTIONS,
    )


def lightest_separator(
    z: Examples, signs: Float[np.ndarray, " d"] | None = None
) -> tuple[Float[np.ndarray, " d"], PerExample]:
    """Return a vertex `beta` of least l_1 norm with `z beta >= 1`, and the dual y that proves it.

    |sum_i y_i z_ij| <= 1, with equality and the sign of beta_j where beta_j != 0,  y >= 0
    """
    d = z.shape[1]
    if not z.any(axis=1).all():
        raise InputError("max_margin needs examples of which none is 0 on its features")
    scaled, row, column = equilibrated(z)
    signs = np.zeros(d) if signs is None else signs
    plus = np.where(signs >= 0, np.inf, 0.0)
    minus = np.where(signs <= 0, np.inf, 0.0)
    bounds = [(0.0, most) for most in (*plus, *minus)]
    found = simplex(np.tile(column, 2), np.hstack([scaled, -scaled]), row, bounds)
    if found.x is None:
        raise InputError(
            "max_margin needs linearly separable data, the simplex method found none "
            f"({found.message}); ask separability(data) why"
        )
    beta = column * (found.x[:d] - found.x[d:])
    dual = -found.ineqlin.marginals * row
    return _vertex(z, beta, dual)


def _vertex(z: Matrix, beta: Vector, dual: Vector) -> tuple[Vector, Vector]:
    """Solve the named vertex again on its tight examples and non-zero entries alone."""
    kept = beta != 0
    tight = z @ beta - 1.0 < 1e-8
    heavy = dual > 1e-10 * dual.max()
    exact = np.zeros_like(beta)
    weights = np.zeros_like(dual)
    block = z[np.ix_(tight, kept)]
    exact[kept] = beta[kept] + np.linalg.lstsq(block, 1.0 - block @ beta[kept])[0]
    weights[heavy] = _balanced(
        z[np.ix_(heavy, kept)].T, dual[heavy], np.sign(beta[kept])
    )
    better = (z @ exact).min() >= (z @ beta).min() and (
        np.sign(exact) == np.sign(beta)
    ).all()
    return (exact, weights) if better else (beta, dual)


def _balanced(block: Matrix, dual: Vector, signs: Vector) -> Vector:
    """Correct weights until `block dual = signs` to the rounding of the weights: sums cancel."""
    wide = block.astype(np.longdouble)
    weights = dual.astype(np.longdouble)
    size = np.abs(block).max(axis=1)
    for _ in range(3):
        error = ((signs - wide @ weights) / size).astype(float)
        weights = weights + np.linalg.lstsq(block / size[:, None], error)[0]
    return np.maximum(weights, 0.0).astype(float)


def only_vertex(
    z: Examples,
    beta: Float[np.ndarray, " d"],
    dual: PerExample,
) -> bool:
    """Return whether a vertex of least l_1 norm is the only one, by the largest sum left out."""
    scaled, row, column = equilibrated(z)
    pull = dual @ z
    saturated = np.abs(pull) >= 1.0 - 1e-9 * (1.0 + dual @ np.abs(z))
    saturated |= beta != 0
    face = (
        scaled[:, saturated]
        * np.where(beta != 0, np.sign(beta), np.sign(pull))[saturated]
    )
    idle = (beta == 0)[saturated] * 1.0
    tight: Bool[np.ndarray, " n"] = z @ beta - 1.0 < 1e-8
    gain = idle + face[tight].sum(axis=0)
    weight = column[saturated]
    above = np.vstack([face, -weight])
    limit = np.abs(beta).sum()
    found = simplex(-gain, above, np.append(row, -limit * (1 + 1e-12)), (0, None))
    base = row[tight].sum()
    return bool(found.x is not None and -found.fun - base <= 1e-7 * (1.0 + base))
