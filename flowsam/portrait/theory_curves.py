"""Curves that theory gives on a known plane of starts: boundaries of regions.

Two layers x, y of one coordinate, l_inf-SAM and GD: c <= c' are the two smallest sizes of the other
layers, inf where there are none; the rest of the plane mirrors |y| <= |x|.
(derivations/linf_signs.py)
"""

from typing import Any

import numpy as np

from flowsam.exact import linf_two_layer
from flowsam.labels import Fate
from flowsam.portrait.planes import Plane, WeightPlane
from flowsam.regimes import Case
from flowsam.shapes import Axis, Curve, Curves, Point

Ends = tuple[float, float]
POINTS = 201


def boundaries(case: Case, plane: Plane, x: Axis, y: Axis) -> Curves:
    """Return the curves between regions that a theorem gives for a known plane.

    Balanced l_inf and GD: `alpha_j = rho`, and `mu_1 (alpha_1 - rho)^(L-2) = mu_2 (alpha_2 -
    rho)^(L-2)` at L >= 3. Balanced l_2: the separatrix at L = 2, the order that l_2 preserves,
    `mu_1 alpha_1^(L-2) = mu_2 alpha_2^(L-2)`, at L >= 3 (from the unstable equilibrium where even
    L collapses). The layer plane: the separatrix, a conic for l_inf.

    Parameters
    ----------
    case : Case
        Data, rule, loss and depth.
    plane : Plane
    x, y : ndarray
        Its parameters; curves reach to the largest.

    Returns
    -------
    tuple of (str, ndarray of shape (m, 2))
        Empty where theory gives none.

    Examples
    --------
    >>> from flowsam import Flow, l2, layer_plane, single_example
    >>> from flowsam.regimes import case_of
    >>> axis = np.array([0.0, 1.0])
    >>> case = case_of(Flow(single_example([1]), l2(1)), 2)
    >>> [(name, curve)] = boundaries(case, layer_plane, axis, axis)[:1]
    >>> name, curve[200].round(6)
    ('separatrix', array([0.707107, 0.707107]))
    """
    curves = case.on("curves", plane.kind)
    ends = (float(np.abs(x).max()), float(np.abs(y).max()))
    return curves(case, plane, ends) if curves else ()


def two_gates(case: Case, plane: Any, ends: Ends) -> Curves:
    """Return `alpha_j = rho` of balanced l_inf and GD at L = 2."""
    mu = case.mu
    rho = case.flow.rho
    if (mu <= 0).any() or mu[0] == mu[1]:
        return _single_gates(mu, rho, ends)
    major = int(np.argmax(mu))  # beyond its gate the minor one's does not matter
    return (
        ("alpha_major = rho", _segment(major, rho, (0.0, ends[1 - major]))),
        ("alpha_minor = rho", _segment(1 - major, rho, (0.0, rho))),
    )


def deep_gates(case: Case, plane: Any, ends: Ends) -> Curves:
    """Return `alpha_j = rho` and the ray of equal scores of balanced l_inf and GD at L >= 3."""
    mu = case.mu
    rho = case.flow.rho
    if (mu <= 0).any():
        return _single_gates(mu, rho, ends)
    slope = (mu[0] / mu[1]) ** (1.0 / (case.depth - 2))
    reach = min(ends[0] - rho, (ends[1] - rho) / slope)
    curves = [(f"alpha_{j + 1} = rho", _segment(j, rho, (0.0, rho))) for j in (0, 1)]
    if reach > 0:
        ray = np.array([[rho, rho], [rho + reach, rho + slope * reach]])
        curves.append(("equal scores", ray))
    return tuple(curves)


def conics(case: Case, plane: Any, ends: Ends) -> Curves:
    """Return the separatrix of l_inf on the layer plane."""
    rho = case.flow.rho
    sign = 1 if case.mu[0] > 0 else -1
    curves = linf_two_layer.separatrix(rho, extent=max(ends), sign=sign)
    return tuple(("separatrix", curve) for curve in curves)


def bend(case: Case, plane: Any, ends: Ends) -> Curves:
    """Return the separatrix of balanced l_2 at L = 2."""
    # SciPy: l_inf needs none
    from flowsam.exact.l2_separatrix import balanced_separatrix

    if (case.mu <= 0).any():
        return ()
    return (("separatrix", balanced_separatrix(case.mu, rho=case.flow.rho)),)


def ray(case: Case, plane: Any, ends: Ends) -> Curves:
    """Return the ray of equal scores of balanced l_2 at L >= 3."""
    mu = case.mu
    rho = case.flow.rho
    depth = case.depth
    if (mu <= 0).any():
        return ()
    unit = mu ** (-1.0 / (depth - 2))
    last = unit * min(ends[0] / unit[0], ends[1] / unit[1])
    collapses = depth % 2 == 0
    first = rho * unit / np.sqrt(depth * (unit @ unit)) if collapses else 0.0 * unit
    return (("equal scores", np.array([first, last])),) if (last > first).all() else ()


def branches(case: Case, plane: Any, ends: Ends) -> Curves:
    """Return both branches of the separatrix of l_2 on the layer plane."""
    from flowsam.exact.l2_separatrix import lone_separatrix

    rho = case.flow.rho
    sign = 1 if case.mu[0] > 0 else -1
    ratio = np.sinh(np.linspace(-1, 1, 401) * np.arcsinh(1 + (max(ends) / rho) ** 2))
    branch = lone_separatrix(ratio, rho=rho)
    return tuple(("separatrix", side * branch * [sign, 1]) for side in (1, -1))


def mixtures(case: Case, plane: Any, ends: Ends) -> Curves:
    """Return the rays of alpha_2 / alpha_1 that bound the basins of ASAM, L >= 3, p < inf."""
    from flowsam.exact.adaptive_pair import Pair

    mu = case.mu
    rule = case.rule
    if (mu <= 0).any() or rule.gate(case.depth) >= 1:
        return ()
    pair = Pair(float(mu[1] / mu[0]), rule.rho, rule.p, case.depth)
    slopes = np.exp(pair.roots[~pair.stable(pair.roots)])
    x = np.minimum(ends[0], ends[1] / slopes)
    tips = np.stack([x, slopes * x], axis=1)
    return tuple(("basin", np.array([np.zeros(2), tip])) for tip in tips)


def ties(case: Case, plane: Any, ends: Ends) -> Curves:
    """Return the separatrix of balanced l_1 at L >= 3, and where both blow up at once."""
    from flowsam.exact.l1_deep import Duel

    if (case.mu <= 0).any():
        return ()
    duel = Duel(case.mu, case.flow.rho, case.depth)
    together = [("equal times", curve) for curve in duel.equal_times(max(ends))]
    return (("separatrix", duel.separatrix()), *together)


def _single_gates(mu: Point, rho: float, ends: Ends) -> Curves:
    """Return the gates of coordinates that do not meet: one with mu_j < 0 never escapes."""
    return tuple(
        ("alpha_j = rho", _segment(j, rho, (0.0, ends[1 - j])))
        for j in (0, 1)
        if mu[j] > 0
    )


def _segment(axis: int, value: float, span: Ends) -> Curve:
    """Return the segment where one coordinate is fixed."""
    return np.insert(np.array([span]).T, axis, value, axis=1)


def pairs(case: Case, plane: WeightPlane, ends: Ends) -> Curves:
    """Return the separatrix where the two layers move and no other coordinate escapes."""
    mu = case.mu
    rho = case.flow.rho
    j = plane.first[1]
    theta = np.asarray(plane.theta)
    fates = case.regime.forms[-1].case.read(theta, mu, rho).fate
    if not mu[j] or (np.delete(fates, j) == Fate.ESCAPE).any():
        return ()
    rest = np.delete(theta[:, j], [plane.first[0], plane.second[0]])
    curves = sign_curves(rest, float(mu[j]), rho=rho, reach=max(ends))
    return tuple(("separatrix", curve) for curve in curves)


def sign_curves(
    others: Axis,
    mu: float,
    *,
    rho: float,
    reach: float,
) -> tuple[Curve, ...]:
    """Return the curves between escape and fall, as rows (x, y) of the two layers."""
    c, c2 = np.sort([*np.abs(others), np.inf, np.inf])[:2]
    kept = float(np.sign(mu) * np.prod(np.sign(others)))
    halves = {1.0: _along(c, c2, rho, reach), -1.0: _against(c, c2, rho, reach)}
    found = []
    for signs in ((1, 1), (-1, -1), (1, -1), (-1, 1)):
        sense = kept * signs[0] * signs[1]
        for half in halves[sense] if sense else (*halves[1.0], *halves[-1.0]):
            found += [half * signs, half[:, ::-1] * signs]
    return tuple(found)


def _along(c: float, c2: float, rho: float, reach: float) -> list[Curve]:
    """Where y = 2 rho - min(x, c): s = +, in 0 <= y <= x <= reach."""
    level = 2 * rho - c
    if c < rho:
        inside = level <= min(c2, reach)
        return [np.array([[level, level], [reach, level]])] if inside else []
    corner = min(c, 2 * rho, reach)
    points = [[rho, rho], [corner, 2 * rho - corner]]
    flat = [[reach, level]] if level >= 0 and c < reach else []
    return [np.array(points + flat)] if rho < reach else []


def _against(c: float, c2: float, rho: float, reach: float) -> list[Curve]:
    """Where a^2 - b^2 = 8 rho^2, s = -: (a, b) = rho + (x, y) up to c, else rho + (y, c)."""
    found = []
    last = min(c, reach)
    if last > 2 * rho:
        x = np.linspace(2 * rho, last, POINTS)
        y = np.sqrt((x + rho) ** 2 - 8 * rho**2) - rho
        flat = [[reach, y[-1]]] if c < reach else []
        found.append(np.array([*zip(x, y, strict=True), *flat]))
    level = np.sqrt((c + rho) ** 2 + 8 * rho**2) - rho
    if level <= min(c2, reach):
        found.append(np.array([[level, level], [reach, level]]))
    return found
