"""CSV files as others write them: columns by name, read or refused in one line with their place."""

import csv
import math
import os
from dataclasses import dataclass

import numpy as np

from flowsam.class_labels import class_values, holds_nothing, number_in, shown_classes
from flowsam.errors import InputError
from flowsam.shapes import PerExample


@dataclass(frozen=True)
class Column:
    """A column of a CSV file: its name, its entries, and the line of the file each comes from."""

    path: str
    heading: str
    entries: tuple[str, ...]
    lines: tuple[int, ...]

    def name(self) -> str:
        """The column, for messages."""
        return f"{self.path}, column {self.heading!r}"

    def place(self, row: int) -> str:
        """One entry by its row, from 1, for messages."""
        return f"{self.path}, row {row} (line {self.lines[row - 1]}), column {self.heading!r}"


def csv_columns(path: str | os.PathLike[str]) -> dict[str, Column]:
    """Return the columns of a CSV file with a header by name, or say why it cannot be read."""
    rows = _rows(path)
    if len(rows) < 2:
        raise InputError(
            f"{path} needs a header and rows, got {len(rows)} lines; see --csv"
        )
    header = _header(path, rows[0][1])
    lines, entries = zip(*rows[1:], strict=True)
    for row, (line, words) in enumerate(rows[1:], 1):
        if len(words) != len(header):
            raise InputError(
                f"{path} needs {len(header)} entries in each row, got {len(words)} in row {row} "
                f"(line {line})"
            )
    columns = zip(*entries, strict=True)
    return {
        name: Column(str(path), name, tuple(map(str.strip, column)), lines)
        for name, column in zip(header, columns, strict=True)
    }


def _rows(path: str | os.PathLike[str]) -> list[tuple[int, list[str]]]:
    """Rows that are not empty, each with the number of its last line."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            return [(reader.line_num, row) for row in reader if row]
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is not UTF-8"
        move = "save it as UTF-8"
    except csv.Error as error:
        reason = str(error)
        move = "save it as comma-separated text"
    except (OSError, ValueError) as error:  # a null character in a path
        reason = str(getattr(error, "strerror", error))
        move = "check the path"
    raise InputError(
        f"--csv (read_csv) needs a CSV file, got {path} ({reason}); {move}"
    )


def _header(path: str | os.PathLike[str], entries: list[str]) -> list[str]:
    """Names of columns: printable, different, and separated by commas."""
    for mark in ";\t|":
        if len(entries) == 1 and mark in entries[0]:
            raise InputError(
                f"{path} needs columns separated by commas, got a header separated by {mark!r}; "
                "save it with commas"
            )
    header = [
        " ".join(name.split()) or f"column {k}" for k, name in enumerate(entries, 1)
    ]
    for name in header:
        if not name.isprintable():
            raise InputError(
                f"{path} needs names that can be printed, got {name!r}; rename it"
            )
        if header.count(name) > 1:
            raise InputError(
                f"{path} needs different column names, got {name!r} twice; rename one"
            )
    return header


def chosen_rows(
    column: Column,
    classes: tuple[str, ...],
) -> tuple[list[int], list[bool]]:
    """Return the rows of two classes, and whether each is of the one that counts as +1."""
    values = class_values(column.entries, where=column.place, chosen=classes)
    there = sorted(set(values))
    if classes:
        wanted = class_values(classes, where="classes, entry {}".format, chosen=classes)
        wanted = wanted if type(wanted[0]) is type(there[0]) else list(classes)
        if len(set(wanted)) != 2 or not set(wanted) <= set(there):
            raise InputError(
                f"--classes (classes) needs two labels of {column.name()}, got "
                f"{','.join(classes)}; it has {shown_classes(there)}"
            )
    elif len(there) == 2:
        wanted = [there[1], there[0]]
    else:
        raise InputError(
            f"{column.name()} needs exactly two classes, got {len(there)} "
            f"({shown_classes(there)}); choose two by --classes A,B (classes)"
        )
    rows = [row for row, value in enumerate(values) if value in wanted]
    return rows, [values[row] == wanted[0] for row in rows]


def numbers_of(column: Column, rows: list[int]) -> PerExample:
    """Return the entries of a column in some rows as numbers."""
    found = []
    for row in rows:
        word = column.entries[row]
        number = number_in(word)
        found.append(math.nan if number is None else float(number))
        if not math.isfinite(found[-1]):
            move = "drop the column by --drop (drop)"
            move = "fill it in or drop the row" if holds_nothing(word) else move
            raise InputError(
                f"{column.place(row + 1)} needs a number, got {word!r}; {move}"
            )
    return np.array(found)
