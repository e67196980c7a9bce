"""Who leads when under l_2-SAM at L = 2 from w = alpha 1: minor first, major last.

beta_j = alpha^2 exp(2 mu_j tau - 2 mu_j^2 A): the leader has mu_j nearest tau/(2A), a cone in the
plane of (tau, A). (derivations/l2_amplification_in_time.py, l2_amplification_in_scale.py)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flowsam.amplification.critical import active
from flowsam.errors import InputError
from flowsam.exact.l2_march import blocks, trace
from flowsam.inputs import checked_grid, real_axis
from flowsam.network import balanced, checked_start
from flowsam.shapes import Bool, Float, Int, Pairs, Times, Vector
from flowsam.signatures import public


@public
def dominance(
    mu: ArrayLike,
    rho: float,
    alpha: ArrayLike,
    tau: ArrayLike,
    *,
    by: str = "size",
) -> Int[np.ndarray, "alphas taus"]:
    """Return which coordinate leads from the uniform start `alpha`, over alpha and time.

    By size the leader has the largest `|beta_j|`, by contribution the largest `|mu_j beta_j|`, by
    growth the largest `d log|beta_j|/dtau = 2 mu_j (1 - mu_j rho/N)`. At tau = 0 all sizes are
    equal: there the leader by size is the one that leads just after.

    Parameters
    ----------
    mu : array_like, shape (d,)
        Example; the start is aligned (sign(mu_j) on layer 1), so that only |mu_j| matters. Idle
        coordinates never lead.
    rho : float
        Perturbation radius, at least 0 (0 is gradient flow).
    alpha : array_like, shape (A,)
        Weights of the start, positive, in the units of w.
    tau : array_like, shape (T,)
        Rescaled times, at least 0.
    by : str
        "size", "contribution" or "growth".

    Returns
    -------
    ndarray of int, shape (A, T)
        Places counted from 1; 0 where the flow has collapsed. Of equal leaders the first.

    Raises
    ------
    TypeError, ValueError
        For bad entries or shapes, more than 2^28 cells, or another word for `by`.

    Notes
    -----
    Derivation: derivations/l2_amplification_in_time.py. Source: arXiv:2603.08290, Theorem 4.4 and
    Proposition 4.7 bound the rates that these regions give exactly.

    Examples
    --------
    >>> dominance([1, 2, 3], 1.0, [0.3, 0.42, 0.7], [0.0, 1.0, 2.0, 8.0])
    array([[1, 0, 0, 0],
           [1, 1, 1, 0],
           [2, 3, 3, 3]], dtype=int16)
    """
    sizes = active(mu)
    places = np.flatnonzero(np.atleast_1d(mu))
    alpha = real_axis(alpha, "alpha")
    tau = real_axis(tau, "tau")
    if alpha.min() <= 0 or tau.min() < 0:
        least = f"{alpha.min():g} and {tau.min():g}"
        raise InputError(
            f"dominance needs alpha > 0 and tau >= 0, got {least}; move their starts"
        )
    checked_grid(alpha.size, tau.size, "pass fewer points, or ask for a part at a time")
    if by not in ("size", "contribution", "growth"):
        raise InputError(f"by needs 'size', 'contribution' or 'growth', got {by!r}")
    starts = np.repeat(balanced(np.atleast_2d(alpha).T, 2), sizes.size, axis=-1)
    starts, sizes, rho = checked_start(starts, sizes, rho, case="dominance")
    whole = np.int16 if places[-1] < np.iinfo(np.int16).max else np.int32
    leaders = np.empty((alpha.size, tau.size), dtype=whole)
    for part in blocks(alpha.size, tau.size * sizes.size):
        score, collapsed = _scores(starts[part], sizes, rho, tau, by)
        leaders[part] = np.where(collapsed, 0, places[np.argmax(score, axis=-1)] + 1)
    return leaders


def _scores(
    starts: Pairs,
    sizes: Vector,
    rho: float,
    tau: Times,
    by: str,
) -> tuple[Float[np.ndarray, "N T d"], Bool[np.ndarray, "N T"]]:
    """What the leader has most of, and where the flow has collapsed."""
    a = np.zeros((starts.shape[0], tau.size))
    pull = np.zeros_like(a)  # rho/N
    asked = (tau == 0) | (by == "growth")
    if rho > 0:
        curve = trace(starts, sizes, rho=rho, tau_end=float(tau.max(initial=0.0)))
        a = curve.a_at(tau)
        pull[:, asked] = np.exp(-curve.log_norm_at(tau[asked]))
    collapsed = np.isinf(a)
    growth = sizes - sizes**2 * pull[..., None]
    if by == "growth":
        return growth, collapsed
    score = sizes * tau[:, None] - sizes**2 * np.where(collapsed, 0.0, a)[..., None]
    if by == "contribution":
        return score + np.log(sizes) / 2, collapsed
    return np.where((tau == 0)[:, None], growth, score), collapsed
