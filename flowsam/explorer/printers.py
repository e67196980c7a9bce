"""SymPy's expressions as JavaScript that runs and as MathML that is read."""

import sympy as sp
from sympy.printing.mathml import MathMLPresentationPrinter

_SHOWN = {
    "&ExponentialE;": "e",
    "&dd;": "d",
    "<mo>&InvisibleTimes;</mo>": "",
    "<mo>-</mo>": "<mo>−</mo>",
}


# functions of C99 that SymPy's printer does not know
_OWN = {name: f"Math.{name}" for name in ("expm1", "log1p", "hypot")}


class _MathML(MathMLPresentationPrinter):
    """Presentation MathML: what is subtracted stands last."""

    def _as_ordered_terms(
        self,
        expr: sp.Expr,
        order: str | None = None,
    ) -> list[sp.Expr]:
        """Put terms with a minus after the others."""
        terms = super()._as_ordered_terms(expr, order)
        return sorted(terms, key=lambda term: term.could_extract_minus_sign())


def javascript(expression: sp.Expr) -> str:
    """Return an expression of JavaScript."""
    return sp.jscode(expression, user_functions=_OWN)


def mathml(left: sp.Expr, right: sp.Expr) -> str:
    """Return `left = right` as a block of MathML for HTML."""
    printer = _MathML()
    sides = (printer.doprint(side) for side in (left, right))
    text = f'<math display="block"><mrow>{"<mo>=</mo>".join(sides)}</mrow></math>'
    for entity, shown in _SHOWN.items():
        text = text.replace(entity, shown)
    return text
