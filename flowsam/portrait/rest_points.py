"""How a planar field rests at a point: smooth, degenerate, or on surfaces where it jumps.

There it may rest in finite time along a direction, which an infinite eigenvalue says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowsam.portrait.plane_fields import STEP, PlaneField
from flowsam.shapes import Complex, Float

__all__ = ["Equilibrium", "classified", "rests"]

ZERO = 1e-6  # of the field over the window: an eigenvalue that is none
RING = 180  # directions in which the neighbourhood of a point is looked at
RADIUS = 1e-3  # of the window: the ring whose turning names a point


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """A rest point of a planar field.

    Parameters
    ----------
    point : ndarray, shape (2,)
        Where, in the plane's parameters.
    kind : str
        "saddle", "stable node", "unstable node", "stable focus", "unstable focus", "centre";
        "degenerate ..." where an eigenvalue is 0, named by its index (saddle -1, saddle-node 0,
        node +1); "... pseudo-..." where the field is not smooth.
    eigenvalues : ndarray of complex, shape (2,)
        In rescaled time, ascending by real part; -inf: reached in finite time.
    directions : ndarray, shape (2, 2)
        Rows are unit eigenvectors in that order; nan where they are complex or all are.

    Examples
    --------
    >>> Equilibrium(np.zeros(2), "saddle", np.array([-1.0, 1.0]), np.eye(2)).stable.tolist()
    [[1.0, 0.0]]
    """

    point: Float[np.ndarray, "2"]
    kind: str
    eigenvalues: Float[np.ndarray, "2"] | Complex[np.ndarray, "2"]
    directions: Float[np.ndarray, "2 2"]

    @property
    def stable(self) -> Float[np.ndarray, "k 2"]:
        """Directions along which the point attracts."""
        return self.directions[self.eigenvalues.real < 0]


def rests(field: PlaneField, point: Float[np.ndarray, "2"]) -> bool:
    """Tell whether 0 is among Filippov's velocities: no open half-plane holds them all."""
    _, velocity = _ring(field, point, 1e-6)
    _, wider = _ring(field, point, 1e-5)
    if np.abs(velocity).max() < 0.2 * np.abs(wider).max():
        return True
    angle = np.sort(np.arctan2(velocity[:, 1], velocity[:, 0]))
    gaps = np.diff(angle, append=angle[0] + 2 * np.pi)
    return bool(gaps.max() <= np.pi)


def classified(field: PlaneField, point: Float[np.ndarray, "2"]) -> Equilibrium:
    """Return a rest point, named by its eigenvalues, or by turning where they are 0 or infinite."""
    slopes = [field.slopes(point, step=STEP / shrink) for shrink in (1, 8, 64)]
    least = ZERO * _scale(field)
    first, _, last = (np.abs(slope.diagonal()) for slope in slopes)
    steep = last > 2 * np.maximum(first, least)
    if steep.any():
        infinite = np.copysign(np.inf, slopes[-1].diagonal())
        values = np.where(steep, infinite, _extrapolated(slopes).diagonal())
        vectors = np.eye(2)
    else:
        values, columns = np.linalg.eig(_extrapolated(slopes))
        vectors = np.full((2, 2), np.nan) if np.iscomplexobj(values) else columns.T
    values = np.where(np.abs(values) < least, 0.0, values)
    values = values if values.imag.any() else values.real
    order = np.argsort(values.real)
    values = values[order]
    vectors = vectors[order]
    return Equilibrium(point, _name(field, point, values), values, vectors)


def _extrapolated(slopes: list[np.ndarray]) -> Float[np.ndarray, "2 2"]:
    """Slopes at step 0 from h, h/8, h/64, by Aitken's rule where |w|^(q-1) leaves a power of h."""
    first, second, third = slopes
    last = third - second
    bend = third - 2 * second + first
    left = np.abs(second - first) > 1e-7 * np.abs(slopes).max()
    step = np.divide(last * last, bend, where=left & (bend != 0), out=np.zeros((2, 2)))
    return np.where(left, third - step, first)


def _name(field: PlaneField, point: Float[np.ndarray, "2"], values: np.ndarray) -> str:
    """Return the kind of a rest point with eigenvalues in ascending order."""
    low, high = values.real
    if values.imag.any():
        return "centre" if low == 0 else f"{_stability(low, high)}focus"
    if np.isfinite(values).all() and values.all():
        return "saddle" if low < 0 < high else f"{_stability(low, high)}node"
    word = _word_by_turning(field, point)
    side = _stability(low, high) if word == "node" else ""
    zero = "" if values.all() else "degenerate "
    return f"{zero}{side}{'' if np.isfinite(values).all() else 'pseudo-'}{word}"


def _stability(low: float, high: float) -> str:
    """Return "stable " or "unstable " where both signs agree."""
    return "stable " if high < 0 else "unstable " if low > 0 else ""


def _word_by_turning(field: PlaneField, point: Float[np.ndarray, "2"]) -> str:
    """Return "saddle", "saddle-node" or "node" for the turns the field makes around a point."""
    _, velocity = _ring(field, point, RADIUS)
    angle = np.arctan2(velocity[:, 1], velocity[:, 0])
    turn = np.diff(angle, append=angle[0])
    index = round(
        float((turn - 2 * np.pi * np.round(turn / (2 * np.pi))).sum() / (2 * np.pi))
    )
    return {-1: "saddle", 0: "saddle-node", 1: "node"}.get(
        index, f"point of index {index}"
    )


def _ring(
    field: PlaneField, point: Float[np.ndarray, "2"], radius: float
) -> tuple[Float[np.ndarray, "r 2"], Float[np.ndarray, "r 2"]]:
    """Unit vectors around a point, off the axes, and the velocities there."""
    angle = 2 * np.pi * (np.arange(RING) + 0.37) / RING
    outward = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return outward, field.velocity(point + radius * field.span * outward)


def _scale(field: PlaneField) -> float:
    """The largest speed on a coarse lattice of the window, by its side: the unit of slopes."""
    return float(np.abs(field.grid(8)[2]).max() / field.span)
