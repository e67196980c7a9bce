"""The options that name a problem, shared by commands: data, rule, loss and start."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from flowsam.cli import reading
from flowsam.real_data.named import DATA_SETS, csv_data, named_data

if TYPE_CHECKING:
    from flowsam.data import Data
    from flowsam.flow import Flow
    from flowsam.perturbations import Perturbation

__all__ = [
    "exponent",
    "flow_options",
    "l2_options",
    "norm_option",
    "perturbation",
    "start_options",
]

Command = Callable[..., Any]

norm_option = click.option(
    "--norm", default="inf", show_default=True, help="inf, 2, any P >= 1, or none (GD)."
)
_FLOW_OPTIONS = (
    click.option("--mu", help="One example, e.g. 1,2."),
    click.option("--data", help=f"One of {', '.join(DATA_SETS)}; standardised."),
    click.option("--csv", help="A CSV file with a header; standardised."),
    click.option("--label", help="The CSV file's column of labels, two classes."),
    click.option("--no-bias", is_flag=True, help="No constant column beside the features."),
    click.option(
        "--norm",
        default="inf",
        show_default=True,
        help="inf, 2, any P >= 1, unnormalised, or none (GD).",
    ),
    click.option("--rho", type=float, help="Perturbation radius; not with --norm none."),
    click.option("--loss", type=click.Choice(["logistic", "exponential"]), default="logistic"),
)
_START_OPTIONS = (
    click.option("--depth", type=int, help="Layers of --init; default: 2."),
    click.option("--init", help="Balanced start alpha > 0: one number, or one a feature."),
    click.option("--theta", help="A .npy file of weights, shape (L, d)."),
    click.option("--aligned", is_flag=True, help="Signs of the one example on layer 1 of --init."),
    click.option("--no-split", is_flag=True, help="Several examples: keep one column a feature."),
)


def exponent(norm: str) -> float | None:
    """Return p for the text of --norm, or None for "none".

    Parameters
    ----------
    norm : str
        "inf", "none", or a number p >= 1.

    Returns
    -------
    float or None

    Raises
    ------
    click.UsageError
        For anything else.

    Examples
    --------
    >>> exponent("inf"), exponent("2"), exponent("none")
    (inf, 2.0, None)
    """
    if norm == "none":
        return None
    try:
        p = float(norm)
    except ValueError:
        p = 0.0
    if not p >= 1:
        raise click.UsageError(f"--norm needs inf, none or a number p >= 1, got {norm!r}; e.g. 2")
    return p


def flow_options(command: Command) -> Command:
    """Add --mu, --data, --csv, --label, --norm, --rho and --loss; the command gets `flow`.

    Parameters
    ----------
    command : callable
        Takes the keyword `flow`.

    Returns
    -------
    callable
        Takes the options' values.
    """

    @functools.wraps(command)
    def with_flow(*, norm: str, rho: float | None, loss: str, **rest: Any) -> Any:
        source = {name: rest.pop(name) for name in ("mu", "data", "csv", "label", "no_bias")}
        from flowsam.flow import Flow
        from flowsam.losses import LOSSES

        flow = Flow(_data(**source), perturbation(norm, rho), LOSSES[loss])
        return command(flow=flow, **rest)

    return _with(_FLOW_OPTIONS, with_flow)


def l2_options(command: Command) -> Command:
    """Add --mu, --data and --rho for the commands of l_2-SAM; the command gets `flow`.

    Parameters
    ----------
    command : callable
        Takes the keyword `flow`.

    Returns
    -------
    callable
        Takes the options' values.
    """

    @functools.wraps(command)
    def with_flow(*, mu: str | None, data: str | None, rho: float | None, **rest: Any) -> Any:
        from flowsam.flow import Flow

        flow = Flow(_data(mu, data), perturbation("2", rho))
        return command(flow=flow, **rest)

    return _with((*_FLOW_OPTIONS[:2], _FLOW_OPTIONS[6]), with_flow)  # --mu, --data, --rho


def start_options(command: Command) -> Command:
    """Add --depth, --init, --theta and --aligned; the command gets `theta0` besides `flow`.

    Parameters
    ----------
    command : callable
        Takes the keywords `flow` and `theta0`.

    Returns
    -------
    callable
        To be wrapped by `flow_options`.
    """

    @functools.wraps(command)
    def with_start(*, flow: Flow, theta: str | None, init: str | None, **rest: Any) -> Any:
        depth, aligned, whole = (rest.pop(name) for name in ("depth", "aligned", "no_split"))
        if bool(init) == bool(theta):
            given = "both" if init else "neither"
            raise click.UsageError(f"give one of --init and --theta, got {given}; e.g. --init 0.5")
        theta0 = reading.read_theta(theta, depth, aligned) if theta else None
        layers = (2 if depth is None else depth) if theta0 is None else theta0.shape[-2]
        flow = flow if whole else _reaching_both_signs(flow, layers)
        if theta0 is None:
            theta0 = reading.balanced_start(flow, init, depth=layers, aligned=aligned)
        return command(flow=flow, theta0=flow.checked(theta0), **rest)

    return _with(_START_OPTIONS, with_start)


def _with(options: tuple[Callable[[Command], Command], ...], command: Command) -> Command:
    """Decorate so that --help lists the options in order."""
    for option in reversed(options):
        command = option(command)
    return command


def perturbation(norm: str, rho: float | None) -> Perturbation:
    """Return the rule, with a radius exactly where it needs one."""
    from flowsam.perturbations import Perturbation, gradient_flow

    if norm == "unnormalised":
        p, normalised = 2.0, False
    else:
        p, normalised = exponent(norm), True
    if p is None:
        if rho:
            raise click.UsageError(f"--norm none takes no radius, got --rho {rho:g}; leave it out")
        return gradient_flow()
    if rho is None:
        raise click.UsageError(f"--norm {norm} needs a radius, got none; e.g. --rho 0.5")
    return Perturbation(p, rho, normalised)


def _reaching_both_signs(flow: Flow, depth: int) -> Flow:
    """The flow on columns [z, -z] where positive starts would keep every beta_j >= 0."""
    from flowsam.data import split_signs
    from flowsam.flow import Flow

    if depth == 1 or flow.data.z.shape[0] == 1:
        return flow
    return Flow(split_signs(flow.data), flow.perturbation, flow.loss)


def _data(
    mu: str | None,
    data: str | None,
    csv: str | None = None,
    label: str | None = None,
    no_bias: bool = False,
) -> Data:
    """The data, from exactly one source."""
    given = [name for name, value in (("--mu", mu), ("--data", data), ("--csv", csv)) if value]
    if len(given) != 1:
        shown = " and ".join(given) or "none"
        raise click.UsageError(f"give one of --mu, --data and --csv, got {shown}; e.g. --mu 1,2")
    if data:
        return named_data(data, bias=not no_bias)
    if csv:
        if not label:
            raise click.UsageError("--csv needs its column of labels, got none; e.g. --label y")
        return csv_data(csv, label, bias=not no_bias)
    from flowsam.data import single_example

    return single_example(reading.numbers(mu or "", "--mu"))
