"""report.html: one page with every claim, verdict, figure and run card; needs no network."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from flowsam.explorer.component import module
from flowsam.ledger.checklist import CHECKLIST
from flowsam.ledger.claims import headings
from flowsam.ledger.gallery import Figure
from flowsam.ledger.html import card, link, links, picture, table
from flowsam.ledger.pixels import winners
from flowsam.ledger.questions import QUESTIONS, Question
from flowsam.ledger.typeset import formula
from flowsam.ledger.verdicts import Ledger, Verdict
from flowsam.notation import latex
from flowsam.version import __version__

__all__ = ["page"]

_SETTINGS = ("rule", "rho", "L", "data", "start", "clock", "loss", "method", "tolerances")


def page(ledger: Ledger, figures: Sequence[Figure], *, source: Path) -> str:
    """Return the report as one self-contained HTML page.

    Parameters
    ----------
    ledger : Ledger
        Verdicts of every claim.
    figures : sequence of Figure
        Drawn; their pictures and arrays are read from `source`.
    source : Path
        The checkout, for the heads of the derivations.

    Returns
    -------
    str
        HTML without links to other files; its one script is the explorer. A claim is followed by
        the figures that name it first; figures of no claim come after.
    """
    drawn = [figure for figure in figures if not figure.error]
    saved = {figure.name: _saved(figure, source) for figure in drawn}
    passed = sum(verdict.passed for verdict in ledger.verdicts)
    claimed = {verdict.claim for verdict in ledger.verdicts}
    rest = [figure for figure in figures if not claimed & set(figure.claims)]
    template = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
    return Template(template).substitute(
        stamp=escape(f"flowsam {__version__}. {ledger.note}"),
        summary=f"{passed} of {len(ledger.verdicts)} claims pass; {len(drawn)} of {len(figures)} "
        f"figures are drawn; {len(QUESTIONS)} questions of reviewers",
        beta=formula(r"\beta = w_1 \odot \cdots \odot w_L"),
        flow=formula(
            r"\dot{\theta} = -\nabla\mathcal{L}(\hat{\theta}), \quad "
            r"\hat{\theta} = \theta + \mathrm{arg\,max}_{\|\epsilon\|_p \leq \rho} "
            r"\langle \epsilon, \nabla\mathcal{L}(\theta) \rangle"
        ),
        gradient=formula(_sam_gradient()),
        explorer=module(),
        verdicts=_verdicts(ledger.verdicts),
        claims=_claims(ledger.verdicts, figures, source),
        figures="\n".join(_figure(figure, source) for figure in rest),
        cards=_cards(figures),
        digits=winners(saved.get("fig_digits_limits")),
        questions="\n".join(_question(question, ledger, saved) for question in QUESTIONS),
        checklist=_checklist(ledger, figures),
    )


def _saved(figure: Figure, source: Path) -> dict[str, Any]:
    """The arrays of a figure, and its run card."""
    path = source / "figures" / "output" / f"{figure.name}.npz"
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files} | {"card": figure.card}


def _sam_gradient() -> str:
    """The gradient of layer 1 and its perturbed point, from the symbolic core."""
    written = latex(2, math.inf)
    return written["sam_gradient_1"] + r", \quad " + written["perturbed_2"]


def _verdicts(verdicts: Sequence[Verdict]) -> str:
    """The table of verdicts."""
    head = ("claim", "source", "symbolic", "numeric", "control", "seed", "seconds")
    return table(
        head,
        [
            (
                link(v.claim),
                escape(v.source),
                *(_word(part) for part in (v.symbolic, v.numeric, v.control)),
                str(v.seed),
                f"{v.seconds:.1f}",
            )
            for v in verdicts
        ],
    )


def _word(part: str) -> str:
    """A verdict in its colour."""
    return f'<span class="{part.split()[0] if part != "-" else ""}">{escape(part)}</span>'


def _claims(verdicts: Sequence[Verdict], figures: Sequence[Figure], source: Path) -> str:
    """Each claim, with the figures that show it; a figure stands at the first claim it names."""
    sections, shown = [], set()
    for verdict in verdicts:
        own = [figure for figure in figures if verdict.claim in figure.claims]
        there = [figure.name for figure in own if figure.name in shown]
        sections.append(_claim(verdict, source))
        sections += [f"<p>Also drawn in {links(there)}.</p>"] if there else []
        sections += [_figure(figure, source) for figure in own if figure.name not in shown]
        shown |= {figure.name for figure in own}
    return "\n".join(sections)


def _claim(verdict: Verdict, source: Path) -> str:
    """One claim: statement, formula, verdict, hypotheses, where it is evaluated."""
    path = source / "derivations" / f"{verdict.claim}.py"
    says = headings(path) if path.is_file() else {}
    lines = [f'<h3 id="{verdict.claim}">{verdict.claim}</h3>']
    lines += [f"<p>{escape(says.get('claim', 'No derivation.'))}</p>"]
    lines += [f"<p>{formula(says['formula'].strip('$'))}</p>"] if "formula" in says else []
    for word, intro in (("assumes", "Assumes"), ("used by", "Evaluated by")):
        lines += [f"<p>{intro} {escape(says[word])}</p>"] if word in says else []
    parts = {name: getattr(verdict, name) for name in ("symbolic", "numeric", "control")}
    words = "; ".join(f"{name} {_word(part)}" for name, part in parts.items())
    lines += [f'<p class="card"><b>Verdict</b> {words}. Source: {escape(verdict.source)}.</p>']
    lines += [f'<p class="fail">{escape(verdict.message)}</p>'] if verdict.message else []
    return "\n".join(lines)


def _figure(figure: Figure, source: Path) -> str:
    """One picture, inside the page, with its run card."""
    title = f'<h4 id="{figure.name}">{escape(figure.title)}</h4>'
    if figure.error:
        word = "skipped" if figure.state == "skipped" else "failed"
        return f'{title}<p class="fail">{figure.name} {word}: {escape(figure.error)}</p>'
    png = source / "figures" / "output" / f"{figure.name}.png"
    facts = figure.card
    if set(_SETTINGS) <= set(facts):  # the caption repeats them
        facts = {name: fact for name, fact in facts.items() if name != "caption"}
    return f"{title}{picture(png, figure.title, f'{figure.name}. {card(facts)}')}"


def _cards(figures: Sequence[Figure]) -> str:
    """Every setting of every figure in one table."""
    rows = [
        (link(f.name), *(escape(str(f.card.get(name, "-"))) for name in (*_SETTINGS, "seconds")))
        for f in figures
    ]
    return table(("figure", *_SETTINGS, "seconds"), rows)


def _question(question: Question, ledger: Ledger, saved: Mapping[str, Any]) -> str:
    """A question with its answer, or the honest lack of one."""
    there = {v.claim for v in ledger.verdicts if v.passed} | set(saved)
    missing = [name for name in question.shown_by if name not in there]
    try:
        answer = "" if missing else escape(question.answered(saved))
    except KeyError as error:  # the arrays of a figure
        missing = [str(error.args[0])]
    if missing:
        answer = f"Not answered by this run, which lacks {', '.join(missing)}."
    elif question.shown_by:
        answer += f" See {links(question.shown_by)}."
    return f"<h3>{escape(question.asked)}</h3><p>{answer}</p>"


def _checklist(ledger: Ledger, figures: Sequence[Figure]) -> str:
    """The reproducibility checklist, filled in."""
    undecided = [v.symbolic for v in ledger.verdicts if "undecided" in v.symbolic]
    facts = {
        "undecided": f"those of {len(undecided)} claims" if undecided else "none",
        "versions": next((f.card["versions"] for f in figures if "versions" in f.card), "-"),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, {platform.system()}",
        "claims_seconds": f"{sum(v.seconds for v in ledger.verdicts):.0f}",
        "seconds": f"{sum(json.loads(str(f.card.get('seconds', 0))) for f in figures):.0f}",
    }
    rows = [(kind, asked, answer.format(**facts)) for kind, asked, answer in CHECKLIST]
    return table(("part", "asked", "answered"), rows)
