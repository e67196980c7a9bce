"""The ledger: each claim derived, checked at random parameters, and made to fail on purpose.

A claim called `name` lives in two files of the source checkout: `derivations/name.py`, whose steps
end in asserts, and `tests/theorems/test_name.py` with CLAIM (the name), SOURCE, `check(rng)` and
`control(rng)`. `check` asserts the claim at one random draw; `control` is the same check with a
hypothesis broken and must raise AssertionError every time: a check nothing can fail proves nothing.
"""

from __future__ import annotations

import importlib.util
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from flowsam.ledger.claims import claim_names
from flowsam.ledger.evidence import complaint, run_check, run_control, run_derivation
from flowsam.version import __version__

__all__ = ["Ledger", "Verdict", "run", "table", "verify"]

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
        "pass", "fail", or "-" where an earlier step failed; `symbolic` counts steps SymPy left
        undecided; `control` passes when every draw with a broken hypothesis was caught.
    seconds : float
        Wall time.
    message : str
        What failed, with the seed, the draw and the parameters; empty when all passed.

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

    @property
    def passed(self) -> bool:
        """Whether all three parts passed."""
        return not self.message


@dataclass(frozen=True)
class Ledger:
    """The verdicts of one run of `flowsam verify`.

    Parameters
    ----------
    seed : int
        Seed of every draw.
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
        head = {"flowsam": __version__, "seed": self.seed, "passed": self.passed, "note": self.note}
        return head | {"claims": [asdict(verdict) for verdict in self.verdicts]}

    def text(self, *, markdown: bool = False) -> str:
        """Return the table, what failed, and the seed that repeats it."""
        failures = [verdict.message for verdict in self.verdicts if verdict.message]
        passed = len(self.verdicts) - len(failures)
        last = f"{passed} of {len(self.verdicts)} claims pass; seed {self.seed}"
        notes = [self.note] if self.note else []
        return "\n".join([table(self.verdicts, markdown=markdown), "", *failures, *notes, last])


def run(
    source: Path, *, names: Sequence[str] = (), seed: int | None = None, quiet: bool = False
) -> Ledger:
    """Verify claims of a source checkout, with a progress bar where stderr is a terminal.

    Parameters
    ----------
    source : Path
        The checkout.
    names : sequence of str
        Claims; all of them where empty.
    seed : int, optional
        Seed of the draws; fresh where None.
    quiet : bool
        No progress bar, even on a terminal.

    Returns
    -------
    Ledger

    Raises
    ------
    FileNotFoundError
        If `source` is not a checkout.
    ValueError
        For a claim it does not have.
    """
    from numpy.random import SeedSequence
    from tqdm import tqdm

    known = claim_names(source)
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ValueError(f"verify knows {', '.join(known)}, got {', '.join(unknown)}; check it")
    seed = SeedSequence().entropy % 2**32 if seed is None else seed
    chosen = [name for name in known if name in (names or known)]
    bar = tqdm(chosen, unit="claim", disable=quiet or None)
    verdicts = tuple(verify(name, source, seed=seed) for name in bar)
    checkout = Path(__file__).resolve().parents[2]
    foreign = checkout != source.resolve()
    note = f"the package checked is the one in {checkout}, not in {source}" if foreign else ""
    return Ledger(seed, verdicts, note)


def verify(name: str, source: Path, *, seed: int) -> Verdict:
    """Run one claim's derivation, its check at 20 draws, and its negative control at 5.

    Parameters
    ----------
    name : str
        A name of `claim_names`.
    source : Path
        The checkout.
    seed : int
        Seed of the draws.

    Returns
    -------
    Verdict
        Never raises for a failing claim; warnings count as failures.
    """
    start, ledger = time.perf_counter(), {"symbolic": "-", "numeric": "-", "control": "-"}
    origin = message = ""
    step = "symbolic"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            names = run_derivation(source / "derivations" / f"{name}.py")
            undecided = len(names.get("UNDECIDED", ()))
            ledger[step] = f"pass ({undecided} undecided)" if undecided else "pass"
            step = "numeric"
            theorem = _theorem(name, source)
            origin = theorem.SOURCE
            run_check(theorem.check, seed=seed)
            ledger[step] = "pass"
            step = "control"
            run_control(theorem.control, seed=seed)
            ledger[step] = "pass"
    except Exception as error:  # an error of any kind is a failed claim, not a crash
        ledger[step] = "fail"
        message = f"{name} fails its {step} part: {complaint(error)}"
    return Verdict(name, origin, **ledger, seconds=time.perf_counter() - start, message=message)


def _theorem(name: str, source: Path) -> ModuleType:
    """Import the theorem test of a claim from the checkout, whatever else is called tests."""
    root = str(source.resolve())
    if root not in sys.path:
        sys.path.insert(0, root)
    path = source / "tests" / "theorems" / f"test_{name}.py"
    spec = importlib.util.spec_from_file_location(f"theorem_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(verdicts: Sequence[Verdict], *, markdown: bool = False) -> str:
    """Return the verdicts as an aligned text table, or as a Markdown one.

    Parameters
    ----------
    verdicts : sequence of Verdict
        One row each.
    markdown : bool
        Pipes instead of spaces.

    Returns
    -------
    str

    Examples
    --------
    >>> print(table([Verdict("a", "definition", "pass", "pass", "pass", 0.12)], markdown=True))
    | claim | source | symbolic | numeric | control | seconds |
    | --- | --- | --- | --- | --- | --- |
    | a | definition | pass | pass | pass | 0.1 |
    """
    rows = [[*(getattr(v, c) for c in COLUMNS[:-1]), f"{v.seconds:.1f}"] for v in verdicts]
    if markdown:
        lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)
    lines = [COLUMNS, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
