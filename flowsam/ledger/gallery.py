"""The figures of a source checkout: drawn once, kept, and redone as far as something changed.

Where what is computed has changed, a figure is computed and drawn; where only the drawing has, it
is drawn again from its saved arrays.
"""

import ast
import importlib.util
import json
import platform
import re
import time
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from flowsam.captions import heading, rules_named
from flowsam.errors import InputError, MissingFileError
from flowsam.ledger.evidence import complaint
from flowsam.ledger.kept_work import Task, fingerprint, importable, record, recorded
from flowsam.version import __version__

SUFFIXES = (".npz", ".png", ".pdf")


@dataclass(frozen=True)
class Figure:
    """A figure on disk and where it came from.

    Parameters
    ----------
    name : str
        The module, e.g. "fig_linf_limits".
    title : str
        The first sentence of its docstring.
    claims : tuple of str
        The claims it illustrates.
    card : dict
        Run card: clock, rule, rho, L, data, start, method, sizes, seconds, versions.
    state : str
        What this call did: "computed", "redrawn", "kept", or "skipped" for want of a library.
    error : str
        What went wrong; empty where it was drawn.
    caption : str
        What the picture shows, in sentences; LaTeX stands between dollar signs.
    """

    name: str
    title: str
    claims: tuple[str, ...]
    card: dict[str, Any]
    state: str
    error: str = ""
    caption: str = ""


def figure_names(source: Path) -> tuple[str, ...]:
    """Return the figures a source checkout holds, in alphabetical order."""
    if not (source / "figures").is_dir():
        raise MissingFileError(
            f"reproduce needs a source checkout, got {source} without figures/; "
            "run it there or pass --source FOLDER"
        )
    return tuple(sorted(path.stem for path in (source / "figures").glob("fig_*.py")))


def plan(source: Path, *, fast: bool, redraw: bool = False) -> tuple[Task, ...]:
    """Plan to draw every figure, computing and drawing what has to be.

    Parameters
    ----------
    source : Path
        The checkout; figures go to its `figures/output`.
    fast : bool
        Use each figure's `FAST` sizes.
    redraw : bool
        Draw every figure again, from its saved arrays where it has any, valid or not.

    Returns
    -------
    tuple of Task
        Each gives a Figure; one that fails carries its error.
    """
    tasks = []
    for name in figure_names(source):
        path = source / "figures" / f"{name}.py"
        marks = [fingerprint([path], source, fast, drawing=d) for d in (False, True)]
        old = recorded(_sidecar(path))
        same = old and old["fingerprints"] == marks and all(old["files"].values())
        kept = _figure(path, old["card"], "kept") if same and not redraw else None
        work = partial(_make, path, marks, fast=fast, redraw=redraw)
        seconds = float(old["card"]["seconds"]) if old else _said(path)
        tasks.append(Task(name, seconds, work, kept))
    return tuple(tasks)


def _figure(path: Path, card: dict[str, Any], state: str, error: str = "") -> Figure:
    """A figure as its script says, and what became of it."""
    title, claims, caption = heading(_docstring(path) or path.stem)
    return Figure(path.stem, title, claims, card, state, error, caption)


def _docstring(path: Path) -> str:
    """The docstring of a module that is not imported."""
    return ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""


def _said(path: Path) -> float:
    """The seconds a figure's docstring says; 5 where it says nothing, 0 where it is skipped."""
    if _missing(path):
        return 0.0
    found = re.search(r"Takes: (\d+) (s|min)", _docstring(path))
    return int(found[1]) * {"s": 1.0, "min": 60.0}[found[2]] if found else 5.0


def _sidecar(path: Path) -> Path:
    """Where the record of a figure is."""
    return path.parent / "output" / f"{path.stem}.json"


def _make(path: Path, marks: list[str], *, fast: bool, redraw: bool) -> Figure:
    """Compute and draw one figure, or draw it again; one that is broken hides no other."""
    sidecar = _sidecar(path)
    old = recorded(sidecar)
    saved = old and old["files"].get(f"{path.stem}.npz")
    again = saved and (redraw or old["fingerprints"][0] == marks[0])
    importable(path.parent.parent)
    try:
        if again:
            card = _draw(path.stem, old["card"], fast=fast)
            marks = [old["fingerprints"][0], marks[1]]
        elif needed := _missing(path):
            return _figure(path, {}, "skipped", f"needs {needed}, of an extra")
        else:
            card = _draw(path.stem, None, fast=fast)
    except Exception as error:
        return _figure(path, {}, "computed", complaint(error))
    files = [sidecar.with_suffix(end) for end in SUFFIXES]
    record(sidecar, {"fingerprints": marks, "card": card}, files)
    return _figure(path, card, "redrawn" if again else "computed")


def _missing(path: Path) -> str:
    """Return the module that a figure says it needs and that is not installed, or ""."""
    said = re.search(r'^NEEDS = "(\w+)"', path.read_text("utf-8"), re.M)
    needed = said[1] if said else ""
    return needed if needed and importlib.util.find_spec(needed) is None else ""


def _draw(name: str, card: dict[str, Any] | None, *, fast: bool) -> dict[str, Any]:
    """Draw a figure of kept arrays, or compute them where it has no run card; return the card."""
    style = importlib.import_module("figures.style")
    module = importlib.import_module(f"figures.{name}")
    card = card or _compute(name, module, style, fast=fast)
    _check_rules(module.__doc__ or "", card)
    style.redraw(name, module.draw)
    return card


def _check_rules(words: str, card: dict[str, Any]) -> None:
    """Refuse a title or caption with a rule that the run card, made by the runs, has not."""
    told = card.get("rule")
    known = set(re.findall(r"l_(?:inf|p|[\d.]+)", str(told)))
    strange = rules_named(words) - known - {"l_p"}  # the family of them
    if told and strange:
        raise InputError(
            f"its title or caption names {', '.join(sorted(strange))}, its runs {told}"
        )


def _compute(
    name: str, module: ModuleType, style: ModuleType, *, fast: bool
) -> dict[str, Any]:
    """Compute and save the arrays of one figure; return its run card."""
    sizes = getattr(module, "FAST", {}) if fast else {}
    start = time.perf_counter()
    style.compute(name, module.compute, **sizes)
    seconds = time.perf_counter() - start
    arrays = style.load(name)
    card = json.loads(str(arrays["card"])) if "card" in arrays else {}
    shown = ", ".join(f"{k}={v}" for k, v in sizes.items())
    return card | {
        "sizes": f"fast: {shown}" if sizes else "full",
        "seconds": round(seconds, 1),
        "versions": f"flowsam {__version__}, numpy {version('numpy')}, "
        f"scipy {version('scipy')}, Python {platform.python_version()}",
    }
