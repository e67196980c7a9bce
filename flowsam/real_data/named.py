"""Data sets by the names that commands and sweeps know them by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowsam.data import Data

__all__ = ["DATA_SETS", "csv_data", "named_data"]

DATA_SETS = ("breast_cancer", "digits", "digits_means")


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
    ValueError
        For another name.
    ImportError
        Where scikit-learn is not installed.
    """
    from flowsam.real_data import bundled, tables

    if name == "digits":
        return tables.digit_table().standardised()[0]
    if name == "digits_means":
        pixels = bundled.digits(3, 5)
        return bundled.class_mean_difference(*pixels, name="digits 3 - 5, class means")
    if name == "breast_cancer":
        return tables.breast_cancer_table().standardised()[0]
    raise ValueError(f"data needs one of {', '.join(DATA_SETS)}, got {name!r}")


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
