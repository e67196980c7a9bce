"""Pieces of HTML: tables, links, pictures inside the page."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

__all__ = ["card", "link", "links", "picture", "table"]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table that scrolls where it is too wide; cells are HTML already.

    Parameters
    ----------
    head : sequence of str
        Names of the columns.
    rows : iterable of sequences of str
        One cell a column.

    Returns
    -------
    str

    Examples
    --------
    >>> print(table(["a"], [["1"]]))
    <div class="wide"><table>
    <thead><tr><th>a</th></tr></thead>
    <tbody>
    <tr><td>1</td></tr>
    </tbody></table></div>
    """
    names = "".join(f"<th>{word}</th>" for word in head)
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="wide"><table>\n<thead><tr>{names}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def link(name: str) -> str:
    """Return a link to the part of the page with that name.

    Examples
    --------
    >>> link("rates")
    '<a href="#rates">rates</a>'
    """
    return f'<a href="#{name}">{name}</a>'


def links(names: Iterable[str]) -> str:
    """Return links, separated by commas."""
    return ", ".join(map(link, names))


def card(facts: Mapping[str, object]) -> str:
    """Return facts as a line of bold names and values.

    Examples
    --------
    >>> card({"rho": 1, "run": "a < b"})
    '<b>rho</b> 1; <b>run</b> a &lt; b'
    """
    return "; ".join(f"<b>{escape(k)}</b> {escape(str(v))}" for k, v in facts.items())


def picture(path: Path, words: str, caption: str) -> str:
    """Return a figure with its picture in it.

    Parameters
    ----------
    path : Path
        A PNG file.
    words : str
        What it shows, for those who do not see it.
    caption : str
        HTML.

    Returns
    -------
    str
    """
    code = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<figure><img src="data:image/png;base64,{code}" alt="{escape(words)}">'
        f'<figcaption class="card">{caption}</figcaption></figure>'
    )
