"""Newton's matrix of many features and few examples: a block a feature, and a low rank.

With V = z P, P the other layers' products, and B the pair products times the pull, at theta and at
theta_hat,

    H = B + V^T diag(q s) V,   J = e^(T + log Lambda) H_hat (I + d eps / d theta),

I - c J is blocks of L x L plus 2 n + 1 columns times rows: exact, by Woodbury's formula, where a
dense matrix of d features takes minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse import csc_array

from flowsam.engines.implicit import Quick
from flowsam.flow import Flow
from flowsam.many_examples.hessian import Turning, shares_and_bends
from flowsam.network import other_products, pair_products
from flowsam.shapes import Float, PerExample, State, Theta

Blocks = Float[np.ndarray, "d L L"]
Columns = Float[np.ndarray, "d L k"]


class FeatureHessian(NamedTuple):
    """H of `rescaled_hessian`, and log Lambda."""

    own: Blocks
    sides: Columns  # V^T
    bend: PerExample  # q s
    log_scale: float

    @classmethod
    def at(cls, flow: Flow, theta: Theta) -> FeatureHessian:
        """Return that of a state."""
        pull, log_scale = flow.pull(theta)
        own = pull[:, None, None] * pair_products(theta)
        sides = other_products(theta).T[..., None] * flow.data.z.T[:, None]
        return cls(own, sides, shares_and_bends(flow, theta)[1], float(log_scale))

    def times(self, v: Theta) -> Theta:
        """Return H v."""
        by = self.bend * np.einsum("dlk,ld->k", self.sides, v)
        return (self.own @ v.T[..., None])[..., 0].T + (self.sides @ by).T


@dataclass(frozen=True, eq=False)
class FeatureSlopes:
    """J of (theta, tau): diag(own) + left right^T, and tau's row."""

    own: Blocks
    left: Columns
    right: Columns
    row: Float[np.ndarray, "d L"]

    @classmethod
    def of(
        cls, log_t: float, start: FeatureHessian, hat: FeatureHessian, step: Turning
    ) -> FeatureSlopes:
        """Return that of a system whose step turns so."""
        by, column, row = (part.T[..., None] for part in step[1:])
        own = -by * start.own
        each = np.arange(own.shape[1])
        own[:, each, each] += step.own.T
        ahead = by * start.sides
        behind = start.sides * start.bend
        right = hat.sides + own.transpose(0, 2, 1) @ hat.sides
        right -= behind @ _met(ahead, hat.sides) + row @ _met(column, hat.sides)
        left = [hat.sides * hat.bend, -hat.own @ ahead, -hat.own @ column]
        pace = np.exp(min(log_t + hat.log_scale, 600.0))
        return cls(
            pace * (hat.own + hat.own @ own),
            pace * np.concatenate(left, axis=-1),
            np.concatenate([right, behind, row], axis=-1),
            pace * (right @ hat.bend),
        )

    def held(self, free: Theta) -> FeatureSlopes:
        """Return it with some weights held, 0 of `free`."""
        moves = free.T
        own = self.own * moves[:, :, None] * moves[:, None]
        left, right = (side * moves[..., None] for side in (self.left, self.right))
        return FeatureSlopes(own, left, right, self.row * moves)


class _Factor:
    """The inverse of a I - J."""

    def __init__(self, a: Any, of: FeatureSlopes) -> None:
        self.a = a
        self.of = of
        each = np.arange(of.own.shape[1])
        shifted = (-of.own).astype(np.result_type(a, float))
        shifted[:, each, each] += a
        try:
            self.inverse = np.linalg.inv(shifted)
        except np.linalg.LinAlgError:  # no step is as long
            self.inverse = np.full_like(shifted, np.nan)
        self.moved = self.inverse @ of.left
        core = -_met(of.right, self.moved)
        core[np.diag_indices(len(core))] += 1.0
        self.core = lu_factor(core, overwrite_a=True, check_finite=False)

    def __call__(self, b: Any) -> Any:
        """Apply it to a state with tau, which only follows."""
        of = self.of
        d, depth = of.row.shape
        alone = self.inverse @ b[:-1].reshape(depth, d).T[..., None]
        by = lu_solve(self.core, _met(of.right, alone), check_finite=False)
        x = (alone + self.moved @ by)[..., 0]
        tau = (b[-1] + np.vdot(of.row, x)) / self.a
        return np.append(x.T.ravel(), tau)


def _met(left: Columns, right: Any) -> Any:
    """Return left^T right, summed over all weights; the parts of complex columns in turn."""
    columns = right.reshape(-1, right.shape[-1])
    rows = left.reshape(len(columns), -1).T
    return (rows @ columns.view(float)).view(right.dtype)


@dataclass(frozen=True)
class _Shift:
    """A multiple of I, from which `Quick` subtracts J."""

    by: Any = 1.0
    __array_ufunc__ = None  # a NumPy number times this is `__rmul__`

    def __rmul__(self, by: Any) -> _Shift:
        """Return a multiple of I."""
        return _Shift(by)

    def __sub__(self, slopes: FeatureSlopes) -> _Factor:
        return _Factor(self.by, slopes)


class FeatureRadau(Quick):
    """`Quick` with `FeatureSlopes` for its Jacobian."""

    def __init__(
        self, fun: Any, t0: float, y0: State, t_bound: float, **options: Any
    ) -> None:
        super().__init__(fun, t0, y0, t_bound, **options)
        self.J = self.jac(t0, y0, self.f)
        self.I = _Shift()

    def _factored(self, matrix: Any) -> Any:
        """Count a factor."""
        self.nlu += 1
        return matrix

    def _validate_jac(self, jac: Any, sparsity: Any) -> Any:
        """Take the function as it is; to SciPy what is sparse has no dense identity."""
        return lambda t, y, f: jac(t, y), csc_array((self.n, self.n))
