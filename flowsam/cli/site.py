"""flowsam site: everything the checkout holds, as linked pages."""

import importlib.util
from argparse import Namespace
from pathlib import Path

from flowsam.cli.options import FLAG, Kind, Option
from flowsam.cli.verify import SOURCE
from flowsam.cli.writing import QUIET, say, tell
from flowsam.errors import InputError


def _folder(text: str) -> Path:
    """A folder, known to be one that can be written."""
    folder = Path(text)
    if folder.exists() and not folder.is_dir() or not folder.resolve().parent.is_dir():
        raise InputError(f"needs a folder that can be written, got {text}")
    return folder


OPTIONS = (
    SOURCE,
    Option("--out", "The folder of the pages.", Kind("FOLDER", _folder), "site"),
    Option("--fast", "Figures from small arrays.", FLAG),
    QUIET,
)


def command(given: Namespace) -> int:
    """Write the site: README, derivations, figures, API, tutorials, report and explorer.

    Verdicts and figures come from the last `flowsam reproduce`; what has changed since is done
    first. Needs the extra [site]. Exit code 1 if a claim or figure failed or a page has a fault.
    """
    if importlib.util.find_spec("sphinx_gallery") is None:
        raise InputError('site needs Sphinx and its parts: pip install "flowsam[site]"')
    from flowsam.cli.reproduce import broken, brought_up_to_date
    from flowsam.website.pages import build

    found, figures = brought_up_to_date(given)
    warnings = build(Path(given.source).resolve(), given.out.resolve(), found, figures)
    for line in warnings:
        say(line)
    answer = f"site: {given.out}/index.html, {len(warnings)} warnings"
    tell(given, answer, {})
    return int(not found.passed or bool(broken(figures) or warnings))
