"""flowsam verify: the ledger of claims, run in the source checkout."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from flowsam.cli.writing import (
    checked_output,
    json_option,
    out_option,
    quiet_option,
    to_json,
)

source_option = click.option(
    "--source", default=".", show_default=True, help="The source checkout."
)
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), help="Of the draws; else fresh."
)


@click.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@source_option
@seed_option
@click.option(
    "--repeat",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Seeds in a row, from --seed on; the first that fails ends it.",
)
@click.option("--markdown", is_flag=True, help="Print a Markdown table.")
@click.option("--proof", help="Check this file of --prove instead, in any folder.")
@out_option("the table (.txt, .md or .json)")
@json_option
@quiet_option
def command(
    names: tuple[str, ...],
    source: str,
    seed: int | None,
    repeat: int,
    markdown: bool,
    proof: str | None,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Check claims: SymPy's proof, numbers at 20 fresh random parameter sets, a control that fails.

    Exit code 1 if a claim fails; its message names the seed, the draw and the parameters. A proof
    is checked by balls of python-flint, without following the flow: 1 if it does not hold.
    """
    _check_meant(proof, as_json and markdown)
    if proof is not None:
        return _check(proof, as_json=as_json, quiet=quiet)
    from flowsam.archive import write_text
    from flowsam.ledger import checks
    from flowsam.ledger.schedule import perform

    path = checked_output(out, (".txt", ".md", ".json"))
    for more in range(repeat):
        claims = checks.plan(Path(source), names=names, seed=seed)
        found = claims.ledger(perform(claims.tasks, quiet=quiet))
        if not found.passed:
            break
        if repeat > 1 and not quiet:
            click.echo(
                f"{more + 1} of {repeat}: {found.text().splitlines()[-1]}", err=True
            )
        seed = found.seed + (more + 1 < repeat)
    kinds = {
        ".json": to_json(found.facts()),
        ".md": found.text(markdown=True),
        ".txt": found.text(),
    }
    if path:
        write_text(path, kinds[path.suffix] + "\n")
    if not quiet:
        click.echo(kinds[".json" if as_json else ".md" if markdown else ".txt"])
    return 0 if found.passed else 1


def _check_meant(proof: str | None, twice: bool) -> None:
    """Refuse options beside a proof, which takes none, and two kinds of output."""
    context = click.get_current_context()
    typed = [
        option.opts[0]
        for option in context.command.params
        if context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
        and option.name not in ("proof", "as_json", "quiet")
    ]
    if proof is not None and typed:
        raise click.UsageError(
            f"--proof checks that file alone, got {', '.join(typed)}"
        )
    if twice:
        raise click.UsageError("give one of --json and --markdown, got both")


def _check(proof: str, *, as_json: bool, quiet: bool) -> int:
    """Check a proof file, and say what it proves or where it fails."""
    from flowsam.certify import Refused, check_file

    try:
        what = check_file(proof)
        holds = True
    except Refused as error:
        what = str(error)
        holds = False
    if not quiet:
        facts = {"file": proof, "holds": holds, "what": what}
        word = "proved" if holds else "does not hold"
        click.echo(to_json(facts) if as_json else f"{word}: {what}")
    return 0 if holds else 1
