"""A portrait larger than memory: labels written to disk row by row, as they are found."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike

from flowsam import archive
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.inputs import real_axis
from flowsam.portrait import plane_rows
from flowsam.portrait.labelled_plane import Start
from flowsam.portrait.plane_names import name_of_plane
from flowsam.version import __version__

__all__ = ["Stream", "stream_portrait"]


@dataclass(frozen=True)
class Stream:
    """A portrait on disk.

    Parameters
    ----------
    path : Path
        A .npy file of labels, int16, shape (ny, nx); its facts lie beside it as .json.
    fractions : dict
        Share of the grid's cells for each label that occurs.
    provenance : dict
        Where the numbers come from.
    """

    path: Path
    fractions: dict[int, float]
    provenance: dict[str, Any]


def stream_portrait(  # noqa: PLR0913 - the arguments of phase_portrait, and a path
    flow: Flow,
    x: ArrayLike,
    y: ArrayLike,
    *,
    path: str | os.PathLike[str],
    depth: int = 2,
    start: Start | None = None,
    progress: Callable[[int], object] = int,
) -> Stream:
    """Write the labels of a plane of any size to a .npy file, in memory of one block of rows.

    A run that was stopped, or killed, goes on where it was when it is called again: the rows
    that are finished lie beside the file, under a name that contains a digest of flow, plane,
    grid and version. The file itself appears whole.

    Parameters
    ----------
    flow, x, y, depth, start, progress
        As for `phase_portrait`.
    path : path
        Ending .npy; a file that exists is replaced in one move.

    Returns
    -------
    Stream
        `np.load(stream.path, mmap_mode="r")` reads any part of it.

    Raises
    ------
    TypeError, ValueError
        For bad input, a folder that cannot be written, or a file another process is writing.

    Examples
    --------
    >>> import tempfile
    >>> from flowsam import linf, single_example
    >>> flow = Flow(single_example([1, 2]), linf(1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = stream_portrait(flow, [0.5, 1.5], [0.5, 1.5], path=f"{folder}/p.npy")
    ...     print(np.load(found.path).tolist(), found.fractions[2])
    [[0, 1], [2, 2]] 0.5
    """
    x, y = real_axis(x, "x"), real_axis(y, "y")
    start = plane_rows.default_plane(flow.data.z.shape[1], depth) if start is None else start
    depth = plane_rows.checked_start(flow, start, x, y)[-2]
    path = Path(path)
    if path.suffix != ".npy":
        raise InputError(f"a stream needs a name ending in .npy, got {path}; e.g. labels.npy")
    facts = _provenance(flow, start, depth, (x, y))
    partial = path.with_name(f".{path.name}.{facts['digest'][:16]}.partial")
    try:
        counts = _write(partial, (flow, start), (x, y), progress)
        os.replace(partial, path)
        path.with_suffix(".json").write_text(json.dumps(facts))
    except BlockingIOError:
        raise InputError(f"another process is writing {path}; wait for it") from None
    except OSError as error:
        raise InputError(
            f"a stream needs a folder that can be written, got {path.parent} ({error.strerror}); "
            "make it, or choose another"
        ) from None
    return Stream(path, {k: counts[k] / (x.size * y.size) for k in sorted(counts)}, facts)


def _provenance(
    flow: Flow, start: Start, depth: int, axes: tuple[np.ndarray, np.ndarray]
) -> dict[str, Any]:
    """What the labels belong to, and a digest of it."""
    rule = flow.perturbation
    facts = {
        "rule": rule.name,
        "rho": rule.rho,
        "loss": flow.loss.name,
        "data": flow.data.name,
        "depth": depth,
        "plane": name_of_plane(start, *axes),
        "grid": [axes[1].size, axes[0].size],
        "clock": "limits as t -> inf",
        "flowsam": __version__,
    }
    numbers = (array.tobytes() for array in (flow.data.z, *axes))
    whole = hashlib.sha256(b"".join((json.dumps(facts).encode(), *numbers)))
    return facts | {"digest": whole.hexdigest()}


def _write(
    partial: Path,
    what: tuple[Flow, Start],
    axes: tuple[np.ndarray, np.ndarray],
    progress: Callable[[int], object],
) -> Counter[int]:
    """Append the rows that are missing, and count the labels of all."""
    (flow, start), (x, y), counts = what, axes, Counter[int]()
    with open(partial, "a+b") as file:
        archive.lock(file.fileno(), wait=False)
        rows = _finished(file, (y.size, x.size), counts)
        progress(rows * x.size)
        if rows < y.size:
            for _, labels in plane_rows.labelled_pieces(flow, start, (x, y[rows:])):
                file.write(labels.tobytes())
                file.flush()
                _count(labels, counts)
                progress(labels.size)
        os.fsync(file.fileno())
    return counts


def _finished(file: BinaryIO, shape: tuple[int, int], counts: Counter[int]) -> int:
    """Write the head of a new file, or count the whole rows of an old one; cut off what is torn."""
    row = np.dtype("<i2").itemsize * shape[1]
    head = {"descr": "<i2", "fortran_order": False, "shape": shape}
    file.seek(0)
    try:
        np.lib.format.read_magic(file)
        found = np.lib.format.read_array_header_1_0(file)
    except ValueError:
        found = None
    if found != (shape, False, np.dtype("<i2")):
        file.truncate(0)
        np.lib.format.write_array_header_1_0(file, head)
        file.flush()
        return 0
    first, end = file.tell(), file.seek(0, os.SEEK_END)
    rows = (end - first) // row
    file.truncate(first + rows * row)
    file.seek(first)
    for _ in range(rows):
        _count(np.frombuffer(file.read(row), "<i2"), counts)
    file.seek(0, os.SEEK_END)
    return rows


def _count(labels: np.ndarray, counts: Counter[int]) -> None:
    """Add the labels of some rows."""
    values, numbers = np.unique(labels, return_counts=True)
    counts.update(dict(zip(values.tolist(), numbers.tolist(), strict=True)))
