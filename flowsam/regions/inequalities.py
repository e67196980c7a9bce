"""Regions of balanced starts under l_inf-SAM and gradient flow, one example, as mathematics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowsam.data import Data
from flowsam.errors import InputError
from flowsam.flow import Flow
from flowsam.inputs import real_array
from flowsam.labels import Label, kind_of
from flowsam.network import balanced
from flowsam.outcomes import limits
from flowsam.perturbations import linf
from flowsam.regions.measure import Flat, chance
from flowsam.shapes import Vector, Which
from flowsam.signatures import public


@dataclass(frozen=True, eq=False)
class Regions:
    """The limit of every balanced start, by inequalities; labels not in `labels` are refused.

    Parameters
    ----------
    mu : ndarray, shape (d,)
        The example; coordinates with mu_j = 0 take no part.
    rho : float
        Radius, in the units of w; 0 for gradient flow.
    depth : int
        Number of layers, L >= 2.
    """

    mu: Vector
    rho: float
    depth: int

    @property
    def alpha(self) -> tuple[Any, ...]:
        """Symbols of the sizes, positive."""
        from sympy import symbols  # which no number needs

        return symbols(f"alpha_1:{self.mu.size + 1}", positive=True)

    @property
    def labels(self) -> tuple[int, ...]:
        """Every label there is: none above rho, the basis vectors, separatrix (even L), tie."""
        none, *rest = (
            [Label.STALLED] if self.depth % 2 else [Label.ZERO, Label.SEPARATRIX]
        )
        return tuple(map(int, (none, *(j + 1 for j in self.active), *rest, Label.TIE)))

    @property
    def active(self) -> list[int]:
        """Coordinates with mu_j != 0, counted from 0."""
        return [int(j) for j in np.flatnonzero(self.mu)]

    def condition(self, label: int) -> Any:
        """Return a label's region; the regions of `labels` hold every start once.

        Returns
        -------
        sympy Boolean
            In `alpha`; numbers are the decimals as written: 0.1 is 1/10.

        Examples
        --------
        >>> regions([1, 2], 1, 3).condition(1)
        (alpha_1 > 1) & (alpha_2 < alpha_1/2 + 1/2)
        """
        from flowsam.regions import conditions

        self._demand(label)
        return conditions.condition(self, label)

    def _demand(self, label: int) -> None:
        """Refuse a label that has no region."""
        if label not in self.labels:
            raise InputError(f"no region has label {label}; there are {self.labels}")

    def latex(self) -> str:
        r"""Return all regions as one LaTeX `cases` environment.

        Examples
        --------
        >>> print(regions([1.0], 0.5, 2).latex().split(r"\\")[1].strip())
        e_{1} & \alpha_{1} > \frac{1}{2}
        """
        from sympy import latex

        words = {
            j: f"e_{{{j}}}" if j > 0 else rf"\text{{{kind_of(j)}}}" for j in self.labels
        }
        rows = [rf"{word} & {latex(self.condition(j))}" for j, word in words.items()]
        return r"\begin{cases}" + r" \\ ".join(rows) + r"\end{cases}"

    def contains(self, label: int, alpha: ArrayLike) -> Which:
        """Return which starts lie in a label's region.

        Parameters
        ----------
        label : int
            One of `labels`.
        alpha : array_like, shape (..., d)
            Sizes > 0, in the units of w.

        Returns
        -------
        ndarray of bool, shape (...)
            As `limits` decides: scores within 8 eps tie, and each start lies in one region.

        Examples
        --------
        >>> regions([1.0, 2.0], 1.0, 2).contains(1, [[1.5, 0.6], [1.5, 1.2]])
        array([ True, False])
        """
        alpha = real_array(alpha, "alpha")
        if alpha.shape[-1:] != self.mu.shape or (alpha <= 0).any():
            raise InputError(f"contains needs sizes > 0 of shape (..., {self.mu.size})")
        self._demand(label)
        flow = Flow(Data(np.abs(self.mu)[None]), linf(self.rho))
        return np.asarray(limits(flow, balanced(alpha, self.depth)) == label)

    def probability(self, label: int, starts: Any) -> float:
        """Return the probability of a label under independent random sizes.

        Laws, formulas and errors: `measure.chance`. L = 2, one law, p = P(alpha > rho), no |mu|
        equal: p (1 - p)^(j-1) for the j-th largest, (1 - p)^d for none.

        Examples
        --------
        >>> from scipy.stats import uniform
        >>> regions([1.0, 2.0], 1.0, 2).probability(1, uniform(0, 4))  # 3/4 of 1/4
        0.1875
        """
        self._demand(label)
        return chance(label, starts, mu=self.mu, rho=self.rho, depth=self.depth)

    def volume(self, label: int, low: ArrayLike, high: ArrayLike) -> float:
        """Return the volume of a label's region inside the box `0 <= low < high` of sizes.

        Examples
        --------
        >>> regions([1.0, 2.0], 1.0, 2).volume(1, 0.0, 3.0)  # alpha_1 in (1, 3), alpha_2 <= 1
        2.0
        """
        low, high = (
            np.broadcast_to(real_array(x, "box"), self.mu.shape) for x in (low, high)
        )
        if (low < 0).any() or (low >= high).any():
            raise InputError(f"volume needs 0 <= low < high, got {low} and {high}")
        box = [Flat(float(a), float(b - a)) for a, b in zip(low, high, strict=True)]
        return self.probability(label, box) * float(np.prod(high - low))


@public
def regions(mu: ArrayLike, rho: float, depth: float) -> Regions:
    """Return the regions of balanced, aligned starts for each limit as t -> inf.

    e_j iff alpha_j > rho and, L = 2, alpha_k <= rho for every other |mu_k| >= |mu_j|; L >= 3,
    alpha_k - rho < (|mu_j|/|mu_k|)^(1/(L-2)) (alpha_j - rho) for every other k.

    Parameters
    ----------
    mu : array_like, shape (d,)
        The example, not all 0.
    rho : float
        Radius of l_inf-SAM, in the units of w; 0 for gradient flow.
    depth : int
        Number of layers, L >= 2.

    Returns
    -------
    Regions

    Raises
    ------
    TypeError, ValueError
        For bad entries, mu = 0, rho < 0 or depth < 2.

    Notes
    -----
    Derivation: derivations/linf_regions.py. The rule: arXiv:2603.08290, Corollary 3.5; regions
    and their probabilities: flowsam.

    Examples
    --------
    >>> regions([1, 2], 1, 2).labels
    (0, 1, 2, -2, -3)
    """
    mu = np.atleast_1d(real_array(mu, "mu"))
    if mu.ndim != 1 or not mu.any():
        raise InputError(
            f"regions needs one example (d,) with a non-zero entry, got {mu}"
        )
    if not 0 <= rho < np.inf:
        raise InputError(f"regions needs one rho >= 0, got {rho}; 0 is gradient flow")
    if depth < 2 or depth % 1:
        raise InputError(
            f"regions needs a whole depth >= 2, got {depth}; L = 1 has one limit, mu"
        )
    return Regions(mu, float(rho), int(depth))
