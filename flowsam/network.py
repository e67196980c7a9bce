"""The linear diagonal network `f(x) = <beta, x>`, `beta = prod_l w^(l)`; theta is (..., L, d)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.inputs import checked_grid, real_array
from flowsam.shapes import Float, Numbers, Theta, Thetas, Times, Vector, Vectors
from flowsam.signatures import public


def checked_theta(theta: ArrayLike, d: int) -> Thetas:
    """Return weights as finite float64 of shape `(..., L, d)` with L >= 1."""
    theta = real_array(theta, "theta")
    if theta.ndim < 2 or theta.shape[-2] < 1 or theta.shape[-1] != d:
        raise InputError(
            f"theta needs shape (..., L, {d}) to fit the data, got {theta.shape}; "
            "one row a layer, e.g. balanced(alpha, depth)"
        )
    return theta


def checked_start(
    theta0: ArrayLike,
    mu: ArrayLike,
    rho: float,
    *,
    case: str,
) -> tuple[Thetas, Vector, float]:
    """Return starts, example and radius as floats, or say what a solved case needs."""
    mu = np.atleast_1d(real_array(mu, "mu"))
    theta = checked_theta(theta0, mu.size)
    if not 0 <= rho < np.inf:
        needs = f"{case} needs a finite rho >= 0"
        raise InputError(f"{needs}, got {rho}; 0 is gradient flow")
    return theta, mu, float(rho)


def checked_times(tau: ArrayLike, *, case: str) -> Times:
    """Return rescaled times as floats, or say that a solved case begins at 0."""
    tau = np.atleast_1d(real_array(tau, "tau"))
    if (tau < 0).any():
        needs = f"{case} needs tau >= 0"
        raise InputError(f"{needs}, got {tau.min()}; starts are at tau = 0")
    return tau


def beta(theta: ArrayLike) -> Vectors:
    """Return the predictor `beta = prod_l w^(l)`.

    Parameters
    ----------
    theta : array_like, shape (..., L, d)
        Weights.

    Returns
    -------
    ndarray, shape (..., d)

    Examples
    --------
    >>> beta([[1.0, 2.0], [3.0, 4.0]])
    array([3., 8.])
    """
    # inf at a blow-up too
    # not a subclass, which may have a mask
    known = type(theta) is np.ndarray and theta.dtype == np.float64
    weights = np.asarray(theta) if known else real_array(theta, "theta")
    if weights.ndim < 2 or not weights.size:
        raise InputError(
            f"beta needs weights (..., L, d), got {weights.shape}; a row a layer"
        )
    with np.errstate(over="ignore", under="ignore"):
        return np.prod(weights, axis=-2)


def other_products(theta: Thetas, *, layers_first: bool = False) -> Thetas:
    """Return `P_l = prod_{k != l} w^(k)`, d beta/d w^(l), prefix times suffix: zeros stay exact.

    SymPy's, `symbolic.products`, is `Flow.descent`'s; batches that come last have layers first.
    """
    if theta.ndim > 2 and not layers_first:
        w = np.moveaxis(theta, -2, 0)
        return np.moveaxis(other_products(w, layers_first=True), 0, -2)
    depth = len(theta)
    if depth == 1:
        return np.ones_like(theta)
    if depth == 2:
        return theta[::-1]
    if depth == 3:
        around = np.concatenate([theta, theta])
        return around[1:4] * around[2:5]
    products = np.empty_like(theta)
    products[1] = theta[0]
    for layer in range(2, depth):
        np.multiply(products[layer - 1], theta[layer - 1], out=products[layer])
    after = theta[-1]
    for layer in range(depth - 2, 0, -1):
        products[layer] *= after
        after = after * theta[layer]
    products[0] = after
    return products


def pair_products(theta: Theta) -> Float[np.ndarray, "d L L"]:
    """Return the product of all layers but two, 0 on the diagonal."""
    depth, d = theta.shape
    pairs = np.zeros((d, depth, depth))
    for layer in range(depth) if depth > 1 else ():
        others = np.delete(np.arange(depth), layer)
        pairs[:, layer, others] = other_products(theta[others]).T
    return pairs


def two_least(
    size: Float[np.ndarray, "L *batch"],
) -> tuple[Numbers, Numbers]:
    """Return the two smallest layers, by minima: `np.partition` is slow along a short axis."""
    first = np.minimum(size[0], size[1])
    second = np.maximum(size[0], size[1])
    for other in size[2:]:
        second = np.minimum(second, np.maximum(first, other))
        first = np.minimum(first, other)
    return first, second


@public
def balanced(alpha: ArrayLike, depth: int, signs: ArrayLike | None = None) -> Thetas:
    """Return the balanced start: every layer equal to `alpha`, `signs` on layer 1.

    Parameters
    ----------
    alpha : array_like, shape (..., d)
        Positive weights, in the units of w.
    depth : int
        Number of layers, L >= 1.
    signs : array_like, shape (d,), optional
        Entries +1 or -1 on layer 1: an aligned start has `signs = sign(mu)`.

    Returns
    -------
    ndarray, shape (..., L, d)

    Raises
    ------
    TypeError, ValueError
        For bad entries, `alpha <= 0`, `depth < 1`, or signs other than +1 and -1.

    Examples
    --------
    >>> balanced([1.5, 0.6], 2)
    array([[1.5, 0.6],
           [1.5, 0.6]])
    """
    alpha = np.atleast_1d(alpha)
    if not alpha.shape[-1]:
        raise InputError(
            f"balanced needs a weight or more, got {alpha.shape}; e.g. [1.5, 0.6]"
        )
    if depth < 1:
        raise InputError(
            f"balanced needs a whole depth >= 1, got {depth}; depth counts layers"
        )
    checked_grid(depth, alpha.size, "pass fewer layers")
    if (alpha <= 0).any():
        place = tuple(int(i) for i in np.argwhere(alpha <= 0)[0])
        raise InputError(
            f"needs numbers > 0, got {alpha[place]:g} in coordinate {place[-1] + 1}; "
            "pass a full theta for signed starts",
            of="alpha",
        )
    theta = np.repeat(alpha[..., None, :], depth, axis=-2)
    if signs is not None:
        fits = np.shape(signs) == alpha.shape[-1:]
        if not fits or not np.isin(signs, (-1, 1)).all():
            raise InputError(
                f"signs needs shape ({alpha.shape[-1]},) of +1 and -1, got {signs}; e.g. sign(mu)"
            )
        theta[..., 0, :] *= signs
    return theta
