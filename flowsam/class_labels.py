"""Labels of classes as a column has them: numbers where all entries are, a hole is no class."""

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.inputs import has_holes, listed
from flowsam.shapes import PerExample, Shaped

_HOLES = {
    "",
    "?",
    "--",
    "nan",
    "-nan",
    "nat",
    "na",
    "n/a",
    "#n/a",
    "<na>",
    "null",
    "none",
}
Value = int | float | Decimal | str


def holds_nothing(entry: object) -> bool:
    """Whether an entry is a hole: empty, nan, None, NA, masked, or what tables write for these."""
    return str(entry).strip().casefold() in _HOLES


def label_column(labels: ArrayLike | Sequence[object]) -> Shaped[np.ndarray, "..."]:
    """Return labels as an array in which the entries of a list stay what they are."""
    listed = isinstance(labels, (list, tuple))
    column = np.asarray(labels, dtype=object if listed else None)
    if listed and any(isinstance(entry, (list, tuple)) for entry in column.flat):
        raise InputError("y needs one label a row of X, got rows of several lengths")
    return column


def class_values(
    labels: ArrayLike | Sequence[object],
    *,
    where: Callable[[int], str] = "y, row {}".format,
    chosen: tuple[str, ...] = (),
) -> list[Value]:
    """Return labels that compare as numbers if all of them are numbers, else as words."""
    column = label_column(labels)
    words = [str(entry).strip() for entry in column.tolist()]
    _refuse_holes(labels, words, where, chosen)
    if column.dtype.kind in "biuf":
        return column.tolist()
    numbers = [n for n in map(number_in, words) if n is not None]
    return [*numbers] if len(numbers) == len(words) else [*words]


def _refuse_holes(
    labels: ArrayLike | Sequence[object],
    words: list[str],
    where: Callable[[int], str],
    chosen: tuple[str, ...],
) -> None:
    """Refuse a masked entry, and a word for a hole that is not chosen as a class."""
    masked = np.zeros(len(words), bool)
    if has_holes(labels):
        masked = np.ma.getmaskarray(np.ma.asarray(labels))
    for row, word in enumerate(words):
        if masked[row] or (holds_nothing(word) and word not in chosen):
            shown = "a masked entry" if masked[row] else repr(word)
            raise InputError(
                f"{where(row + 1)} needs a label, got {shown}; give it one, or drop the row"
            )


def number_in(word: str) -> Decimal | None:
    """Return the number a word writes, exactly."""
    try:
        found = Decimal(word) if "_" not in word else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def signs(values: Sequence[Value]) -> PerExample:
    """Return +1 for the larger of two classes and -1 for the other."""
    classes = sorted(set(values))
    if len(classes) != 2:
        shown = f"{len(classes)} ({shown_classes(classes)})"
        raise InputError(
            f"y needs exactly two classes, got {shown}; select two of them"
        )
    return np.array([1.0 if value == classes[1] else -1.0 for value in values])


def shown_classes(classes: Sequence[Value]) -> str:
    """Return the first few classes as a message shows them."""
    return listed(classes, 5, lambda value: repr(str(value))[1:-1])
