"""What leaves a command: JSON that every reader accepts, and files checked before the work."""

from __future__ import annotations

import functools
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

__all__ = [
    "Output",
    "checked_output",
    "output_options",
    "picture",
    "printable",
    "progress_bar",
    "to_json",
]


@dataclass(frozen=True)
class Output:
    """Where an answer goes: a file that can be written, and the screen."""

    path: Path | None
    as_json: bool
    quiet: bool

    def tell(self, text: str, facts: dict[str, Any]) -> None:
        """Print a text, or its facts as JSON, or nothing."""
        if not self.quiet:
            click.echo(to_json(facts) if self.as_json else printable(text))

    def show(self, result: object, facts: dict[str, Any], answer: str = "") -> None:
        """Print the answer in a sentence and the result as its own text, or JSON, or nothing."""
        self.tell(f"{answer}\n{result!r}".lstrip(), facts)


def output_options(
    what: str = "", suffixes: tuple[str, ...] = (), *, json: bool = True
) -> Callable[..., Any]:
    """Return what adds --out (of the kind `what` names), --json and --quiet, as one `output`."""
    options = [click.option("--out", help=f"Write {what}.")] * bool(what)
    options += [
        click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    ] * json
    options += [
        click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
    ]

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_output(*, quiet: bool, **rest: Any) -> Any:
            path = checked_output(rest.pop("out", None), suffixes)
            output = Output(path, rest.pop("as_json", False), quiet)
            return command(output=output, **rest)

        for option in reversed(options):
            with_output = option(with_output)
        return with_output

    return add


def checked_output(
    out: str | None, suffixes: tuple[str, ...], *, option: str = "--out"
) -> Path | None:
    """Return where to write, known to be writable before any work is done."""
    if out is None:
        return None
    from pathlib import Path

    path = Path(out)
    if path.suffix not in suffixes:
        raise click.UsageError(
            f"{option} needs a name ending in {', '.join(suffixes)}, got {out}"
        )
    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or path.is_dir():
        raise click.UsageError(
            f"{option} needs a folder that can be written, got {out}; make it first"
        )
    return path


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
    """Return text without what a terminal would obey: control characters are written out.

    Examples
    --------
    >>> printable("a\\x1b[31mb"), printable("two\\nlines")
    ('a\\\\x1b[31mb', 'two\\nlines')
    """
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def progress_bar(total: int | None, unit: str, quiet: bool) -> Any:
    """Return a tqdm bar on stderr, hidden where nobody would see it."""
    from tqdm import tqdm

    hidden = quiet or not sys.stderr.isatty()
    return tqdm(
        total=total, unit=f" {unit}", unit_scale=True, disable=hidden, leave=False
    )


def to_json(facts: dict[str, Any]) -> str:
    """Return JSON; numbers that JSON does not know become the words "inf", "-inf" and "nan".

    Examples
    --------
    >>> print(to_json({"tau": math.inf, "label": 1}))
    {"tau": "inf", "label": 1}
    """
    import json

    return json.dumps(_plain(facts), allow_nan=False)


def _plain(value: Any) -> Any:
    """Lists, dictionaries, text and finite numbers."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return (
        str(value) if isinstance(value, float) and not math.isfinite(value) else value
    )
