"""Which share of a plane's area each limit has, and how well it is known."""

import numpy as np

from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.portrait.planes import BalancedPlane
from flowsam.shapes import Axis, LabelGrid, Shaped

Shares = tuple[dict[int, float], dict[int, float]]
_ROUNDING = 1e-14  # of an exact share


def by_cells(labels: LabelGrid, x: Axis, y: Axis) -> Shares:
    """Return shares by the corners of cells; those on a line count only where all four are."""
    labels = np.repeat(np.repeat(labels, 1 + (y.size < 2), 0), 1 + (x.size < 2), 1)
    across = _widths(x)
    along = _widths(y)
    area = np.outer(along / along.sum(), across / across.sum())
    seen_at = corners(labels)
    counts = ~np.isin(seen_at, (Label.SEPARATRIX, Label.TIE))
    on_line = ~counts.all(axis=0)
    counts |= ~counts.any(axis=0)
    fractions = {}
    errors = {}
    for label in np.unique(labels).tolist():
        seen = seen_at == label
        share = (seen & counts).sum(axis=0) / counts.sum(axis=0)
        mixed = seen.any(axis=0) & ~seen.all(axis=0)
        fractions[label] = float((area * share).sum())
        errors[label] = float((area * mixed * np.where(on_line, 1.0, 0.5)).sum())
    return fractions, errors


def corners(values: Shaped[np.ndarray, "ny nx *rest"]) -> np.ndarray:
    """Return what a grid has at the four corners of each cell, shape (4, ny - 1, nx - 1, ...)."""
    parts = (slice(None, -1), slice(1, None))
    return np.stack([values[a, b] for a in parts for b in parts])


def _widths(axis: Axis) -> Axis:
    """Widths of the cells of an axis, in units of its largest value."""
    unit = np.ldexp(1.0, np.frexp(np.abs(axis).max())[1] - 1)
    return np.abs(np.diff(axis / unit)) if axis.size > 1 else np.ones(1)


def by_regions(flow: Flow, start: BalancedPlane, x: Axis, y: Axis) -> Shares | None:
    """Return the exact shares of balanced l_inf and GD, L >= 2, or None where no mu_j > 0."""
    if (flow.mu <= 0).all() or min(np.ptp(x), np.ptp(y)) <= 0:
        return None
    from flowsam.regions import regions  # scipy.stats takes half a second to import

    unit = np.ldexp(1.0, np.frexp(max(x.max(), y.max()))[1] - 1)  # areas stay in range
    x = x / unit
    y = y / unit
    found = regions(np.maximum(flow.mu, 0.0), flow.rho / unit, start.depth)
    box = [x.min(), y.min()], [x.max(), y.max()]
    whole = float(np.ptp(x) * np.ptp(y))
    volumes = {label: found.volume(label, *box) / whole for label in found.labels}
    fractions = {label: share for label, share in sorted(volumes.items()) if share > 0}
    return fractions, dict.fromkeys(fractions, _ROUNDING)
