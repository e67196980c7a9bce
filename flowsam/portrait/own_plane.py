"""A plane of the user's own: any function of two parameters, rows at a time."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

from flowsam.flow import Flow
from flowsam.portrait.planes import Axis, Plane, Row, Rows, Starts
from flowsam.shapes import Column

BLOCK = 2**15  # cells whose starts are made at once


class OwnPlane(Plane):
    """A function as a plane; it may have `axes`, and with `flow_at` gives each row its flow."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function: Any = function
        self.axes = getattr(function, "axes", ("x", "y"))
        self.radius_axis = getattr(function, "radius_axis", False)
        self.varies = hasattr(function, "flow_at")

    def __call__(self, x: Row, y: Rows) -> Any:
        """Return what the function returns, which `starts` looks at."""
        return self.function(x, y)

    def at(self, x: Column, y: Column) -> Starts:
        """Return starts (1, N, L, d); the function gets rows, as in a grid."""
        order = np.argsort(y, kind="stable")
        rows = np.split(order, np.flatnonzero(np.diff(y[order])) + 1)
        starts = np.concatenate([self.starts(x[row], y[row[:1]])[0] for row in rows])
        return starts[np.argsort(order)][None]

    def flow_at(self, flow: Flow, y: float) -> Flow:
        """Return the flow of a row, by the function's own `flow_at`."""
        return self.function.flow_at(flow, y) if self.varies else flow

    def name(self, x: Axis, y: Axis) -> str:
        """Return the function's name and a digest of its starts on a grid.

        Two functions may have one name, such as `<lambda>`; their rows must not be mixed.
        """
        digest = hashlib.sha256()
        rows = max(1, BLOCK // x.size)
        for first in range(0, y.size, rows):
            starts = self.starts(x, y[first : first + rows])
            digest.update(starts.astype(float).tobytes())
        where = getattr(self.function, "__module__", "")
        kind = type(self.function).__qualname__
        name = f"{where}.{getattr(self.function, '__qualname__', kind)}"
        return f"{name}, starts {digest.hexdigest()[:16]}"


def as_plane(start: Callable[..., Any]) -> Plane:
    """Return a plane of the package as it is; any other function is one of the user's own."""
    known = isinstance(start, OwnPlane) or type(start).__module__ == Plane.__module__
    return start if isinstance(start, Plane) and known else OwnPlane(start)
