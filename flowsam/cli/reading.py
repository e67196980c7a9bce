"""What a user typed or pointed at, turned into data; nothing of it is ever evaluated."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import numpy as np

    from flowsam.data import Data

__all__ = ["DATA_SETS", "named_data", "numbers", "read_csv", "read_theta", "spread"]

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

    "digits" is 3 against 5, pixels in [0, 1]; "digits_means" its signed difference of class means,
    one example; "breast_cancer" has each feature scaled to mean 0 and deviation 1.

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
    from flowsam.data import from_labels
    from flowsam.real_data import class_mean_difference, digits

    if name == "digits":
        return from_labels(*digits(3, 5), name="digits 3 - 5")
    if name == "digits_means":
        return class_mean_difference(*digits(3, 5), name="digits 3 - 5, class means")
    if name != "breast_cancer":
        raise click.UsageError(f"--data needs one of {', '.join(DATA_SETS)}, got {name!r}")
    try:
        from sklearn.datasets import load_breast_cancer
    except ImportError:
        raise ImportError("--data needs scikit-learn; pip install 'flowsam[data]'") from None
    features, labels = load_breast_cancer(return_X_y=True)
    return from_labels((features - features.mean(0)) / features.std(0), labels, name=name)


def read_csv(path: str, label: str) -> Data:
    """Return the two-class data of a CSV file with a header.

    Parameters
    ----------
    path : str
        The file.
    label : str
        Name of the column of labels; all others are features.

    Returns
    -------
    Data
        The larger label, as text, counts as +1.

    Raises
    ------
    click.UsageError
        For an unreadable file, an unknown column, ragged rows, or a feature that is no number.
    ValueError
        For labels other than two classes, or a zero example.
    """
    from flowsam.data import from_labels

    try:
        with open(path, newline="", encoding="utf-8") as file:
            header, *rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
        why = getattr(error, "strerror", None) or "not a CSV file with a header"
        raise click.UsageError(f"--csv cannot be read, got {path} ({why}); check it") from None
    if label not in header:
        raise click.UsageError(f"--label needs a column of {path}, got {label!r}; it has {header}")
    place = header.index(label)
    features = [_row(row, place, header, number) for number, row in enumerate(rows, start=2)]
    return from_labels(features, [row[place] for row in rows], name=Path(path).stem)


def _row(row: list[str], place: int, header: list[str], number: int) -> list[float]:
    """The features of one row, or its first entry that is no number."""
    if len(row) != len(header):
        raise click.UsageError(
            f"--csv needs {len(header)} entries a row, got {len(row)} in line {number}; complete it"
        )
    found = []
    for column, (name, entry) in enumerate(zip(header, row, strict=True)):
        if column == place:
            continue
        try:
            found.append(float(entry))
        except ValueError:
            raise click.UsageError(
                f"--csv needs numbers, got {entry!r} in column {name!r}, line {number}; encode it"
            ) from None
    return found


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
