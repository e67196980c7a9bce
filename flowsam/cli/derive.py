"""flowsam derive: the symbolic expressions of one coordinate."""

from __future__ import annotations

import click

from flowsam.cli.problem import COMMAND, as_typed, norm_option, p_option
from flowsam.cli.writing import Output, output_options, to_json
from flowsam.parameters import exponent_of


@click.command("derive")
@click.option("--depth", type=int, default=2, show_default=True, help="Layers, 1 to 8.")
@norm_option
@p_option
@click.option(
    "--loss", type=click.Choice(["logistic", "exponential"]), default="logistic"
)
@click.option("--latex", is_flag=True, help="LaTeX in place of plain text.")
@output_options("the equations (.txt, .tex or .json)", (".txt", ".tex", ".json"))
def command(
    depth: int,
    norm: str,
    p: str | None,
    loss: str,
    latex: bool,
    output: Output,
) -> None:
    """Print margin, loss, gradient, perturbed point and SAM gradient of one coordinate.

    extra_l is what the full derivative of the objective has beside SAM's gradient.

    \b
    flowsam derive --depth 2 --norm inf --latex
    """
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
    text = "\n".join(f"{k}: {v}" for k, v in found.items())
    if output.path:
        written = to_json(found) if output.as_json else text
        write_text(output.path, written + "\n")
    output.tell(text, found)
