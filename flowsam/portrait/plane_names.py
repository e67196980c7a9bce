"""What tells one plane of starts from another: its name, and a digest of its fields or starts."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import Any

import numpy as np

from flowsam.portrait.plane_rows import Axis, Start, starts_of
from flowsam.portrait.planes import Plane

__all__ = ["name_of_plane"]

BLOCK = 2**15  # cells whose starts are made at once


def name_of_plane(start: Start, x: Axis, y: Axis) -> str:
    """Return a plane's class and parameters, or a function's name, and an exact digest."""
    if isinstance(start, Plane) and type(start).__module__ == Plane.__module__:
        return _name_by_fields(start)
    digest = hashlib.sha256()
    rows = max(1, BLOCK // x.size)
    for first in range(0, y.size, rows):
        digest.update(
            starts_of(start, x, y[first : first + rows]).astype(float).tobytes()
        )
    where = getattr(start, "__module__", "")
    kind = type(start).__qualname__
    name = f"{where}.{getattr(start, '__qualname__', kind)}"
    return f"{name}, starts {digest.hexdigest()[:16]}"


def _name_by_fields(plane: Any) -> str:
    """A plane of the package: what makes its starts, not the names of its axes."""
    made_of = {
        f.name: getattr(plane, f.name) for f in fields(plane) if f.name != "axes"
    }
    digest = hashlib.sha256()
    for value in map(np.asarray, made_of.values()):
        digest.update(f"{value.dtype} {value.shape} ".encode() + value.tobytes())
    shown = " ".join(
        ", ".join(f"{name}={value!r}" for name, value in made_of.items()).split()
    )
    return f"{type(plane).__name__}({shown}), fields {digest.hexdigest()[:16]}"
