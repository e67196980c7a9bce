"""Results on screen: cards of facts, as text and for notebooks."""

Rows = list[tuple[str, str]]


def text_card(title: str, rows: Rows) -> str:
    """Return facts one a line, under a title."""
    return title + "".join(f"\n  {name}: {text}" for name, text in rows)


class Card:
    """A result that shows its facts, one a line, and as a small table in notebooks."""

    def _rows(self) -> Rows:
        """Return the facts that both show."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """Return the facts, one a line."""
        return text_card(type(self).__name__, self._rows())

    def _repr_html_(self) -> str:
        """Return the same facts as a table."""
        from html import escape

        cells = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th><td>{escape(text)}</td></tr>"
            for name, text in self._rows()
        )
        title = escape(type(self).__name__)
        return f"<table><caption>{title}</caption>{cells}</table>"
