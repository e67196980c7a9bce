"""The options that name a problem, shared by commands: data, rule, loss and start."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from flowsam.cli import reading
from flowsam.errors import InputError
from flowsam.parameters import Dialect, check
from flowsam.real_data.named_sets import DATA_SETS

if TYPE_CHECKING:
    from flowsam.parameters import Setup

__all__ = [
    "COMMAND",
    "as_typed",
    "data_options",
    "flow_options",
    "l2_options",
    "norm_option",
    "p_option",
    "setup",
    "start_options",
]

Command = Callable[..., Any]

COMMAND = Dialect(
    sources=("mu", "data", "csv"),
    starts=("alpha", "theta"),
    names={
        "alpha": "init",
        "label_column": "label",
        "bias": "no-bias",
        "split_signs": "no-split",
        "tau_end": "tau-end",
        "log_t_end": "log-t-end",
        "save_at": "rows",
    },
    form="--{}",
    given="{} {}",
)

p_option = click.option(
    "--p", help="Norm of --norm asam, inf or any P >= 1; default: 2."
)
norm_option = click.option(
    "--norm",
    default="inf",
    show_default=True,
    help="inf, 2, any P >= 1, asam, or none (GD).",
)
_MU = click.option("--mu", help="One example, e.g. 1,2.")
_DATA = click.option("--data", help=f"One of {', '.join(DATA_SETS)}; standardised.")
_RHO = click.option(
    "--rho", type=float, help="Perturbation radius; not with --norm none."
)
_TABLE_OPTIONS = (
    click.option("--csv", help="A CSV file with a header; standardised."),
    click.option(
        "--label", "label_column", help="The CSV file's column of labels, two classes."
    ),
    click.option("--classes", help="A,B: rows of these labels alone; A counts as +1."),
    click.option(
        "--drop", multiple=True, help="A column that is no feature; repeatable."
    ),
    click.option(
        "--no-bias", is_flag=True, help="No constant column beside the features."
    ),
)
_RULE_OPTIONS = (
    click.option(
        "--norm",
        default="inf",
        show_default=True,
        help="inf, 2, any P >= 1, unnormalised, asam, or none (GD).",
    ),
    p_option,
    _RHO,
    click.option(
        "--loss", type=click.Choice(["logistic", "exponential"]), default="logistic"
    ),
)
_START_OPTIONS = (
    click.option("--depth", type=int, help="Layers of --init; default: 2."),
    click.option(
        "--init", help="Balanced start alpha > 0: one number, or one a feature."
    ),
    click.option("--theta", help="A .npy file of weights, shape (L, d)."),
    click.option(
        "--aligned", is_flag=True, help="Signs of the one example on layer 1 of --init."
    ),
    click.option(
        "--no-split", is_flag=True, help="Several examples: keep one column a feature."
    ),
)


def data_options(command: Command) -> Command:
    """Add --data and the options of CSV files; the command gets `parameters`."""
    return _collecting(command, (_DATA, *_TABLE_OPTIONS))


def flow_options(command: Command) -> Command:
    """Add the options of data, rule and loss; the command gets `parameters`."""
    return _collecting(command, (_MU, _DATA, *_TABLE_OPTIONS, *_RULE_OPTIONS))


def l2_options(command: Command) -> Command:
    """Add --mu, --data and --rho for the commands of l_2-SAM; the command gets `parameters`."""
    return _collecting(command, (_MU, _DATA, _RHO), norm="2")


def start_options(command: Command) -> Command:
    """Add --depth, --init, --theta, --aligned and --no-split; `parameters` have the start too."""

    @functools.wraps(command)
    def with_start(*, parameters: dict[str, Any], **rest: Any) -> Any:
        init = rest.pop("init")
        given = {name: rest.pop(name) for name in ("depth", "theta")}
        given["alpha"] = None if init is None else reading.numbers(init, "--init")
        given["aligned"] = rest.pop("aligned") or None
        given["split_signs"] = False if rest.pop("no_split") else None
        parameters |= {
            name: value for name, value in given.items() if value is not None
        }
        check(parameters, COMMAND, start=True)
        return command(parameters=parameters, **rest)

    return _with(_START_OPTIONS, with_start)


@contextmanager
def as_typed() -> Iterator[None]:
    """Refusals of a verb name its parameters as options: tau_end is --tau-end."""
    try:
        yield
    except InputError as error:
        raise InputError(error.named(COMMAND.name)) from None


def setup(parameters: dict[str, Any]) -> Setup:
    """Return the flow and the start of parameters as typed; files are read here."""
    from flowsam.parameters import setup_of

    theta = parameters.get("theta")
    read = {} if theta is None else {"theta": reading.read_theta(theta)}
    return setup_of(parameters | read, COMMAND)


def _collecting(
    command: Command, options: tuple[Callable[[Command], Command], ...], **fixed: Any
) -> Command:
    """Gather what the options give under the names of parameters."""

    @functools.wraps(command)
    def with_parameters(**rest: Any) -> Any:
        names = (
            "mu",
            "data",
            "csv",
            "label_column",
            "classes",
            "drop",
            "norm",
            "p",
            "rho",
            "loss",
        )
        given = {name: rest.pop(name, None) for name in names}
        parameters = {
            name: v for name, v in given.items() if v not in (None, ())
        } | fixed
        if rest.pop("no_bias", False):
            parameters["bias"] = False
        if "mu" in parameters:
            parameters["mu"] = reading.numbers(parameters["mu"], "--mu")
        if "classes" in parameters:
            parameters["classes"] = tuple(
                map(str.strip, parameters["classes"].split(","))
            )
        with as_typed():
            return command(parameters=parameters, **rest)

    return _with(options, with_parameters)


def _with(
    options: tuple[Callable[[Command], Command], ...], command: Command
) -> Command:
    """Decorate so that --help lists the options in order."""
    for option in reversed(options):
        command = option(command)
    return command
