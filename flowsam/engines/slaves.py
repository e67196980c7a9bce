"""Weights of l_p-SAM, 2 < p < inf, that follow their partners, one example or several."""

from collections.abc import Callable

import numpy as np

from flowsam.shapes import Float, Marks, Thetas

_ROUNDS = 3  # the norm of the gradient feels the slaves a little


def enslaved(
    theta: Thetas,
    slaves: Marks,
    slaved: Callable[[Thetas], Float[np.ndarray, "..."]],
) -> Thetas:
    """Return weights with each slave where its own brake stops it, as `slaved` tells."""
    if not slaves.any():
        return theta
    theta = np.where(slaves, 0.0, theta)
    for _ in range(_ROUNDS):
        theta = np.where(slaves, slaved(theta), theta)
    return theta
