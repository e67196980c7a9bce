"""IDX files of bytes, as MNIST's, plain or gzipped: read or refused in one line."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from flowsam.errors import InputError, MissingFileError

__all__ = ["idx_array"]

_AXES = 3  # images have three, labels one


def idx_array(folder: Path, name: str) -> np.ndarray:
    """Return the array of one IDX file of bytes, plain or gzipped, or say why it cannot be read."""
    path = _found(folder, name)
    raw = _unpacked(path)
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


def _unpacked(path: Path) -> bytes:
    """The bytes of a file, gzipped or not."""
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"read_idx cannot read {path} ({error}); fetch it again"
        ) from None
