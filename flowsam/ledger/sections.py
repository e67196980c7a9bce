"""The report's chapters: each claim with its formula, verdict, figure and homes; and winners."""

import base64
import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from flowsam.labels import kind_of
from flowsam.ledger.claims import Chapter, Verdict, headings, homes_of
from flowsam.ledger.evidence import CONTROL_DRAWS, DRAWS
from flowsam.ledger.gallery import Figure
from flowsam.ledger.html import card, formula, link, links, prose, table, template
from flowsam.ledger.texts import TEXTS
from flowsam.real_data.tables import pixel_names

PAPER = "arXiv:2603.08290"
_DOTTED = re.compile(r"\b(?:flowsam|figures)(?:\.\w+)+")
_NUMBERED = re.compile(
    r"(Theorem|Corollary|Proposition|[Ee]quation)s? (\(?\d[\d.]*\)?(?: and [\d.]+)?)"
)


@dataclass(frozen=True)
class Places:
    """A checkout, and where the page's links to its files lead."""

    source: Path
    # a file's name in the checkout to what a link to it says
    address: Callable[[str], str]

    def link(self, name: str, words: str) -> str:
        """Return a link to a file of the checkout, or the words where it has none."""
        there = (self.source / name).exists()
        return f'<a href="{escape(self.address(name))}">{words}</a>' if there else words

    def head(self, claim: str) -> dict[str, str]:
        """Return what the head of a claim's derivation says."""
        path = self.source / "derivations" / f"{claim}.py"
        return headings(path) if path.is_file() else {}


def chapter_section(
    chapter: Chapter,
    verdicts: Sequence[Verdict],
    figures: Sequence[Figure],
    places: Places,
) -> str:
    """Return a chapter as HTML; a figure stands at the first claim it names."""
    lines = [f'<h2 id="{chapter.anchor}">{prose(chapter.title)}</h2>']
    lines += [f"<p>{prose(chapter.words)}</p>"] if chapter.words else []
    by_name = {verdict.claim: verdict for verdict in verdicts}
    for name, title in chapter.claims.items():
        lines.append(_claim(by_name[name], title, figures, places))
    return "\n".join(lines)


def _claim(
    verdict: Verdict,
    title: str,
    figures: Sequence[Figure],
    places: Places,
) -> str:
    """One claim, with the figures that name it first, and links to the others."""
    name = verdict.claim
    says = places.head(name)
    own = [figure for figure in figures if figure.claims[:1] == (name,)]
    own.sort(key=lambda figure: not figure.name.startswith(f"fig_{name}"))
    shown = [figure_section(figure, places) for figure in own]
    other = links(figure.name for figure in figures if name in figure.claims[1:])
    shown += [f'<p class="also">Also drawn in {other}.</p>'] * bool(other)
    latex = says.get("formula", "").strip("$")
    return template("claim.html").substitute(
        name=name,
        title=prose(title),
        claim=prose(says.get("claim", "No derivation."), code=_reference),
        formula=formula(latex, display=True) if latex else "",
        assumes=prose(says.get("assumes", "not said"), code=_reference),
        verdict=words_of(verdict, says),
        homes=homes(name, says, places),
        figures="\n".join(shown),
    )


def _reference(name: str) -> str:
    """A claim or figure named in a text, as a link."""
    return link(name) if "_" in name else escape(name)


def words_of(verdict: Verdict, says: dict[str, str]) -> str:
    """Return a verdict in the words proved, checked, re-created with own choices, open."""
    parts = []
    if verdict.proved:
        parts.append('<b class="proved">proved</b> step by step by SymPy')
    if verdict.checked:
        draws = f"at {DRAWS} random draws, seed {verdict.seed}"
        control = f"with a hypothesis broken it fails at each of {CONTROL_DRAWS}"
        parts.append(f'<b class="checked">checked</b> {draws}; {control}')
    if "choices" in says:
        choices = prose(says["choices"], code=_reference)
        parts.append(f'<b class="recreated">re-created with own choices</b>: {choices}')
    parts += [f'<b class="open">open</b>: {escape(words)}' for words in _open(verdict)]
    return "; ".join(part.removesuffix(".") for part in parts) + "."


def _open(verdict: Verdict) -> Iterator[str]:
    """What a verdict leaves open."""
    if verdict.message:
        yield verdict.message
    elif not verdict.proved:
        yield f"steps that SymPy does not decide, {verdict.symbolic}"
    if verdict.skipped:
        yield f"its numbers, {verdict.numeric}"


def homes(name: str, says: dict[str, str], places: Places) -> str:
    """Return the links of a claim to its derivation, test and code, and its source."""
    words = ("derivation", "test")
    files = [*map(places.link, homes_of(name), words)]
    code = [places.link(file, dotted) for dotted, file in _used(says, places).items()]
    said = prose(says.get("source", "not said")).removesuffix(".")
    return f"{' · '.join([*files, *code])} · {link('contents')}<br>Source: {said}."


def code_of(claim: str, places: Places) -> list[str]:
    """Return the files that evaluate a claim."""
    return list(_used(places.head(claim), places).values())


def _used(says: dict[str, str], places: Places) -> dict[str, str]:
    """The names of functions that a claim is used by, with their files."""
    names = _DOTTED.findall(says.get("used by", ""))
    return {dotted: file_of(dotted, places.source) for dotted in names}


def file_of(dotted: str, source: Path) -> str:
    """Return the file of a module, or that of the module a name is in."""
    place = dotted.replace(".", "/")
    while place:
        for name in (f"{place}.py", f"{place}/__init__.py"):
            if (source / name).is_file():
                return name
        place = place.rpartition("/")[0]
    return dotted


def figure_section(figure: Figure, places: Places) -> str:
    """Return one picture, 200 dots an inch, inside the page, with its run card folded away."""
    title = prose(figure.title)
    if figure.error:
        word = "left out" if figure.state == "skipped" else "failed"
        reason = escape(figure.error)
        return (
            f'<p id="{figure.name}"><b>{title}</b> {figure.name} {word}: {reason}</p>'
        )
    png = places.source / "figures" / "output" / f"{figure.name}.png"
    data = png.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    size = f'width="{width}" height="{height}" style="--inches: {width / 200:g}in"'
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    image = f'<img src="{url}" alt="{escape(figure.title)}" {size}>'
    code = places.link(f"figures/{figure.name}.py", figure.name)
    folded = f"<details><summary>run card</summary><p>{card(figure.card)}</p></details>"
    back = f" · shows {links(figure.claims)}" if figure.claims else ""
    caption = f"<b>{title}</b> {prose(figure.caption)} {code}{back}{folded}"
    return (
        f'<figure id="{figure.name}">'
        f'<button class="enlarge" title="show large">{image}</button>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def statements(names: Sequence[str], places: Places) -> dict[str, list[str]]:
    """Return the paper's numbered statements and the claims that cite them, the paper's first."""
    found: dict[str, list[str]] = {}
    sources = {name: places.head(name).get("source", "") for name in names}
    for name in sorted(names, key=lambda name: not sources[name].startswith(PAPER)):
        _, cited, rest = sources[name].partition(PAPER)
        for kind, numbers in _NUMBERED.findall(rest if cited else ""):
            for number in numbers.rstrip(".").split(" and "):
                found.setdefault(f"{kind.capitalize()} {number}", []).append(name)
    return dict(sorted(found.items(), key=lambda item: re.findall(r"\d+", item[0])))


def winners(arrays: Mapping[str, Any] | None) -> str:
    """Return which pixel wins for gradient flow and each radius, from both starts, as HTML."""
    (text,) = TEXTS["digits"]
    if arrays is None:
        return f"<p>{text.words}</p>"
    mu = arrays["mu"]
    rows = [
        (f"&rho; = {rho:g}" if rho else "GD", *(_winner(label, mu) for label in column))
        for rho, column in zip(
            arrays["radii"], arrays["labels"].T.tolist(), strict=True
        )
    ]
    sizes = np.abs(mu[mu != 0])
    tied = sizes.size - np.unique(sizes).size
    words = text.answer.format(pixels=mu.size, still=np.sum(mu == 0), tied=2 * tied)
    head = ("rule", "aligned start", "control: all positive")
    return f"<p>{words}</p>{table(head, rows)}"


def _winner(label: int, mu: np.ndarray) -> str:
    """The pixel that is a feature, and the entry of mu there; or the name of another limit."""
    if label < 1:
        return f"{kind_of(int(label))} (label {label})"
    name = pixel_names((8, 8))[label - 1]
    return f"{name} (feature {label}), &mu; = {mu[label - 1]:+.3f}"
