"""What a user typed or pointed at, turned into data; nothing of it is ever evaluated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import numpy as np

__all__ = ["numbers", "read_theta", "spread"]


def numbers(text: str, option: str) -> list[float]:
    """Return comma-separated numbers.

    Examples
    --------
    >>> numbers("1, 2.5", "--mu")
    [1.0, 2.5]
    """
    found = []
    for entry in text.split(","):
        try:
            found.append(float(entry))
        except ValueError:
            raise click.UsageError(
                f"{option} needs numbers separated by commas, got {entry.strip()!r} in {text!r}; "
                f"e.g. {option} 1,2"
            ) from None
    return found


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
        raise click.UsageError(
            f"{option} needs START,STOP,POINTS, got {text!r}; e.g. 0.01,2,200"
        )
    if not math.isfinite(values[1] - values[0]):
        raise click.UsageError(
            f"{option} needs a finite range, got {text!r}; e.g. 0.01,2,200"
        )
    return np.linspace(values[0], values[1], int(values[2]))


def read_theta(path: str) -> np.ndarray:
    """Return the weights of a .npy file, without pickle."""
    import numpy as np

    try:
        theta = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise click.UsageError(
            f"--theta needs a .npy file of numbers, got {path} ({error}); use numpy.save"
        ) from None
    shape = getattr(theta, "shape", "an archive")
    if len(shape) != 2 or shape == "an archive":
        raise click.UsageError(
            f"--theta needs weights of shape (L, d), got {shape} in {path}"
        )
    return theta
