"""The sources of the site: Markdown pages made from what the checkout holds."""

import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from string import Template

from flowsam.ledger.claims import chapters, claim_names, headings
from flowsam.ledger.gallery import Figure
from flowsam.ledger.html import spelled
from flowsam.ledger.sections import Places, code_of
from flowsam.ledger.verdicts import Ledger

_MODULES = (
    *("portrait", "amplification", "draw", "margin", "real_data"),
    *("regions", "rates", "sweeps", "ensemble", "certify"),
)
PUBLIC = ("flowsam", *(f"flowsam.{name}" for name in _MODULES))
_WAYS = (
    '<p><a href="report.html">The report</a>, every claim on one page · '
    '<a href="explorer.html">The explorer</a>, drag a start and see its limit</p>'
)
_TABLES = ("tables", "named_sets", "leaning", "scale_scan")
_PARTS = {"flowsam.real_data": tuple(f"flowsam.real_data.{name}" for name in _TABLES)}
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)\)")
_CLAIM = Template(Path(__file__).with_name("claim.md").read_text(encoding="utf-8"))
_CELL = re.compile(r"^# %%[ ]?(.*)$", re.MULTILINE)


def address(name: str) -> str:
    """Return where the site has a file of the checkout.

    Examples
    --------
    >>> address("tests/theorems/test_rates.py"), address("derivations/README.md")
    ('tests/theorems/test_rates.html', 'derivations/index.html')
    """
    return f"{_page(name)}.html"


def _page(name: str) -> str:
    """The page of a file, without its ending."""
    return re.sub(r"README\.md$", "index", name).removesuffix(".py")


@dataclass(frozen=True)
class Site:
    """What the pages are made from.

    Parameters
    ----------
    source : Path
        The checkout.
    folder : Path
        Where the pages are written.
    ledger : Ledger
        Verdicts.
    figures : sequence of Figure
        Drawn in the checkout.
    """

    source: Path
    folder: Path
    ledger: Ledger
    figures: Sequence[Figure]

    def write(self) -> None:
        """Write every page."""
        self._home()
        self._derivations()
        self._gallery()
        self._interface()
        shutil.copytree(self.source / "tests" / "tutorials", self.folder / "scripts")
        self._code()

    def _put(self, name: str, text: str) -> None:
        """Write one page."""
        path = self.folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")

    def _home(self) -> None:
        """README as the first page; its links lead to pages."""
        text = (self.source / "README.md").read_text(encoding="utf-8")
        for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text):
            if not name.startswith("http"):
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.source / name, self.folder / name)
        pages = [
            f"{part}/index" for part in ("tutorials", "derivations", "figures", "api")
        ]
        title, _, rest = _linked(text).partition("\n")
        tree = _tree([*pages, "code"], "hidden:")
        self._put("index", f"{title}\n\n{_WAYS}\n{rest}\n\n{tree}")

    def _derivations(self) -> None:
        """A page a claim, in the order of a first reading."""
        names = claim_names(self.source)
        text = (self.source / "derivations/README.md").read_text(encoding="utf-8")
        blocks = [text.partition("\n## ")[0]]
        for part in chapters(self.source, names):
            blocks += [f"## {spelled(part.title)}", spelled(part.words)]
            blocks += [_tree(part.claims, "maxdepth: 1")]
            for name, title in part.claims.items():
                self._derivation(name, title)
        self._put("derivations/index", "\n\n".join(blocks))

    def _derivation(self, name: str, title: str) -> None:
        """One claim: statement, formula, cells, result, picture."""
        path = self.source / "derivations" / f"{name}.py"
        says = headings(path)
        text = path.read_text(encoding="utf-8")
        links = [f"[test](/tests/theorems/test_{name}.md)"]
        shown = [f.name for f in self.figures if name in f.claims and not f.error]
        links += [f"[{figure}](/figures/{figure}.md)" for figure in shown]
        links += [f'<a href="../report.html#{name}">in the report</a>']
        facts = vars(next(v for v in self.ledger.verdicts if v.claim == name))
        facts = facts | says | {"source": spelled(says.get("source", ""))}
        page = _CLAIM.substitute(
            facts,
            title=spelled(title),
            formula=says["formula"].strip("$"),
            body=markdown(text[text.index("\n# %%", 1) :]),
            count=len(re.findall(r"^\s*assert ", text, re.MULTILINE)),
            links=" · ".join(links),
        )
        self._put(f"derivations/{name}", page.rstrip("\n"))

    def _gallery(self) -> None:
        """A page a figure, with its code, and an overview of small pictures."""
        blocks = ["# Figures"]
        (self.folder / "figures").mkdir(exist_ok=True)
        drawn = [figure for figure in self.figures if not figure.error]
        for figure in drawn:
            name = figure.name
            path = self.source / "figures" / "output" / f"{name}.png"
            shutil.copy(path, self.folder / "figures")
            title = spelled(figure.title)
            image = f"```{{image}} /figures/{name}.png\n:alt: {figure.title}\n"
            tile = f"{image}:width: 100%\n:target: {name}.html\n```"
            blocks += [tile, title]
            code = (self.source / f"figures/{name}.py").read_text(encoding="utf-8")
            claims = ", ".join(f"[{c}](/derivations/{c}.md)" for c in figure.claims)
            own = [f"# {name}", title, f"{image}```"]
            own += [f"Shows {claims}."] if claims else []
            own += [f"```python\n{code}```"]
            self._put(f"figures/{name}", "\n\n".join(own))
        blocks += [_tree((figure.name for figure in drawn), "hidden:")]
        self._put("figures/index", "\n\n".join(blocks))

    def _interface(self) -> None:
        """A page a public module, from its docstrings; what flowsam itself has stands there."""
        shown = import_module("flowsam").__all__
        for module in PUBLIC:
            parts = _PARTS.get(module, (module,))
            known = f"   :exclude-members: {', '.join(shown)}\n" * (module != "flowsam")
            lines = "\n".join(
                f".. automodule:: {part}\n   :members:\n{known}" for part in parts
            )
            self._put(f"api/{module}", f"# {module}\n\n```{{eval-rst}}\n{lines}```")
        self._put("api/index", f"# API\n\n{_tree(PUBLIC, 'maxdepth: 1')}")

    def _code(self) -> None:
        """A page for every script that another page links to, and one for the other files."""
        texts = [page.read_text(encoding="utf-8") for page in self.folder.rglob("*.md")]
        linked = {
            name for text in texts for name in re.findall(r"\]\(/([\w/]+)\.md", text)
        }
        places = Places(self.source, address)
        for claim in claim_names(self.source):
            linked |= {file.removesuffix(".py") for file in code_of(claim, places)}
        for name in sorted(linked):
            path = self.source / f"{name}.py"
            if path.is_file() and not (self.folder / f"{name}.md").exists():
                code = path.read_text(encoding="utf-8")
                self._put(
                    name,
                    f"---\norphan: true\n---\n\n# {name}.py\n\n```python\n{code}```",
                )
        others = ("CONTRIBUTING.md", "CITATION.cff", "CHANGELOG.md", "LICENSE")
        blocks = ["# Project files"]
        for name in others:
            text = (self.source / name).read_text(encoding="utf-8")
            anchor = name.lower().replace(".", "-")
            blocks += [f"({anchor})=\n## {name}", f"````text\n{text}````"]
        self._put("code", "\n\n".join(blocks))


def _linked(text: str) -> str:
    """Markdown whose links to files of the checkout lead to their pages."""

    def lead(found: re.Match[str]) -> str:
        name = found[1]
        if name.endswith((".png", ".svg")):
            return found[0]
        if name.endswith((".py", "README.md")):
            return f"](/{_page(name)}.md)"
        return f"](/code.md#{Path(name).name.lower().replace('.', '-')})"

    return _LINK.sub(lead, text)


def _tree(pages: Iterable[str], option: str) -> str:
    """A list of pages, as Sphinx orders them."""
    entries = "\n".join(pages)
    return f"```{{toctree}}\n:{option}\n\n{entries}\n```"


def cells(text: str) -> Iterator[tuple[str, str]]:
    r"""Yield the cells of a script: what is on the opening line, and what follows.

    Examples
    --------
    >>> list(cells("# %% [markdown]\n# Why.\n# %%\nx = 1\n"))
    [('[markdown]', '# Why.'), ('', 'x = 1')]
    """
    parts = _CELL.split(text)[1:]
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        yield title.strip(), body.strip("\n")


def markdown(text: str) -> str:
    """Return a script as Markdown; text cells become prose, the others blocks of code."""
    blocks = []
    for title, body in cells(text):
        if title == "[markdown]":
            blocks.append(re.sub(r"^# ?", "", body, flags=re.MULTILINE))
        else:
            blocks += [f"## {title}"] if title else []
            blocks += [f"```python\n{body}\n```"] if body else []
    return "\n\n".join(blocks)
