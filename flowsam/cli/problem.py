"""The options that name a problem, shared by commands, and what a user typed there as data.

Nothing of a file or a range is ever evaluated.
"""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flowsam.cli.options import FLAG, NUMBER, NUMBERS, WHOLE, Kind, Option, choice
from flowsam.errors import InputError
from flowsam.parameters import Parameters
from flowsam.real_data.named_sets import DATA_SETS

if TYPE_CHECKING:
    import numpy as np

    from flowsam.parameters import Setup


P = Option("--p", "Norm of --norm asam, inf or any P >= 1; default: 2.")
LOSS = Option("--loss", kind=choice("logistic", "exponential"), default="logistic")
_MU = Option("--mu", "One example, e.g. 1,2.", NUMBERS)
_RHO = Option("--rho", "Perturbation radius; not with --norm none.", NUMBER)
_CLASSES = Kind("A,B", lambda text: tuple(map(str.strip, text.split(","))))
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


class Typed(Parameters):
    """Parameters as the options write them."""

    sources: tuple[str, ...] = ("mu", "data", "csv")
    starts = ("alpha", "theta")
    names = {option.key: option.name for option in (*FLOW, *START, *END)}
    form = "{} {}"


def parameters_of(given: Namespace, options: Iterable[Option]) -> Typed:
    """Return what is given by name: what was typed, and what has a default."""
    values = vars(given)
    there = (o for o in options if o.name in given.typed or o.default)
    return Typed({option.key: values[option.key] for option in there})


def start_parameters(
    given: Namespace, flow: Iterable[Option] = FLOW, **fixed: Any
) -> Typed:
    """Return the start with data, rule and loss, once they are known to fit."""
    parameters = parameters_of(given, (*flow, *START))
    parameters |= fixed
    parameters.check(start=True)
    return parameters


def setup(parameters: Typed) -> Setup:
    """Return the flow and the start of parameters as typed; files are read here."""
    if "theta" in parameters:
        parameters["theta"] = read_theta(parameters["theta"])
    return parameters.setup


def spread(text: str, option: str, *, points: int | None = None) -> np.ndarray:
    """Return equal steps from START,STOP,POINTS.

    Examples
    --------
    >>> spread("0,1,3", "--x"), spread("0,1", "--x", points=2)
    (array([0. , 0.5, 1. ]), array([0., 1.]))
    """
    import numpy as np

    from flowsam.inputs import CELLS

    values = NUMBERS.of(text, option)
    if len(values) == 2 and points:
        values.append(float(points))
    if len(values) != 3 or not values[2].is_integer() or not 1 <= values[2] <= CELLS:
        raise InputError(
            f"{option} needs START,STOP,POINTS, got {text!r}; e.g. 0.01,2,200"
        )
    if not math.isfinite(values[1] - values[0]):
        raise InputError(
            f"{option} needs a finite range, got {text!r}; e.g. 0.01,2,200"
        )
    return np.linspace(values[0], values[1], int(values[2]))


def read_theta(path: str) -> np.ndarray:
    """Return the weights of a .npy file, without pickle."""
    import numpy as np

    try:
        theta = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"--theta needs a .npy file of numbers, got {path} ({error}); use numpy.save"
        ) from None
    shape = getattr(theta, "shape", "an archive")
    if len(shape) != 2:
        raise InputError(
            f"--theta needs weights of shape (L, d), got {shape} in {path}"
        )
    return theta
