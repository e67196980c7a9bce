"""What a checkout says of its claims: names, chapters, and the heads of derivations."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flowsam.errors import MissingFileError

_WORDS = re.compile(r"(Claim|Formula|Assumes|Used by|Source|Choices)[.:]?\s+(.*)")


_ENTRY = re.compile(r"^- `(\w+)`: (.+)$", re.MULTILINE)


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


def homes_of(name: str) -> tuple[str, str]:
    """Return the derivation and the theorem test of a claim, as files of a checkout."""
    return f"derivations/{name}.py", f"tests/theorems/test_{name}.py"


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
