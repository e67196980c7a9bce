"""The figures of a source checkout: drawn once, kept with a fingerprint, redone when it changes."""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import platform
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowsam.ledger.evidence import complaint
from flowsam.version import __version__

__all__ = ["Figure", "draw_all", "figure_names", "fingerprint"]


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
        Run card: caption of the run, sizes, seconds, versions, fingerprint.
    fresh : bool
        Whether this call computed it.
    error : str
        What went wrong; empty where it was drawn.
    """

    name: str
    title: str
    claims: tuple[str, ...]
    card: dict[str, Any]
    fresh: bool
    error: str = ""


def figure_names(source: Path) -> tuple[str, ...]:
    """Return the figures a source checkout holds, in alphabetical order.

    Parameters
    ----------
    source : Path
        The checkout, with `figures/fig_*.py`.

    Returns
    -------
    tuple of str

    Raises
    ------
    FileNotFoundError
        If there is no `figures/` folder.
    """
    if not (source / "figures").is_dir():
        raise FileNotFoundError(
            f"reproduce needs a source checkout, got {source} without figures/; "
            "run it there or pass --source FOLDER"
        )
    return tuple(sorted(path.stem for path in (source / "figures").glob("fig_*.py")))


def fingerprint(name: str, source: Path, *, fast: bool) -> str:
    """Return a hash of all a figure depends on: package, shared figure code, its file, its size.

    Parameters
    ----------
    name : str
        A name of `figure_names`.
    source : Path
        The checkout.
    fast : bool
        Small arrays or full ones.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    import numpy
    import scipy

    digest = hashlib.sha256(repr((fast, numpy.__version__, scipy.__version__)).encode())
    package = Path(__file__).resolve().parents[1]
    shared = [p for p in (source / "figures").glob("*.py") if not p.name.startswith("fig_")]
    for path in [*sorted(package.rglob("*.py")), *sorted(shared), source / f"figures/{name}.py"]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def draw_all(source: Path, *, fast: bool, quiet: bool = False) -> tuple[Figure, ...]:
    """Return every figure, computing those whose fingerprint or files changed.

    Parameters
    ----------
    source : Path
        The checkout; figures go to its `figures/output`.
    fast : bool
        Use each figure's `FAST` sizes.
    quiet : bool
        No progress bar, even on a terminal.

    Returns
    -------
    tuple of Figure
        A figure that fails carries its error; the others are still drawn.
    """
    from tqdm import tqdm

    root = str(source.resolve())
    if root not in sys.path:
        sys.path.insert(0, root)
    # embedding fonts in PDF remarks on the date of each font file, on stderr
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    bar = tqdm(figure_names(source), unit="figure", disable=quiet or None)
    return tuple(_figure(name, source, fast=fast) for name in bar)


def _figure(name: str, source: Path, *, fast: bool) -> Figure:
    """One figure, kept or computed."""
    sidecar, mark = source / f"figures/output/{name}.json", fingerprint(name, source, fast=fast)
    title, claims = _heading(source / f"figures/{name}.py")
    kept = _kept(sidecar, mark)
    if kept is not None:
        return Figure(name, title, claims, kept, fresh=False)
    try:
        card = _compute(name, fast=fast) | {"fingerprint": mark, "files": {}}
    except Exception as error:  # one broken figure must not hide the others
        return Figure(name, title, claims, {}, fresh=True, error=complaint(error))
    files = {f"{name}{end}": _digest(sidecar.with_suffix(end)) for end in (".npz", ".png")}
    # written last: a figure that was interrupted has no run card, and is computed again
    sidecar.write_text(json.dumps(card | {"files": files}, indent=1) + "\n", encoding="utf-8")
    return Figure(name, title, claims, card, fresh=True)


def _kept(sidecar: Path, mark: str) -> dict[str, Any] | None:
    """The run card of a figure that is still valid, or None."""
    try:
        card = json.loads(sidecar.read_text(encoding="utf-8"))
        same = all(_digest(sidecar.with_name(n)) == hashed for n, hashed in card["files"].items())
        return card if card["fingerprint"] == mark and same else None
    except (OSError, ValueError, KeyError):
        return None


def _digest(path: Path) -> str:
    """Hash of one file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _compute(name: str, *, fast: bool) -> dict[str, Any]:
    """Compute, draw and save one figure; return its run card."""
    import numpy
    import scipy

    style = importlib.import_module("figures.style")
    module = importlib.import_module(f"figures.{name}")
    sizes = getattr(module, "FAST", {}) if fast else {}
    start = time.perf_counter()
    style.save(name, module.compute, module.draw, **sizes)
    return {
        "run": str(style.load(name).get("caption", "")),
        "sizes": "fast: " + ", ".join(f"{k}={v}" for k, v in sizes.items()) if sizes else "full",
        "seconds": round(time.perf_counter() - start, 1),
        "versions": f"flowsam {__version__}, numpy {numpy.__version__}, "
        f"scipy {scipy.__version__}, Python {platform.python_version()}",
    }


def _heading(path: Path) -> tuple[str, tuple[str, ...]]:
    """The first sentence of a figure's docstring, and the claims it names."""
    import ast

    words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.stem
    named = re.search(r"^Claims?: ([\w, ]+)", words, re.MULTILINE)
    claims = re.findall(r"\w*_\w*", named[1]) if named else []
    return words.splitlines()[0], tuple(claims)
