"""What the docstring of a figure says: its title, the claims it shows, its caption."""

from __future__ import annotations

import re
from inspect import cleandoc

__all__ = ["heading", "rules_named"]

_RULE = re.compile(r"\\ell_\{?(\\infty|p|[\d.]+)\}?\$?-SAM|\bl_(inf|p|[\d.]+)-SAM")


def heading(words: str) -> tuple[str, tuple[str, ...], str]:
    """Return what the docstring of a figure says: its title, the claims it names, its caption."""
    title, *rest = cleandoc(words).split("\n\n")
    named = re.search(r"^Claims?: ([\w, ]+)", "\n".join(rest[:1]), re.MULTILINE)
    claims = re.findall(r"\w*_\w*|rates", named[1]) if named else []
    return " ".join(title.split()), tuple(claims), " ".join(" ".join(rest[1:]).split())


def rules_named(words: str) -> set[str]:
    """Return the rules that a text names, as run cards do."""
    found = (match[1] or match[2] for match in _RULE.finditer(words))
    return {f"l_{name}".replace("\\infty", "inf") for name in found}
