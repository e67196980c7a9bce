"""What tells one plane of starts from another: its name, and a digest of its fields or starts."""

from __future__ import annotations

import hashlib
from dataclasses import fields

import numpy as np

from flowsam.portrait.plane_rows import Axis, Start, starts_of
from flowsam.portrait.planes import Plane

__all__ = ["name_of_plane"]

BLOCK = 2**15  # cells whose starts are made at once


def name_of_plane(start: Start, x: Axis, y: Axis) -> str:
    """Return a plane's class and parameters, or a function's name, and a digest that is exact.

    Printed arrays lack digits, and two functions may have one name, such as `<lambda>`; rows of
    both must not be mixed. Planes of `flowsam.portrait.planes` are their fields, to the last bit;
    of any other callable it is the starts on this grid that count.

    Examples
    --------
    >>> import numpy as np
    >>> from flowsam.portrait.planes import ImbalancePlane
    >>> axis = np.array([1.0])
    >>> name_of_plane(ImbalancePlane([1, 2], 3), axis, axis).split(", fields")[0]
    'ImbalancePlane(profile=array([1., 2.]), depth=3)'
    """
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


def _name_by_fields(plane: Plane) -> str:
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
