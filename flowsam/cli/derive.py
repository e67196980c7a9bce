"""flowsam derive: the symbolic expressions of one coordinate."""

from argparse import Namespace

from flowsam.cli.options import FLAG, WHOLE, Option
from flowsam.cli.problem import LOSS, P, parameters_of
from flowsam.cli.writing import TOLD, out, tell, to_json
from flowsam.errors import InputError

OPTIONS = (
    Option("--depth", "Layers, 1 to 8.", WHOLE, default="2"),
    Option(
        "--norm",
        "inf, 2, any P >= 1, asam, or none (GD).",
        default="inf",
    ),
    P,
    LOSS,
    Option("--latex", "LaTeX in place of plain text.", FLAG),
    out("the equations (.txt, .tex or .json)"),
    *TOLD,
)


def command(given: Namespace) -> None:
    """Print margin, loss, gradient, perturbed point and SAM gradient of one coordinate.

    extra_l is what the full derivative of the objective has beside SAM's gradient.

      flowsam derive --depth 2 --norm inf --latex
    """
    power = parameters_of(given, OPTIONS).exponent
    if given.norm == "unnormalised":
        raise InputError(
            "derive knows --norm inf, none, asam or a number, got unnormalised"
        )
    from flowsam import symbolic
    from flowsam.archive import write_text

    how = {"loss": given.loss, "adaptive": given.norm == "asam"}
    made = symbolic.equations(given.depth, power, **how)
    found = {name: f"{one.lhs} = {one.rhs}" for name, one in made.items()}
    if given.latex:
        found = symbolic.latex(made)
    text = "\n".join(f"{k}: {v}" for k, v in found.items())
    if given.out:
        written = to_json(found) if given.json else text
        write_text(given.out, written + "\n")
    tell(given, text, found)
