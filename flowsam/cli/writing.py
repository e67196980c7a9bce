"""What leaves a command: JSON that every reader accepts, and files checked before the work."""

from __future__ import annotations

import json
import os
import re
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from flowsam.cli.options import FLAG, Kind, Option
from flowsam.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure


QUIET = Option("--quiet", "Print nothing but errors.", FLAG, short=["-q"])
TOLD = (Option("--json", "Print JSON.", FLAG), QUIET)
_LONG = 5.0  # seconds until somebody who waits is told what to do
_WORDS = {"Infinity": "inf", "-Infinity": "-inf", "NaN": "nan"}


def tell(given: Namespace, text: str, facts: dict[str, Any]) -> None:
    """Print a text, or its facts as JSON, or nothing, as the options say."""
    if not given.quiet:
        say(to_json(facts) if "--json" in given.typed else text, answer=True)


def say(text: str, *, answer: bool = False) -> None:
    """Print at once: an answer on stdout, on stderr what is said beside it."""
    stream = sys.stdout if answer else sys.stderr
    stream.write(f"{printable(text)}\n")
    stream.flush()


@contextmanager
def patience(words: str, quiet: bool) -> Iterator[None]:
    """Say on stderr what makes less work, should the work inside take long."""
    from threading import Timer

    timer = Timer(_LONG, say, [f"still running after {_LONG:g} s: {words}"])
    timer.daemon = True  # an interrupt does not wait for it
    if not quiet:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def out(what: str) -> Option:
    """Return --out of the kinds of files whose endings `what` names."""
    return Option("--out", f"Write {what}.", file_to_write(what))


def file_to_write(what: str) -> Kind:
    """Return the kind of files with the endings named, known to be writable before any work."""
    suffixes = dict.fromkeys(re.findall(r"\.\w+", what))

    def read(text: str) -> Path:
        from pathlib import Path

        path = Path(text)
        if path.suffix not in suffixes:
            endings = ", ".join(suffixes)
            raise InputError(f"needs a name ending in {endings}, got {text}")
        folder = path.parent
        if not folder.is_dir() or not os.access(folder, os.W_OK) or path.is_dir():
            raise InputError(
                f"needs a folder that can be written, got {text}; make it first"
            )
        return path

    return Kind("FILE", read)


PROOF = (
    Option("--prove", "Prove labels in balls; what is not proved is said.", FLAG),
    Option(
        "--proof",
        "The same, and keep it in this .json, for verify --proof FILE.",
        file_to_write(".json"),
    ),
)


def keep_proof(proof: Any, path: Path | None) -> None:
    """Write a proof, where there is one and a file is asked for."""
    if path is None:
        return
    from flowsam.certify import save_proof

    if proof is None:
        say(f"flowsam: nothing is proved, {path} is not written")
        return
    save_proof(proof, path)


def feature(place: int, names: Sequence[str]) -> str:
    """Return a feature by its place and its name."""
    return f"feature {place}" + (f", {names[place - 1]}," if names else "")


@contextmanager
def picture(path: Path, *, figsize: tuple[float, float]) -> Iterator[Figure]:
    """Open a figure, and write it in one move when it is drawn.

    A file needs no screen and no LaTeX, whatever backend or style the user has chosen.
    """
    chosen = os.environ.pop("MPLBACKEND", None)
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    finally:
        os.environ.update({} if chosen is None else {"MPLBACKEND": chosen})
    from flowsam.archive import replacing

    with rc_context({"text.usetex": False}):
        figure = Figure(figsize=figsize, layout="constrained")
        yield figure
        with replacing(path) as file:
            figure.savefig(file, format=path.suffix[1:], dpi=200)


def printable(text: str) -> str:
    r"""Return text without what a terminal would obey: control characters are written out.

    Examples
    --------
    >>> printable("a\x1b[31mb"), printable("two\nlines")
    ('a\\x1b[31mb', 'two\nlines')
    """
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def progress_bar(total: int | None, unit: str, quiet: bool, **how: Any) -> Any:
    """Return a tqdm bar on stderr, hidden where nobody would see it."""
    from tqdm import tqdm

    hidden = quiet or not sys.stderr.isatty()
    how = {"unit": f" {unit}", "unit_scale": True, "leave": False} | how
    return tqdm(total=total, disable=hidden, **how)


def to_json(facts: dict[str, Any]) -> str:
    """Return JSON; numbers that JSON does not know become the words "inf", "-inf" and "nan".

    Examples
    --------
    >>> print(to_json({"tau": float("inf"), "label": 1}))
    {"tau": "inf", "label": 1}
    """
    text = json.dumps(facts, default=methodcaller("tolist"))
    return json.dumps(json.loads(text, parse_constant=_WORDS.get))
