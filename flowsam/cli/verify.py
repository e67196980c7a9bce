"""flowsam verify: the ledger of claims, run in the source checkout."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from flowsam.cli.writing import Output, output_options, to_json

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
@output_options("the table (.txt, .md or .json)", (".txt", ".md", ".json"))
def command(
    names: tuple[str, ...],
    source: str,
    seed: int | None,
    repeat: int,
    markdown: bool,
    proof: str | None,
    output: Output,
) -> int:
    """Check claims: SymPy's proof, numbers at 20 fresh random parameter sets, a control that fails.

    Exit code 1 if a claim fails; its message names the seed, the draw and the parameters. A proof
    is checked by balls of python-flint, without following the flow: 1 if it does not hold.
    """
    _check_meant(proof, output.as_json and markdown)
    if proof is not None:
        return _check(proof, output)
    from flowsam.archive import write_text
    from flowsam.ledger import checks
    from flowsam.ledger.schedule import perform

    for more in range(repeat):
        claims = checks.plan(Path(source), names=names, seed=seed)
        found = claims.ledger(perform(claims.tasks, quiet=output.quiet))
        if not found.passed:
            break
        if repeat > 1 and not output.quiet:
            click.echo(
                f"{more + 1} of {repeat}: {found.text().splitlines()[-1]}", err=True
            )
        seed = found.seed + (more + 1 < repeat)
    kinds = {
        ".json": to_json(found.facts()),
        ".md": found.text(markdown=True),
        ".txt": found.text(),
    }
    if output.path:
        write_text(output.path, kinds[output.path.suffix] + "\n")
    output.tell(found.text(markdown=markdown), found.facts())
    return 0 if found.passed else 1


def _check_meant(proof: str | None, twice: bool) -> None:
    """Refuse options beside a proof, which takes none, and two kinds of output."""
    context = click.get_current_context()
    typed = [
        option.opts[0]
        for option in context.command.params
        if context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
        and option.name not in ("proof", "as_json", "quiet")
        and context.params.get(str(option.name), True) != ()  # click 8.1 says typed
    ]
    if proof is not None and typed:
        raise click.UsageError(
            f"--proof checks that file alone, got {', '.join(typed)}"
        )
    if twice:
        raise click.UsageError("give one of --json and --markdown, got both")


def _check(proof: str, output: Output) -> int:
    """Check a proof file, and say what it proves or where it fails."""
    from flowsam.certify import Refused, check_file

    try:
        what = check_file(proof)
        holds = True
    except Refused as error:
        what = str(error)
        holds = False
    facts = {"file": proof, "holds": holds, "what": what}
    word = "proved" if holds else "does not hold"
    output.tell(f"{word}: {what}", facts)
    return 0 if holds else 1
