"""A planar field's skeleton as plain arrays, and back, so that figures redraw without computing."""

import numpy as np

from flowsam.portrait import Equilibrium, Skeleton

CURVES = ("nullclines", "separatrices", "sliding")


def pack(found, mark=""):
    """Return a skeleton as a dictionary of arrays whose names begin with `mark`."""
    points = found.equilibria
    arrays = {"window": found.window, "x": found.x, "y": found.y, "velocity": found.velocity}
    arrays["points"] = np.array([p.point for p in points]).reshape(-1, 2)
    arrays["kinds"] = np.array([p.kind for p in points], dtype="U32")
    arrays["eigenvalues"] = np.array([p.eigenvalues for p in points]).reshape(-1, 2)
    for name in CURVES:
        curves = getattr(found, name)
        arrays[f"{name}_names"] = np.array([word for word, _ in curves], dtype="U32")
        arrays[name] = _joined([curve for _, curve in curves])
    arrays["paths"] = _joined(found.paths)
    return {mark + name: np.asarray(values) for name, values in arrays.items()}


def unpack(arrays, mark=""):
    """Return the skeleton that `pack` took apart."""
    kept = {k.removeprefix(mark): v for k, v in arrays.items() if k.startswith(mark)}
    rows = zip(kept["points"], kept["kinds"], kept["eigenvalues"], strict=True)
    points = tuple(Equilibrium(p, str(k), e, np.full((2, 2), np.nan)) for p, k, e in rows)
    curves = [
        tuple(zip(map(str, kept[f"{name}_names"]), _parted(kept[name]), strict=True))
        for name in CURVES
    ]
    grid = (kept["x"], kept["y"], kept["velocity"])
    return Skeleton(
        tuple(map(tuple, kept["window"])), *grid, points, *curves, tuple(_parted(kept["paths"]))
    )


def _joined(curves):
    """Curves below each other, a row of NaN after each."""
    return np.vstack([np.empty((0, 2)), *(np.vstack([c, [[np.nan] * 2]]) for c in curves)])


def _parted(rows):
    """The curves that `_joined` put together."""
    ends = np.flatnonzero(np.isnan(rows[:, 0]))
    return [part[:-1] for part in np.split(rows, ends + 1)[: len(ends)]]
