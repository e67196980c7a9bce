"""Files and ranges that a user typed, turned into data; nothing of them is ever evaluated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flowsam.cli.options import numbers
from flowsam.errors import InputError

if TYPE_CHECKING:
    import numpy as np


def spread(text: str, option: str, *, points: int | None = None) -> np.ndarray:
    """Return equal steps from START,STOP,POINTS.

    Examples
    --------
    >>> spread("0,1,3", "--x"), spread("0,1", "--x", points=2)
    (array([0. , 0.5, 1. ]), array([0., 1.]))
    """
    import numpy as np

    from flowsam.inputs import CELLS

    values = numbers(text, option)
    if len(values) == 2 and points:
        values.append(float(points))
    if len(values) != 3 or not values[2].is_integer() or not 1 <= values[2] <= CELLS:
        raise InputError(
            f"{option} needs START,STOP,POINTS, got {text!r}; e.g. 0.01,2,200"
        )
    if not math.isfinite(values[1] - values[0]):
        raise InputError(
            f"{option} needs a finite range, got {text!r}; e.g. 0.01,2,200"
        )
    return np.linspace(values[0], values[1], int(values[2]))


def read_theta(path: str) -> np.ndarray:
    """Return the weights of a .npy file, without pickle."""
    import numpy as np

    try:
        theta = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"--theta needs a .npy file of numbers, got {path} ({error}); use numpy.save"
        ) from None
    shape = getattr(theta, "shape", "an archive")
    if len(shape) != 2:
        raise InputError(
            f"--theta needs weights of shape (L, d), got {shape} in {path}"
        )
    return theta
