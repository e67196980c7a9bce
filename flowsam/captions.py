"""What the docstring of a figure says: its title, the claims it shows, its caption."""

from __future__ import annotations

import re
from inspect import cleandoc

__all__ = ["heading"]


def heading(words: str) -> tuple[str, tuple[str, ...], str]:
    r"""Return what the docstring of a figure says: its title, the claims it names, its caption.

    Examples
    --------
    >>> heading("Loss over time.\n\nClaim: rates. Takes: 1 s.\n\nIt falls like\n$1/t$.")
    ('Loss over time.', ('rates',), 'It falls like $1/t$.')
    """
    title, *rest = cleandoc(words).split("\n\n")
    named = re.search(r"^Claims?: ([\w, ]+)", "\n".join(rest[:1]), re.MULTILINE)
    claims = re.findall(r"\w*_\w*|rates", named[1]) if named else []
    return " ".join(title.split()), tuple(claims), " ".join(" ".join(rest[1:]).split())
