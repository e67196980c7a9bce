"""The report: well formed, self-contained, every inner link has a target."""

import base64
import json
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from flowsam.ledger.gallery import Figure
from flowsam.ledger.questions import QUESTIONS
from flowsam.ledger.report import page
from flowsam.ledger.typeset import formula
from flowsam.ledger.verdicts import Ledger, Verdict

ROOT = Path(__file__).parents[1]
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)  # one pixel


class Tags(HTMLParser):
    """Checks that elements close in order."""

    def __init__(self, html):
        super().__init__()
        self.open = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A page of this checkout's claims with two small figures, one of them broken."""
    source = tmp_path_factory.mktemp("checkout")
    (source / "derivations").symlink_to(ROOT / "derivations")
    output = source / "figures" / "output"
    output.mkdir(parents=True)
    (output / "fig_digits_limits.png").write_bytes(PNG)
    labels = np.array([[2, 0], [1, -3]])
    np.savez(
        output / "fig_digits_limits.npz", mu=[0.5, -0.9, 0, 0.5], radii=[0, 0.5], labels=labels
    )
    verdicts = (
        Verdict("dual_norm", "definition", "pass", "pass", "pass", 0.1),
        Verdict("rescaled_clock", "a < b", "pass", "fail", "-", 0.1, "fails at x < 1"),
    )
    card = {"data": "mu & rho", "clock": "limits", "seconds": 1.5, "versions": "flowsam"}
    figures = (
        Figure(
            "fig_digits_limits",
            "Which pixel wins.",
            ("dual_norm", "rescaled_clock"),
            card,
            "computed",
        ),
        Figure("fig_loss", "Loss.", (), {}, "computed", error="KeyError: 'x'"),
    )
    return page(Ledger(3, verdicts), figures, source=source)


def test_page_is_well_formed_and_self_contained(report):
    Tags(report.removeprefix("<!DOCTYPE html>"))
    report = re.sub(r'<script type="module">.*?</script>', "", report, count=1, flags=re.DOTALL)
    assert not re.search(r"<(script|link|iframe)|src=\"(?!data:)|url\(", report)
    anchors = set(re.findall(r'href="#([^"]+)"', report))
    assert anchors <= set(re.findall(r'id="([^"]+)"', report))


def test_page_shows_verdicts_failures_and_cards(report):
    assert "1 of 2 claims pass" in report and "fails at x &lt; 1" in report
    assert "fig_loss failed: KeyError" in report
    assert "<b>data</b> mu &amp; rho" in report
    at = [report.index(f'id="{n}"') for n in ("dual_norm", "fig_digits_limits", "rescaled_clock")]
    assert at == sorted(at) and report.count("data:image/png") == 1
    assert 'Also drawn in <a href="#fig_digits_limits">' in report


def test_digits_count_pixels_from_zero_and_labels_from_one(report):
    assert "pixel 1 (label 2), &mu; = -0.900" in report and "zero (label 0)" in report
    assert "tie (label -3)" in report
    assert "1 pixels are constant" in report and "2 tie exactly" in report


def test_questions_are_answered_or_say_what_is_missing(report):
    assert report.count("Not answered by this run") == sum(
        not set(q.shown_by) <= {"dual_norm", "fig_digits_limits"} for q in QUESTIONS
    )


def test_formulas_are_pictures():
    assert formula(r"\mu_1").startswith('<img class="formula" src="data:image/svg+xml;base64,')
    with pytest.raises(ValueError):
        formula(r"\nonsense")


BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
PROBE = """<script>addEventListener("load", () => { document.title = JSON.stringify({
  broken: [...document.images].filter(image => !image.naturalWidth).map(image => image.alt),
  pictures: document.images.length, wide: document.documentElement.scrollWidth - innerWidth,
  width: innerWidth, headings: document.querySelectorAll("h2").length}); });</script>"""


def browse(path, *flags):
    """What a headless browser makes of a page: the answer of PROBE."""
    flags = ("--headless", "--no-sandbox", "--disable-gpu", *flags)
    run = subprocess.run(
        [BROWSER, *flags, f"file://{path}"], capture_output=True, text=True, timeout=120
    )
    return run.stdout


@pytest.mark.skipif(not BROWSER, reason="no chromium or chrome on this machine")
def test_a_browser_shows_the_page_at_the_width_of_a_phone_and_prints_it(report, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(report.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    dom = browse(path, "--window-size=500,900", "--dump-dom")
    seen = json.loads(unescape(re.search(r"<title>(.*?)</title>", dom)[1]))
    assert seen["headings"] == 9 and seen["pictures"] >= 4 and seen["broken"] == []
    assert seen["width"] <= 500 and seen["wide"] <= 0, "the page scrolls sideways"
    browse(path, "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'report.pdf'}")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
