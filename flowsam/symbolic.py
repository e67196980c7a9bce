"""SymPy derives the gradient of the SAM objective for ONE coordinate; NumPy broadcasts it.

Every derived expression is written down as an equation, and in LaTeX.

Derivations: derivations/sam_gradient.py, derivations/dual_norm.py.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import sympy as sp

from flowsam.errors import InputError
from flowsam.shapes import Inexact

Symbols = tuple[sp.Symbol, ...]
Layers = Inexact[np.ndarray, "*batch L d"]

_MU, _M, _M_HAT = sp.symbols("mu m mhat", real=True)
_RHO, _NORM = sp.symbols("rho N", positive=True)
_equal = partial(sp.Eq, evaluate=False)  # SymPy does not try to decide it


@dataclass(frozen=True)
class Coordinate:
    """One coordinate under one rule: expressions in SymPy, one entry a layer.

    m = r + mu w_1 ... w_L, g_l = ell'(m) dm/dw_l, w_hat_l = w_l + eps_l(g), and
    ghat_l = ell'(m_hat) dm/dw_l at w_hat, SAM's gradient; d/dw_l ell(m(w_hat)) = ghat_l + extra_l.
    """

    w: Symbols
    w_hat: Symbols
    g: Symbols
    g_hat: Symbols
    margin: sp.Expr  # in w, mu and r, the part of the other coordinates
    loss: sp.Expr  # in m
    gradient: tuple[sp.Expr, ...]
    curvature: sp.Matrix  # second derivatives of the loss
    # in w, rho, g, sigma = sign(g), N = ||g||_q, and chi = 1 on the largest |g| (p = 1)
    perturbed: tuple[sp.Expr, ...]
    sam_gradient: tuple[sp.Expr, ...]
    # (d eps/d w)^T ghat with h_ab the curvature, at d = n = 1; 0 where eps is constant
    extra: tuple[sp.Expr, ...]


@cache
def coordinate(
    depth: int,
    p: float | None = None,
    *,
    loss: str = "logistic",
    adaptive: bool = False,
) -> Coordinate:
    """Return one coordinate's margin, loss, gradient, perturbed point and SAM gradient."""
    _check(depth, p, loss)
    w, w_hat, g, g_hat = (
        _layered(letter, depth) for letter in ("w", "what", "g", "ghat")
    )
    margin = sp.Symbol("r", real=True) + _MU * sp.prod(w)
    value = sp.log(1 + sp.exp(-_M)) if loss == "logistic" else sp.exp(-_M)
    slope = sp.expand(value.diff(_M))
    gradient = tuple(slope * margin.diff(x) for x in w)
    at_hat = {_M: _M_HAT, **dict(zip(w, w_hat, strict=True))}
    adapted = adaptive and p is not None
    size = sp.diag(*map(sp.Abs, w)) if adapted else sp.eye(depth)
    # the step is |w| step(|w| g), or of ones for |w|; sign(|w| g) is sigma
    at_h = dict(zip(g, size * sp.Matrix(g), strict=True))
    steps = sp.Matrix(_steps(g, p))
    return Coordinate(
        *(w, w_hat, g, g_hat),
        margin=margin,
        loss=value,
        gradient=gradient,
        # by each weight, directly and through the margin m
        curvature=sp.Matrix(
            [[g.diff(_M) * margin.diff(x) + g.diff(x) for x in w] for g in gradient]
        ),
        perturbed=tuple(sp.Matrix(w) + size * steps.subs(at_h)),
        sam_gradient=tuple(x.subs(at_hat, simultaneous=True) for x in gradient),
        extra=_extra(steps, (w, g, g_hat), size, at_h),
    )


def _layered(letter: str, depth: int) -> Symbols:
    """One real symbol a layer."""
    return tuple(sp.Symbol(f"{letter}_{k}", real=True) for k in range(1, depth + 1))


def _check(depth: int, p: float | None, loss: str) -> None:
    """Refuse what has no expression."""
    if depth not in range(1, 9):
        raise InputError(f"needs a number from 1 to 8, got {depth}", of="depth")
    if p is not None and not p >= 1:
        raise InputError(
            f"a perturbation needs p in [1, inf], got {p}; p < 1 is not a norm"
        )
    if loss not in ("logistic", "exponential"):
        raise InputError(f"loss needs to be logistic or exponential, got {loss!r}")


def _steps(g: Symbols, p: float | None) -> list[sp.Expr]:
    """`Perturbation.step` of each layer in symbols: g, its signs and its norm N."""
    signs = _layered("sigma", len(g))
    if p is None:
        return [sp.Integer(0)] * len(g)
    if math.isinf(p):
        return [_RHO * s for s in signs]
    if p == 1:
        return [
            _RHO * s * chi
            for s, chi in zip(signs, _layered("chi", len(g)), strict=True)
        ]
    if p == 2:
        return [_RHO * x / _NORM for x in g]
    power = 1 / (sp.Rational(str(p)) - 1)  # q - 1
    return [
        _RHO * s * (sp.Abs(x) / _NORM) ** power for s, x in zip(signs, g, strict=True)
    ]


def _extra(
    steps: sp.Matrix,
    symbols: tuple[Symbols, Symbols, Symbols],
    size: sp.Matrix,
    at_h: dict[sp.Symbol, sp.Expr],
) -> tuple[sp.Expr, ...]:
    """(d eps/d w)^T ghat, through h = |w| g itself, through N(h) = (sum |h|^q)^(1/q), and |w|."""
    w, g, g_hat = symbols
    # dN/dg_c = sign(g_c) |g_c|^(q-1) / N^(q-1), which is eps_c / rho
    jacobian = steps.jacobian(sp.Matrix(g)) + steps.diff(_NORM) * steps.T / _RHO
    signs = dict(zip(map(sp.sign, g), _layered("sigma", len(g)), strict=True))
    slope = (
        jacobian.subs(signs).subs({sign**2: 1 for sign in signs.values()}).subs(at_h)
    )
    pull = slope.T * (size * sp.Matrix(g_hat))
    curvature = sp.Matrix(
        *(len(g), len(g)),
        lambda a, b: sp.Symbol(f"h_{min(a, b) + 1}{max(a, b) + 1}"),
    )
    bend = curvature * (size * pull)
    turns = [
        a.diff(x) for a, x in zip(size.diagonal(), w, strict=True)
    ]  # sign(w), or 0
    parts = zip(bend, turns, g, pull, steps.subs(at_h), g_hat, strict=True)
    return tuple(b + turn * (x * y + step * hat) for b, turn, x, y, step, hat in parts)


@cache
def products(depth: int) -> Callable[[Layers], Layers]:
    """Return theta -> `P_l = prod_{k != l} w_k`, without division: exact zeros stay exact."""
    w = _layered("w", depth)
    first = [sp.prod(w).diff(x) for x in w]
    evaluate = sp.lambdify(w, first, modules="numpy", cse=True)

    def other_layers(theta: Layers) -> Layers:
        out = np.empty_like(theta)
        for layer, value in enumerate(
            evaluate(*(theta[..., k, :] for k in range(depth)))
        ):
            out[..., layer, :] = value
        return out

    return other_layers


def equations(
    depth: int,
    p: float | None = None,
    *,
    loss: str = "logistic",
    adaptive: bool = False,
) -> dict[str, sp.Equality]:
    """Return every derived expression of one coordinate as an equation under its name."""
    one = coordinate(depth, p, loss=loss, adaptive=adaptive)
    found = {
        "margin": _equal(sp.Symbol("m", real=True), one.margin),
        "loss": _equal(sp.Symbol("ell"), one.loss),
    }
    sides = {
        "gradient": (one.g, one.gradient),
        "perturbed": (one.w_hat, one.perturbed),
        "sam_gradient": (one.g_hat, one.sam_gradient),
        "extra": (sp.symbols(f"x_1:{depth + 1}"), one.extra),
    }
    for name, (left, right) in sides.items():
        for layer in range(depth):
            found[f"{name}_{layer + 1}"] = _equal(left[layer], right[layer])
    if any(one.extra):
        for a in range(depth):
            for b in range(a, depth):
                pair = f"{a + 1}{b + 1}"
                found[f"curvature_{pair}"] = _equal(
                    sp.Symbol(f"h_{pair}"), one.curvature[a, b]
                )
    return found


def latex(found: Mapping[str, sp.Equality]) -> dict[str, str]:
    """Return equations in LaTeX, without dollar signs."""
    names = {sp.Symbol("ell"): r"\ell"}
    return {name: sp.latex(one, symbol_names=names) for name, one in found.items()}
