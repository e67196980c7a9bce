"""SymPy's expressions as JavaScript that runs and as MathML that is read."""

from __future__ import annotations

import re

import sympy as sp
from sympy.printing.jscode import JavascriptCodePrinter
from sympy.printing.mathml import MathMLPresentationPrinter

__all__ = ["javascript", "mathml"]

_MARKS = {"hat": "^", "dot": "˙"}


class _JavaScript(JavascriptCodePrinter):
    """JavaScript with the functions of C99 that SymPy's printer does not know."""

    def __init__(self) -> None:
        """Name them."""
        known = {name: f"Math.{name}" for name in ("expm1", "log1p", "hypot")}
        super().__init__({"user_functions": known})


class _MathML(MathMLPresentationPrinter):
    """Presentation MathML: marks over letters, what is subtracted last, no invisible characters."""

    def _as_ordered_terms(self, expr: sp.Expr, order: str | None = None) -> list[sp.Expr]:
        """Put terms with a minus after the others."""
        terms = super()._as_ordered_terms(expr, order)
        return sorted(terms, key=lambda term: term.could_extract_minus_sign())

    def _print_Symbol(self, sym: sp.Symbol, style: str = "plain") -> object:
        """Set a mark at the end of a letter's name above it: `what_1`, `wdot`."""
        found = re.fullmatch(r"(\w+?)(hat|dot)(_\w+)?", sym.name)
        if not found:
            return super()._print_Symbol(sym, style)
        letter, mark, index = found.groups()
        over, above = self.dom.createElement("mover"), self.dom.createElement("mo")
        above.appendChild(self.dom.createTextNode(_MARKS[mark]))
        over.setAttribute("accent", "true")
        over.appendChild(super()._print_Symbol(sp.Symbol(letter)))
        over.appendChild(above)
        if not index:
            return over
        whole, below = self.dom.createElement("msub"), self.dom.createElement("mi")
        below.appendChild(self.dom.createTextNode(index[1:]))
        whole.appendChild(over)
        whole.appendChild(below)
        return whole


def javascript(expression: sp.Expr) -> str:
    """Return an expression of JavaScript.

    Examples
    --------
    >>> x = sp.Symbol("x")
    >>> javascript(sp.exp(x) + sp.sqrt(x))
    'Math.sqrt(x) + Math.exp(x)'
    """
    return _JavaScript().doprint(expression)


def mathml(left: sp.Expr, right: sp.Expr) -> str:
    """Return `left = right` as a block of MathML for HTML.

    Examples
    --------
    >>> mathml(sp.Symbol("A"), sp.Symbol("w"))
    '<math display="block"><mrow><mi>A</mi><mo>=</mo><mi>w</mi></mrow></math>'
    """
    printer = _MathML()
    sides = (printer.doprint(side) for side in (left, right))
    text = f'<math display="block"><mrow>{"<mo>=</mo>".join(sides)}</mrow></math>'
    return text.replace("&ExponentialE;", "e").replace("<mo>&InvisibleTimes;</mo>", "")
