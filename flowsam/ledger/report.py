"""report.html: the paper's story, its claims, verdicts and figures, on a page without network."""

import math
import os
import platform
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from flowsam.explorer.page import module
from flowsam.ledger.claims import Chapter, Ledger, Verdict, chapters, homes_of
from flowsam.ledger.gallery import Figure
from flowsam.ledger.html import formula, link, links, prose, table, template
from flowsam.ledger.sections import (
    Places,
    chapter_section,
    code_of,
    figure_section,
    statements,
    winners,
)
from flowsam.ledger.texts import TEXTS, Text
from flowsam.symbolic import equations, latex
from flowsam.version import __version__

TITLE_FIGURE = "fig_rules_compared"


def page(
    ledger: Ledger,
    figures: Sequence[Figure],
    *,
    source: Path,
    address: Callable[[str], str] = str,
) -> str:
    """Return the report as one HTML page."""
    places = Places(source, address)
    drawn = [figure for figure in figures if not figure.error]
    saved = {figure.name: _saved(figure, source) for figure in drawn}
    names = [verdict.claim for verdict in ledger.verdicts]
    story = chapters(source, names)
    first = [figure for figure in drawn if figure.name == TITLE_FIGURE]
    rest = [figure for figure in figures if figure not in first]
    return template("page.html").substitute(
        stamp=escape(_stamp(source, ledger.note)),
        title_figure=_sections(first, places),
        summary=f"{_summary(ledger)} {len(drawn)} of {len(figures)} figures are drawn.",
        findings=_findings(names),
        contents=_contents(story),
        statements=statement_table(story, drawn, places),
        gradient=formula(_sam_gradient(), display=True),
        explorer=module(),
        verdicts=_verdicts(ledger.verdicts),
        claims="\n".join(
            chapter_section(part, ledger.verdicts, rest, places) for part in story
        ),
        figures=_sections(_unclaimed(rest, names), places),
        digits=winners(saved.get("fig_digits_limits")),
        questions="\n".join(
            _question(asked, ledger, saved) for asked in TEXTS["question"]
        ),
        checklist=_checklist(ledger, figures),
    )


def _sections(figures: Sequence[Figure], places: Places) -> str:
    """Figures, one below the other."""
    return "\n".join(figure_section(figure, places) for figure in figures)


def _unclaimed(figures: Sequence[Figure], names: Sequence[str]) -> list[Figure]:
    """Figures of none of the claims."""
    return [figure for figure in figures if not set(figure.claims) & set(names)]


def _summary(ledger: Ledger) -> str:
    """How many claims are proved, and how many checked."""
    proved = sum(verdict.proved for verdict in ledger.verdicts)
    checked = sum(verdict.checked for verdict in ledger.verdicts)
    count = len(ledger.verdicts)
    return f"Of {count} claims {proved} are proved and {checked} checked in this run;"


def _stamp(source: Path, note: str) -> str:
    """Date, version and commit."""
    call = ["git", "-C", str(source), "rev-parse", "--short", "HEAD"]
    words = [time.strftime("%Y-%m-%d"), f"flowsam {__version__}"]
    with suppress(OSError, subprocess.CalledProcessError):
        commit = subprocess.check_output(call, text=True, stderr=subprocess.DEVNULL)
        words.append(f"commit {commit.strip()}")
    return ", ".join([*words, note] if note else words) + "."


def _findings(names: Sequence[str]) -> str:
    """The ten numbers, with the claims that prove them."""
    rows = [
        f"<li><b>{escape(found.answered({}))}</b> <span>{prose(found.words)} "
        f"{links(name for name in found.shown_by if name in names)}</span></li>"
        for found in TEXTS["finding"]
    ]
    return "\n".join(rows)


def _contents(story: Sequence[Chapter]) -> str:
    """Chapters and their claims, as a list of lists."""
    rows = []
    for part in story:
        inner = " · ".join(
            link(name, prose(title)) for name, title in part.claims.items()
        )
        title = link(part.anchor, f"<b>{prose(part.title)}</b>")
        rows.append(f"<li>{title}: {inner}</li>")
    return "\n".join(rows)


def statement_table(
    story: Sequence[Chapter],
    figures: Sequence[Figure],
    places: Places,
) -> str:
    """Return the paper's numbered statements, a row a claim, with links to its four homes."""
    titles = {name: title for part in story for name, title in part.claims.items()}
    rows = []
    for word, found in statements([*titles], places).items():
        for name in found:
            shown = [link(f.name, "picture") for f in figures if name in f.claims]
            code = [places.link(path, "code") for path in code_of(name, places)]
            homes = map(places.link, homes_of(name), ("proof", "test"))
            last = ((*several, "")[0] for several in (code, shown))
            rows.append((word, link(name, prose(titles[name])), *homes, *last))
    return table(("in the paper", "here", "proof", "test", "code", "picture"), rows)


def _saved(figure: Figure, source: Path) -> dict[str, Any]:
    """The arrays of a figure, and its run card."""
    path = source / "figures" / "output" / f"{figure.name}.npz"
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files} | {"card": figure.card}


def _sam_gradient() -> str:
    """The gradient of layer 1 and its perturbed point, from the symbolic core."""
    written = latex(equations(2, math.inf))
    return written["sam_gradient_1"] + r", \quad " + written["perturbed_2"]


def _verdicts(verdicts: Sequence[Verdict]) -> str:
    """The table of verdicts."""
    head = ("claim", "proved", "checked", "seed", "seconds")
    rows = [
        (
            link(verdict.claim),
            _word(verdict.proved, verdict.symbolic),
            _word(verdict.checked, f"{verdict.numeric}, control {verdict.control}"),
            str(verdict.seed),
            f"{verdict.seconds:.1f}",
        )
        for verdict in verdicts
    ]
    return table(head, rows)


def _word(holds: bool, found: str) -> str:
    """A verdict in its colour."""
    colour, word = ("pass", "yes") if holds else ("open", escape(found))
    return f'<span class="{colour}">{word}</span>'


def _question(question: Text, ledger: Ledger, saved: Mapping[str, Any]) -> str:
    """A question with its answer, or the honest lack of one."""
    there = {v.claim for v in ledger.verdicts if v.passed} | set(saved)
    missing = [name for name in question.shown_by if name not in there]
    try:
        answer = "" if missing else prose(question.answered(saved))
    except KeyError as error:  # the arrays of a figure
        missing = [str(error.args[0])]
    if missing:
        answer = f"Not answered by this run, which lacks {', '.join(missing)}."
    elif question.shown_by:
        answer += f" See {links(question.shown_by)}."
    return f"<h3>{prose(question.words)}</h3><p>{answer}</p>"


def _checklist(ledger: Ledger, figures: Sequence[Figure]) -> str:
    """The reproducibility checklist, filled in."""
    undecided = sum("undecided" in verdict.symbolic for verdict in ledger.verdicts)
    facts = {
        "undecided": f"those of {undecided} claims" if undecided else "none",
        "versions": next(
            (f.card["versions"] for f in figures if "versions" in f.card), "-"
        ),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, {platform.system()}",
        "claims_seconds": f"{sum(v.seconds for v in ledger.verdicts):.0f}",
        "seconds": f"{sum(float(f.card.get('seconds', 0)) for f in figures):.0f}",
    }
    rows = [(t.part, t.words, t.answer.format(**facts)) for t in TEXTS["checklist"]]
    return table(("part", "asked", "answered"), rows)
