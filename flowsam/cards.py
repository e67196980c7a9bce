"""Results on screen: cards of facts, as text and for notebooks."""

from __future__ import annotations

__all__ = ["html_card", "text_card"]

Rows = list[tuple[str, str]]


def text_card(title: str, rows: Rows) -> str:
    """Return facts one a line, under a title."""
    return title + "".join(f"\n  {name}: {text}" for name, text in rows)


def html_card(title: str, rows: Rows) -> str:
    """Return the same facts as a small table, for notebooks."""
    from html import escape

    cells = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th><td>{escape(text)}</td></tr>"
        for name, text in rows
    )
    return f"<table><caption>{escape(title)}</caption>{cells}</table>"
