"""A portrait larger than memory: labels written to disk row by row, as they are found.

One process writes rows in order, so one file grows, and a digest vouches for all before it. The
blocks of a sweep come from many processes in any order: each is a file of its own.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike

from flowsam import archive
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.portrait import plane_rows
from flowsam.portrait.plane_rows import Grid
from flowsam.portrait.planes import Start
from flowsam.signatures import public
from flowsam.version import __version__

_FORMAT = "flowsam labels 1"
_LABEL = np.dtype("<i2")
_LOG = ".digests"  # of the file beside the rows


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


@public
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
    grid and version, with a digest of every piece: rows that are not those that were written are
    found again. The file itself appears whole.

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
    grid = plane_rows.grid_of(flow, (x, y), start, depth)
    path = archive.path_of(path)
    if path.suffix != ".npy":
        raise InputError(
            f"a stream needs a name ending in .npy, got {path}; e.g. labels.npy"
        )
    facts = _provenance(grid)
    _check_own(path.with_suffix(".json"))
    partial = path.with_name(f".{path.name}.{facts['digest'][:16]}.partial")
    try:
        counts = _write(partial, grid, progress)
        os.replace(partial, path)
        partial.with_suffix(_LOG).unlink(missing_ok=True)
        archive.write_text(path.with_suffix(".json"), json.dumps(facts))
    except BlockingIOError:
        raise InputError(f"another process is writing {path}; wait for it") from None
    except OSError as error:
        raise InputError(
            f"a stream needs a folder that can be written, got {path.parent} ({error.strerror}); "
            "make it, or choose another"
        ) from None
    cells = counts.total()
    return Stream(path, {k: counts[k] / cells for k in sorted(counts)}, facts)


def _check_own(path: Path) -> None:
    """Refuse to replace a file beside the labels that no stream wrote."""
    try:
        own = json.loads(path.read_text(encoding="utf-8"))["format"] == _FORMAT
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        own = not path.exists()
    if not own:
        raise InputError(
            f"a stream writes its facts to {path}, which is not its own; move it"
        )


def _provenance(grid: Grid) -> dict[str, Any]:
    """What the labels belong to, and a digest of it."""
    plane = grid.plane
    facts = grid.flow.facts() | ({"rho": "y"} if plane.radius_axis else {})
    facts |= {
        "format": _FORMAT,
        "depth": grid.depth,
        "plane": plane.name(grid.x, grid.y),
        "grid": [grid.y.size, grid.x.size],
        "clock": "limits as t -> inf",
        "flowsam": __version__,
    }
    numbers = (array.tobytes() for array in (grid.flow.data.z, grid.x, grid.y))
    return facts | {"digest": archive.digest(facts, *numbers)}


def _write(
    partial: Path,
    grid: Grid,
    progress: Callable[[int], object],
) -> Counter[int]:
    """Append the rows that are missing, and count the labels of all."""
    with open(partial, "a+b") as file, open(partial.with_suffix(_LOG), "a+b") as log:
        archive.lock(file.fileno(), wait=False)
        kept = _Rows(file, log, grid.x.size)
        rows = kept.verified(grid.y.size)
        progress(rows * grid.x.size)
        if rows < grid.y.size:
            for labels in plane_rows.labelled_pieces(grid.rows(rows)):
                kept.append(labels.data)
                progress(labels.size)
        os.fsync(file.fileno())
    return kept.counts


@dataclass
class _Rows:
    """Rows on disk, piece after piece, each with the digest of all rows up to its end."""

    file: BinaryIO
    log: BinaryIO
    columns: int
    counts: Counter[int] = field(default_factory=Counter)
    whole: Any = field(default_factory=hashlib.sha256)

    def append(self, piece: memoryview) -> None:
        """Write whole rows, then their digest."""
        self.file.write(piece)
        self.file.flush()
        self.whole.update(piece)
        self._count(piece)
        self.log.write(f"{piece.nbytes} {self.whole.hexdigest()}\n".encode())
        self.log.flush()

    def _count(self, piece: memoryview | bytes) -> None:
        """Count the labels of a piece, by runs of equal ones."""
        labels = np.frombuffer(piece, _LABEL)
        begin = np.flatnonzero(np.append(True, labels[1:] != labels[:-1]))
        sizes = np.diff(begin, append=labels.size)
        for label in np.unique(labels[begin]).tolist():
            self.counts[label] += int(sizes[labels[begin] == label].sum())

    def verified(self, rows: int) -> int:
        """Write the head of a new file, or keep of an old one what its digests vouch for."""
        head = io.BytesIO()
        shape = {"fortran_order": False, "shape": (rows, self.columns)}
        np.lib.format.write_array_header_1_0(head, {"descr": _LABEL.str} | shape)
        self.file.seek(0)
        self.log.seek(0)
        lines = self.log.read().decode("ascii", "replace").splitlines()
        if self.file.read(head.tell()) != head.getvalue():
            self.file.truncate(0)
            self.file.write(head.getvalue())
            self.file.flush()
            lines = []
        good = [*itertools.takewhile(self._holds, lines)]
        self.log.truncate(0)
        self.log.write("".join(f"{line}\n" for line in good).encode())
        size = sum(int(line.split()[0]) for line in good)
        self.file.truncate(head.tell() + size)
        self.file.seek(0, os.SEEK_END)
        return size // (_LABEL.itemsize * self.columns)

    def _holds(self, line: str) -> bool:
        """Take the next piece if it is what its line says."""
        size, _, digest = line.partition(" ")
        piece = self.file.read(int(size)) if size.isdecimal() else b""
        after = self.whole.copy()
        after.update(piece)
        if not piece or after.hexdigest() != digest:
            return False
        self.whole = after
        self._count(piece)
        return True
