"""Results on screen: cards of facts, as text and for notebooks."""

from __future__ import annotations

__all__ = ["html_card", "text_card"]

Rows = list[tuple[str, str]]


def text_card(title: str, rows: Rows) -> str:
    """Return facts one a line, under a title.

    Examples
    --------
    >>> print(text_card("Limit", [("label", "2")]))
    Limit
      label: 2
    """
    return title + "".join(f"\n  {name}: {text}" for name, text in rows)


def html_card(title: str, rows: Rows) -> str:
    """Return the same facts as a small table, for notebooks.

    Examples
    --------
    >>> html_card("Limit", [("rho", "<1")])[-27:]
    '<td>&lt;1</td></tr></table>'
    """
    from html import escape

    cells = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th><td>{escape(text)}</td></tr>"
        for name, text in rows
    )
    return f"<table><caption>{escape(title)}</caption>{cells}</table>"
