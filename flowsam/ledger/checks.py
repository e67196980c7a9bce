"""Each claim derived, checked at random parameters, and made to fail on purpose.

A claim called `name` lives in two files of the source checkout: `derivations/name.py`, whose steps
end in asserts, and `tests/theorems/test_name.py` with CLAIM (the name), SOURCE, `check(rng)` and
`control(rng)`. `check` asserts the claim at one random draw; `control` is the same check with a
hypothesis broken and must raise AssertionError every time: a check nothing can fail proves nothing.
"""

import importlib.util
import runpy
import secrets
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from flowsam.errors import InputError
from flowsam.ledger.claims import Ledger, Verdict, claim_names, homes_of
from flowsam.ledger.evidence import complaint, run_check, run_control, run_derivation
from flowsam.ledger.kept_work import (
    PACKAGE,
    Task,
    fingerprint,
    importable,
    record,
    recorded,
)

SECONDS = 2.0  # of a claim that was never checked here


@dataclass(frozen=True)
class Checks:
    """What checking claims will do."""

    tasks: tuple[Task, ...]  # one a claim
    seed: int  # of the draws
    note: str  # for the reader of the ledger

    def ledger(self, made: Mapping[str, Verdict]) -> Ledger:
        """Return all verdicts, from what the tasks gave."""
        verdicts = tuple(made[task.name] for task in self.tasks)
        return Ledger(self.seed, verdicts, self.note)


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
    known = claim_names(source)
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise InputError(
            f"verify knows {', '.join(known)}, got {', '.join(unknown)}; check it"
        )
    drawn = secrets.randbits(32) if seed is None else seed
    tasks = [
        _task(name, source, kept and kept / f"claim_{name}.json", drawn, seed)
        for name in known
        if name in (names or known)
    ]
    note = f"the package checked is the one in {PACKAGE.parent}, not in {source}"
    note *= PACKAGE.parent != source.resolve()
    return Checks(tuple(tasks), drawn, note)


def _task(
    name: str,
    source: Path,
    path: Path | None,
    drawn: int,
    seed: int | None,
) -> Task:
    """Return what is to be done for a claim, and its kept verdict where that is valid."""
    if path is None:
        return Task(name, SECONDS, partial(verify, name, source, drawn, None, ""))
    mark = fingerprint([source / home for home in homes_of(name)], source)
    work = partial(verify, name, source, drawn, path, mark)
    facts = recorded(path)
    if not facts:
        return Task(name, SECONDS, work)
    old = Verdict(**facts["verdict"] | {"fresh": False})
    valid = facts["fingerprint"] == mark and seed in (None, old.seed)
    return Task(name, old.seconds, work, old if valid else None)


def verify(
    name: str,
    source: Path,
    seed: int,
    path: Path | None,
    mark: str,
) -> Verdict:
    """Run one claim's derivation, check and negative control; keep a verdict that passed."""
    start = time.perf_counter()
    found: dict[str, Any] = dict.fromkeys(("symbolic", "numeric", "control"), "-")
    found["source"] = ""
    message = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _gather(found, name, source, seed)
    except Exception as error:  # an error of any kind is a failed claim, not a crash
        step = next(part for part, word in found.items() if word == "-")
        found[step] = "fail"
        message = f"{name} fails its {step} part: {complaint(error)}"
    seconds = round(time.perf_counter() - start, 2)
    verdict = Verdict(name, **found, seconds=seconds, message=message, seed=seed)
    if path and verdict.passed and not verdict.skipped:
        record(path, {"fingerprint": mark, "verdict": asdict(verdict)})
    return verdict


def _gather(found: dict[str, Any], name: str, source: Path, seed: int) -> None:
    """Note what is found of a claim, part after part."""
    derivation, test = (source.absolute() / path for path in homes_of(name))
    undecided = len(run_derivation(derivation).get("UNDECIDED", ()))
    found["symbolic"] = f"pass ({undecided} undecided)" if undecided else "pass"
    importable(source)
    theorem = runpy.run_path(str(test), run_name=f"theorem_{name}")
    found["source"] = theorem["SOURCE"]
    needed = theorem.get("NEEDS", "")
    if needed and importlib.util.find_spec(needed) is None:
        found["numeric"] = found["control"] = f"skipped: needs {needed}"
        return
    run_check(theorem["check"], seed=seed)
    found["numeric"] = "pass"
    run_control(theorem["control"], seed=seed)
    found["control"] = "pass"
