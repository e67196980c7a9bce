"""Every derived expression written down: as SymPy equations, and in LaTeX."""

from collections.abc import Mapping

import sympy as sp

from flowsam.symbolic import coordinate


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


def _equal(left: sp.Expr, right: sp.Expr) -> sp.Equality:
    """An equation SymPy does not try to decide."""
    return sp.Eq(left, right, evaluate=False)


def latex(found: Mapping[str, sp.Equality]) -> dict[str, str]:
    """Return equations in LaTeX, without dollar signs."""
    names = {sp.Symbol("ell"): r"\ell"}
    return {name: sp.latex(one, symbol_names=names) for name, one in found.items()}
