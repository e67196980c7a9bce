"""The ledger: what verifying each claim gave, as a table, as JSON, as an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from flowsam.version import __version__

__all__ = ["Ledger", "Verdict", "table"]

COLUMNS = ("claim", "source", "symbolic", "numeric", "control", "seconds")


@dataclass(frozen=True)
class Verdict:
    """What verifying one claim gave.

    Parameters
    ----------
    claim : str
        The name its files share.
    source : str
        Where the statement comes from.
    symbolic, numeric, control : str
        "pass", "fail", "skipped" for want of a library, or "-" where an earlier step failed;
        `symbolic` counts steps SymPy left
        undecided; `control` passes when every draw with a broken hypothesis was caught.
    seconds : float
        Wall time.
    message : str
        What failed, with the seed, the draw and the parameters; empty when all passed.
    seed : int
        Seed of the draws.
    fresh : bool
        Whether this run computed it; False where an earlier one did and nothing has changed.

    Examples
    --------
    >>> Verdict("a", "definition", "pass", "pass", "pass", 0.1).passed
    True
    """

    claim: str
    source: str
    symbolic: str
    numeric: str
    control: str
    seconds: float
    message: str = ""
    seed: int = 0
    fresh: bool = True

    @property
    def passed(self) -> bool:
        """Whether no part failed."""
        return not self.message

    @property
    def proved(self) -> bool:
        """Whether SymPy decided every step of the derivation."""
        return self.symbolic == "pass"

    @property
    def checked(self) -> bool:
        """Whether the numbers hold, and fail where a hypothesis is broken."""
        return self.numeric == self.control == "pass"

    @property
    def skipped(self) -> bool:
        """Whether a part was left out, for want of a library."""
        return self.numeric.startswith("skipped")


@dataclass(frozen=True)
class Ledger:
    """The verdicts of one run.

    Parameters
    ----------
    seed : int
        Seed of the draws made in this run.
    verdicts : tuple of Verdict
        One a claim.
    note : str
        What a reader has to know, e.g. that the package is not the checkout's own.
    """

    seed: int
    verdicts: tuple[Verdict, ...]
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether every claim passed."""
        return all(verdict.passed for verdict in self.verdicts)

    def facts(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        head = {
            "flowsam": __version__,
            "seed": self.seed,
            "passed": self.passed,
            "note": self.note,
        }
        return head | {"claims": [asdict(verdict) for verdict in self.verdicts]}

    def text(self, *, markdown: bool = False) -> str:
        """Return the table, what failed, and the seed that repeats it."""
        failures = [verdict.message for verdict in self.verdicts if verdict.message]
        passed = len(self.verdicts) - len(failures)
        last = f"{passed} of {len(self.verdicts)} claims pass; seed {self.seed}"
        kept = sum(not verdict.fresh for verdict in self.verdicts)
        last += f"; {kept} kept from before" if kept else ""
        skipped = sum(verdict.skipped for verdict in self.verdicts)
        last += f"; {skipped} of them by symbols alone" if skipped else ""
        notes = [self.note] if self.note else []
        return "\n".join(
            [table(self.verdicts, markdown=markdown), "", *failures, *notes, last]
        )


def table(verdicts: Sequence[Verdict], *, markdown: bool = False) -> str:
    """Return the verdicts as an aligned text table, or as a Markdown one.

    Examples
    --------
    >>> print(table([Verdict("a", "definition", "pass", "pass", "pass", 0.12)], markdown=True))
    | claim | source | symbolic | numeric | control | seconds |
    | --- | --- | --- | --- | --- | --- |
    | a | definition | pass | pass | pass | 0.1 |
    """
    rows = [
        [*(getattr(v, c) for c in COLUMNS[:-1]), f"{v.seconds:.1f}"] for v in verdicts
    ]
    if markdown:
        lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)
    lines = [COLUMNS, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
