"""From a checkout with verdicts and figures to a folder of linked pages."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flowsam.ledger.gallery import Figure
from flowsam.ledger.html import formula
from flowsam.ledger.report import page
from flowsam.ledger.verdicts import Ledger
from flowsam.version import __version__
from flowsam.website.pages import Site, address

__all__ = ["build"]

_CODE = re.compile(r"(``[^`]+``|`[^`]+`)")
_MARKUP = re.compile(r"[|*]|(?<=\w)_(?!\w)")
_EXTENSIONS = (
    *("sphinx.ext.autodoc", "myst_parser", "numpydoc", "sphinx_gallery.gen_gallery"),
    "flowsam.website.building",
)


def build(
    source: Path, out: Path, ledger: Ledger, figures: Sequence[Figure]
) -> tuple[str, ...]:
    """Write the site; return what Sphinx warned of."""
    import io

    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    warnings = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        pages = Path(folder) / "pages"
        pages.mkdir()
        Site(source, pages, ledger, figures).write()
        trees = Path(folder) / "trees"
        with patch_docutils(), docutils_namespace():
            app = Sphinx(
                *(pages, None, out, trees, "html"),
                confoverrides=_settings(pages),
                status=None,
                warning=warnings,
                freshenv=True,
            )
            app.build()
    report = page(ledger, figures, source=source, address=address)
    (out / "report.html").write_text(report, encoding="utf-8")
    from flowsam.explorer import explore

    explore([1.0, 2.0]).save(out / "explorer.html")
    return tuple(line for line in warnings.getvalue().splitlines() if line.strip())


def _settings(pages: Path) -> dict[str, Any]:
    """What a conf.py would say."""
    return {
        "project": "flowsam",
        "version": __version__,
        "extensions": list(_EXTENSIONS),
        "html_theme": "alabaster",
        "html_theme_options": {
            **{"description": "Where SAM takes a network", "page_width": "68rem"},
            **{
                "sidebar_width": "13rem",
                "fixed_sidebar": False,
                "show_powered_by": False,
            },
            **{
                "link": "#00588f",
                "gray_1": "#444",
                "gray_2": "#eee",
                "sidebar_link": "#00588f",
            },
            **{"sidebar_text": "#444", "sidebar_header": "#222", "pre_bg": "#f6f6f6"},
        },
        "html_math_renderer": "mathml",
        "html_static_path": [str(Path(__file__).parent / "site.css")],
        "html_css_files": ["site.css"],
        "copyright": "the flowsam authors",
        "html_show_sourcelink": False,
        "html_copy_source": False,
        "pygments_style": "xcode",
        "myst_enable_extensions": ["dollarmath"],
        "myst_heading_anchors": 3,
        "autodoc_typehints": "none",
        "autodoc_member_order": "bysource",
        "numpydoc_show_class_members": False,
        "exclude_patterns": ["scripts/*"],
        "sphinx_gallery_conf": {
            "examples_dirs": [str(pages / "scripts")],
            "gallery_dirs": ["tutorials"],
            "filename_pattern": "",
            "download_all_examples": False,
            "min_reported_time": 1e9,
            "write_computation_times": False,
            "show_memory": False,
            "abort_on_example_error": True,
        },
    }


def setup(app: Any) -> dict[str, Any]:
    """Register what Sphinx lacks: MathML without a script, and docstrings in plain text."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    app.connect("autodoc-process-docstring", _plain, priority=100)
    return {"parallel_read_safe": True}


def _inline(writer: Any, node: Any) -> None:
    """Mathematics within a line."""
    from docutils import nodes

    writer.body.append(formula(node.astext()))
    raise nodes.SkipNode


def _display(writer: Any, node: Any) -> None:
    """Mathematics on lines of its own."""
    from docutils import nodes

    writer.body.append(formula(node.astext(), display=True))
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
