"""Data sets by the names that commands and sweeps know them by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowsam.errors import InputError

if TYPE_CHECKING:
    from flowsam.data import Data
    from flowsam.real_data.tables import Table


DATA_SETS = (
    "breast_cancer",
    "digits:A,B",
    "digits_means",
    "FOLDER:A,B (IDX files, as MNIST's)",
)


def named_table(name: str) -> Table:
    """Return a table of features with two-class labels."""
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
    """Return a named data set, standardised; "digits_means" is one example, as it is."""
    if name == "digits_means":
        from flowsam.real_data.tables import digit_table

        return digit_table(3, 5).mean_difference("digits 3 - 5, class means")
    return named_table(name).standardised(bias=bias)[0]


def _classes(text: str) -> list[int]:
    """The two classes after the colon."""
    found = [int(entry) for entry in text.split(",") if entry.strip().isdecimal()]
    if len(found) != 2 or text.count(",") != 1:
        raise InputError(
            f"data needs two classes after the colon, got {text!r}; e.g. 3,5"
        )
    return found
