"""Each claim derived, checked at random parameters, and made to fail on purpose.

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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

from flowsam.errors import InputError
from flowsam.ledger.claims import claim_names
from flowsam.ledger.dependencies import PACKAGE, fingerprint
from flowsam.ledger.evidence import complaint, run_check, run_control, run_derivation
from flowsam.ledger.records import record, recorded
from flowsam.ledger.schedule import Task
from flowsam.ledger.verdicts import Ledger, Verdict

SECONDS = 2.0  # of a claim that was never checked here


@dataclass(frozen=True)
class Checks:
    """What checking claims will do.

    Parameters
    ----------
    names : tuple of str
        The claims.
    kept : dict
        Verdicts of earlier runs that are still valid.
    tasks : tuple of Task
        The others.
    seed : int
        Of their draws.
    note : str
        For the reader of the ledger.
    """

    names: tuple[str, ...]
    kept: dict[str, Verdict]
    tasks: tuple[Task, ...]
    seed: int
    note: str

    def ledger(self, made: Mapping[str, Verdict]) -> Ledger:
        """Return all verdicts, from what the tasks gave."""
        found = {**made, **self.kept}
        return Ledger(self.seed, tuple(found[name] for name in self.names), self.note)


def plan(
    source: Path,
    *,
    names: Sequence[str] = (),
    seed: int | None = None,
    kept: Path | None = None,
) -> Checks:
    """Plan to verify claims of a source checkout.

    Parameters
    ----------
    source : Path
        The checkout.
    names : sequence of str
        Claims; all of them where empty.
    seed : int, optional
        Seed of the draws; fresh where None.
    kept : Path, optional
        A folder for verdicts: one that passed is kept until the code it depends on changes or
        another seed is asked for. None checks everything.

    Returns
    -------
    Checks

    Raises
    ------
    FileNotFoundError
        If `source` is not a checkout.
    ValueError
        For a claim it does not have.
    """
    import secrets

    chosen = _chosen(names, claim_names(source))
    drawn = secrets.randbits(32) if seed is None else seed
    found: dict[str, Verdict] = {}
    tasks = []
    for name in chosen:
        mark = fingerprint(_files(name, source), source) if kept else ""
        old, verdict = _earlier(name, kept)
        if verdict and old == mark and seed in (None, verdict.seed):
            found[name] = verdict
        else:
            work = partial(_verify_and_keep, name, source, drawn, kept, mark)
            tasks.append(Task(name, verdict.seconds if verdict else SECONDS, work))
    note = f"the package checked is the one in {PACKAGE.parent}, not in {source}"
    note *= PACKAGE.parent != source.resolve()
    return Checks(chosen, found, tuple(tasks), drawn, note)


def _chosen(names: Sequence[str], known: tuple[str, ...]) -> tuple[str, ...]:
    """The claims asked for, all where none is."""
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise InputError(
            f"verify knows {', '.join(known)}, got {', '.join(unknown)}; check it"
        )
    return tuple(name for name in known if name in (names or known))


def _earlier(name: str, kept: Path | None) -> tuple[str, Verdict | None]:
    """The verdict of an earlier run, with the mark of the code that it judged."""
    facts = recorded(kept / f"claim_{name}.json") if kept else {}
    if not facts:
        return "", None
    return facts["fingerprint"], Verdict(**facts["verdict"] | {"fresh": False})


def _files(name: str, source: Path) -> tuple[Path, Path]:
    """The derivation and the theorem test of a claim."""
    return source / f"derivations/{name}.py", source / f"tests/theorems/test_{name}.py"


def _verify_and_keep(
    name: str,
    source: Path,
    seed: int,
    kept: Path | None,
    mark: str,
) -> Verdict:
    """Verify one claim; note the verdict if it passed."""
    verdict = verify(name, source, seed=seed)
    if kept and verdict.passed and not verdict.skipped:
        record(
            kept / f"claim_{name}.json",
            {"fingerprint": mark, "verdict": asdict(verdict)},
        )
    return verdict


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
    start = time.perf_counter()
    ledger = {"symbolic": "-", "numeric": "-", "control": "-"}
    derivation, test = _files(name, source)
    origin = message = ""
    step = "symbolic"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            names = run_derivation(derivation)
            undecided = len(names.get("UNDECIDED", ()))
            ledger[step] = f"pass ({undecided} undecided)" if undecided else "pass"
            step = "numeric"
            theorem = _theorem(test, source)
            origin = theorem.SOURCE
            needed = getattr(theorem, "NEEDS", "")
            if needed and importlib.util.find_spec(needed) is None:
                ledger |= dict.fromkeys(
                    ("numeric", "control"), f"skipped: needs {needed}"
                )
            else:
                run_check(theorem.check, seed=seed)
                ledger[step] = "pass"
                step = "control"
                run_control(theorem.control, seed=seed)
                ledger[step] = "pass"
    except Exception as error:  # an error of any kind is a failed claim, not a crash
        ledger[step] = "fail"
        message = f"{name} fails its {step} part: {complaint(error)}"
    seconds = round(time.perf_counter() - start, 2)
    parts = (ledger["symbolic"], ledger["numeric"], ledger["control"])
    return Verdict(name, origin, *parts, seconds, message, seed)


def _theorem(path: Path, source: Path) -> ModuleType:
    """Import a theorem test from the checkout, whatever else is called tests."""
    root = str(source.resolve())
    if root not in sys.path:
        sys.path.insert(0, root)
    spec = importlib.util.spec_from_file_location(
        path.stem.replace("test", "theorem", 1), path
    )
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is no module; check it")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
