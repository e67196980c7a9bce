"""Pieces of HTML: tables, links, pictures inside the page."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

__all__ = ["card", "link", "links", "picture", "table"]


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


def link(name: str) -> str:
    """Return a link to the part of the page with that name."""
    return f'<a href="#{name}">{name}</a>'


def links(names: Iterable[str]) -> str:
    """Return links, separated by commas."""
    return ", ".join(map(link, names))


def card(facts: Mapping[str, object]) -> str:
    """Return facts as a line of bold names and values."""
    return "; ".join(f"<b>{escape(k)}</b> {escape(str(v))}" for k, v in facts.items())


def picture(path: Path, words: str, caption: str, *, name: str) -> str:
    """Return a figure with its picture in it, 200 dots an inch; pressing it shows it large."""
    data = path.read_bytes()
    code = base64.b64encode(data).decode()
    width, height = struct.unpack(">II", data[16:24])
    size = f'width="{width}" height="{height}" style="--inches: {width / 200:g}in"'
    image = f'<img src="data:image/png;base64,{code}" alt="{escape(words)}" {size}>'
    return (
        f'<figure id="{name}"><button class="enlarge" title="show large">{image}</button>'
        f"<figcaption>{caption}</figcaption></figure>"
    )
