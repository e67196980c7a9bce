"""The command line: one file a command, found by being here; heavy imports happen inside them.

Exit codes: 0 done, 1 a claim or figure failed, 2 bad input, said in one line.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence
from typing import Any

import click

from flowsam.cli.writing import printable
from flowsam.errors import InputError
from flowsam.version import __version__

__all__ = ["main"]

_ORDER = (
    "simulate",
    "limit",
    "portrait",
    "explore",
    "amplification",
    "features",
    "derive",
    "sweep",
    "verify",
)


_FIRST = """Try first, where a start ends and why:
  flowsam limit --mu 1,2 --rho 1 --init 1.5,0.6
The same as a picture of all starts, and as a page to play with:
  flowsam portrait --mu 1,2 --rho 1 --out starts.png
  flowsam explore --out explorer.html"""


class _Commands(click.Group):
    """A group whose commands are the modules of this package that have a `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of a first reading; new files come after."""
        names = [
            found.name
            for found in pkgutil.iter_modules(__path__)
            if self._load(found.name)
        ]
        return sorted(names, key=lambda name: (*_ORDER, name).index(name))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        known = {found.name for found in pkgutil.iter_modules(__path__)}
        return self._load(cmd_name) if cmd_name in known else None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command, if none of its options is ignored: typed twice, or printed in silence."""
        name, command, rest = super().resolve_command(ctx, args)
        if command:
            own = click.Context(command, ctx, name, **command.context_settings)
            order = command.make_parser(own).parse_args(list(rest))[2]
            twice = [p for p in order if not p.multiple and order.count(p) > 1]
            if twice and isinstance(twice[0], click.Option):
                raise click.UsageError(
                    f"{twice[0].opts[0]} is given {order.count(twice[0])} times; give it once"
                )
            if {"as_json", "quiet"} <= {p.name for p in order}:
                raise click.UsageError("give one of --json and --quiet, got both")
        return name, command, rest

    def _load(self, name: str) -> click.Command | None:
        """The command a module offers."""
        return getattr(importlib.import_module(f"flowsam.cli.{name}"), "command", None)


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="flowsam")
@click.pass_context
def _flowsam(context: click.Context) -> int:
    """Gradient flows of sharpness-aware minimisation on linear diagonal networks."""
    if context.invoked_subcommand is None:
        click.echo(f"{context.get_help()}\n\n{_FIRST}")
        return 2
    return 0


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
    words = sys.argv[1:] if arguments is None else arguments
    try:
        _check_words(words)
        return (
            _flowsam.main(list(words), prog_name="flowsam", standalone_mode=False) or 0
        )
    except click.ClickException as error:
        return _refuse(error.format_message())
    except click.Abort:
        return _refuse(
            "stopped; finished parts are kept, nothing is half-written", code=130
        )
    except BrokenPipeError:  # the reader of a pipe had enough
        return 1
    except MemoryError as error:
        return _refuse(
            f"this does not fit in memory ({error}); ask for fewer points or features"
        )
    except (InputError, OSError) as error:
        return _refuse(str(error))


def _check_words(words: Sequence[str]) -> None:
    """Refuse an empty value, as an unset variable of a shell leaves it."""
    for before, word in zip(["", *words], words, strict=False):
        option, equals, value = word.partition("=")
        if not word.strip() or equals and option.startswith("--") and not value.strip():
            name = option if equals else before or "flowsam"
            raise click.UsageError(
                f"{name} needs a value, got {value if equals else word!r}; give one or leave it out"
            )


def _refuse(message: str, code: int = 2) -> int:
    """Say in one line what was wrong."""
    click.echo("flowsam: " + printable(" ".join(message.split())), err=True)
    return code
