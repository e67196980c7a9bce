"""Which features a run can still use, and how close its predictor is to their largest margin."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from flowsam.data import Data
from flowsam.inputs import listed
from flowsam.many_examples.smoothing import smoothed
from flowsam.margin.farkas import separability
from flowsam.margin.least_distance import shortest_separator
from flowsam.margin.vertices import lightest_separator, only_vertex
from flowsam.regimes import Case
from flowsam.shapes import Column, Examples, Theta, Vector
from flowsam.trajectory import Trajectory

# |beta_j| over the largest, below which a feature of l_inf-SAM counts as dead
_SURVIVES = 1e-6
_BEYOND = 1.001  # of rho: an error of the steps is less


def reachable_signs(theta0: Theta) -> Vector:
    """Return the signs of beta_j a start can reach: +-1, 0 where both, nan where none."""
    size = np.abs(theta0)
    if len(theta0) == 1:
        return np.zeros(size.shape[1])
    balanced = (size == size[:1]).all(axis=0)
    signs = np.where(balanced, np.prod(np.sign(theta0), axis=0), 0.0)
    return np.where((size == 0).sum(axis=0) > 1, np.nan, signs)


def alive(case: Case, beta: Vector) -> Vector:
    """Return 1 for features that l_inf-SAM has not suppressed below (1.5 rho)^L, nan for others."""
    if not case.regime.dies:
        return np.ones(beta.size)
    size = np.abs(beta)
    gate = (1.5 * case.rule.rho) ** case.depth
    return np.where(size > max(_SURVIVES * size.max(), gate), 1.0, np.nan)


def passed_gates(case: Case, run: Trajectory) -> bool:
    """Return whether equal layers of a run passed their gate |w| = rho, as none do at odd L."""
    first, last = (np.abs(run.theta[k]) / case.rule.rho for k in (0, -1))
    below = (first == first[0]).all(axis=0) & (first[0] <= 1.0)
    return case.gated and bool((below & (last[0] > _BEYOND)).any())


def restriction(signs: Vector) -> str:
    """Say which predictors a comparison is with, or "" where it is with all; features from 1."""
    usable = np.flatnonzero(~np.isnan(signs))
    signed = np.flatnonzero(np.nan_to_num(signs))
    words = ""
    if usable.size < signs.size:
        words += f" of features {listed(usable + 1)} that survive"
    if signed.size:
        bounds = listed(
            signed, shown=lambda j: f"beta_{j + 1} {'>' if signs[j] > 0 else '<'} 0"
        )
        words += f"{',' if words else ''} with {bounds}"
    return words


class Comparison(NamedTuple):
    """A predictor beside the max margins, in the l_1 and the l_2 norm; nan where there is none."""

    ratios: tuple[float, float]  # margins over the largest ones
    angles: tuple[float, float]  # to the max-margin directions, radians


def state_certificate(
    case: Case,
    theta: Theta,
    norm: int,
    signs: Vector,
    *,
    witness: Vector | None = None,
) -> float:
    """Return the weak-duality ratio of one state, over the features and signs a run can use.

    min_i m_i / ||beta|| over ||sum_i q_i z_i||_*, q of the perturbed weights, the plain ones, for
    l_inf tanh's, or a witness in their place, whichever prove more; 0 at a margin <= 0.
    All of beta counts: at an early state also the features that die later.
    """
    beta = np.prod(theta, axis=0)
    length = np.linalg.norm(beta, norm)
    flow = case.flow
    least = float((flow.data.z @ beta).min())
    if length == 0 or least <= 0:
        return 0.0
    points = [theta, flow.perturbed(theta)]
    if case.regime.slides:  # on its surfaces one side alone proves little
        points.append(smoothed(flow).perturbed(theta))
    pulls = [flow.pull(point)[0] for point in points]
    pulls += [] if witness is None else [witness]
    useful = np.where(signs == 0, np.abs(pulls), signs * pulls)
    useful = np.where(np.isnan(signs), 0.0, np.maximum(useful, 0.0))
    dual = np.inf if norm == 1 else 2
    bound = min(np.linalg.norm(pull, dual) for pull in useful)
    return float(least / length / bound) if bound > 0 else 0.0  # 0: none survives


@dataclass(frozen=True, eq=False)
class Reach:
    """The predictors a run can still have, by features and signs."""

    data: Data
    signs: Vector  # of `reachable_signs`; nan for a feature that is dead

    @cached_property
    def z(self) -> Examples:
        """The examples, 0 at dead features."""
        return np.where(np.isnan(self.signs), 0.0, self.data.z)

    @cached_property
    def lightest(self) -> tuple[Vector, Column] | None:
        """The l_1 max margin and the dual that proves it, solved once for all that ask."""
        return self._best(lightest_separator)

    def _best(self, separator: Callable[..., Any]) -> tuple[Vector, Column] | None:
        """Return a max margin and its dual, or None where these do not separate."""
        try:
            return separator(self.z, np.nan_to_num(self.signs))
        except ValueError:
            return None

    def blocked_because(self) -> str:
        """Say why the loss stays finite, or "" where nothing keeps it from 0."""
        usable = ~np.isnan(self.signs)
        kept = self.data.z[:, usable]
        if not kept.any(axis=1).all() or not separability(Data(kept)).separable:
            return (
                f"the {int(usable.sum())} features that survive do not separate the data: the loss "
                "stays finite; start larger, or lower rho"
            )
        if np.any(self.signs[usable]) and not self.lightest:
            return (
                "a balanced start keeps the sign of every beta_j, and no vector of these signs "
                "separates the data: the loss stays finite; use split_signs"
            )
        return ""

    def compared(self, beta: Vector) -> Comparison:
        """Return a predictor's margin ratios and angles."""
        kept = np.where(np.isnan(self.signs), 0.0, beta)
        best = self.lightest if kept.any() else None
        shortest = best and self._best(shortest_separator)
        if not best or not shortest:
            return Comparison((np.nan, np.nan), (np.nan, np.nan))
        beside = (
            _beside(self.z, kept, x[0], norm) for norm, x in ((1, best), (2, shortest))
        )
        return Comparison(*zip(*beside, strict=True))

    def dual_pull(self) -> Vector | None:
        """Return sum_i q_i z_i, q the shares of the l_1 dual solution: no other q proves more."""
        if not self.lightest:
            return None
        dual = self.lightest[1]
        return np.asarray(dual / dual.sum() @ self.z)

    def only_margin(self) -> Vector | None:
        """Return the l_1 max-margin direction where it is the only one."""
        if not self.lightest:
            return None
        best, dual = self.lightest
        free = np.nan_to_num(self.signs)
        barred = (free != 0) & (np.sign(dual @ self.z) != free) & (best == 0)
        alone = only_vertex(np.where(barred, 0.0, self.z), best, dual)
        return best / np.linalg.norm(best) if alone else None


@np.errstate(divide="ignore", invalid="ignore")  # no direction: nan
def _beside(
    z: Examples,
    beta: Vector,
    best: Vector,
    norm: int,
) -> tuple:
    """Return the margin ratio and the angle, accurate also where it is small."""
    margin = float((z @ beta).min() / np.linalg.norm(beta, norm))
    units = [x / np.linalg.norm(x) for x in (beta, best)]
    half = min(1.0, float(np.linalg.norm(units[0] - units[1])) / 2)
    return margin * float(np.linalg.norm(best, norm)), 2 * float(np.arcsin(half))
