"""What the docstring of a figure says: its title, the claims it shows, its caption."""

from __future__ import annotations

import re
from inspect import cleandoc

__all__ = ["heading"]


def heading(words: str) -> tuple[str, tuple[str, ...], str]:
    """Return what the docstring of a figure says: its title, the claims it names, its caption."""
    title, *rest = cleandoc(words).split("\n\n")
    named = re.search(r"^Claims?: ([\w, ]+)", "\n".join(rest[:1]), re.MULTILINE)
    claims = re.findall(r"\w*_\w*|rates", named[1]) if named else []
    return " ".join(title.split()), tuple(claims), " ".join(" ".join(rest[1:]).split())
