"""The claims a source checkout holds: their names, and what the head of each derivation says."""

from __future__ import annotations

import re
from pathlib import Path

from flowsam.errors import MissingFileError

__all__ = ["claim_names", "headings"]

_WORDS = re.compile(r"(Claim|Formula|Assumes|Used by|Source|Choices)[.:]?\s+(.*)")


def claim_names(source: Path) -> tuple[str, ...]:
    """Return the claims a source checkout holds, in alphabetical order."""
    derivations = source / "derivations"
    theorems = source / "tests" / "theorems"
    for folder in (derivations, theorems):
        if not folder.is_dir():
            raise MissingFileError(
                f"verify needs a source checkout, got {source} without {folder.name}/; "
                "run it there or pass --source FOLDER"
            )
    names = {path.stem for path in derivations.glob("[a-z]*.py")}
    names |= {path.stem.removeprefix("test_") for path in theorems.glob("test_*.py")}
    return tuple(sorted(names))


def headings(path: Path) -> dict[str, str]:
    """Return what the head of a derivation says, by its words: Claim, Formula, Assumes, ..."""
    found: dict[str, str] = {}
    word = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.removeprefix("#").strip()
        start = _WORDS.match(text)
        if not line.startswith("#") or text.startswith("%%") or not text:
            word = ""
        elif start:
            word = start[1].lower()
            found.setdefault(word, start[2])
        elif word:
            found[word] += " " + text
    return found
