"""The texts of the report, kept in texts.toml, and what computes the numbers in them."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flowsam.ledger import measures


@dataclass(frozen=True)
class Text:
    """A question and its answer, or the sentence of a number and the number."""

    words: str
    answer: str  # what `measure` returns is filled in
    # claims and figures that carry the answer; it stands only where all are there
    shown_by: Sequence[str] = ()
    measure: str = ""  # a function of `measures`
    part: str = ""  # of the checklist

    def answered(self, saved: measures.Saved) -> str:
        """Return the answer with its numbers; KeyError where a figure is missing."""
        found = getattr(measures, self.measure)(saved) if self.measure else {}
        return self.answer.format(**found)


def _text(facts: dict[str, str]) -> Text:
    """An entry of the file, its strings as one line each."""
    lines = {
        k: v.replace("\n", " ") if isinstance(v, str) else v for k, v in facts.items()
    }
    return Text(**lines)


_FILE = Path(__file__).with_name("texts.toml").read_text(encoding="utf-8")
TEXTS = {kind: [*map(_text, entries)] for kind, entries in tomllib.loads(_FILE).items()}
