"""The options that name a problem, shared by commands: data, rule, loss and start."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flowsam.cli.options import FLAG, NUMBER, NUMBERS, WHOLE, Kind, Option, choice
from flowsam.cli.reading import read_theta
from flowsam.parameters import Dialect, check
from flowsam.real_data.named_sets import DATA_SETS

if TYPE_CHECKING:
    from flowsam.parameters import Setup


P = Option("--p", "Norm of --norm asam, inf or any P >= 1; default: 2.")
LOSS = Option("--loss", kind=choice("logistic", "exponential"), default="logistic")
_MU = Option("--mu", "One example, e.g. 1,2.", NUMBERS)
_RHO = Option("--rho", "Perturbation radius; not with --norm none.", NUMBER)
_CLASSES = Kind("A,B", lambda text, _: tuple(map(str.strip, text.split(","))))
DATA = (
    Option("--data", f"One of {', '.join(DATA_SETS)}; standardised."),
    Option("--csv", "A CSV file with a header; standardised."),
    Option(
        "--label",
        "The CSV file's column of labels, two classes.",
        parameter="label_column",
    ),
    Option(
        "--classes",
        "A,B: rows of these labels alone; A counts as +1.",
        _CLASSES,
    ),
    Option(
        "--drop",
        "A column that is no feature; repeatable.",
        many=True,
    ),
    Option(
        "--no-bias",
        "No constant column beside the features.",
        FLAG,
        parameter="bias",
    ),
)
FLOW = (
    _MU,
    *DATA,
    Option(
        "--norm",
        "inf, 2, any P >= 1, unnormalised, asam, or none (GD).",
        default="inf",
    ),
    P,
    _RHO,
    LOSS,
)
L2 = (_MU, DATA[0], _RHO)
START = (
    Option("--depth", "Layers of --init; default: 2.", WHOLE),
    Option(
        "--init",
        "Balanced start alpha > 0: one number, or one a feature.",
        NUMBERS,
        parameter="alpha",
    ),
    Option("--theta", "A .npy file of weights, shape (L, d)."),
    Option(
        "--aligned",
        "Signs of the one example on layer 1 of --init.",
        FLAG,
    ),
    Option(
        "--no-split",
        "Several examples: keep one column a feature.",
        FLAG,
        parameter="split_signs",
    ),
)
END = (
    Option("--tau-end", "End in rescaled time.", NUMBER),
    Option("--log-t-end", "End in log(1 + t).", NUMBER),
)
COMMAND = Dialect(
    sources=("mu", "data", "csv"),
    starts=("alpha", "theta"),
    names={option.key: option.name for option in (*FLOW, *START, *END)},
    given="{} {}",
)


def parameters_of(given: Namespace, options: Iterable[Option]) -> dict[str, Any]:
    """Return what is given by name: what was typed, and what has a default."""
    return {
        option.key: vars(given)[option.key]
        for option in options
        if option.name in given.typed or option.default
    }


def start_parameters(
    given: Namespace, flow: Iterable[Option] = FLOW, **fixed: Any
) -> dict[str, Any]:
    """Return the start with data, rule and loss, once they are known to fit."""
    parameters = parameters_of(given, (*flow, *START)) | fixed
    check(parameters, COMMAND, start=True)
    return parameters


def setup(parameters: dict[str, Any]) -> Setup:
    """Return the flow and the start of parameters as typed; files are read here."""
    from flowsam.parameters import setup_of

    theta = parameters.get("theta")
    read = {} if theta is None else {"theta": read_theta(theta)}
    return setup_of(parameters | read, COMMAND)
