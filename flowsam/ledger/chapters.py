"""The order of a first reading, from derivations/README.md: chapters, and the titles of claims."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Chapter", "chapters"]

_ENTRY = re.compile(r"^- `(\w+)`: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Chapter:
    """A part of the story."""

    title: str
    words: str  # what it is about
    claims: dict[str, str]  # name of a claim to its title, in order

    @property
    def anchor(self) -> str:
        """What links to it end in."""
        return re.sub(r"\W+", "-", self.title.lower())


def chapters(source: Path, names: Sequence[str]) -> tuple[Chapter, ...]:
    """Return the chapters that some claims belong to."""
    path = source / "derivations" / "README.md"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = [_chapter(part, names) for part in text.split("\n## ")[1:]]
    listed = {name for chapter in found for name in chapter.claims}
    rest = {name: name.replace("_", " ") for name in names if name not in listed}
    found.append(Chapter("Further claims", "", rest))
    return tuple(chapter for chapter in found if chapter.claims)


def _chapter(part: str, names: Sequence[str]) -> Chapter:
    """One chapter of the Markdown file."""
    title, _, text = part.partition("\n")
    entries = {name: words for name, words in _ENTRY.findall(text) if name in names}
    words = " ".join(text.partition("\n- ")[0].split())
    return Chapter(title, words, entries)
