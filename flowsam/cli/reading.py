"""What a user typed or pointed at, turned into data; nothing of it is ever evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import numpy as np

__all__ = ["numbers", "read_theta", "spread"]


def numbers(text: str, option: str) -> list[float]:
    """Return comma-separated numbers.

    Parameters
    ----------
    text : str
        As typed, e.g. "1,2.5".
    option : str
        Its option, for the message.

    Returns
    -------
    list of float

    Raises
    ------
    click.UsageError
        With the first entry that is no number.

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


def spread(text: str, option: str) -> np.ndarray:
    """Return equal steps from START,STOP,POINTS.

    Parameters
    ----------
    text : str
        As typed, e.g. "0.01,2,200".
    option : str
        Its option, for the message.

    Returns
    -------
    ndarray, shape (POINTS,)

    Raises
    ------
    click.UsageError
        For anything else.

    Examples
    --------
    >>> spread("0,1,3", "--x")
    array([0. , 0.5, 1. ])
    """
    import numpy as np

    values = numbers(text, option)
    if len(values) != 3 or values[2] != int(values[2]) or values[2] < 1:
        raise click.UsageError(f"{option} needs START,STOP,POINTS, got {text!r}; e.g. 0.01,2,200")
    return np.linspace(values[0], values[1], int(values[2]))


def read_theta(path: str) -> np.ndarray:
    """Return the array of a .npy file, without pickle.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    ndarray

    Raises
    ------
    click.UsageError
        For an unreadable or foreign file.
    """
    import numpy as np

    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise click.UsageError(
            f"--theta needs a .npy file of numbers, got {path} ({error}); use numpy.save"
        ) from None
