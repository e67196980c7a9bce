"""How likely each limit is under independent random sizes of a balanced start, l_inf and GD."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowsam.errors import InputError, InputTypeError
from flowsam.labels import Label
from flowsam.shapes import Vector


@dataclass(frozen=True)
class Flat:
    """A uniform law as `scipy.stats.uniform(start, width)` has it, which is slow to load."""

    start: float
    width: float

    def cdf(self, x: float) -> float:
        """P(alpha <= x)."""
        return min(max((x - self.start) / self.width, 0.0), 1.0)

    def sf(self, x: float) -> float:
        """P(alpha > x)."""
        return min(max((self.start + self.width - x) / self.width, 0.0), 1.0)


def chance(label: int, starts: Any, *, mu: Vector, rho: float, depth: int) -> float:
    """Return the probability of a label under independent random sizes; by `_box` or `_cone`."""
    laws = _checked_laws(starts, mu.size)
    size = np.abs(mu)
    active = np.flatnonzero(size)
    if label >= 1 and depth == 2:
        return _box(label - 1, size, rho, laws)
    if label >= 1:
        with np.errstate(divide="ignore"):
            slopes = (size[label - 1] / size) ** (1 / (depth - 2))
        return _cone(label - 1, slopes, rho, laws)
    none = float(np.prod([laws[j].cdf(rho) for j in active]))
    if label == Label.TIE and depth == 2:
        return _shared(size, rho, laws)
    return 0.0 if label in (Label.TIE, Label.SEPARATRIX) else none


def _box(j: int, size: Vector, rho: float, laws: Sequence[Any]) -> float:
    """P(alpha_j > rho, alpha_k <= rho for every other k with size_k >= size_j)."""
    rivals = np.flatnonzero((size >= size[j]) & (np.arange(size.size) != j)).tolist()
    return float(laws[j].sf(rho) * np.prod([laws[k].cdf(rho) for k in rivals]))


def _shared(size: Vector, rho: float, laws: Sequence[Any]) -> float:
    """P(two or more above rho among the largest |mu| that has any), for L = 2."""
    values, counts = np.unique(size[size > 0], return_counts=True)
    total = 0.0
    for value in values[counts > 1]:
        above = np.prod(
            [laws[k].cdf(rho) for k in np.flatnonzero(size > value).tolist()]
        )
        equal = np.flatnonzero(size == value).tolist()
        below = [laws[k].cdf(rho) for k in equal]
        one = sum(_box(k, size, rho, laws) for k in equal)
        total += float(above * (1.0 - np.prod(below)) - one)
    return total


def _cone(j: int, slopes: Vector, rho: float, laws: Sequence[Any]) -> float:
    """`int prod_{k != j} F_k(rho + slope_k (x - rho)) dF_j(x)` over x > rho, in u = F_j(x)."""
    flat = [_uniform(law) for law in laws]
    if all(flat):
        start, width = np.array(flat).T
        return polytope(j, slopes, start - rho, width)
    from scipy.integrate import quad

    rivals = [(laws[k], s) for k, s in enumerate(slopes) if k != j and s < np.inf]

    def inside(u: float) -> float:
        over = laws[j].ppf(u) - rho
        return float(np.prod([law.cdf(rho + slope * over) for law, slope in rivals]))

    edges = [
        rho + (edge - rho) / slope for law, slope in rivals for edge in law.support()
    ]
    marks = np.unique(np.clip(laws[j].cdf([rho, *edges]), laws[j].cdf(rho), 1.0))
    spans = [(a, b) for a, b in zip(marks, [*marks[1:], 1.0], strict=True) if a < b]
    # 1: no warnings
    how = {"epsabs": 1e-12, "epsrel": 1e-10, "limit": 200, "full_output": 1}
    return float(sum(quad(inside, *span, **how)[0] for span in spans))


def polytope(j: int, slopes: Vector, low: Vector, width: Vector) -> float:
    """Return the share of a box of alpha - rho where alpha_j > rho and rivals are below."""
    rivals = np.array([k != j and s < np.inf for k, s in enumerate(slopes)], dtype=bool)
    # between its kinks the integrand is a polynomial in t = alpha_j - rho: Gauss is exact
    slope = slopes[rivals]
    first = low[rivals]
    size = width[rivals]
    ends = max(low[j], 0.0), low[j] + width[j]
    if ends[0] >= ends[1]:
        return 0.0
    kinks = np.clip([*(first / slope), *((first + size) / slope), *ends], *ends)
    marks = np.unique(kinks)
    nodes, weights = np.polynomial.legendre.leggauss(slopes.size // 2 + 1)
    half = np.diff(marks)[:, None] / 2
    t = marks[:-1, None] + half * (1 + nodes)
    below = np.clip((slope * t[..., None] - first) / size, 0.0, 1.0)
    return float((half * weights * below.prod(axis=-1)).sum() / width[j])


def _uniform(law: Any) -> tuple[float, float] | None:
    """Start and width of a uniform law, as they were given; None for another."""
    if isinstance(law, Flat):
        return law.start, law.width
    if getattr(getattr(law, "dist", None), "name", "") != "uniform":
        return None
    named = dict(zip(("loc", "scale"), law.args, strict=False)) | law.kwds
    return float(named.get("loc", 0.0)), float(named.get("scale", 1.0))


def _checked_laws(starts: Any, d: int) -> list[Any]:
    """Return d continuous distributions on (0, inf)."""
    laws = list(starts) if isinstance(starts, Sequence) else [starts] * d
    if len(laws) != d:
        raise InputError(
            f"a probability needs one distribution or {d}, got {len(laws)}"
        )
    for law in laws:
        if isinstance(law, Flat):
            continue
        check_law(law)
        least = law.support()[0]
        if least < 0:
            raise InputError(
                f"balanced starts are positive, got sizes from {least}; try halfnorm"
            )
    return laws


def check_law(law: Any) -> None:
    """Refuse what is no continuous distribution."""
    if not hasattr(law, "ppf") or not hasattr(law, "pdf"):
        kind = type(law).__name__
        raise InputTypeError(
            f"a probability needs continuous scipy.stats distributions, got {kind}"
        )
