"""SymPy's expressions as JavaScript that runs and as MathML that is read."""

from __future__ import annotations

import re
from typing import Any

import sympy as sp
from sympy.printing.jscode import JavascriptCodePrinter
from sympy.printing.mathml import MathMLPresentationPrinter

_SHOWN = {
    "&ExponentialE;": "e",
    "<mo>&InvisibleTimes;</mo>": "",
    "<mo>-</mo>": "<mo>−</mo>",
}


class _JavaScript(JavascriptCodePrinter):
    """JavaScript with the functions of C99 that SymPy's printer does not know."""

    def __init__(self) -> None:
        """Name them."""
        known = {name: f"Math.{name}" for name in ("expm1", "log1p", "hypot")}
        super().__init__({"user_functions": known})


class _MathML(MathMLPresentationPrinter):
    """Presentation MathML: marks over letters, what is subtracted last, no invisible characters."""

    def _as_ordered_terms(
        self,
        expr: sp.Expr,
        order: str | None = None,
    ) -> list[sp.Expr]:
        """Put terms with a minus after the others."""
        terms = super()._as_ordered_terms(expr, order)
        return sorted(terms, key=lambda term: term.could_extract_minus_sign())

    def _print_Symbol(self, sym: sp.Symbol, style: str = "plain") -> object:
        """Set `what_1` with a hat, and `wdot` as dw/dtau, which every font can show."""
        found = re.fullmatch(r"(\w+?)(hat|dot)(_\w+)?", sym.name)
        if not found:
            return super()._print_Symbol(sym, style)
        letter = self._print(sp.Symbol(found[1]))
        if found[2] == "dot":
            over = self._of("mrow", self._of("mi", "d"), letter)
            below = self._of("mrow", self._of("mi", "d"), self._print(sp.Symbol("tau")))
            return self._of("mfrac", over, below)
        marked = self._of("mover", letter, self._of("mo", "^"))
        marked.setAttribute("accent", "true")
        return (
            self._of("msub", marked, self._of("mi", found[3][1:]))
            if found[3]
            else marked
        )

    def _of(self, tag: str, *parts: object) -> Any:
        """An element of text or of elements."""
        made = self.dom.createElement(tag)
        for part in parts:
            made.appendChild(
                self.dom.createTextNode(part) if isinstance(part, str) else part
            )
        return made


def javascript(expression: sp.Expr) -> str:
    """Return an expression of JavaScript."""
    return _JavaScript().doprint(expression)


def mathml(left: sp.Expr, right: sp.Expr) -> str:
    """Return `left = right` as a block of MathML for HTML."""
    printer = _MathML()
    sides = (printer.doprint(side) for side in (left, right))
    text = f'<math display="block"><mrow>{"<mo>=</mo>".join(sides)}</mrow></math>'
    for entity, shown in _SHOWN.items():
        text = text.replace(entity, shown)
    return text
