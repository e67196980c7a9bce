"""What leaves a command: JSON that every reader accepts, and files checked before the work."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

__all__ = [
    "checked_output",
    "json_option",
    "out_option",
    "picture",
    "printable",
    "progress_bar",
    "quiet_option",
    "show",
    "to_json",
]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
quiet_option = click.option(
    "--quiet", "-q", is_flag=True, help="Print nothing but errors."
)


def out_option(what: str) -> Callable[..., Any]:
    """Return the option --out, for a file of the kind `what` names."""
    return click.option("--out", help=f"Write {what}.")


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


def show(
    result: object,
    facts: dict[str, Any],
    *,
    as_json: bool,
    quiet: bool,
    answer: str = "",
) -> None:
    """Print the answer in a sentence and the result as its own text, or JSON, or nothing."""
    text = f"{answer}\n{result!r}".lstrip()
    if not quiet:
        click.echo(to_json(facts) if as_json else printable(text))
