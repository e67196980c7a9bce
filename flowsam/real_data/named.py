"""Data sets by the names that commands and sweeps know them by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowsam.errors import InputError

if TYPE_CHECKING:
    from flowsam.data import Data
    from flowsam.real_data.tables import Table

__all__ = ["DATA_SETS", "csv_data", "named_data", "named_table"]

DATA_SETS = ("breast_cancer", "digits:A,B", "digits_means", "FOLDER:A,B (IDX files, as MNIST's)")


def named_table(name: str) -> Table:
    """Return a table of features with two-class labels.

    Parameters
    ----------
    name : str
        "digits:A,B", two of scikit-learn's digits ("digits": 3 and 5); "FOLDER:A,B", two classes
        of an IDX folder, such as a downloaded MNIST; "breast_cancer". The first class, or benign,
        counts as +1.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        For another name, or classes that are not there.
    ImportError
        Where scikit-learn is needed and not installed.
    OSError
        For a folder without IDX files.
    """
    from pathlib import Path

    from flowsam.real_data import tables

    if name == "breast_cancer":
        return tables.breast_cancer_table()
    place, _, pair = name.rpartition(":") if ":" in name else (name, "", "3,5")
    if place == "digits":
        return tables.digit_table(*_classes(pair))
    if ":" in name and Path(place).is_dir():
        return tables.read_idx(place, *_classes(pair))
    raise InputError(f"data needs one of {', '.join(DATA_SETS)}, got {name!r}")


def named_data(name: str, *, bias: bool = True) -> Data:
    """Return a named data set, standardised; "digits_means" is one example, as it is.

    Parameters
    ----------
    name : str
        As for `named_table`, or "digits_means": the signed difference of the class means of the
        digits 3 and 5.
    bias : bool
        Whether to add a constant column.

    Returns
    -------
    Data

    Raises
    ------
    ValueError, ImportError, OSError
        As `named_table` does.
    """
    if name == "digits_means":
        from flowsam.real_data import bundled, tables

        pixels = bundled.digits(3, 5)
        names = tables.digit_table(3, 5).features
        name = "digits 3 - 5, class means"
        return bundled.class_mean_difference(*pixels, name=name, features=names)
    return named_table(name).standardised(bias=bias)[0]


def csv_data(path: str, label: str, *, bias: bool = True) -> Data:
    """Return the two-class data of a CSV file with a header, standardised.

    Parameters
    ----------
    path : str
        The file.
    label : str
        Name of the column of labels; all others are features. The larger label counts as +1.
    bias : bool
        Whether to add a constant column.

    Returns
    -------
    Data

    Raises
    ------
    ValueError
        For an unreadable file, an unknown column, an entry that is no number, labels other than
        two classes, or, without a bias, an example of nothing but constant features.
    """
    from flowsam.real_data.tables import read_csv

    return read_csv(path, label).standardised(bias=bias)[0]


def _classes(text: str) -> list[int]:
    """The two classes after the colon."""
    found = [int(entry) for entry in text.split(",") if entry.strip().isdecimal()]
    if len(found) != 2 or text.count(",") != 1:
        raise InputError(f"data needs two classes after the colon, got {text!r}; e.g. 3,5")
    return found
