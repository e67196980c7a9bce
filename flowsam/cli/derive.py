"""flowsam derive: the symbolic expressions of one coordinate."""

from __future__ import annotations

import click

from flowsam.cli.problem import COMMAND, as_typed, norm_option, p_option
from flowsam.cli.writing import (
    checked_output,
    json_option,
    out_option,
    quiet_option,
    to_json,
)
from flowsam.parameters import exponent_of


@click.command("derive")
@click.option("--depth", type=int, default=2, show_default=True, help="Layers, 1 to 8.")
@norm_option
@p_option
@click.option(
    "--loss", type=click.Choice(["logistic", "exponential"]), default="logistic"
)
@click.option("--latex", is_flag=True, help="LaTeX in place of plain text.")
@out_option("the equations (.txt, .tex or .json)")
@json_option
@quiet_option
def command(
    depth: int,
    norm: str,
    p: str | None,
    loss: str,
    latex: bool,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print margin, loss, gradient, perturbed point and SAM gradient of one coordinate.

    extra_l is what the full derivative of the objective has beside SAM's gradient.

    \b
    flowsam derive --depth 2 --norm inf --latex
    """
    path = checked_output(out, (".txt", ".tex", ".json"))
    power = exponent_of({"norm": norm} | ({"p": p} if p else {}), COMMAND)
    if norm == "unnormalised":
        raise click.UsageError(
            "derive knows --norm inf, none, asam or a number, got unnormalised"
        )
    from flowsam import notation
    from flowsam.archive import write_text

    adaptive = norm == "asam"
    with as_typed():
        made = notation.equations(depth, power, loss=loss, adaptive=adaptive)
    found = {name: f"{made_of.lhs} = {made_of.rhs}" for name, made_of in made.items()}
    if latex:
        found = notation.latex(depth, power, loss=loss, adaptive=adaptive)
    text = (
        to_json(found) if as_json else "\n".join(f"{k}: {v}" for k, v in found.items())
    )
    if path:
        write_text(path, text + "\n")
    if not quiet:
        click.echo(text)
