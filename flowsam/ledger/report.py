"""report.html: one page with every claim, verdict, figure and run card; needs no network."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

import numpy as np

from flowsam.ledger.claims import headings
from flowsam.ledger.gallery import Figure
from flowsam.ledger.questions import QUESTIONS, Question
from flowsam.ledger.typeset import formula
from flowsam.ledger.verdicts import Ledger, Verdict
from flowsam.notation import latex
from flowsam.version import __version__

__all__ = ["page"]

_DIGITS = "fig_digits_limits"
_STARTS = ("aligned start", "control: all positive")


def page(ledger: Ledger, figures: Sequence[Figure], *, source: Path) -> str:
    """Return the report as one self-contained HTML page.

    Parameters
    ----------
    ledger : Ledger
        Verdicts of every claim.
    figures : sequence of Figure
        Drawn; their pictures are read from `source` and put into the page.
    source : Path
        The checkout, for the heads of the derivations.

    Returns
    -------
    str
        HTML without scripts or links to other files.
    """
    failed = sum(not verdict.passed for verdict in ledger.verdicts)
    total = len(ledger.verdicts)
    template = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
    return Template(template).substitute(
        stamp=escape(f"flowsam {__version__}, seed of the checks {ledger.seed}. {ledger.note}"),
        beta=formula(r"\beta = w_1 \odot \cdots \odot w_L"),
        flow=formula(
            r"\dot{\theta} = -\nabla\mathcal{L}(\hat{\theta}), \quad "
            r"\hat{\theta} = \theta + \mathrm{arg\,max}_{\|\epsilon\|_p \leq \rho} "
            r"\langle \epsilon, \nabla\mathcal{L}(\theta) \rangle"
        ),
        gradient=formula(_sam_gradient()),
        verdict=f"{total - failed} of {total} claims pass.",
        claims=_claims(ledger.verdicts, figures, source),
        figures="\n".join(_figure(figure, source) for figure in figures),
        digits=_digits(figures, source),
        questions="\n".join(_question(question, ledger, figures) for question in QUESTIONS),
    )


def _sam_gradient() -> str:
    """The gradient of layer 1 and its perturbed point, from the symbolic core."""
    written = latex(2, math.inf)
    return written["sam_gradient_1"] + r", \quad " + written["perturbed_2"]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An HTML table; cells are HTML already."""
    lines = ["".join(f"<th>{word}</th>" for word in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="wide"><table>\n{body}\n</table></div>'


def _claims(verdicts: Sequence[Verdict], figures: Sequence[Figure], source: Path) -> str:
    """The table of verdicts, then each claim with what it says and assumes."""
    head = ("claim", "source", "symbolic", "numeric", "control", "seconds")
    rows = [
        (
            f'<a href="#{v.claim}">{v.claim}</a>',
            escape(v.source),
            *(_word(part) for part in (v.symbolic, v.numeric, v.control)),
            f"{v.seconds:.1f}",
        )
        for v in verdicts
    ]
    return _table(head, rows) + "\n".join(_claim(v, figures, source) for v in verdicts)


def _word(part: str) -> str:
    """A verdict in its colour."""
    return f'<span class="{part.split()[0] if part != "-" else ""}">{escape(part)}</span>'


def _claim(verdict: Verdict, figures: Sequence[Figure], source: Path) -> str:
    """One claim: statement, formula, hypotheses, where it is evaluated and drawn."""
    path = source / "derivations" / f"{verdict.claim}.py"
    says = headings(path) if path.is_file() else {}
    lines = [f'<h3 id="{verdict.claim}">{verdict.claim}</h3>']
    lines += [f'<p class="fail">{escape(verdict.message)}</p>'] if verdict.message else []
    lines += [f"<p>{escape(says.get('claim', 'No derivation.'))}</p>"]
    lines += [f"<p>{formula(says['formula'].strip('$'))}</p>"] if "formula" in says else []
    for word, intro in (("assumes", "Assumes"), ("used by", "Evaluated by")):
        lines += [f"<p>{intro} {escape(says[word])}</p>"] if word in says else []
    drawn = [figure.name for figure in figures if verdict.claim in figure.claims]
    links = ", ".join(f'<a href="#{name}">{name}</a>' for name in drawn)
    return "\n".join(lines) + (f"<p>Drawn in {links}.</p>" if drawn else "")


def _figure(figure: Figure, source: Path) -> str:
    """One picture, inside the page, with its run card."""
    title = f'<h3 id="{figure.name}">{escape(figure.title)}</h3>'
    if figure.error:
        return f'{title}<p class="fail">{figure.name} failed: {escape(figure.error)}</p>'
    png = source / "figures" / "output" / f"{figure.name}.png"
    code = base64.b64encode(png.read_bytes()).decode()
    facts = {key: value for key, value in figure.card.items() if key != "files"}
    facts["fingerprint"] = str(facts.get("fingerprint", ""))[:12]
    card = "; ".join(f"{key}: {value}" for key, value in facts.items())
    return (
        f'{title}<figure><img src="data:image/png;base64,{code}" alt="{escape(figure.title)}">'
        f'<figcaption class="card">{figure.name}. {escape(card)}</figcaption></figure>'
    )


def _digits(figures: Sequence[Figure], source: Path) -> str:
    """The winners on the class-mean difference of two digits, for gradient flow and each radius."""
    if not any(figure.name == _DIGITS and not figure.error for figure in figures):
        return "<p>Not drawn in this run.</p>"
    path = source / "figures" / "output" / f"{_DIGITS}.npz"
    with np.load(path, allow_pickle=False) as file:
        mu, radii, labels = file["mu"], file["radii"], file["labels"]
    rows = [
        (f"&rho; = {rho:g}" if rho else "GD", *(_winner(label, mu) for label in column))
        for rho, column in zip(radii, labels.T.tolist(), strict=True)
    ]
    sizes = np.abs(mu[mu != 0])
    tied = sizes.size - np.unique(sizes).size
    return (
        "<p>One example: the signed difference of class means of scikit-learn's digits, 3 against "
        f"5, {mu.size} pixels, depth 2. {np.sum(mu == 0)} pixels are constant (&mu;<sub>j</sub> = "
        f"0, they never move) and {2 * tied} tie exactly in size. The aligned start has the signs "
        "of &mu; on layer 1; the control is all positive. The picture is "
        f'<a href="#{_DIGITS}">{_DIGITS}</a>.</p>' + _table(("rule", *_STARTS), rows)
    )


def _winner(label: int, mu: np.ndarray) -> str:
    """Pixel from 0, label from 1, and the entry of mu there; or the name of another limit."""
    from flowsam.labels import kind_of

    if label < 1:
        return f"{kind_of(int(label))} (label {label})"
    return f"pixel {label - 1} (label {label}), &mu; = {mu[label - 1]:+.3f}"


def _question(question: Question, ledger: Ledger, figures: Sequence[Figure]) -> str:
    """A question with its answer, or the honest lack of one."""
    there = {v.claim for v in ledger.verdicts if v.passed}
    there |= {figure.name for figure in figures if not figure.error}
    missing = [name for name in question.shown_by if name not in there]
    links = ", ".join(f'<a href="#{name}">{name}</a>' for name in question.shown_by)
    answer = escape(question.answer) + (f" See {links}." if links else "")
    if missing:
        answer = f"Not answered by this run, which lacks {', '.join(missing)}."
    return f"<h3>{escape(question.asked)}</h3><p>{answer}</p>"
