"""Files of numbers as others write them: CSV and IDX, read or refused in one line."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import numpy as np

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
    raise ValueError(f"--csv (read_csv) needs a CSV file, got {path} ({reason}); {move}")


def idx_array(folder: Path, name: str) -> np.ndarray:
    """Return the array of one IDX file of bytes, plain or gzipped."""
    path = folder / name if (folder / name).exists() else folder / f"{name}.gz"
    if not path.exists():
        raise FileNotFoundError(f"read_idx needs {name} (or .gz) in {folder}; none is there")
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
    axes = raw[3] if len(raw) > 4 and raw[:3] == b"\0\0\x08" else 0
    shape = np.frombuffer(raw, ">i4", count=axes, offset=4)
    if not axes or len(raw) != 4 + 4 * axes + int(np.prod(shape)):
        raise ValueError(f"{path} is no IDX file of bytes; its header says so")
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(shape)
