"""From a checkout with verdicts and figures to a folder of linked pages."""

import io
import re
import tempfile
import tomllib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from flowsam.ledger.claims import Ledger
from flowsam.ledger.gallery import Figure
from flowsam.ledger.html import formula
from flowsam.ledger.report import page
from flowsam.version import __version__
from flowsam.website.pages import Site, address

_CODE = re.compile(r"(``[^`]+``|`[^`]+`)")


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
