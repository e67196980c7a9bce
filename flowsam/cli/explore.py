"""flowsam explore: the page on which a start is dragged."""

from argparse import Namespace

from flowsam.cli.options import NUMBER, NUMBERS, WHOLE, Option
from flowsam.cli.problem import Typed
from flowsam.cli.writing import QUIET, out, tell
from flowsam.errors import InputError

OPTIONS = (
    Option("--mu", "One example, 1 to 8 features.", NUMBERS, default="1,2"),
    Option(
        "--norm",
        "inf, 2, asam, or none (GD); default: inf, and 2 from three features on.",
    ),
    Option("--rho", "Perturbation radius; default: 1.", NUMBER),
    Option("--depth", "Layers of the starts.", WHOLE, default="2"),
    Option(
        "--init",
        "Where the start is at first: alpha, or u,v of one feature.",
        NUMBERS,
    ),
    out("the page, one .html file that needs no network"),
    QUIET,
)


def command(given: Namespace) -> None:
    """Write a page on which a start is dragged and its limit is said at once.

    One feature opens the plane of its two layers, two the plane of starts, more the strip of who
    leads.

      flowsam explore --out explorer.html
      flowsam explore --mu 1,2 --norm 2 --rho 1 --init 0.55,0.55 --out minor_first.html
      flowsam explore --mu 1,1.5,6 --init 0.467 --out descent.html
      flowsam explore --mu 1,1.3 --norm asam --rho 0.8 --out shares.html
    """
    path = given.out
    if path is None:
        raise InputError("explore needs a file, got none; e.g. --out explorer.html")
    named = given.norm or ("inf" if len(given.mu) < 3 else "2")
    radius = 1.0 if given.rho is None and named != "none" else given.rho
    from flowsam.explorer import explore

    parameters = Typed(norm=named, rho=radius)
    parameters.check_rule()
    page = explore(given.mu, parameters.rule, depth=given.depth, init=given.init)
    page.save(path)
    size = f"{len(page.html.encode()) / 1000:.0f} kB"
    tell(given, f"{path}: {size}, opens in any browser", {})
