"""l_inf-SAM and gradient flow with three or more layers, one example, unequal weights.

The answers every solved case gives, vectorised over starts, coordinates and times; formulas are in
`deep_motion`. Derivation: derivations/linf_deep.py.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int8
from numpy.typing import ArrayLike

from flowsam.exact.deep_motion import read
from flowsam.inputs import real_array
from flowsam.network import checked_theta
from flowsam.trajectory import Event

__all__ = ["applies", "blow_up_time", "events", "fate", "valid_until", "weights", "zero_time"]


def applies(theta0: ArrayLike, mu: ArrayLike) -> Bool[np.ndarray, "*batch"]:
    """Return whether the formulas cover a start, up to the first weight that reaches 0.

    Parameters
    ----------
    theta0 : array_like, shape (..., L, d)
        Weights of any sign.
    mu : array_like, shape (d,)
        The example.

    Returns
    -------
    ndarray of bool, shape (...)
        True for L >= 3 with no weight at 0 where mu is not 0.

    Examples
    --------
    >>> bool(applies([[1.0], [0.7], [0.4]], [2.0]))
    True
    """
    mu = np.atleast_1d(real_array(mu, "mu"))
    theta = checked_theta(theta0, mu.size)
    return np.asarray(((theta != 0) | (mu == 0)).all(axis=(-2, -1)) & (theta.shape[-2] >= 3))


def blow_up_time(
    theta0: ArrayLike, mu: ArrayLike, *, rho: float | int
) -> Float[np.ndarray, "*batch d"]:
    """Return the rescaled time at which each coordinate, alone, runs to infinity.

    tau* = (1/|mu|) int_{u(0)}^inf du / prod_{k != m} sqrt(u^2 + z_k^2 - z_m^2), at L = 3 with all
    z > 0 Carlson's R_F(z_1^2, z_2^2, z_3^2)/|mu|. Where sign(mu) beta > 0 it is finite iff at most
    one |w| is below rho, and that one is the nearest to rho, no other as near. Equal weights:
    arXiv:2603.08290, Theorem 3.2.

    Parameters
    ----------
    theta0 : array_like, shape (..., L, d)
        Weights, L >= 3.
    mu : array_like, shape (d,)
        The example.
    rho : float
        Radius, in the units of w; 0 for gradient flow.

    Returns
    -------
    ndarray, shape (..., d)
        In rescaled time; inf where there is none. Relative error: tens of eps.

    Raises
    ------
    TypeError, ValueError
        For bad entries, shapes, depth < 3 or rho < 0; so do the other functions.

    Examples
    --------
    >>> float(blow_up_time([[1.0], [1.0], [1.0]], [1.0], rho=0.5)[0])  # 1/(mu (alpha - rho))
    2.0
    """
    return read(theta0, mu, rho).blow_up


def zero_time(
    theta0: ArrayLike, mu: ArrayLike, *, rho: float | int
) -> Float[np.ndarray, "*batch d"]:
    """Return the rescaled time at which the first weight of each coordinate reaches 0.

    There the formulas stop: solutions of the inclusion are not unique, unless all weights of
    the coordinate arrive together at even L, where it rests. Gradient flow is smooth at 0 and
    has no such time.

    Parameters
    ----------
    theta0, mu, rho
        As in `blow_up_time`.

    Returns
    -------
    ndarray, shape (..., d)
        inf where there is none, 0 where a weight starts at 0. Relative error: tens of eps.

    Examples
    --------
    >>> float(zero_time([[0.5]] * 4, [1.0], rho=1.0)[0])  # ((1 - 1/2)^-2 - 1) / 2
    1.5
    """
    return read(theta0, mu, rho).first_zero


def valid_until(
    theta0: ArrayLike, mu: ArrayLike, *, rho: float | int
) -> Float[np.ndarray, "*batch"]:
    """Return the rescaled time to which the formulas hold for all coordinates together.

    Parameters
    ----------
    theta0, mu, rho
        As in `blow_up_time`.

    Returns
    -------
    ndarray, shape (...)
        The earliest `zero_time` of a coordinate that does not rest there; inf where none.

    Examples
    --------
    >>> valid_until([[0.5]] * 4, [1.0], rho=1.0)
    array(inf)
    """
    return np.asarray(read(theta0, mu, rho).open_from.min(axis=-1))


def fate(theta0: ArrayLike, mu: ArrayLike, *, rho: float | int) -> Int8[np.ndarray, "*batch d"]:
    """Return what each coordinate does when nothing stops it, as a `flowsam.labels.Fate`.

    UNKNOWN where a weight reaches 0, except that equal layers rest there at even L (COLLAPSE);
    STALL for equal layers below rho at odd L, w -> rho; SADDLE on every other separatrix.

    Parameters
    ----------
    theta0, mu, rho
        As in `blow_up_time`.

    Returns
    -------
    ndarray of int8, shape (..., d)
        Exact: no rounding decides between escape, zero and separatrix.

    Examples
    --------
    >>> fate([[0.4], [1.0], [1.0]], [1.0], rho=0.5)  # Fate.ESCAPE
    array([1], dtype=int8)
    """
    return read(theta0, mu, rho).fate.astype(np.int8)


def weights(
    theta0: ArrayLike, mu: ArrayLike, *, rho: float | int, tau: ArrayLike
) -> Float[np.ndarray, "*batch T L d"]:
    """Return the weights at rescaled times, each coordinate alone.

    z_m = S u, z_k = sign(z_k(0)) sqrt(u^2 + z_k(0)^2 - z_m(0)^2), u by inversion of the clock.

    Parameters
    ----------
    theta0, mu, rho
        As in `blow_up_time`.
    tau : array_like, shape (T,)
        Rescaled times >= 0.

    Returns
    -------
    ndarray, shape (..., T, L, d)
        +-inf from the coordinate's blow-up on; exactly 0 for a coordinate at rest; nan after a
        first zero that leaves the solution open. Error: tens of eps of the largest |w|, times
        the condition number in tau.

    Examples
    --------
    >>> weights([[1.0], [1.0], [1.0]], [1.0], rho=0.5, tau=[1.0])[0, :, 0]  # rho + 1/(tau*-tau)
    array([1.5, 1.5, 1.5])
    """
    motion, tau = read(theta0, mu, rho), np.atleast_1d(real_array(tau, "tau"))
    w, start = motion.weights(tau), motion.start[..., None, :]
    end = motion.first_zero[..., None, None]
    first = np.abs(start) == np.abs(start).min(axis=-1, keepdims=True)
    clock = tau[:, None]
    w = np.where(first & (clock >= end), 0.0, w)
    w = np.where(clock > end, np.where(motion.rests, 0.0, np.nan)[..., None, None], w)
    w = np.where((motion.mu == 0)[:, None, None] | (clock == 0), start, w)
    return np.moveaxis(w, -3, -1)


def events(theta0: ArrayLike, mu: ArrayLike, *, rho: float | int) -> tuple[Event, ...]:
    """Return what happens to each coordinate alone, in order of rescaled time.

    "turn": the smallest |z| passes 0 and z changes sign; "zero" with a layer: that weight
    reaches 0 and the formulas stop; "zero" without one: the coordinate rests; "blow-up".

    Parameters
    ----------
    theta0, mu, rho
        As in `blow_up_time`, for one start.

    Returns
    -------
    tuple of Event

    Examples
    --------
    >>> [e.kind for e in events([[0.4], [1.0], [1.0]], [1.0], rho=0.5)]
    ['turn', 'blow-up']
    """
    motion = read(theta0, mu, rho)
    size, found = np.abs(motion.start), []
    for j in map(int, np.flatnonzero(np.minimum(motion.turn, motion.end) < np.inf)):
        if motion.turn[j] < np.inf:
            found.append(Event(float(motion.turn[j]), "turn", int(motion.order[j, 0]), j))
        end = float(motion.end[j])
        if np.isinf(motion.hit[j]):
            found.append(Event(end, "blow-up", None, j))
        elif motion.rests[j]:
            found.append(Event(end, "zero", None, j))
        else:
            first = np.flatnonzero(size[j] == size[j].min())
            found += [Event(end, "zero", int(layer), j) for layer in first]
    return tuple(sorted(found, key=lambda event: event.tau))
