"""Radau's steps whose Newton iteration is judged from its third correction on.

SciPy's solver gives up where the second correction is no smaller than the first, and has no option
for it: beside a feature that dies its steps were halved and doubled for ever. Interface, Jacobians
and dense output are SciPy's; the step is Hairer and Wanner's (Solving Ordinary Differential
Equations II, IV.8).
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import scipy.integrate
from scipy.linalg.lapack import dgetrf, dgetrs, zgetrf, zgetrs

from flowsam.shapes import Float, State

_ROUNDS = 10
_WILD = 10.0  # so many times larger a second correction is no good
_SLOW = 1e-3  # rate of convergence beyond which a new matrix is made
_SAME = 1.2  # a step that would grow less stays
# times the last step
_LEAST = 0.2
_MOST = 10.0

Stages = Float[np.ndarray, "3 m"]

_C = np.array([(4 - 6**0.5) / 10, (4 + 6**0.5) / 10, 1.0])
_E = np.array([-13 - 7 * 6**0.5, -13 + 7 * 6**0.5, -1.0]) / 3  # of the error


class _Part(NamedTuple):
    """An eigenvalue of A^-1, one of a pair, with what leads into it and out again."""

    value: Any
    into: Any
    out: Any


def _parts() -> tuple[_Part, _Part]:
    """The real eigenvalue of A^-1, and one of the pair."""
    powers = _C[:, None] ** np.arange(3)
    a = _C[:, None] * powers / np.arange(1, 4) @ np.linalg.inv(powers)
    values, out = np.linalg.eig(np.linalg.inv(a))
    into = np.linalg.inv(out)
    lone = np.argmin(np.abs(values.imag))
    pair = np.argmax(values.imag)
    real = _Part(values[lone].real, into[lone].real, out[:, lone].real)
    return real, _Part(values[pair], into[pair], 2.0 * out[:, pair])


_PARTS = _parts()


class Quick(scipy.integrate.Radau):
    """Radau whose linear systems, a few numbers each, go to LAPACK without a look at them."""

    t: float
    y: State
    f: State
    J: Any
    Z: Stages
    sol: Any
    current_jac: bool
    h_abs: float

    def __init__(
        self,
        fun: Any,
        t0: float,
        y0: State,
        t_bound: float,
        **options: Any,
    ) -> None:
        super().__init__(fun, t0, y0, t_bound, **options)
        self.before: tuple[float, float] | None = None  # last step and its error
        self.factors: Any = None  # of the real and the complex system
        self.rounds = 0
        self.rate = 0.0

    def _step_impl(self) -> tuple[bool, str | None]:
        """Take a step, shortened until its error is below the tolerance."""
        least = 10.0 * np.spacing(self.t)
        h = max(self.h_abs, least)
        rejected = False
        while h >= least:
            end = min(self.t + h, self.t_bound)
            h = end - self.t
            factor = 0.5
            if self._converges(h):
                error = self._error(h, rejected)
                factor = self._growth(h, error)
                if error <= 1.0:
                    # what a step failed at, the next would fail at too
                    self._accept(end, error, min(factor, 1.0 if rejected else _MOST))
                    return True, None
            h *= max(factor, _LEAST)
            self.factors = None
            rejected = True
        return False, self.TOO_SMALL_STEP

    def _converges(self, h: float) -> bool:
        """Solve for the stages, with a new Jacobian where the old one fails."""
        guess = np.zeros((3, self.n))
        if self.sol is not None:
            guess = self.sol(self.t + h * _C).T - self.y
        while not self._iterated(h, guess):
            if self.current_jac:
                return False
            self.J = self.jac(self.t, self.y, self.f)
            self.current_jac = True
            self.factors = None
        return True

    def _iterated(self, h: float, stages: Stages) -> bool:
        """Correct a guess of the stages, and tell whether it settles."""
        if self.factors is None:
            matrices = (part.value / h * self.I - self.J for part in _PARTS)
            self.factors = [self._factored(matrix) for matrix in matrices]
        scale = self.atol + self.rtol * np.abs(self.y)
        times = self.t + h * _C
        last = np.inf
        for self.rounds in range(1, _ROUNDS + 1):
            states = zip(times, self.y + stages, strict=True)
            field = np.array([self.fun(*at) for at in states])
            if not np.isfinite(field).all():
                return False
            move = self._correction(h, field, stages)
            size = _rms(move / scale)
            self.rate = size / last if last else 0.0
            last = size
            if self._hopeless(size):
                return False
            stages = stages + move
            left = self.newton_tol * (1.0 - self.rate)
            if self.rounds > 1 and self.rate * size <= left:
                self.Z = stages
                return True
        return False

    def _hopeless(self, size: float) -> bool:
        """Tell whether the corrections will not settle."""
        # the first correction follows what the prediction missed, the second what an old matrix
        # makes of that in a feature that dies, often as much: SciPy gives up there, and halves
        # the step; from the third on they fall ten to fifty times each
        if self.rounds < 3:
            return self.rate > _WILD
        if self.rate >= 1.0:
            return True
        left = self.rate ** (_ROUNDS + 1 - self.rounds) * size
        return left > (1.0 - self.rate) * self.newton_tol

    def _correction(self, h: float, field: Stages, stages: Stages) -> Stages:
        """Return Newton's correction of the stages."""
        move = np.zeros_like(stages)
        for part, factors in zip(_PARTS, self.factors, strict=True):
            off = part.into @ field - part.value / h * (part.into @ stages)
            move += np.outer(part.out, factors(off)).real
        return move

    def _error(self, h: float, rejected: bool) -> float:
        """Return the error over the tolerance, of order 3."""
        larger = np.maximum(np.abs(self.y), np.abs(self.y + self.Z[-1]))
        scale = self.atol + self.rtol * larger
        rest = _E @ self.Z / h
        off = self.factors[0](self.f + rest)
        if rejected and _rms(off / scale) > 1.0:
            off = self.factors[0](self.fun(self.t, self.y + off) + rest)
        return _rms(off / scale)

    def _growth(self, h: float, error: float) -> float:
        """Return by how much the next step may be longer."""
        rounds = 2.0 * _ROUNDS
        safe = 0.9 * (rounds + 1.0) / (rounds + self.rounds)
        if not error:
            return _MOST
        trend = 1.0
        if self.before is not None:
            last, old = self.before
            trend = min(h / last * (old / error) ** 0.25, 1.0)
        return safe * trend * error**-0.25

    def _accept(self, end: float, error: float, factor: float) -> None:
        """Move on, and choose the next step."""
        h = end - self.t
        self.before = h, max(error, 1e-300)
        self.t_old = self.t
        self.y_old = self.y
        self.t = end
        self.y = self.y + self.Z[-1]
        self.f = self.fun(self.t, self.y)
        self.current_jac = self.rounds > 2 and self.rate > _SLOW
        if self.current_jac:
            self.J = self.jac(self.t, self.y, self.f)
        if self.current_jac or factor >= _SAME:
            self.factors = None
        else:
            factor = 1.0
        self.h_abs = h * factor
        self.sol = self._compute_dense_output()

    def _factored(self, matrix: Any) -> Any:
        """Return what solves a system."""
        self.nlu += 1
        real = matrix.dtype == np.float64
        factors = (dgetrf if real else zgetrf)(matrix, overwrite_a=True)[:2]
        return partial(_solved, factors)


def _solved(factors: Any, b: Any) -> Any:
    """Return a solution, inf or nan where a matrix was singular: the iteration fails."""
    matrix, pivots = factors
    solve = dgetrs if matrix.dtype == np.float64 else zgetrs
    return solve(matrix, pivots, b)[0]


def _rms(values: Any) -> float:
    """Return the root of the mean square."""
    return float(np.linalg.norm(values)) / values.size**0.5
