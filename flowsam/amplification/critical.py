"""The critical scale c* of a profile under l_2-SAM at L = 2, one example.

The separatrix crosses every ray once: it escapes iff c > c*. (derivations/l2_critical_scale.py)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.exact.l2_critical import CriticalScale, critical_scale_of
from flowsam.exact.l2_spectrum import checked_start, positive_radius
from flowsam.inputs import real_example
from flowsam.shapes import Float, Pair, Vector
from flowsam.signatures import public

if TYPE_CHECKING:
    from flowsam.certify import ProvedScale

_LARGEST = 1e150


def active(mu: ArrayLike) -> Float[np.ndarray, " m"]:
    """Return |mu| of the coordinates that move."""
    mu = real_example(mu)
    return np.abs(mu[mu != 0])


def checked(
    theta0: ArrayLike,
    mu: ArrayLike,
    rho: float,
) -> tuple[Float[np.ndarray, "*batch 2 d"], Vector, float]:
    """Return starts, example and radius, or refuse them: N is a sum of squares in doubles."""
    theta0, mu, rho = checked_start(theta0, mu, rho)
    if np.abs(theta0).max(initial=0.0) > _LARGEST:
        raise InputError(
            f"weights up to {_LARGEST:g} have squares in doubles, got larger; scale"
        )
    return theta0, mu, rho


def checked_one(
    theta0: ArrayLike,
    mu: ArrayLike,
    rho: float,
    *,
    verb: str,
) -> tuple[Pair, Vector, float]:
    """Return one start, example and radius."""
    theta0, mu, rho = checked(theta0, mu, rho)
    if theta0.ndim != 2:
        raise InputError(
            f"{verb} takes one start (2, d), got {theta0.shape}; loop over them"
        )
    return theta0, mu, rho


@public
def critical_scale_bounds(
    mu: ArrayLike,
    rho: float,
    *,
    profile: ArrayLike | None = None,
) -> CriticalScale:
    """Return the critical scale of a profile together with its error bound.

    Parameters
    ----------
    mu, rho, profile
        As for `critical_scale`.

    Returns
    -------
    CriticalScale
        `.value` and `.error`, both in the units of 1/profile times w.

    Raises
    ------
    TypeError, ValueError
        As for `critical_scale`.

    Examples
    --------
    >>> found = critical_scale_bounds([1.0, 2.0], 1.0)
    >>> abs(found.value - 0.521321282599666543) < found.error < 1e-14
    True
    """
    mu = real_example(mu)
    rho = positive_radius(rho)
    return critical_scale_of(_profile(mu, profile), mu, rho=rho)


def _profile(mu: Vector, profile: ArrayLike | None) -> Pair:
    """The start at scale 1."""
    start = np.ones(mu.size) if profile is None else np.asarray(profile)
    if start.shape == mu.shape:
        start = np.array([np.where(mu < 0, -start, start), start])
    if start.shape != (2, mu.size):
        fit = f"({mu.size},) or (2, {mu.size})"
        raise InputError(
            f"profile needs shape {fit}, got {start.shape}; loop over starts"
        )
    return start


@overload
def critical_scale(  # noqa: D418 - a type of its own
    mu: ArrayLike,
    rho: float,
    *,
    profile: ArrayLike | None = ...,
    prove: Literal[False] = ...,
) -> float:
    """Return one number; what it is says the verb below."""


@overload
def critical_scale(  # noqa: D418 - a type of its own
    mu: ArrayLike,
    rho: float,
    *,
    profile: ArrayLike | None = ...,
    prove: Literal[True],
) -> ProvedScale:
    """Return its enclosure; what it is says the verb below."""


@public
def critical_scale(
    mu: ArrayLike,
    rho: float,
    *,
    profile: ArrayLike | None = None,
    prove: bool = False,
) -> float | ProvedScale:
    """Return the scale c* above which `c profile` escapes and below which it collapses.

    The separatrix crosses every ray from the origin once. For the default, the uniform start, c*
    is alpha*, proportional to rho and unchanged by mu -> k mu.

    Parameters
    ----------
    mu : array_like, shape (d,)
        Example; zero entries are idle.
    rho : float
        Perturbation radius, positive, in the units of w.
    profile : array_like, shape (d,) or (2, d), optional
        A start up to its scale: (d,) is balanced, with sign(mu_j) on layer 1; (2, d) any weights.
    prove : bool
        Return doubles on both sides, each proved in balls. Needs the extra flowsam[certify].

    Returns
    -------
    float or ProvedScale
        inf where no active coordinate has u_j + sign(mu_j) v_j != 0. Relative error about 3e-15;
        `critical_scale_bounds` says how much. With `prove` an enclosure, `.low` and `.high`, for
        `flowsam.certify.save_proof`.

    Raises
    ------
    TypeError, ValueError
        For bad entries, other shapes, or rho <= 0; a scale that is not finite, or of which one
        side is not proved within 1e-9, cannot be enclosed.

    Notes
    -----
    Derivation: derivations/l2_critical_scale.py. Not in arXiv:2603.08290.

    Examples
    --------
    >>> round(critical_scale([1.0, 2.0], 1.0), 13)
    0.5213212825997
    """
    found = critical_scale_bounds(mu, rho, profile=profile)
    if not prove:
        return found.value
    from flowsam.certify import Problem, prove_scale

    if not np.isfinite(found.value):
        raise InputError(
            "every scale of this start collapses: there is none to enclose"
        )
    mu = real_example(mu)
    problem = Problem.of_arrays(mu, rho, 2.0, _profile(mu, profile))
    return prove_scale(problem, found.value, error=found.error)
