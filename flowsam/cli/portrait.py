"""flowsam portrait: a plane of starts and the limit of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowsam.cli.problem import flow_options
from flowsam.cli.reading import spread
from flowsam.cli.writing import (
    checked_output,
    json_option,
    out_option,
    quiet_option,
    save_figure,
    show,
)

if TYPE_CHECKING:
    from flowsam.portrait import Portrait


@click.command("portrait")
@flow_options
@click.option("--plane", type=click.Choice(["balanced", "layers"]), help="Default: by the data.")
@click.option("--depth", type=int, default=2, show_default=True, help="Layers, balanced plane.")
@click.option("--x", "x_range", help="START,STOP,POINTS; alpha_1, or u of the layer plane.")
@click.option("--y", "y_range", help="The same for alpha_2 or v; default: as --x.")
@out_option("the labels (.npz) or a picture (.png, .pdf, .svg)")
@json_option
@quiet_option
def command(flow: Any, out: str | None, as_json: bool, quiet: bool, **plane: Any) -> None:
    """Map initialisations to limits: alpha_1, alpha_2 of balanced starts, or one feature's u, v.

    \b
    flowsam portrait --mu 1,2 --rho 1 --out limits.png
    flowsam portrait --mu 1 --rho 1 --x=-3,3,601 --out plane.npz
    """
    path = checked_output(out, (".npz", ".png", ".pdf", ".svg"))
    found = _portrait(flow, **plane)
    if path and path.suffix == ".npz":
        found.save(path)
    elif path:
        _picture(found, path)
    facts = found.provenance() | {"fractions": found.fractions}
    show(found, facts, as_json=as_json, quiet=quiet)


def _portrait(
    flow: Any, *, plane: str | None, depth: int, x_range: str | None, y_range: str | None
) -> Portrait:
    """The plane the options ask for."""
    from flowsam.portrait import layer_plane, phase_portrait

    layers = plane == "layers" or (plane is None and flow.data.z.shape[1] == 1)
    reach = 2 * flow.perturbation.rho or 2.0
    default = f"{-1.5 * reach},{1.5 * reach},401" if layers else f"{reach / 400},{reach},400"
    x = spread(x_range or default, "--x")
    y = spread(y_range, "--y") if y_range else x
    return phase_portrait(flow, x, y, depth=depth, start=layer_plane if layers else None)


def _picture(found: Portrait, path: Path) -> None:
    """The portrait drawn, with its facts below; written in one move."""
    from matplotlib.figure import Figure

    from flowsam.draw import portrait

    figure = Figure(figsize=(4.0, 4.2), layout="constrained")
    axes = figure.add_subplot()
    portrait(axes, found)
    axes.set_title(f"{found.flow.describe()}, L = {found.depth}", fontsize=8)
    save_figure(figure, path)
