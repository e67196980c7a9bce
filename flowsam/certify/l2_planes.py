"""Planes of l_2-SAM at L = 2 by their order: what exceeds an escaping start in all sizes escapes.

N(tau) rises with every |s_j(0)|, |e_j(0)|, s = u + v, e = u - v: the least escaping and the
largest collapsing starts decide the others. (derivations/l2_critical_scale.py)
"""

import numpy as np

from flowsam.shapes import Complex, Float, Vector

Starts = Float[np.ndarray, "N 2 d"]


def sizes_of(starts: Starts, mu: Vector) -> Complex[np.ndarray, "N m"]:
    """Return |s_j| and |e_j| where mu_j != 0, exactly.

    The real part is the sum in doubles, the imaginary part what it lost: complex numbers are
    ordered by the first, equal ones by the second.
    """
    a = starts[:, 0, mu != 0]
    v = starts[:, 1, mu != 0]
    a = np.concatenate([a, a], axis=1)
    b = np.concatenate([v, -v], axis=1)
    total = a + b
    shift = total - b
    lost = (a - shift) + (b - (total - shift))
    sign = np.where(total < 0, -1.0, 1.0)
    return np.stack([sign * total, sign * lost], axis=-1).view(complex)[..., 0]
