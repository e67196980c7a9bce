"""Pieces of HTML: tables, links, pictures inside the page, and LaTeX as MathML."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_OPEN = {"{", "(", "[", r"\{", r"\langle"}
_CLOSE = {"}", ")", "]", r"\}", r"\rangle"}
_RELATIONS = {*"=<>,;", r"\leq", r"\geq", r"\sim", r"\to", r"\quad", r"\;"}
_SIZES = {"inf": r"\infty"}
_LONG = 8  # characters of LaTeX before a sum may be broken
_TIGHT = re.compile(r"<mo[^>]*>(&#x0002F;|&#x0007C;|&#x02016;|&#x02225;)</mo>")
_FUNCTION = re.compile(r"(<mi>(?:log|exp|sign|min|max)</mi>)(?=<m(?:i|sub|sup)>)")
_WRITTEN = re.compile(r"\\([\[(])(.+?)\\[])]", re.DOTALL)
_TILDE = "<mi>&#x0007E;</mi>"
_NORM = r"\bl_(inf|\d(?:\.\d+)?|p)\b"
_MARKED = re.compile(rf"(\$[^$]+\$|`[^`]+`|{_NORM.replace('(', '(?:', 1)})")


def template(name: str) -> Template:
    r"""Return a page of this folder, its `\(...\)` and `\[...\]` as MathML."""
    text = Path(__file__).with_name(name).read_text("utf-8")
    return Template(
        _WRITTEN.sub(lambda found: formula(found[2], display=found[1] == "["), text)
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose rows become blocks on a narrow page; cells are HTML already."""
    names = "".join(f"<th>{word}</th>" for word in head)
    lines = [
        "".join(
            f'<td data-head="{word}"><div>{cell}</div></td>'
            for word, cell in zip(head, row, strict=True)
        )
        for row in rows
    ]
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="wide"><table>\n<thead><tr>{names}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def link(name: str, words: str = "") -> str:
    """Return a link to the part of the page with that name; the words are HTML already."""
    return f'<a href="#{name}">{words or name}</a>'


def links(names: Iterable[str]) -> str:
    """Return links, separated by commas."""
    return ", ".join(map(link, names))


def card(facts: Mapping[str, object]) -> str:
    """Return facts as a line of bold names and values."""
    return "; ".join(f"<b>{escape(k)}</b> {escape(str(v))}" for k, v in facts.items())


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
    return re.sub(
        _NORM, lambda found: rf"$\ell_{{{_SIZES.get(found[1], found[1])}}}$", words
    )


def prose(words: str, *, code: Callable[[str], str] = escape) -> str:
    r"""Return words as HTML: norms and `$...$` are mathematics, backticks hold code."""
    html = []
    for part in _MARKED.split(words):
        if part.startswith("`"):
            html.append(f"<code>{code(part.strip('`'))}</code>")
        elif part.startswith("$"):
            html.append(formula(part.strip("$")))
        elif re.fullmatch(_NORM, part):
            html.append(formula(spelled(part).strip("$")))
        else:
            html.append(escape(part))
    return "".join(html)
