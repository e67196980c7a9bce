"""Where two layers x, y of one coordinate begin to escape, l_inf-SAM and GD, any depth.

c <= c' are the two smallest sizes of the other layers, inf where there are none; the rest of the
plane mirrors |y| <= |x|. (derivations/linf_signs.py)
"""

from __future__ import annotations

import numpy as np

from flowsam.labels import Fate
from flowsam.portrait.planes import WeightPlane
from flowsam.regimes import Case
from flowsam.shapes import Float

__all__ = ["pairs", "sign_curves"]

Curve = Float[np.ndarray, "_ 2"]
POINTS = 201


def pairs(
    case: Case, plane: WeightPlane, ends: tuple[float, float]
) -> tuple[tuple[str, Curve], ...]:
    """Return the separatrix where the two layers move and no other coordinate escapes."""
    mu = case.flow.mu
    rho = case.flow.perturbation.rho
    j = plane.first[1]
    theta = np.asarray(plane.theta)
    fates = case.regime.forms[-1].case.fate(theta, mu, rho=rho)
    if not mu[j] or (np.delete(fates, j) == Fate.ESCAPE).any():
        return ()
    rest = np.delete(theta[:, j], [plane.first[0], plane.second[0]])
    curves = sign_curves(rest, float(mu[j]), rho=rho, reach=max(ends))
    return tuple(("separatrix", curve) for curve in curves)


def sign_curves(
    others: Float[np.ndarray, " _"], mu: float, *, rho: float, reach: float
) -> tuple[Curve, ...]:
    """Return the curves between escape and fall, as rows (x, y) of the two layers."""
    c, c2 = np.sort([*np.abs(others), np.inf, np.inf])[:2]
    kept = float(np.sign(mu) * np.prod(np.sign(others)))
    halves = {1.0: _along(c, c2, rho, reach), -1.0: _against(c, c2, rho, reach)}
    found = []
    for signs in ((1, 1), (-1, -1), (1, -1), (-1, 1)):
        senses = (1.0, -1.0) if kept == 0 else (kept * signs[0] * signs[1],)
        for half in (half for sense in senses for half in halves[sense]):
            found += [half * signs, half[:, ::-1] * signs]
    return tuple(found)


def _along(c: float, c2: float, rho: float, reach: float) -> list[Curve]:
    """Where y = 2 rho - min(x, c): s = +, in 0 <= y <= x <= reach."""
    level = 2 * rho - c
    if c >= rho:
        corner = min(c, 2 * rho, reach)
        points = [[rho, rho], [corner, 2 * rho - corner]]
        flat = [[reach, level]] if level >= 0 and c < reach else []
        return [np.array(points + flat)] if rho < reach else []
    inside = level <= min(c2, reach)
    return [np.array([[level, level], [reach, level]])] if inside else []


def _against(c: float, c2: float, rho: float, reach: float) -> list[Curve]:
    """Where a^2 - b^2 = 8 rho^2, s = -: (a, b) = rho + (x, y) up to c, else rho + (y, c)."""
    found = []
    last = min(c, reach)
    if last > 2 * rho:
        x = np.linspace(2 * rho, last, POINTS)
        y = np.sqrt((x + rho) ** 2 - 8 * rho**2) - rho
        curve = np.column_stack([x, y])
        flat = [[reach, y[-1]]] if c < reach else np.empty((0, 2))
        found.append(np.concatenate([curve, flat]))
    level = np.sqrt((c + rho) ** 2 + 8 * rho**2) - rho
    if level <= min(c2, reach):
        found.append(np.array([[level, level], [reach, level]]))
    return found
