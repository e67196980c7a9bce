"""flowsam site: everything the checkout holds, as linked pages."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from flowsam.cli.verify import source_option
from flowsam.cli.writing import Output, output_options


@click.command("site")
@source_option
@click.option(
    "--out",
    "folder",
    default="site",
    show_default=True,
    help="The folder of the pages.",
)
@click.option("--fast", is_flag=True, help="Figures from small arrays.")
@output_options(json=False)
def command(source: str, folder: str, fast: bool, output: Output) -> int:
    """Write the site: README, derivations, figures, API, tutorials, report and explorer.

    Verdicts and figures come from the last `flowsam reproduce`; what has changed since is done
    first. Needs the extra [site]. Exit code 1 if a claim or figure failed or a page has a fault.
    """
    if importlib.util.find_spec("sphinx_gallery") is None:
        raise click.UsageError(
            'site needs Sphinx and its parts: pip install "flowsam[site]"'
        )
    pages = _folder(folder)
    from flowsam.cli.reproduce import broken, brought_up_to_date
    from flowsam.website.building import build

    found, figures = brought_up_to_date(Path(source), fast=fast, quiet=output.quiet)
    warnings = build(Path(source).resolve(), pages.resolve(), found, figures)
    for line in warnings:
        click.echo(line, err=True)
    output.tell(f"site: {pages}/index.html, {len(warnings)} warnings", {})
    return 0 if found.passed and not broken(figures) and not warnings else 1


def _folder(out: str) -> Path:
    """The folder, known to be one that can be written."""
    folder = Path(out)
    if folder.exists() and not folder.is_dir() or not folder.resolve().parent.is_dir():
        raise click.UsageError(f"--out needs a folder that can be written, got {out}")
    return folder
