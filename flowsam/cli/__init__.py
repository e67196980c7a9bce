"""The command line: one file a command; heavy imports happen inside them.

Exit codes: 0 done, 1 a claim or figure failed, 2 bad input, said in one line.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from flowsam.cli.options import FLAG, Option, Reader, completion
from flowsam.cli.writing import say
from flowsam.errors import InputError
from flowsam.version import __version__

__all__ = ["main"]

COMMANDS = (  # files of this folder, in the order of a first reading
    *("simulate", "limit", "portrait", "explore", "amplification", "features"),
    *("derive", "sweep", "verify", "reproduce", "site"),
)
_OPTIONS = (Option("--version", "Print the version.", FLAG), Option("COMMAND ..."))
_FIRST = """Try first, where a start ends and why:
  flowsam limit --mu 1,2 --rho 1 --init 1.5,0.6
The same as a picture of all starts, and as a page to play with:
  flowsam portrait --mu 1,2 --rho 1 --out starts.png
  flowsam explore --out explorer.html"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        In place of those of the process.

    Returns
    -------
    int
        0 done, 1 a claim or figure failed, 2 bad input, 130 interrupted.

    Examples
    --------
    >>> main(["limit", "--mu", "1,2", "--rho", "1", "--init", "1.5,0.6", "--quiet"])
    0
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _answer(words)
    except BrokenPipeError:  # the reader of a pipe had enough
        # Python itself would still write what is left, at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (EOFError, KeyboardInterrupt):
        say("")
        return _refuse("stopped; finished parts are kept, nothing is half-written", 130)
    except MemoryError as error:
        return _refuse(
            f"this does not fit in memory ({error}); ask for fewer points or features"
        )
    except (InputError, OSError) as error:
        return _refuse(str(error))


def _answer(words: list[str]) -> int:
    """Do what the words ask for."""
    if asked := os.environ.get("_FLOWSAM_COMPLETE"):
        modules = {name: _command(name) for name in COMMANDS}
        say(completion(asked, words, modules), answer=True)
        return 0
    if not words or words[0].startswith("-"):
        return _without_command(words[:1])
    name, *rest = words
    if name not in COMMANDS:
        raise InputError(f"no command {name!r}, there are {', '.join(COMMANDS)}")
    module = _command(name)
    reader = Reader(f"flowsam {name}", module.command.__doc__ or "", module.OPTIONS)
    given = reader.given(rest)
    if given.help:
        say(reader.format_help(), answer=True)
        return 0
    if {"--json", "--quiet"} <= {*given.typed}:
        raise InputError("give one of --json and --quiet, got both")
    try:
        return module.command(given) or 0
    except InputError as error:
        written = {option.key: option.name for option in module.OPTIONS}
        raise InputError(error.named(written)) from None


def _without_command(words: list[str]) -> int:
    """Print the version, or which commands there are; no word at all is bad input."""
    reader = Reader(
        "flowsam",
        "Gradient flows of sharpness-aware minimisation on linear diagonal networks.",
        _OPTIONS,
    )
    if words and not reader.given(words).help:
        say(f"flowsam, version {__version__}", answer=True)
        return 0
    listed = reader.add_argument_group("Commands")
    for name in COMMANDS:
        says = _command(name).command.__doc__ or ""  # python -OO keeps none
        listed.add_argument(name, help=says.partition("\n")[0])
    say(reader.format_help(), answer=True)
    if words:
        return 0
    say(f"\n{_FIRST}", answer=True)
    return 2


def _command(name: str) -> Any:
    """The module of a command."""
    return importlib.import_module(f"{__name__}.{name}")


def _refuse(message: str, code: int = 2) -> int:
    """Say in one line what was wrong."""
    say("flowsam: " + " ".join(message.split()))
    return code
