"""The ledger of claims: each one derived, checked at random parameters, and failed on purpose.

A claim called `name` lives in two files of the source checkout: `derivations/name.py`, whose steps
end in asserts, and `tests/theorems/test_name.py` with CLAIM (the name), SOURCE, `check(rng)` and
`control(rng)`. `check` asserts the claim at one random draw; `control` is the same check with a
hypothesis broken and must raise AssertionError every time: a check nothing can fail proves nothing.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import linecache
import re
import runpy
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

__all__ = [
    "Verdict",
    "claim_names",
    "headings",
    "run_check",
    "run_control",
    "run_derivation",
    "table",
    "verify",
]

DRAWS = 20
CONTROL_DRAWS = 5
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

    def row(self) -> dict[str, str | float]:
        """Return the fields as a dictionary, for JSON."""
        return asdict(self)


def _complaint(error: BaseException) -> str:
    """Return the message of an error, or the failing source line where it has none."""
    if str(error):
        return f"{type(error).__name__}: {error}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    line = linecache.getline(last.filename, last.lineno or 0).strip()
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {line}"


def run_derivation(path: Path) -> dict:
    """Execute a derivation from top to bottom; its asserts are the proof.

    Parameters
    ----------
    path : Path
        The file, e.g. `derivations/dual_norm.py`.

    Returns
    -------
    dict
        Its names; `UNDECIDED`, if there, lists the steps left to the numerical check.

    Raises
    ------
    AssertionError
        From the step that does not hold.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        return runpy.run_path(str(path), run_name="derivation")


def run_check(check: Callable, *, seed: int = 0, draws: int = DRAWS) -> None:
    """Assert a claim at `draws` random parameter sets.

    Parameters
    ----------
    check : callable
        `check(rng)`: draws parameters from a `numpy.random.Generator` and asserts.
    seed, draws : int
        Draw k uses `default_rng((seed, k))`: a failing draw is repeated without the others.

    Raises
    ------
    AssertionError
        With the seed, the draw and the check's own message.

    Examples
    --------
    >>> def check(rng):
    ...     x = rng.normal()
    ...     assert x * x >= 0, f"x={x}"
    >>> run_check(check)
    """
    for draw, rng in _draws(seed, draws):
        try:
            check(rng)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, draw {draw}: {_complaint(error)}") from error


def run_control(control: Callable, *, seed: int = 0, draws: int = CONTROL_DRAWS) -> None:
    """Assert that a check with a broken hypothesis fails at every draw.

    Parameters
    ----------
    control : callable
        `control(rng)`; must raise AssertionError, any other error counts as a mistake.
    seed, draws : int
        As for `run_check`.

    Raises
    ------
    AssertionError
        If the broken check passes: the check would not notice a wrong claim.
    """
    for draw, rng in _draws(seed, draws):
        try:
            control(rng)
        except AssertionError:
            continue
        raise AssertionError(f"the negative control passed at seed {seed}, draw {draw}")


def _draws(seed: int, draws: int) -> Iterator[tuple[int, object]]:
    """Yield draw numbers and their generators."""
    from numpy.random import default_rng

    for draw in range(draws):
        yield draw, default_rng((seed, draw))


def claim_names(source: Path) -> tuple[str, ...]:
    """Return the claims a source checkout holds, in alphabetical order.

    Parameters
    ----------
    source : Path
        The checkout, with `derivations/` and `tests/theorems/`.

    Returns
    -------
    tuple of str
        Names with a derivation or a theorem test (one without the other fails `verify`).

    Raises
    ------
    FileNotFoundError
        If the folders are not there.
    """
    derivations, theorems = source / "derivations", source / "tests" / "theorems"
    for folder in (derivations, theorems):
        if not folder.is_dir():
            raise FileNotFoundError(
                f"verify needs a source checkout, got {source} without {folder.name}/; "
                "run it there or pass --source FOLDER"
            )
    names = {path.stem for path in derivations.glob("[a-z]*.py")}
    names |= {path.stem.removeprefix("test_") for path in theorems.glob("test_*.py")}
    return tuple(sorted(names))


def headings(path: Path) -> dict[str, str]:
    """Return what a derivation's head says: its Claim, Assumes, Used by and Source.

    Parameters
    ----------
    path : Path
        A derivation in percent cells, opened by comment lines such as `# Claim. ...`.

    Returns
    -------
    dict
        Lower-case words ("claim", "assumes", "used by", "source") to their text, unwrapped.
    """
    found: dict[str, str] = {}
    word = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.removeprefix("#").strip()
        start = re.match(r"(Claim|Assumes|Used by|Source)[.:]?\s+(.*)", text)
        if not line.startswith("#") or text.startswith("%%") or not text:
            word = ""
        elif start:
            word = start[1].lower()
            found.setdefault(word, start[2])
        elif word:
            found[word] += " " + text
    return found


def verify(name: str, source: Path, *, seed: int) -> Verdict:
    """Run one claim's derivation, its check at 20 draws, and its negative control.

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
    start = time.perf_counter()
    outcome = {"symbolic": "-", "numeric": "-", "control": "-"}
    origin = message = ""
    step = "symbolic"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            names = run_derivation(source / "derivations" / f"{name}.py")
            undecided = len(names.get("UNDECIDED", ()))
            outcome[step] = f"pass ({undecided} undecided)" if undecided else "pass"
            step = "numeric"
            theorem = _theorem(name, source)
            origin = theorem.SOURCE
            run_check(theorem.check, seed=seed)
            outcome[step] = "pass"
            step = "control"
            run_control(theorem.control, seed=seed)
            outcome[step] = "pass"
    except Exception as error:  # an error of any kind is a failed claim, not a crash
        outcome[step] = "fail"
        message = f"{name} fails its {step} part: {_complaint(error)}"
    return Verdict(name, origin, **outcome, seconds=time.perf_counter() - start, message=message)


def _theorem(name: str, source: Path) -> ModuleType:
    """Import the theorem test of a claim from the checkout."""
    root = str(source.resolve())
    if root not in sys.path:
        sys.path.insert(0, root)
    module = importlib.import_module(f"tests.theorems.test_{name}")
    if not str(module.__file__).startswith(root):
        raise ImportError(f"another package called tests shadows {root}; run from the checkout")
    return module


def table(verdicts: tuple[Verdict, ...] | list[Verdict], *, markdown: bool = False) -> str:
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
