"""The report: well formed, self-contained, every inner link has a target."""

import base64
import re
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from flowsam.ledger.claims import Ledger, Verdict, chapters, claim_names, headings
from flowsam.ledger.gallery import Figure
from flowsam.ledger.html import formula, prose
from flowsam.ledger.kept_work import Task, expected, perform
from flowsam.ledger.report import page, statement_table
from flowsam.ledger.sections import Places, homes, statements, words_of
from flowsam.ledger.texts import TEXTS
from flowsam.real_data.tables import digit_table, pixel_names
from tests.browser import axe, chromium, needs_browser

__all__ = ["chromium"]

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
        if tag not in ("meta", "img", "br", "wbr", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A page of this checkout's claims with two small figures, one of them broken."""
    source = tmp_path_factory.mktemp("checkout")
    for name in ("derivations", "flowsam", "tests"):
        (source / name).symlink_to(ROOT / name)
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
    bare = re.sub(r"<script type=\"module\">.*?</script>", "", report, flags=re.DOTALL)
    Tags(bare.removeprefix("<!DOCTYPE html>"))
    assert not re.search(r"<(script|iframe)|<link (?!rel=\"icon\")|src=\"(?!data:)|url\(", bare)
    anchors = set(re.findall(r'href="#([^"]+)"', bare))
    assert anchors <= set(re.findall(r'id="([^"]+)"', bare))


def test_page_shows_verdicts_failures_and_cards(report):
    assert "Of 2 claims 2 are proved and 1 checked" in report and "fails at x &lt; 1" in report
    assert "fig_loss failed: KeyError" in report
    assert "<b>data</b> mu &amp; rho" in report
    at = [report.index(f'id="{n}"') for n in ("dual_norm", "fig_digits_limits", "rescaled_clock")]
    assert at == sorted(at) and report.count("data:image/png") == 1
    assert 'Also drawn in <a href="#fig_digits_limits">' in report


def test_a_claim_links_to_its_homes(report):
    part = report[report.index('id="dual_norm"') :]
    part = part[: part.index("</article>")]
    for name in (
        "derivations/dual_norm.py",
        "tests/theorems/test_dual_norm.py",
        "flowsam/perturbations.py",
        "#contents",
    ):
        assert f'href="{name}"' in part


def test_the_paper_s_statements_are_found_by_number():
    places = Places(ROOT, str)
    found = statements(claim_names(ROOT), places)
    assert "linf_trichotomy" in found["Theorem 3.2"] and "l2_limit" in found["Theorem 4.2"]
    assert found["Corollary 3.5"] and found["Theorem 4.1"] == ["depth_one_margin"]
    numbers = [list(map(int, re.findall(r"\d+", word))) for word in found]
    assert numbers == sorted(numbers)


VERDICTS = {
    "proved": Verdict("a", "", "pass", "fail", "-", 0.1, "a fails"),
    "checked": Verdict("a", "", "pass (1 undecided)", "pass", "pass", 0.1),
}


def test_a_verdict_has_one_word_for_one_thing():
    words = {name: words_of(verdict, {}) for name, verdict in VERDICTS.items()}
    for name, other in (("proved", "checked"), ("checked", "proved")):
        assert f'class="{name}"' in words[name] and f'class="{other}"' not in words[name]
        assert 'class="open"' in words[name]
    both = words_of(Verdict("a", "", "pass", "pass", "pass", 0.1), {"choices": "ours."})
    assert re.findall(r'class="(\w+)"', both) == ["proved", "checked", "recreated"]
    skipped = words_of(Verdict("a", "", "pass", "skipped: needs x", "skipped: needs x", 0.1), {})
    assert re.findall(r'class="(\w+)"', skipped) == ["proved", "open"]


def test_every_claim_has_its_place_in_the_reading_order():
    listed = [name for part in chapters(ROOT, claim_names(ROOT)) for name in part.claims]
    assert sorted(listed) == sorted(claim_names(ROOT))
    assert "Further claims" not in [part.title for part in chapters(ROOT, claim_names(ROOT))]


ASCII = re.compile(
    r"\^|_[{a-z0-9]|->|<=|>=|!=|\b(rho|tau|alpha|beta|mu|eps|theta|sqrt|ell)\b|\bsum(?=_| \w\b)"
)


@pytest.mark.parametrize("name", claim_names(ROOT))
def test_heads_are_typeset(name):
    """Mathematics of a head stands between dollar signs, and MathML can write it."""
    says = headings(ROOT / "derivations" / f"{name}.py")
    for word in ("claim", "assumes", "formula"):
        plain = re.sub(r"\$[^$]+\$|`[^`]+`", "", says[word])
        assert "$" not in plain and not ASCII.search(plain), f"{word}: {plain}"
        assert "\\" not in re.sub(r"<[^>]+>", "", prose(says[word]))


@pytest.mark.parametrize("name", claim_names(ROOT))
def test_heads_name_modules_that_are_there(name):
    used = headings(ROOT / "derivations" / f"{name}.py")["used by"]
    html = homes(name, {"used by": used}, Places(ROOT, str))
    assert html.count("<a ") == 3 + len(re.findall(r"\b(?:flowsam|figures)\.[\w.]*\w", used))


def test_pixels_have_one_name_everywhere(report):
    """A winner is called what tables, figures and `flowsam limit` call it."""
    assert digit_table().features[26] == pixel_names((8, 8))[26] == "pixel 4,3"
    assert "pixel 1,2 (feature 2), &mu; = -0.900" in report and "zero (label 0)" in report
    assert "tie (label -3)" in report
    assert "1 pixels are constant" in report and "2 tie exactly" in report


def test_questions_are_answered_or_say_what_is_missing(report):
    assert report.count("Not answered by this run") == sum(
        not set(q.shown_by) <= {"dual_norm", "fig_digits_limits"} for q in TEXTS["question"]
    )


def test_there_are_ten_numbers_of_known_size():
    shown = [found.answered({}) for found in TEXTS["finding"]]
    claims = {name for found in TEXTS["finding"] for name in found.shown_by}
    assert len(shown) == 10 and claims <= set(claim_names(ROOT))
    assert shown[0] == "25.0%" and shown[4] == f"{3 / np.sqrt(10):.4f}"  # 1/4; mu_1 + mu_2
    assert float(shown[9]) == pytest.approx(1, abs=0.01)
    assert re.fullmatch(r"\d\s×\s10⁻¹[⁴-⁹]", shown[8])


def test_formulas_break_after_relations_and_nowhere_inside_brackets():
    assert formula(r"f(a = b)").count("<math") == 1
    assert formula(r"a = b").count("<math") == 2
    assert "&#x0223C;" in formula(r"a \sim b")
    assert "log</mi><mspace" in formula(r"\log t") and "mspace" not in formula(r"\log(t)")
    assert prose(r"so $\mu_1$ < `x`").startswith("so <math><mrow><msub>")


def test_progress_without_a_terminal_is_lines(capfd, monkeypatch):
    tasks = [Task(f"{k}", float(k), partial(pow, k, 2)) for k in range(3)]
    assert perform(tasks) == {"0": 0, "1": 1, "2": 4}
    assert capfd.readouterr().err == ""  # quick work is not talked about
    monkeypatch.setattr("flowsam.workers._PAUSE", 0)
    perform(tasks)
    assert capfd.readouterr().err.splitlines() == [f"{k} of 3 tasks done" for k in (1, 2, 3)]
    assert perform(tasks, quiet=True)["2"] == 4 and capfd.readouterr().err == ""
    assert expected(tasks) >= 2.0


@pytest.mark.parametrize("width", [390, 1280])
@needs_browser
def test_a_browser_shows_the_page(report, tmp_path, chromium, width):
    """No sideways scroll, no message, no request, no serious fault; keys open a figure."""
    path = tmp_path / "report.html"
    path.write_text(report, encoding="utf-8")
    page = chromium.new_page(viewport={"width": width, "height": 844})
    messages, requests = [], []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"file://{path}")
    page.wait_for_selector(".explorer svg, .explorer canvas")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate("[...document.images].filter(i => i.src && !i.naturalWidth).length") == 0
    page.locator(".enlarge").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('dialog').open")
    page.keyboard.press("Escape")
    assert not page.evaluate("document.querySelector('dialog').open")
    assert messages == []
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    page.evaluate(axe())
    found = page.evaluate("axe.run()")["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    page.close()


@needs_browser
def test_in_print_a_claim_keeps_its_formula(report, tmp_path, chromium):
    path = tmp_path / "report.html"
    path.write_text(report, encoding="utf-8")
    page = chromium.new_page()
    page.goto(f"file://{path}")
    page.emulate_media(media="print")
    style = "getComputedStyle(document.querySelector('.statement')).breakInside"
    assert page.evaluate(style) == "avoid"
    assert page.evaluate("getComputedStyle(document.querySelector('.explorer')).display") == "none"
    assert page.pdf().startswith(b"%PDF")
    page.close()


def test_theorem_3_2_is_two_clicks_from_its_proof_test_code_and_picture():
    """The contents lead to the table of statements, and its row to the four homes."""
    figures = (Figure("fig_linf_trichotomy", "Held.", ("linf_trichotomy",), {}, "kept"),)
    made = statement_table(chapters(ROOT, claim_names(ROOT)), figures, Places(ROOT, str))
    row = next(line for line in made.splitlines() if "Theorem 3.2" in line)
    homes = [
        "#linf_trichotomy",
        "derivations/linf_trichotomy.py",
        "tests/theorems/test_linf_trichotomy.py",
        "flowsam/exact/linf_balanced.py",
        "#fig_linf_trichotomy",
    ]
    assert re.findall(r'href="([^"]+)"', row) == homes
    found = statements(claim_names(ROOT), Places(ROOT, str))
    assert made.count("Theorem 3.2") == len(found["Theorem 3.2"])


def test_answers_to_reviewers_are_typeset():
    for question in TEXTS["question"]:
        text = re.sub(r"\$[^$]+\$|`[^`]+`", "", question.words + " " + question.answer)
        assert not ASCII.search(re.sub(r"\bl_(inf|\d)\b|\{\w+(:[.\w%]+)?\}", "", text)), text
