"""How likely each limit is under independent random sizes of a balanced start, l_inf and GD."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowsam.errors import InputError, InputTypeError
from flowsam.labels import Label
from flowsam.shapes import Float, Vector

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
ROUNDS = 60  # halvings of a piece of the law: beyond, a kink is one of doubles
Sizes = Float[np.ndarray, "..."]


@dataclass(frozen=True)
class Flat:
    """A uniform law as `scipy.stats.uniform(start, width)` has it, which is slow to load."""

    start: float
    width: float

    def cdf(self, x: Sizes | float) -> Any:
        """P(alpha <= x)."""
        return np.clip((x - self.start) / self.width, 0.0, 1.0)

    def sf(self, x: float) -> Any:
        """P(alpha > x)."""
        return np.clip((self.start + self.width - x) / self.width, 0.0, 1.0)

    def ppf(self, u: Sizes) -> Sizes:
        """The quantiles."""
        return self.start + u * self.width

    def support(self) -> tuple[float, float]:
        """Where alpha can be."""
        return self.start, self.start + self.width


def chance(
    label: int,
    starts: Any,
    *,
    mu: Vector,
    rho: float,
    depth: int,
) -> float:
    """Return the probability of a label under independent random sizes; by `_box` or `_cone`."""
    laws = _checked_laws(starts, mu.size)
    flat = [pair for law in laws if (pair := _uniform(law))]
    if len(flat) == mu.size:  # from rho: a narrow box beside it keeps its digits
        laws = [Flat(start - rho, width) for start, width in flat]
        rho = 0.0
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
    own = laws[j]
    rivals = [(laws[k], s) for k, s in enumerate(slopes) if k != j and s < np.inf]

    def inside(u: Sizes) -> Sizes:
        over = own.ppf(u) - rho
        found = np.ones_like(u)
        for law, slope in rivals:
            found *= law.cdf(rho + slope * over)
        return found

    kinks = [
        rho + (edge - rho) / slope for law, slope in rivals for edge in law.support()
    ]
    marks = np.clip(own.cdf(np.array([rho, *kinks, np.inf])), own.cdf(rho), 1.0)
    return integral(inside, np.unique(marks))


def integral(of: Callable[[Sizes], Sizes], marks: Sizes) -> float:
    """Return an integral over consecutive pieces, halved until Gauss's rule agrees: to 1e-12."""

    def gauss(left: Sizes, right: Sizes) -> Sizes:
        half = (right - left)[..., None] / 2
        return (half * of(left[..., None] + half * (1 + NODES))) @ WEIGHTS

    total = 0.0
    left = marks[:-1]
    right = marks[1:]
    whole = gauss(left, right)
    for _ in range(ROUNDS):
        middle = (left + right) / 2
        right = np.stack([middle, right])
        left = np.stack([left, middle])
        parts = gauss(left, right)
        found = parts.sum(axis=0)
        open_ = np.abs(found - whole) > 1e-14 + 1e-11 * np.abs(found)
        total += float(found[~open_].sum())
        left, right, whole = (x[:, open_].ravel() for x in (left, right, parts))
        if not whole.size:
            break
    return total + float(whole.sum())


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
