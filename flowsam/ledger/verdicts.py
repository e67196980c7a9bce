"""The ledger: what verifying each claim gave, as a table, as JSON, as an exit code."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from flowsam.version import __version__

COLUMNS = ("claim", "source", "symbolic", "numeric", "control", "seconds")


@dataclass(frozen=True)
class Verdict:
    """What verifying one claim gave."""

    claim: str  # the name its files share
    source: str  # where the statement comes from
    # "pass", "fail", "skipped" for want of a library, or "-" after a failure
    symbolic: str
    numeric: str
    control: str  # passes when every draw with a broken hypothesis was caught
    seconds: float
    # what failed, with seed, draw and parameters; empty when all passed
    message: str = ""
    seed: int = 0  # of the draws
    # whether this run computed it, or an earlier one did and nothing has changed
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
    """The verdicts of one run."""

    seed: int  # of the draws made in this run
    verdicts: tuple[Verdict, ...]  # one a claim
    # what a reader has to know, e.g. that the package is not the checkout's own
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether every claim passed."""
        return all(verdict.passed for verdict in self.verdicts)

    def facts(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return {
            "flowsam": __version__,
            "seed": self.seed,
            "passed": self.passed,
            "note": self.note,
            "claims": [asdict(verdict) for verdict in self.verdicts],
        }

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
    """Return the verdicts as an aligned text table, or as a Markdown one."""
    rows = [
        [*(getattr(v, c) for c in COLUMNS[:-1]), f"{v.seconds:.1f}"] for v in verdicts
    ]
    if markdown:
        lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)
    lines = [COLUMNS, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
