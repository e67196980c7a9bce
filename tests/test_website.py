"""The site: pages from what the checkout holds, built without a warning, silent in a browser."""

import importlib.util
import re
import runpy
from pathlib import Path

import pytest

from flowsam.ledger.claims import Ledger, Verdict, claim_names
from flowsam.ledger.gallery import Figure
from flowsam.website.pages import PUBLIC, Site, address, cells, markdown
from tests.browser import axe, chromium, needs_browser
from tests.test_report import PNG

__all__ = ["chromium"]
ROOT = Path(__file__).parents[1]
SERIOUS = ("serious", "critical")
TUTORIALS = sorted((ROOT / "tests" / "tutorials").glob("*.py"))
needs_sphinx = pytest.mark.skipif(
    importlib.util.find_spec("sphinx_gallery") is None, reason="needs the extra [site]"
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The checkout, with one figure drawn, and verdicts that all pass."""
    source = tmp_path_factory.mktemp("checkout")
    for path in ROOT.iterdir():
        if path.name not in ("figures", "site", "report.html", ".git"):
            (source / path.name).symlink_to(path)
    (source / "figures").mkdir()
    for path in (ROOT / "figures").iterdir():
        if path.name != "output":
            (source / "figures" / path.name).symlink_to(path)
    (source / "figures" / "output").mkdir()
    (source / "figures/output/fig_linf_limits.png").write_bytes(PNG)
    (source / "figures/output/fig_linf_limits.npz").write_bytes(
        (ROOT / "figures/expected/fig_linf_limits.npz").read_bytes()
    )
    verdicts = tuple(Verdict(n, "", "pass", "pass", "pass", 0.1) for n in claim_names(ROOT))
    figure = Figure("fig_linf_limits", "Limits.", ("linf_limit",), {}, "kept")
    return source, Ledger(1, verdicts), (figure,)


def test_scripts_become_prose_and_code():
    text = (ROOT / "derivations" / "linf_limit.py").read_text(encoding="utf-8")
    page = markdown(text)
    code = "\n".join(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    kept = [line for title, body in cells(text) if title != "[markdown]" for line in [body] if line]
    assert code.split() == "\n".join(kept).split()
    assert "# Claim" not in page and page.startswith("Claim.")


def test_every_claim_has_a_page_and_links_lead_to_pages(checkout, tmp_path):
    Site(checkout[0], tmp_path, *checkout[1:]).write()
    for name in claim_names(ROOT):
        assert (tmp_path / f"derivations/{name}.md").is_file()
    for page in tmp_path.rglob("*.md"):
        for target in re.findall(r"\]\(/([\w/.]+)", page.read_text(encoding="utf-8")):
            assert (tmp_path / target).is_file(), f"{page.name}: {target}"
    assert {path.name.removesuffix(".md") for path in (tmp_path / "api").glob("flowsam*.md")} == {
        name for name in PUBLIC
    }
    for page in (tmp_path / "api").glob("flowsam*.md"):
        modules = re.findall(r"automodule:: (\S+)", page.read_text(encoding="utf-8"))
        assert modules and all(map(importlib.util.find_spec, modules)), page.name


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_tutorials_run(path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    runpy.run_path(str(path))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("assert ") for line in lines) >= 2


def test_there_are_three_tutorials():
    assert len(TUTORIALS) == 3


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_tutorials_open_as_notebooks(path):
    jupytext = pytest.importorskip("jupytext")
    notebook = jupytext.read(path, fmt="py:percent")
    assert sum(cell.cell_type == "code" for cell in notebook.cells) >= 4


@pytest.fixture(scope="module")
def site(checkout, tmp_path_factory):
    """The site's folder, and what Sphinx warned of."""
    from flowsam.website.pages import build

    folder = tmp_path_factory.mktemp("site")
    source, ledger, figures = checkout
    return folder, build(source, folder, ledger, figures)


@pytest.mark.long
@needs_sphinx
@pytest.mark.filterwarnings("ignore")
def test_the_site_is_built_without_warnings_and_is_whole(site):
    folder, warnings = site
    assert warnings == ()
    for page in folder.rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        bare = re.sub(r"<script type=\"module\">.*?</script>", "", html, flags=re.DOTALL)
        assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=\"(?:https?:)?//", bare), page
        for target in re.findall(r"<a [^>]*href=\"([^\"#:?]+)[\"#]", bare):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
    assert (folder / address("tests/theorems/test_linf_limit.py")).is_file()


PAGES = (
    *("index", "derivations/index", "derivations/linf_limit", "figures/index"),
    *("figures/fig_linf_limits", "tutorials/index", "tutorials/break_a_theorem"),
    *("api/index", "api/flowsam", "tests/theorems/test_linf_limit", "code", "genindex"),
    *("report", "explorer"),
)


@pytest.mark.long
@needs_sphinx
@needs_browser
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_are_silent_and_fit(site, chromium, width):
    for name in PAGES:
        page = chromium.new_page(viewport={"width": width, "height": 844})
        messages, requests = [], []
        page.on("console", lambda message, into=messages: into.append(message.text))
        page.on("request", lambda request, into=requests: into.append(request.url))
        page.goto(f"file://{site[0]}/{name}.html")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        page.evaluate(axe())
        found = page.evaluate("axe.run()")["violations"]
        faults = [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in SERIOUS]
        assert faults == [], name
        outside = [url for url in requests if not url.startswith(("file:", "data:", "blob:"))]
        assert messages == [] and outside == [], name
        page.close()


SNIPPETS = sorted((ROOT / "tests" / "snippets").glob("*.py"))


@pytest.mark.parametrize("path", SNIPPETS, ids=lambda path: path.stem)
def test_snippets_run(path):
    text = path.read_text(encoding="utf-8")
    for library in re.findall(r"^import (torch|pandas|xarray)", text, re.MULTILINE):
        pytest.importorskip(library)
    runpy.run_path(str(path))
    assert "assert " in text
