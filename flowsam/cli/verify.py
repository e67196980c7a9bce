"""flowsam verify: the ledger of claims, run in the source checkout."""

from argparse import Namespace
from pathlib import Path

from flowsam.cli.options import FLAG, Option, whole
from flowsam.cli.writing import TOLD, out, say, tell, to_json
from flowsam.errors import InputError

SOURCE = Option("--source", "The source checkout.", default=".")
SEED = Option("--seed", "Of the draws; else fresh.", whole(0))
OPTIONS = (
    Option("[NAME]...", parameter="names", many=True),
    SOURCE,
    SEED,
    Option(
        "--repeat",
        "Seeds in a row, from --seed on; the first that fails ends it.",
        whole(1),
        default="1",
    ),
    Option("--markdown", "Print a Markdown table.", FLAG),
    Option("--proof", "Check this file of --prove instead, in any folder."),
    out("the table (.txt, .md or .json)"),
    *TOLD,
)


def command(given: Namespace) -> int:
    """Check claims: SymPy's proof, numbers at 20 fresh random parameter sets, a control that fails.

    Exit code 1 if a claim fails; its message names the seed, the draw and the parameters. A proof
    is checked by balls of python-flint, without following the flow: 1 if it does not hold.
    """
    _check_meant(given)
    if given.proof is not None:
        return _check(given)
    from flowsam.archive import write_text
    from flowsam.ledger import checks
    from flowsam.ledger.kept_work import perform

    seed = given.seed
    for done in range(1, given.repeat + 1):
        claims = checks.plan(Path(given.source), names=given.names, seed=seed)
        found = claims.ledger(perform(claims.tasks, quiet=given.quiet))
        if not found.passed:
            break
        if given.repeat > 1 and not given.quiet:
            last = found.text().splitlines()[-1]
            say(f"{done} of {given.repeat}: {last}")
        seed = found.seed + 1
    facts = found.facts()
    if given.out:
        kind = given.out.suffix
        text = to_json(facts) if kind == ".json" else found.text(markdown=kind == ".md")
        write_text(given.out, text + "\n")
    tell(given, found.text(markdown=given.markdown), facts)
    return int(not found.passed)


def _check_meant(given: Namespace) -> None:
    """Refuse options beside a proof, which takes none, and two kinds of output."""
    fits = ("--proof", "--json", "--quiet")
    typed = [name for name in given.typed if name not in fits]
    if given.proof is not None and typed:
        raise InputError(f"--proof checks that file alone, got {', '.join(typed)}")
    if given.json and given.markdown:
        raise InputError("give one of --json and --markdown, got both")


def _check(given: Namespace) -> int:
    """Check a proof file, and say what it proves or where it fails."""
    from flowsam.certify import Refused, check_file

    try:
        what = check_file(given.proof)
        holds = True
    except Refused as error:
        what = str(error)
        holds = False
    facts = {"file": given.proof, "holds": holds, "what": what}
    word = "proved" if holds else "does not hold"
    tell(given, f"{word}: {what}", facts)
    return int(not holds)
