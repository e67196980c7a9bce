"""Implicit steps for many features: Newton's matrix by the examples that have a share.

With P the other layers' products, B = diag(q |s|) over the live examples, V = P z^T B^(1/2) and G =
V^T V, the Jacobian is -pace V (I + a G) V^T up to what is not stiff, a = 0 (GD), rho / N (l_2) or
rho Lambda (unnormalised):

    (I + g V (I + a G) V^T)^-1 = I - g V (I + a G) (I + g (G + a G^2))^-1 V^T,

one Cholesky factor of the size of the live examples, in single precision: Newton's iteration
converges to the same states. Along the pull V b, b = (q / |s|)^(1/2), l_2 does not turn its step:
G in I + a G is G - u u^T, u = G b / (b^T G b)^(1/2), by Sherman's and Morrison's formula.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy.integrate
from scipy.linalg import LinAlgError, cholesky
from scipy.linalg.blas import strsv
from scipy.sparse import csc_array

from flowsam.engines.implicit import Quick
from flowsam.engines.stepping import PATIENCE, Unasked
from flowsam.flow import Flow
from flowsam.many_examples.pulls import Pull, Pulls
from flowsam.shapes import Float, Float32, State, Vector

# of all the curvature, left out of the matrix: steps are as many at ten times that (tests)
_LEFT_OUT = 1e-5
_CONVERGED = 0.05  # of the tolerance; SciPy asks for rtol^(1/2), at most .03
_BOUND = 6.1  # of DOP853's region of stability on the negative axis
_STRAINED = 5  # steps there in a row: three come in a transient too, measured
# failures of Newton's iteration at a fresh matrix, less so much a step: none in 600 steps of many
# live examples, one in seven to ten of few at late times (tests), more near rest
_MISLED = 5
_FORGIVEN = 0.25
_SLOWED = 1 / 3  # power of a growth below 2: full ones end in a rejected step

Rows = Float[np.ndarray, "k d"]
Gram = Float32[np.ndarray, "A A"]


@dataclass(frozen=True, eq=False)
class Curvature:
    """The Jacobian `-pace out z^T z (I + a G) in` of (weights, tau), tau's row left out."""

    z: Float32[np.ndarray, "A d"]  # live examples times (q |s|)^(1/2)
    along: Float32[np.ndarray, " A"] | None  # b, where a step keeps its length
    into: Rows  # what states are multiplied by before z
    out: Rows  # and after it
    pace: float  # e^(T + log Lambda)
    ratio: float  # a
    __array_ufunc__ = None  # a NumPy number times this is `__rmul__`

    def __rmul__(self, c: float) -> _Scaled:
        """Return what `BDF` subtracts from the identity."""
        return _Scaled(float(c), self)

    @cached_property
    def gram(self) -> Gram:
        """G, by half of its products: a matrix times its own transpose."""
        scale = np.sqrt((self.into * self.out).sum(axis=0)).astype(np.float32)
        half = self.z * scale
        return half @ half.T

    @cached_property
    def curved(self) -> Gram:
        """G + a G^2."""
        square = self.gram @ self.gram.T if self.ratio else 0.0
        return self.gram + np.float32(self.ratio) * square

    @cached_property
    def unturned(self) -> tuple[State, Vector]:
        """V u as a column, with a 0 for tau, and as a row."""
        assert self.along is not None
        bent = self.gram @ self.along
        u = (bent / np.sqrt(self.along @ bent)) @ self.z
        return np.append(self.out * u, 0.0), np.ravel(self.into * u)


@dataclass(frozen=True, eq=False)
class _Factor:
    """The inverse of I - c J."""

    g: float
    at: Curvature
    factor: Gram | None

    def __call__(self, b: State) -> State:
        """Apply it to a state with tau, which only follows; nan where there is no factor."""
        if self.factor is None:
            return np.full(b.size, np.nan)
        found = self._turning(b)
        if self.at.along is None:
            return found
        column, row, share = self.unturned
        return found + column * (share * float(row @ found[:-1]))

    def _turning(self, b: State) -> State:
        """Apply it as if steps turned along the pull too."""
        at = self.at
        scale = float(np.abs(b).max()) or 1.0
        rows = b[:-1].reshape(at.into.shape) / scale
        dual = at.z @ (at.into * rows).sum(axis=0).astype(np.float32)
        dual = strsv(self.factor, strsv(self.factor, dual, trans=1))
        if at.ratio:
            dual = dual + np.float32(at.ratio) * (at.gram @ dual)
        moved = self.g * scale * at.out * (dual @ at.z)
        return np.append(b[:-1] - moved.ravel(), b[-1])

    @cached_property
    def unturned(self) -> tuple[State, Vector, float]:
        """What a correction gains where they do not: a column, a row and a share."""
        column, row = self.at.unturned
        ahead = self._turning(column)
        by = self.g * self.at.ratio
        left = 1.0 - by * float(row @ ahead[:-1])
        return ahead, row, by / left


class _Scaled(NamedTuple):
    """c J."""

    by: float
    matrix: Curvature


class _Identity:
    """I, from which `BDF` subtracts c J."""

    def __sub__(self, scaled: _Scaled) -> _Factor:
        at = scaled.matrix
        g = scaled.by * at.pace
        matrix = np.float32(g) * at.curved
        matrix[np.diag_indices(len(matrix))] += 1.0
        try:
            return _Factor(
                g, at, cholesky(matrix.T, check_finite=False, overwrite_a=True)
            )
        except LinAlgError:  # beyond the range of single precision: a shorter step
            return _Factor(g, at, None)


class DualBDF(scipy.integrate.BDF):
    """SciPy's BDF with `Curvature` for its Jacobian.

    One correction is enough where it contracts as well as it did in the last step of its length.
    """

    # done where a fresh matrix fails: near rest at a finite loss N falls, and what
    # `Curvature` leaves out, with rho / N in it, is stiff too
    status: str
    factors = 0
    misled = 0.0

    def __init__(
        self,
        fun: Any,
        t0: float,
        y0: State,
        t_bound: float,
        **options: Any,
    ) -> None:
        self.field = fun
        self.done = False
        self.now: tuple[float, Any] = (t0, None)  # time and factor of a system
        self.known: tuple[float, Any] = (0.0, None)  # step and factor of a rate
        self.size = self.rate = np.inf
        super().__init__(self._unless_done, t0, y0, t_bound, **options)
        self.J = self.jac(t0, y0)
        self.newton_tol = _CONVERGED
        self.I = _Identity()
        self.lu = self._factored
        self.solve_lu = self._correction

    def step(self) -> str | None:
        """Take one step, the last one after several failures of its matrix."""
        self.factors = 0
        message = super().step()
        self.misled = max(self.misled - _FORGIVEN, 0.0) + (self.factors > 1)
        if self.status == "running" and self.misled >= _MISLED:
            self.status = "finished"
        return message

    def _factored(self, factor: Any) -> Any:
        """Return a factor, counted from the last matrix on: a second one means a failure."""
        self.factors += 1
        return factor

    def _unless_done(self, t: float, y: State) -> State:
        """Evaluate the field, unless nothing is left to correct."""
        if self.done:
            self.nfev -= 1
            return np.zeros_like(y)
        self.here = t
        return self.field(t, y)

    def _correction(self, factor: Any, b: State) -> State:
        """Return Newton's correction, 0 after one that was enough."""
        if self.done:
            self.done = False
            return np.zeros_like(b)
        found = factor(b)
        scaled = found / (self.atol + self.rtol * np.abs(self.y))
        size = float(np.linalg.norm(scaled)) / found.size**0.5
        now = self.here, factor
        if now == self.now:
            self.known = self.here - self.t, factor
            self.rate = size / self.size
        elif factor is self.known[1] and self.rate < 1.0:
            left = self.rate / (1.0 - self.rate) * size
            same = np.isclose(self.here - self.t, self.known[0])
            self.done = bool(same) and 0.0 < left < self.newton_tol
        self.now = now
        self.size = size
        return found

    def _validate_jac(self, jac: Any, sparsity: Any) -> Any:
        """Take the function as it is; to SciPy what is sparse has no dense identity."""

        def fresh(t: float, y: State) -> Any:
            self.factors = 0
            return jac(t, y)

        return fresh, csc_array((self.n, self.n))


class Patient(Quick):
    """Radau, done after as many steps as on a small run, which leaves LSODA the rest."""

    status: str
    taken = 0

    def step(self) -> str | None:
        """Take one step, the last one where patience ends."""
        message = super().step()
        self.taken += 1
        if self.status == "running" and self.taken >= PATIENCE:
            self.status = "finished"
        return message


class UntilStiff(Unasked):
    """DOP853, done where not accuracy but stability limits its steps."""

    # the slope of the field between the last two stages, at nearly one time, nears the largest
    # eigenvalue as steps come to the bound of stability (Hairer, Norsett, Wanner, IV.2)

    # near it the error rises so fast with the step that every other one was rejected,
    # with twelve evaluations: slow growth saves most runs 5 to 40 % of them; power
    # iterations see it earlier, which does not pay: BDF's first steps cost more
    status: str
    h_abs: float
    strained = 0

    def step(self) -> str | None:
        """Take one step, the last one after several at the bound."""
        message = super().step()
        step = abs(self.t - self.t_old)
        growth = self.h_abs / step
        if 1.0 < growth < 2.0:
            self.h_abs = step * growth**_SLOWED
        if self.status == "running":
            self.strained = self.strained + 1 if self._at_bound() else 0
            if self.strained >= _STRAINED:
                self.status = "finished"
        return message

    def _at_bound(self) -> bool:
        """Tell whether the step was as long as stability allows."""
        h = self.t - self.t_old
        stage = self.y_old + h * (self.A[-1, :-1] @ self.K[:-2])
        scale = self.atol + self.rtol * np.abs(self.y)
        turn = np.linalg.norm((self.K[-1] - self.K[-2]) / scale)
        return bool(h * turn > _BOUND * np.linalg.norm((self.y - stage) / scale))


def amplifies(flow: Flow) -> bool:
    """Tell whether SAM's Jacobian is a polynomial in GD's: GD, l_2 and unnormalised SAM."""
    if not flow.rho:
        return flow.kind != "own"
    return flow.kind in ("GD", "l_2", "unnormalised")


def live(
    pulls: Pulls, at: Pull
) -> tuple[Float32[np.ndarray, "A d"], Float32[np.ndarray, " A"]]:
    """Return the examples that curve the loss times (q |s|)^(1/2), and b."""
    weight = at.shares * np.abs(pulls.loss.log_slope_derivative(at.margins))
    curving = weight * pulls.squares
    upward = np.argsort(curving)
    lower = np.cumsum(curving[upward])
    alive = np.sort(upward[lower > _LEFT_OUT * lower[-1]])
    root = np.sqrt(weight[alive])
    along = (at.shares[alive] / root).astype(np.float32)
    return pulls.single[alive] * root[:, None].astype(np.float32), along
