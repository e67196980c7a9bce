"""From a checkout with verdicts and figures to Markdown pages, and a folder of linked ones."""

import io
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from string import Template
from typing import Any

from flowsam.ledger.claims import Ledger, chapters, claim_names, headings
from flowsam.ledger.gallery import Figure
from flowsam.ledger.html import formula, spelled
from flowsam.ledger.report import page
from flowsam.ledger.sections import Places, code_of
from flowsam.version import __version__

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
_CODE = re.compile(r"(``[^`]+``|`[^`]+`)")
_CLAIM = Template(Path(__file__).with_name("claim.md").read_text("utf-8"))
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
    """What the pages are made from."""

    source: Path  # the checkout
    folder: Path  # of the pages
    ledger: Ledger
    figures: Sequence[Figure]  # drawn in the checkout

    def write(self) -> None:
        """Write every page."""
        self._home()
        self._derivations()
        self._gallery()
        self._interface()
        shutil.copytree(self.source / "tests" / "tutorials", self.folder / "scripts")
        self._code()

    def _put(self, name: str, *blocks: str) -> None:
        """Write one page."""
        path = self.folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n\n".join(blocks) + "\n", "utf-8")

    def _text(self, name: str) -> str:
        """A file of the checkout."""
        return (self.source / name).read_text("utf-8")

    def _home(self) -> None:
        """README as the first page; its links lead to pages."""
        text = self._text("README.md")
        for name in re.findall(r"!\[[^]]*\]\((?!http)([^)]+)\)", text):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.source / name, self.folder / name)
        parts = ("tutorials", "derivations", "figures", "api")
        title, _, rest = _linked(text).partition("\n")
        tree = _tree([*(f"{part}/index" for part in parts), "code"], "hidden:")
        self._put("index", title, f"{_WAYS}\n{rest}", tree)

    def _derivations(self) -> None:
        """A page a claim, in the order of a first reading."""
        blocks = [self._text("derivations/README.md").partition("\n## ")[0]]
        for part in chapters(self.source, claim_names(self.source)):
            blocks += [f"## {spelled(part.title)}", spelled(part.words)]
            blocks.append(_tree(part.claims, "maxdepth: 1"))
            for name, title in part.claims.items():
                self._derivation(name, title)
        self._put("derivations/index", *blocks)

    def _derivation(self, name: str, title: str) -> None:
        """One claim: statement, formula, cells, result, picture."""
        says = headings(self.source / "derivations" / f"{name}.py")
        text = self._text(f"derivations/{name}.py")
        links = [f"[test](/tests/theorems/test_{name}.md)"]
        for figure in self.figures:
            if name in figure.claims and not figure.error:
                links.append(f"[{figure.name}](/figures/{figure.name}.md)")
        links.append(f'<a href="../report.html#{name}">in the report</a>')
        facts = vars(next(v for v in self.ledger.verdicts if v.claim == name)) | says
        facts |= {
            "source": spelled(says.get("source", "")),
            "title": spelled(title),
            "formula": says["formula"].strip("$"),
            "body": markdown(text[text.index("\n# %%", 1) :]),
            "count": len(re.findall(r"^\s*assert ", text, re.MULTILINE)),
            "links": " · ".join(links),
        }
        self._put(f"derivations/{name}", _CLAIM.substitute(facts).rstrip("\n"))

    def _gallery(self) -> None:
        """A page a figure, with its code, and an overview of small pictures."""
        blocks = ["# Figures"]
        names = []
        (self.folder / "figures").mkdir(exist_ok=True)
        for figure in self.figures:
            if figure.error:
                continue
            name = figure.name
            names.append(name)
            path = self.source / "figures" / "output" / f"{name}.png"
            shutil.copy(path, self.folder / "figures")
            title = spelled(figure.title)
            image = f"```{{image}} /figures/{name}.png\n:alt: {figure.title}\n"
            blocks += [f"{image}:width: 100%\n:target: {name}.html\n```", title]
            claims = ", ".join(f"[{c}](/derivations/{c}.md)" for c in figure.claims)
            own = [f"# {name}", title, f"{image}```"]
            own += [f"Shows {claims}."] if claims else []
            code = self._text(f"figures/{name}.py")
            self._put(f"figures/{name}", *own, f"```python\n{code}```")
        self._put("figures/index", *blocks, _tree(names, "hidden:"))

    def _interface(self) -> None:
        """A page a public module, from its docstrings; what flowsam itself has stands there."""
        shown = ", ".join(import_module("flowsam").__all__)
        for module in PUBLIC:
            known = "" if module == "flowsam" else f"   :exclude-members: {shown}\n"
            lines = "\n".join(
                f".. automodule:: {part}\n   :members:\n{known}"
                for part in _PARTS.get(module, (module,))
            )
            self._put(f"api/{module}", f"# {module}", f"```{{eval-rst}}\n{lines}```")
        self._put("api/index", "# API", _tree(PUBLIC, "maxdepth: 1"))

    def _code(self) -> None:
        """A page for every script that another page links to, and one for the other files."""
        texts = "\n".join(page.read_text("utf-8") for page in self.folder.rglob("*.md"))
        linked = set(re.findall(r"\]\(/([\w/]+)\.md", texts))
        places = Places(self.source, address)
        for claim in claim_names(self.source):
            linked |= {file.removesuffix(".py") for file in code_of(claim, places)}
        for name in linked:
            path = f"{name}.py"
            there = (self.source / path).is_file()
            if there and not (self.folder / f"{name}.md").exists():
                head = f"---\norphan: true\n---\n\n# {path}"
                self._put(name, head, f"```python\n{self._text(path)}```")
        blocks = ["# Project files"]
        for name in ("CONTRIBUTING.md", "CITATION.cff", "CHANGELOG.md", "LICENSE"):
            anchor = name.lower().replace(".", "-")
            blocks.append(f"({anchor})=\n## {name}")
            blocks.append(f"````text\n{self._text(name)}````")
        self._put("code", *blocks)


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


def build(
    source: Path,
    out: Path,
    ledger: Ledger,
    figures: Sequence[Figure],
) -> tuple[str, ...]:
    """Write the site; return what Sphinx warned of."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    warnings = io.StringIO()
    here = Path(__file__)
    facts = tomllib.loads(here.with_name("site.toml").read_text("utf-8"))
    facts |= {
        "version": __version__,
        "html_static_path": [str(here.with_name("site.css"))],
    }
    with tempfile.TemporaryDirectory() as folder:
        pages = Path(folder) / "pages"
        pages.mkdir()
        Site(source, pages, ledger, figures).write()
        facts["sphinx_gallery_conf"]["examples_dirs"] = [str(pages / "scripts")]
        trees = Path(folder) / "trees"
        with patch_docutils(), docutils_namespace():
            app = Sphinx(
                *(pages, None, out, trees, "html"),
                confoverrides=facts,
                status=None,
                warning=warnings,
                freshenv=True,
            )
            app.build()
    report = page(ledger, figures, source=source, address=address)
    (out / "report.html").write_text(report, "utf-8")
    from flowsam.explorer import explore

    explore([1.0, 2.0]).save(out / "explorer.html")
    return tuple(line for line in warnings.getvalue().splitlines() if line.strip())


def setup(app: Any) -> dict[str, Any]:
    """Register what Sphinx lacks: MathML without a script, and docstrings in plain text."""
    display = partial(_formula, display=True)
    app.add_html_math_renderer("mathml", (_formula, None), (display, None))
    app.connect("autodoc-process-docstring", _plain, priority=100)
    return {"parallel_read_safe": True}


def _formula(writer: Any, node: Any, *, display: bool = False) -> None:
    """Mathematics within a line, or on lines of its own."""
    from docutils import nodes

    writer.body.append(formula(node.astext(), display=display))
    raise nodes.SkipNode


def _plain(*event: Any) -> None:
    """Keep formulas in plain letters from being read as markup: |x|, a*, mu_."""
    lines = event[-1]
    for k, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...", "*")):
            parts = _CODE.split(line)
            parts[::2] = [
                re.sub(r"([|*])|(?<=\w)(_)(?!\w)", r"\\\1\2", part)
                for part in parts[::2]
            ]
            lines[k] = "".join(parts)
