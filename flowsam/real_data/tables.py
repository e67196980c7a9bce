"""Tables of features with two-class labels, from files and bundled sets, made ready for a flow."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from flowsam.data import Data
from flowsam.errors import InputError
from flowsam.inputs import real_array
from flowsam.real_data import bundled as real_data
from flowsam.real_data import files

__all__ = ["Table", "breast_cancer_table", "digit_table", "read_csv", "read_idx"]


@dataclass(frozen=True, eq=False)
class Table:
    """Features and labels of a two-class problem.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Features in their own units.
    y : array_like, shape (n,)
        Labels of exactly two classes; the larger counts as +1.
    name : str
        A word for titles.
    picture : tuple of int, optional
        Height and width, where the features are the pixels of one, row by row.

    Raises
    ------
    TypeError, ValueError
        For bad entries, shapes that do not fit, or labels other than two classes.

    Examples
    --------
    >>> Table([[1.0], [2.0]], ["a", "b"], "two rows").y
    array([-1.,  1.])
    """

    X: Float[np.ndarray, "n d"]
    y: Float[np.ndarray, " n"]
    name: str = ""
    picture: tuple[int, int] | None = None

    def __init__(
        self, X: ArrayLike, y: ArrayLike, name: str = "", picture: tuple[int, int] | None = None
    ) -> None:
        """Check the entries and turn the labels into signs."""
        X, labels = real_array(X, "X"), np.asarray(y)
        if X.ndim != 2 or labels.shape != X.shape[:1]:
            raise InputError(f"y needs one label a row of X, got {labels.shape} for X {X.shape}")
        classes = np.unique(labels)
        if classes.size != 2:
            shown = ", ".join(str(c) for c in classes[:5])
            raise InputError(
                f"y needs exactly two classes, got {classes.size} ({shown}); select two of them"
            )
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "y", np.where(labels == classes[1], 1.0, -1.0))
        object.__setattr__(self, "name", str(name))
        object.__setattr__(self, "picture", picture)

    def standardised(
        self, *, bias: bool = True, test: float | int = 0.0, seed: int = 0
    ) -> tuple[Data, Data | None]:
        """Return signed examples of a random split, in units of the training features' spread.

        z = y (x - mean) / deviation, by the mean and deviation of the training part; a constant
        feature becomes 0 and stays in its place; the bias is a last column of ones.

        Parameters
        ----------
        bias : bool
            Whether to add a constant column.
        test : float
            Share of the examples kept for testing, in [0, 1).
        seed : int
            Of the permutation that splits.

        Returns
        -------
        train : Data
        test : Data or None
            None where `test` is 0.

        Raises
        ------
        ValueError
            For a share outside [0, 1), or so near 1 that no example is left.

        Examples
        --------
        >>> Table([[1.0], [3.0]], [0, 1]).standardised()[0].z
        array([[ 1., -1.],
               [ 1.,  1.]])
        """
        if not (0 <= test < 1 and (held := round(test * len(self.X))) < len(self.X)):
            raise InputError(
                f"standardised needs 0 <= test < 1, a share that leaves examples, got {test}"
            )
        order = np.random.default_rng(seed).permutation(len(self.X))
        kept = np.sort(order[held:])
        mean, spread = self.X[kept].mean(axis=0), self.X[kept].std(axis=0)
        moved = (self.X - mean) / np.where(spread > 0, spread, 1.0)
        moved[:, spread == 0] = 0.0
        columns = [moved, np.ones((len(moved), 1))] if bias else [moved]
        z = self.y[:, None] * np.hstack(columns)
        name = f"{self.name}, standardised"
        out = np.sort(order[:held])
        return Data(z[kept], name), Data(z[out], f"{name}, test part") if held else None


def digit_table(first: int = 3, second: int = 5) -> Table:
    """Return two classes of scikit-learn's bundled 8 x 8 digits; `first` counts as +1.

    Parameters
    ----------
    first, second : int
        Two different digits, 0 to 9.

    Returns
    -------
    Table
        64 features.

    Raises
    ------
    ImportError
        Where scikit-learn is not installed.
    """
    X, y = real_data.digits(first, second)
    return Table(X, y, f"digits {first} against {second}", (8, 8))


def breast_cancer_table() -> Table:
    """Return scikit-learn's bundled breast cancer set: benign counts as +1, 30 features.

    Returns
    -------
    Table

    Raises
    ------
    ImportError
        Where scikit-learn is not installed.
    """
    X, y = real_data.breast_cancer()
    return Table(X, y, "breast cancer")


def read_csv(path: str | os.PathLike[str], label: str) -> Table:
    """Read a CSV file with a header; every column but the label is a feature.

    Parameters
    ----------
    path : path
    label : str
        Name of the column with two classes, numbers or words.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        For an unreadable file or one without rows, an unknown column, an entry that is no number.
    """
    rows = files.csv_rows(path)
    if len(rows) < 2:
        raise InputError(f"{path} needs a header and rows, got {len(rows)} lines; see --csv")
    header = [name.strip() for name in rows[0]]
    if label not in header:
        raise InputError(f"{path} has no column {label!r}; it has {', '.join(header)}")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise InputError(f"{path} needs different column names, got {twice[0]!r} twice; rename one")
    place = header.index(label)
    features = np.empty((len(rows) - 1, len(header) - 1))
    for index, row in enumerate(rows[1:]):
        try:
            features[index] = [float(x) for k, x in enumerate(row) if k != place]
        except ValueError:
            raise InputError(f"{path} needs numbers, got {row} in row {index + 1}") from None
        if len(row) != len(header):
            raise InputError(f"{path} needs {len(header)} columns, got {row} in row {index + 1}")
    return Table(features, [row[place].strip() for row in rows[1:]], Path(path).stem)


def read_idx(folder: str | os.PathLike[str], first: int, second: int) -> Table:
    """Read two classes of an IDX folder, such as a downloaded MNIST; `first` counts as +1.

    Parameters
    ----------
    folder : path
        Holds `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, or the same with .gz.
    first, second : int
        Two different labels.

    Returns
    -------
    Table
        Pixels divided by 255, row by row.

    Raises
    ------
    FileNotFoundError, ValueError
        For missing, foreign or cut files, or labels that are not there.
    """
    images = files.idx_array(Path(folder), "train-images-idx3-ubyte")
    labels = files.idx_array(Path(folder), "train-labels-idx1-ubyte")
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        got = f"{images.shape} and {labels.shape} in {folder}"
        raise InputError(f"read_idx needs images (n, height, width) and n labels, got {got}")
    there = np.unique(labels).tolist()
    if first == second or not {first, second} <= set(there):
        has = ", ".join(map(str, there[:12])) + (", ..." if len(there) > 12 else "")
        got = f"{folder}, got {first} and {second}; it has {has}"
        raise InputError(f"read_idx needs two different labels of {got}")
    chosen = np.isin(labels, (first, second))
    X = images[chosen].reshape(int(chosen.sum()), -1) / 255.0
    name = f"{Path(folder).name} {first} against {second}"
    return Table(X, labels[chosen] == first, name, images.shape[1:])
