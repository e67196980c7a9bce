"""flowsam explore: the page on which a start is dragged."""

from __future__ import annotations

import click

from flowsam.cli import reading
from flowsam.cli.problem import COMMAND
from flowsam.cli.writing import Output, output_options
from flowsam.parameters import check_rule, rule_of


@click.command("explore")
@click.option(
    "--mu", default="1,2", show_default=True, help="One example, 1 to 8 features."
)
@click.option(
    "--norm",
    help="inf, 2, asam, or none (GD); default: inf, and 2 from three features on.",
)
@click.option("--rho", type=float, help="Perturbation radius; default: 1.")
@click.option(
    "--depth", type=int, default=2, show_default=True, help="Layers of the starts."
)
@click.option(
    "--init", help="Where the start is at first: alpha, or u,v of one feature."
)
@output_options(
    "the page, one .html file that needs no network", (".html",), json=False
)
def command(
    mu: str,
    norm: str | None,
    rho: float | None,
    depth: int,
    init: str | None,
    output: Output,
) -> None:
    """Write a page on which a start is dragged and its limit is said at once.

    One feature opens the plane of its two layers, two the plane of starts, more the strip of who
    leads.

    \b
    flowsam explore --out explorer.html
    flowsam explore --mu 1,2 --norm 2 --rho 1 --init 0.55,0.55 --out minor_first.html
    flowsam explore --mu 1,1.5,6 --init 0.467 --out descent.html
    flowsam explore --mu 1,1.3 --norm asam --rho 0.8 --out shares.html
    """
    path = output.path
    if path is None:
        raise click.UsageError(
            "explore needs a file, got none; e.g. --out explorer.html"
        )
    features = reading.numbers(mu, "--mu")
    named = norm or ("inf" if len(features) < 3 else "2")
    radius = 1.0 if rho is None and named != "none" else rho
    start = reading.numbers(init, "--init") if init else None
    from flowsam.explorer import explore

    rule = {"norm": named, "rho": radius}
    check_rule(rule, COMMAND)
    page = explore(features, rule_of(rule, COMMAND), depth=depth, init=start)
    page.save(path)
    size = f"{len(page.html.encode()) / 1000:.0f} kB"
    output.tell(f"{path}: {size}, opens in any browser", {})
