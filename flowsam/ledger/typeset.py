"""Mathematics and marked words as HTML: LaTeX becomes MathML, which every browser draws itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape

__all__ = ["formula", "prose", "spelled"]

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_OPEN = {"{", "(", "[", r"\{", r"\langle"}
_CLOSE = {"}", ")", "]", r"\}", r"\rangle"}
_RELATIONS = {
    "=",
    "<",
    ">",
    ",",
    ";",
    r"\leq",
    r"\geq",
    r"\sim",
    r"\to",
    r"\quad",
    r"\;",
}
_SIZES = {"inf": r"\infty"}
_LONG = 8  # characters of LaTeX before a sum may be broken
_TIGHT = re.compile(r"<mo[^>]*>(&#x0002F;|&#x0007C;|&#x02016;|&#x02225;)</mo>")
_FUNCTION = re.compile(r"(<mi>(?:log|exp|sign|min|max)</mi>)(?=<m(?:i|sub|sup)>)")
_TILDE = "<mi>&#x0007E;</mi>"
_SPELLED = re.compile(r"\bl_(inf|\d(?:\.\d+)?|p)\b")


def formula(latex: str, *, display: bool = False) -> str:
    r"""Return a formula as MathML that may break after its relations, as text does."""
    whole = "<wbr>".join(_mathml(piece, display) for piece in _pieces(latex))
    return f'<div class="formula">{whole}</div>' if display else whole


def _mathml(latex: str, display: bool) -> str:
    """One piece in one element."""
    from latex2mathml.converter import convert

    written = _TIGHT.sub(
        r'<mo lspace="0" rspace="0" stretchy="false">\1</mo>', convert(latex)
    )
    written = written.partition(">")[2]
    written = _FUNCTION.sub(r'\1<mspace width="0.17em"/>', written)
    style = ' displaystyle="true"' if display else ""
    return f"<math{style}>{written.replace(_TILDE, '<mo>&#x0223C;</mo>')}"


def _pieces(latex: str) -> Iterator[str]:
    """Cut a formula after the relations that no bracket holds, and in long sums."""
    depth = 0
    piece = ""
    for token in _TOKEN.findall(latex):
        piece += token
        depth += (token in _OPEN) - (token in _CLOSE)
        long = token in "+-" and len(piece) > _LONG
        if (token in _RELATIONS or long) and not depth:
            yield piece
            piece = ""
    if piece.strip():
        yield piece


def spelled(words: str) -> str:
    r"""Return words in which norms are LaTeX: `l_inf-SAM` becomes `$\ell_{\infty}$-SAM`."""
    return _SPELLED.sub(
        lambda found: rf"$\ell_{{{_SIZES.get(found[1], found[1])}}}$", words
    )


def prose(words: str, *, code: Callable[[str], str] = escape) -> str:
    r"""Return marked words as HTML: `$...$` is mathematics, backticks hold code."""
    html = []
    for part in re.split(r"(\$[^$]+\$|`[^`]+`)", words):
        if part.startswith("$"):
            html.append(formula(part.strip("$")))
        elif part.startswith("`"):
            html.append(f"<code>{code(part.strip('`'))}</code>")
        else:
            html.append(escape(part))
    return "".join(html)
