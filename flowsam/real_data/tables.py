"""Tables of features with two-class labels, from files and bundled sets, made ready for a flow."""

import gzip
import math
import os
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowsam.data import Data, class_signs, feature_names, real_table, single_example
from flowsam.errors import InputError, MissingFileError, MissingLibraryError
from flowsam.inputs import column_names, keep
from flowsam.real_data.csv_columns import chosen_rows, csv_columns, numbers_of
from flowsam.shapes import Examples, Int, PerExample

_AXES = 3  # images have three, labels one


@dataclass(frozen=True, eq=False)
class Table:
    """Features (n, d) and labels of a two-class problem; the larger label counts as +1.

    A DataFrame keeps the names of its columns; `picture` is the height and width of pixels.
    """

    X: Examples
    y: PerExample
    name: str = ""
    picture: tuple[int, int] | None = None
    features: tuple[str, ...] = ()  # those X carries, or places of pixels

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        name: str = "",
        picture: tuple[int, int] | None = None,
        features: Iterable[str] = (),
    ) -> None:
        """Check the entries and turn the labels into signs."""
        features = feature_names(features) or column_names(X) or pixel_names(picture)
        X = real_table(X, "X", features)
        keep(self, X=X, y=class_signs(X, y), name=str(name))
        keep(self, picture=picture, features=features)

    def standardised(
        self,
        *,
        bias: bool = True,
        test: float = 0.0,
        seed: int = 0,
    ) -> tuple[Data, Data | None]:
        """Return signed examples of a random split, and those of its test part.

        z = y (x - mean)/deviation of the training part, in units of its range, so that columns of
        1e200 are as good as others; a constant feature becomes 0 and stays in its place. The bias
        is a last column of ones.
        """
        if not (0 <= test < 1 and (held := round(test * len(self.X))) < len(self.X)):
            raise InputError(
                f"needs a share in [0, 1) that leaves examples, got {test}", of="test"
            )
        order = np.random.default_rng(seed).permutation(len(self.X))
        kept = np.sort(order[held:])
        columns = _standardised(self.X, kept)
        names = self.features
        if bias:
            columns = np.pad(columns, ((0, 0), (0, 1)), constant_values=1.0)
            names = (*names, "bias") if names else names
        z = self.y[:, None] * columns
        name = f"{self.name}, standardised"
        out = np.sort(order[:held])
        test_part = Data(z[out], f"{name}, test part", names) if held else None
        return Data(z[kept], name, names), test_part

    def mean_difference(self, name: str) -> Data:
        """Return one example, mu = mean of X over the larger label minus mean over the smaller.

        Examples
        --------
        >>> table = Table([[1.0, 5.0], [3.0, 5.0]], [-1.0, 1.0])
        >>> table.mean_difference("means")
        Data(name='means', n=1, d=2)
        >>> table.mean_difference("means").z
        array([[2., 0.]])
        """
        mu = self.X[self.y > 0].mean(axis=0) - self.X[self.y < 0].mean(axis=0)
        mu[self.X.max(axis=0) == self.X.min(axis=0)] = 0.0
        return single_example(mu, name=name, features=self.features)


def _standardised(X: Examples, kept: Int[np.ndarray, " k"]) -> Examples:
    """Columns with mean 0 and deviation 1 over the kept rows; 0 where these do not differ."""
    exponent = np.frexp(np.abs(X[kept]).max(axis=0))[1]
    scaled = np.ldexp(X, -exponent)
    least = scaled[kept].min(axis=0)
    size = scaled[kept].max(axis=0) - least
    part = (scaled - least) / np.where(size > 0, size, 1.0)
    deviation = np.where(size > 0, part[kept].std(axis=0), 1.0)
    return np.where(size > 0, (part - part[kept].mean(axis=0)) / deviation, 0.0)


def pixel_names(picture: tuple[int, int] | None) -> tuple[str, ...]:
    """Return the names of a picture's pixels, by row and column from 1."""
    rows, columns = picture or (0, 0)
    return tuple(f"pixel {r + 1},{c + 1}" for r in range(rows) for c in range(columns))


def digit_table(first: int = 3, second: int = 5) -> Table:
    """Return two classes of scikit-learn's bundled 8 x 8 digits in [0, 1]; `first` is +1."""
    if first == second or not {first, second} <= set(range(10)):
        raise InputError(
            f"digits needs two different digits 0..9, got {first} and {second}"
        )
    pixels, digit = _digits()
    chosen = np.isin(digit, (first, second))
    name = f"digits {first} against {second}"
    return Table(pixels[chosen] / 16.0, digit[chosen] == first, name, (8, 8))


def _digits() -> tuple[np.ndarray, np.ndarray]:
    """Pixels and digits, from scikit-learn's file: to import it takes longer than what follows."""
    found = find_spec("sklearn")
    if found and found.origin:
        file = Path(found.origin).with_name("datasets") / "data" / "digits.csv.gz"
        if file.is_file():
            rows = np.loadtxt(file, delimiter=",")
            return rows[:, :-1], rows[:, -1].astype(int)
    bunch = _bundled("digits")
    return bunch.data, bunch.target


def breast_cancer_table() -> Table:
    """Return scikit-learn's bundled breast cancer set: benign counts as +1, 30 features."""
    found = _bundled("breast_cancer")
    return Table(found.data, found.target, "breast cancer", None, found.feature_names)


def _bundled(name: str) -> Any:
    """A set of scikit-learn, or what is missing."""
    try:
        from sklearn import datasets
    except ImportError:
        raise MissingLibraryError(
            f"{name} needs scikit-learn; pip install 'flowsam[data]'"
        ) from None
    return getattr(datasets, f"load_{name}")()


def read_csv(
    path: str | os.PathLike[str],
    label: str,
    *,
    classes: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> Table:
    """Read a CSV file with a header; every column but the label and those to drop is a feature."""
    columns = csv_columns(path)
    for name in (label, *drop):
        if name not in columns:
            raise InputError(
                f"{path} has no column {name!r}; it has {', '.join(columns)}"
            )
    if label in drop:
        raise InputError(
            f"{path} needs its column of labels {label!r}, got it among those to drop"
        )
    classes = tuple(map(str, classes))
    column = columns[label]
    rows, positive = chosen_rows(column, classes)
    features = [name for name in columns if name not in (label, *drop)]
    if not features:
        raise InputError(
            f"{path} needs a column beside {label!r}, got none; it has no feature"
        )
    X = np.column_stack([numbers_of(columns[name], rows) for name in features])
    return Table(X, positive, Path(path).stem, features=features)


def read_idx(folder: str | os.PathLike[str], first: int, second: int) -> Table:
    """Read two classes of an IDX folder, such as a downloaded MNIST; `first` counts as +1."""
    images = idx_array(Path(folder), "train-images-idx3-ubyte")
    labels = idx_array(Path(folder), "train-labels-idx1-ubyte")
    if images.ndim != 3 or not images.size or labels.shape != images.shape[:1]:
        got = f"{images.shape} and {labels.shape} in {folder}"
        raise InputError(
            f"read_idx needs images (n, height, width) and n labels, got {got}"
        )
    there = np.unique(labels).tolist()
    if first == second or not {first, second} <= set(there):
        has = ", ".join(map(str, there[:12])) + (", ..." if len(there) > 12 else "")
        got = f"{folder}, got {first} and {second}; it has {has}"
        raise InputError(f"read_idx needs two different labels of {got}")
    chosen = np.isin(labels, (first, second))
    X = images[chosen].reshape(int(chosen.sum()), -1) / 255.0
    name = f"{Path(folder).name} {first} against {second}"
    return Table(X, labels[chosen] == first, name, images.shape[1:])


def idx_array(folder: Path, name: str) -> np.ndarray:
    """Return the array of one IDX file of bytes, plain or gzipped, or say why it cannot be read."""
    path = _found(folder, name)
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"read_idx cannot read {path} ({error}); fetch it again"
        ) from None
    axes = raw[3] if raw[:3] == b"\0\0\x08" and len(raw) > 3 else 0
    head = 4 + 4 * axes
    if not 1 <= axes <= _AXES or len(raw) < head:
        raise InputError(
            f"read_idx needs an IDX file of bytes, got {path}; its header is another"
        )
    shape = np.frombuffer(raw[4:head], ">u4").tolist()
    body = math.prod(shape)
    if len(raw) != head + body:
        raise InputError(
            f"read_idx needs the {body} bytes that the header of {path} promises, "
            f"got {len(raw) - head}; fetch it again"
        )
    return np.frombuffer(raw, np.uint8, offset=head).reshape(shape)


def _found(folder: Path, name: str) -> Path:
    """The file of a name, also as others write it."""
    dotted = ".idx".join(name.rsplit("-idx", 1))
    for word in (name, f"{name}.gz", dotted, f"{dotted}.gz"):
        if (folder / word).exists():
            return folder / word
    raise MissingFileError(
        f"read_idx needs {name} (or {dotted}, or .gz) in {folder}; none is there"
    )
