"""Which coordinates of l_inf-SAM escape: the two smallest layers decide, at every depth.

With a_(1) <= a_(2) the two smallest |w| and s = sign(mu prod_k w_k), a coordinate escapes iff

    s = +:  a_(1) + a_(2) > 2 rho,        s = -:  (a_(2) + rho)^2 - (a_(1) + rho)^2 > 8 rho^2;

equality is the separatrix. (derivations/linf_signs.py, derivations/linf_two_layer.py)
"""

import numpy as np

from flowsam.exact.two_layer_path import excess
from flowsam.shapes import Float, Masks, Numbers, Vector, Which


def along(w: Float[np.ndarray, "*batch d L"], mu: Vector) -> Masks:
    """Return whether sign(mu) beta >= 0, layers last: s = +; a weight at 0 counts as positive."""
    return (np.count_nonzero(w < 0, axis=-1) + (mu < 0)) % 2 == 0


def surplus(
    sizes: Float[np.ndarray, "*batch L"],
    s: Which,
    rho: float,
) -> Numbers:
    """Return a number > 0 where a coordinate escapes, 0 on the separatrix, < 0 elsewhere."""
    least = np.partition(sizes, 1, axis=-1)[..., :2]
    return excess(np.where(s, least[..., 0], -least[..., 0]), least[..., 1], rho)
