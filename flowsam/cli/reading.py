"""What a user typed or pointed at, turned into data; nothing of it is ever evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import numpy as np

    from flowsam.data import Data

__all__ = ["DATA_SETS", "csv_data", "named_data", "numbers", "read_theta", "spread"]

DATA_SETS = ("breast_cancer", "digits", "digits_means")


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


def named_data(name: str) -> Data:
    """Return a data set of scikit-learn.

    "digits" is 3 against 5 and "breast_cancer" benign against malign, both standardised, with a
    bias; "digits_means" is one example, the signed difference of the two class means.

    Parameters
    ----------
    name : str
        One of `DATA_SETS`.

    Returns
    -------
    Data

    Raises
    ------
    click.UsageError
        For another name.
    ImportError
        Where scikit-learn is not installed.
    """
    from flowsam.real_data import bundled as real_data
    from flowsam.real_data import tables

    if name == "digits":
        return tables.digit_table().standardised()[0]
    if name == "digits_means":
        pixels = real_data.digits(3, 5)
        return real_data.class_mean_difference(*pixels, name="digits 3 - 5, class means")
    if name == "breast_cancer":
        return tables.breast_cancer_table().standardised()[0]
    raise click.UsageError(f"--data needs one of {', '.join(DATA_SETS)}, got {name!r}")


def csv_data(path: str, label: str) -> Data:
    """Return the two-class data of a CSV file with a header, its columns as they are.

    Parameters
    ----------
    path : str
        The file.
    label : str
        Name of the column of labels; all others are features.

    Returns
    -------
    Data
        The larger label counts as +1.

    Raises
    ------
    OSError, ValueError
        For an unreadable file, an unknown column, an entry that is no number, labels other than
        two classes, or a zero example.
    """
    from flowsam.data import from_labels
    from flowsam.real_data.tables import read_csv

    table = read_csv(path, label)
    return from_labels(table.X, table.y, name=table.name)


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
