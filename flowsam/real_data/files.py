"""Files of numbers as others write them: CSV and IDX, read or refused in one line."""

from __future__ import annotations

import csv
import gzip
import math
import os
import zlib
from pathlib import Path

import numpy as np

from flowsam.errors import InputError, MissingFileError

__all__ = ["csv_rows", "idx_array"]


def csv_rows(path: str | os.PathLike[str]) -> list[list[str]]:
    """Return the rows of a CSV file that are not empty, or say why it cannot be read."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            return [row for row in csv.reader(file) if row]
    except OSError as error:
        reason, move = error.strerror, "check the path"
    except UnicodeDecodeError as error:
        reason, move = f"byte {error.start} is not UTF-8", "save it as UTF-8"
    except csv.Error as error:
        reason, move = str(error), "save it as comma-separated text"
    raise InputError(f"--csv (read_csv) needs a CSV file, got {path} ({reason}); {move}")


def idx_array(folder: Path, name: str) -> np.ndarray:
    """Return the array of one IDX file of bytes, plain or gzipped, or say why it cannot be read."""
    path = folder / name if (folder / name).exists() else folder / f"{name}.gz"
    if not path.exists():
        raise MissingFileError(f"read_idx needs {name} (or .gz) in {folder}; none is there")
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"read_idx cannot read {path} ({error}); fetch it again") from None
    axes = raw[3] if raw[:3] == b"\0\0\x08" and len(raw) > 3 else 0
    head = 4 + 4 * axes
    shape = np.frombuffer(raw[4:head], ">u4") if axes and len(raw) >= head else np.zeros(0, int)
    if not shape.size:
        raise InputError(f"read_idx needs an IDX file of bytes, got {path}; its header is another")
    body = math.prod(shape.tolist())
    if len(raw) != head + body:
        raise InputError(
            f"read_idx needs the {body} bytes that the header of {path} promises, "
            f"got {len(raw) - head}; fetch it again"
        )
    return np.frombuffer(raw, np.uint8, offset=head).reshape(shape)
