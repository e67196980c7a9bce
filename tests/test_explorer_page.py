"""The explorer as a page: what it weighs, what it refuses, and what it does in a real browser."""

import io
import json
import re
import subprocess
import sys
import urllib.parse
from xml.etree import ElementTree

import numpy as np
import pytest

from flowsam import asam, explore, gradient_flow, l2, linf, lp
from flowsam.cli import main
from flowsam.errors import InputError
from flowsam.explorer.page import module
from tests.browser import axe, chromium, needs_browser  # noqa: F401

STATES = {
    "plane": {"view": "plane", "rule": "linf", "start": [1.5, 0.6]},
    "deep": {"view": "plane", "rule": "linf", "depth": 3, "start": [0.5, 0.4], "clock": "log"},
    "l2": {"view": "plane", "rule": "l2", "start": [0.53, 0.53]},
    "asam": {"view": "plane", "rule": "asam", "mu": [1, 1.3], "rho": 0.8},
    "layers": {"view": "layers", "rule": "linf", "layers": [-0.7, 2.4]},
    "layers5": {"view": "layers", "depth": 5, "layers": [-0.7, 2.9]},
    "strip": {"view": "strip", "mu": [1, 1.5, 6], "alpha": 0.467},
    "eight": {"view": "strip", "mu": [1, 2, 3, 4, 5, 6, 7, 8], "alpha": 0.4},
}


def long(name):
    return pytest.param(name, marks=pytest.mark.long)


def fresh(code):
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.strip()


@pytest.mark.parametrize("first", [0, 1])
def test_the_verb_stays_a_function_whatever_is_imported_first(first):
    lines = ["import flowsam.explorer", "from flowsam import explore"]
    code = "; ".join(["import flowsam", lines[first], lines[1 - first]])
    assert fresh(f"{code}; print(flowsam.explore is explore, callable(explore))") == "True True"


def test_page_is_one_small_file_that_asks_for_nothing(tmp_path):
    path = explore([1, 2]).save(tmp_path / "page.html")
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < 80_000
    assert not re.search(r'\bsrc=|@import|\bimport\b *[{("*]|fetch\(|https://|XMLHttp', text)
    assert set(re.findall(r"http://[^\"]*", text)) == {"http://www.w3.org/2000/svg"}


def test_page_opens_with_what_was_asked(tmp_path):
    assert explore([1, 2], l2(0.5), init=0.3).state == {
        **{"view": "plane", "mu": [1.0, 2.0], "rule": "l2", "depth": 2, "rho": 0.5},
        "start": [0.3, 0.3],
    }
    assert explore([2.0], linf(1), init=[-1, 2]).state["layers"] == [-1.0, 2.0]
    assert explore([2.0], linf(1), depth=6).state["depth"] == 6
    assert explore([1, 1.5, 6], init=0.467).state["alpha"] == 0.467
    assert explore([1, 2], gradient_flow(), depth=6).state["rule"] == "GD"
    state = explore([1, 1.3], asam(0.8)).state
    assert (state["view"], state["rule"], state["rho"]) == ("plane", "asam", 0.8)
    assert "<iframe" in explore()._repr_html_() and "&lt;!DOCTYPE" in explore()._repr_html_()


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        (([1, -2],), {}, r"mu from 0.01 to 100, got \[1.0, -2.0\]; take \|mu\|"),
        (([1] * 9,), {}, "1 to 8 mu"),
        (([1, 2], lp(1.0, p=3)), {}, "got l_3-SAM; see phase_portrait"),
        (([1, 2, 3], linf(1)), {}, "draws l_2, got l_inf-SAM"),
        (([1, 2, 3], asam(1)), {}, "draws l_2, got ASAM"),
        (([2], asam(1)), {}, "draws GD, l_inf, l_2, got ASAM"),
        (([1, 2], asam(1, p=3)), {}, "ASAM with p = 2, got l_3-ASAM"),
        (([1, 2], asam(1.41)), {}, "rho from 0.001 to 1.4, got 1.41; from sqrt"),
        (([1, 2], asam(1)), {"depth": 3}, "depth 2 here, got 3"),
        (([1, 2], l2(1)), {"depth": 3}, "depth 2 here, got 3"),
        (([2], linf(1)), {"depth": 1}, "depth 2 to 6 here, got 1"),
        (([1, 2], linf(1)), {"depth": 7}, "depth 1 to 6 here, got 7"),
        (([1, 2], linf(1e5)), {}, "rho from 0.001 to 1000, got 100000.0"),
        (([1, 2],), {"init": [1, -1]}, r"two start weights up to 10000, got \[1.0, -1.0\]"),
        (([1, 2, 3],), {"init": [1, 2, 3]}, "one alpha for all features here"),
    ],
)
def test_what_it_does_not_draw_is_refused_in_one_line(arguments, options, says):
    with pytest.raises(InputError, match=says):
        explore(*arguments, **options)


def test_command_writes_the_page(tmp_path, capsys):
    out = tmp_path / "explorer.html"
    assert (
        main(["explore", "--out", str(out), "--mu", "1,2", "--norm", "2", "--init", "0.5,0.6"]) == 0
    )
    assert '"start": [0.5, 0.6]' in out.read_text(encoding="utf-8")
    assert "kB" in capsys.readouterr().out
    shares = ["--mu", "1,1.3", "--norm", "asam", "--rho", "0.8", "--out", str(out)]
    assert main(["explore", *shares]) == 0
    assert '"rule": "asam", "depth": 2, "rho": 0.8' in out.read_text(encoding="utf-8")
    capsys.readouterr()
    refusals = {
        "--mu 1,-2": "take |mu|",
        "--norm 3": "l_3-SAM",
        "--norm none --rho 1": "takes no radius",
        "--init x": "numbers",
        "--depth 9": "depth",
        "--norm asam --rho 2": "rho from 0.001 to 1.4",
        "--norm asam --mu 1,2,3": "draws l_2",
    }
    for options, says in refusals.items():
        other = tmp_path / "none.html"
        assert main(["explore", "--out", str(other), *options.split()]) == 2
        said = capsys.readouterr().err
        assert says in said and said.count("\n") == 1 and not other.exists()
    assert main(["explore"]) == 2


def test_widget_holds_the_state():
    pytest.importorskip("anywidget", reason="anywidget is not installed (the [widget] extra)")
    widget = explore([1, 2]).widget()
    assert widget.state["mu"] == [1.0, 2.0]
    widget.state = {**widget.state, "rho": 0.5}
    assert "export default" in widget._esm and "mount(el" in widget._esm


class Tab:
    """The page in a tab, with what it asked for and said."""

    def __init__(self, browser, path, state, **context):
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, **context)
        self.page = self.context.new_page()
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(f"{path.as_uri()}#{urllib.parse.quote(json.dumps(state))}")
        self.page.wait_for_selector(".verdict:not(:empty)")

    def text(self, name):
        return self.page.locator(name).inner_text()

    def state(self):
        """The state in the address, once the page has put it there."""
        self.page.wait_for_timeout(300)
        return json.loads(urllib.parse.unquote(self.page.url.split("#", 1)[1]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return explore([1, 2]).save(tmp_path_factory.mktemp("page") / "page.html")


@needs_browser
@pytest.mark.parametrize("name", STATES)
def test_every_view_draws_in_silence_with_one_request(chromium, path, name):  # noqa: F811
    with Tab(chromium, path, STATES[name]) as tab:
        assert "NaN" not in tab.page.locator("main").inner_html()
        numbers = tab.page.evaluate(
            "() => [...document.querySelector('main').shadowRoot.querySelectorAll('*')]"
            ".filter((at) => [...at.attributes].some((a) => /NaN|undefined/.test(a.value))).length"
        )
        assert numbers == 0
        tab.page.locator("summary").click()
        assert tab.page.locator("math").count() > 1
        assert tab.said == [] and len(tab.asked) == 1


SAYS = {
    1: "feature 1",
    2: "feature 2",
    3: "feature 3",
    0: "collapses",
    -2: "separatrix",
    -4: "stalls",
    -5: "mixture",
}


@needs_browser
@pytest.mark.parametrize(
    "state",
    [
        STATES["plane"],
        STATES["deep"],
        STATES["l2"],
        STATES["strip"],
        STATES["asam"],
        {**STATES["asam"], "rho": 0.1},
        {**STATES["asam"], "rho": 1.3, "mu": [2.0, 1.7], "start": [0.02, 3.0]},
        {"start": [0.5, 0.6]},
        {"start": [1.0, 0.5]},
        {"rule": "l2", "start": [0.2, 0.3]},
        {"view": "layers", "layers": [-1.7, 2.2]},
        {"view": "layers", "depth": 3, "layers": [-1.7, 2.2]},
        {"view": "layers", "depth": 4, "layers": [-0.7, 2.9]},
        {"view": "layers", "depth": 5, "layers": [0.5, 1.2]},
    ],
)
def test_copied_python_runs_as_printed_and_agrees(chromium, path, state):  # noqa: F811
    with Tab(chromium, path, state) as tab:
        tab.page.locator(".copy").click()
        printed = fresh(tab.text(".code"))
        label = int(re.search(r"label: (-?\d+)", printed)[1])
        grows = label == 1 and state.get("view") == "layers"
        says = "grows for ever" if grows else SAYS[label]
        assert says in tab.text(".verdict").split(". ")[0]
        if state.get("rule") == "asam":
            direction = np.array(re.search(r"direction: (.*)", printed)[1].split(", "), dtype=float)
            shown = [float(x) for x in re.findall(r": ([\d.]+) %", tab.text(".why"))]
            assert 100 * direction / direction.sum() == pytest.approx(shown, abs=0.51)


@needs_browser
def test_mouse_keyboard_and_typing_move_the_start(chromium, path):  # noqa: F811
    with Tab(chromium, path, STATES["plane"]) as tab:
        handle = tab.page.locator(".handle .ring").bounding_box()
        x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
        tab.page.mouse.move(x, y)
        tab.page.mouse.down()
        tab.page.mouse.move(x - 200, y, steps=4)
        tab.page.mouse.up()
        assert tab.text(".verdict").startswith("ℓ∞-SAM collapses")
        before = tab.state()["start"]
        tab.page.keyboard.press("ArrowRight")
        tab.page.keyboard.press("Shift+ArrowUp")
        after = tab.state()["start"]
        assert np.subtract(after, before) == pytest.approx([0.01, 0.1])
        tab.page.locator(".first").fill("1")
        assert "separatrix" in tab.text(".verdict")
        tab.page.locator(".first").fill("-3")
        assert tab.state()["start"][0] == 1
        assert tab.page.locator(".handle").get_attribute("aria-valuetext").startswith("α₁ 1")
        tab.page.get_by_text("ASAM shares").click()
        assert tab.text(".verdict").startswith("ASAM ends in a mixture")
        assert tab.said == []


@needs_browser
def test_touch_drags_the_point_and_taps_move_it(chromium, path):  # noqa: F811
    with Tab(chromium, path, STATES["plane"], has_touch=True) as tab:
        box = tab.page.locator(".area").bounding_box()
        tab.page.touchscreen.tap(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.7)
        assert tab.text(".verdict").startswith("ℓ∞-SAM collapses")


@needs_browser
def test_leaders_and_the_too_close(chromium, path):  # noqa: F811
    with Tab(chromium, path, STATES["strip"]) as tab:
        assert "2 → 1 → 2 → 3" in tab.text(".why")
        close = {"rule": "l2", "start": [0.52132128259966654] * 2}
        tab.page.goto(f"{path.as_uri()}#{urllib.parse.quote(json.dumps(close))}")
        tab.page.wait_for_timeout(200)
        assert "too close" in tab.text(".verdict") and "1e-9" in tab.text(".why")


@needs_browser
@pytest.mark.parametrize(
    "name", ["layers", "strip", *map(long, ("plane", "deep", "l2", "asam", "eight"))]
)
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_axe_finds_no_serious_fault(chromium, path, name, width, scheme):  # noqa: F811
    source = axe()
    size = {"width": width, "height": 900}
    with Tab(chromium, path, STATES[name], color_scheme=scheme) as tab:
        tab.page.set_viewport_size(size)
        tab.page.wait_for_timeout(300)
        tab.page.locator("summary").click()
        tab.page.evaluate(source)
        faults = tab.page.evaluate(
            "async () => (await axe.run()).violations"
            ".filter((v) => ['serious', 'critical'].includes(v.impact))"
            ".map((v) => [v.id, v.nodes.map((n) => n.html)])"
        )
        assert faults == []


SIZES = """() => {
  const root = document.querySelector('main').shadowRoot;
  const all = root.querySelectorAll('text, p, label, span, button, h2, a, summary, math *');
  const seen = [...all].filter((at) => at.textContent.trim() && at.getClientRects().length);
  const sizes = seen.map((at) => parseFloat(getComputedStyle(at).fontSize));
  return [Math.min(...sizes), document.documentElement.scrollWidth];
}"""


@needs_browser
@pytest.mark.parametrize("name", STATES)
def test_phone_has_a_layout_of_its_own_and_no_small_text(chromium, path, name):  # noqa: F811
    with Tab(chromium, path, STATES[name]) as tab:
        tab.page.set_viewport_size({"width": 390, "height": 844})
        tab.page.wait_for_timeout(300)
        tab.page.locator("summary").click()
        least, wide = tab.page.evaluate(SIZES)
        assert least >= 11 and wide <= 390
        picture = tab.page.locator(".picture").bounding_box()
        words = tab.page.locator(".say").bounding_box()
        assert words["y"] >= picture["y"] + picture["height"] - 1


@needs_browser
def test_files_carry_state_and_version(chromium, path, tmp_path):  # noqa: F811
    from matplotlib.image import imread
    from PIL import Image

    from flowsam import __version__

    with Tab(chromium, path, STATES["l2"]) as tab:
        saved = {}
        for kind in ("svg", "png"):
            with tab.page.expect_download() as download:
                tab.page.locator(f".{kind}").click()
            saved[kind] = tmp_path / f"saved.{kind}"
            download.value.save_as(saved[kind])
    drawn = ElementTree.fromstring(saved["svg"].read_text(encoding="utf-8"))
    facts = json.loads(drawn[0].text)
    assert facts["flowsam"] == __version__ and facts["start"] == [0.53, 0.53]
    image = Image.open(io.BytesIO(saved["png"].read_bytes()))
    assert json.loads(image.text["flowsam"]) == facts
    assert len(np.unique(imread(saved["png"]).reshape(-1, 4), axis=0)) > 20


@needs_browser
def test_two_on_one_page_keep_apart_and_report_their_states(chromium, tmp_path):  # noqa: F811
    page = tmp_path / "two.html"
    page.write_text(
        "<link rel=icon href='data:,'><div></div><div></div><script type=module>"
        + module()
        + "\nwindow.heard = [[], []];"
        "window.two = [...document.querySelectorAll('div')].map((at, k) =>"
        " mount(at, { rho: 1 + k }, (state) => heard[k].push(state)));</script>",
        encoding="utf-8",
    )
    context = chromium.new_context()
    tab = context.new_page()
    tab.goto(page.as_uri())
    tab.wait_for_timeout(300)
    tab.locator("div >> nth=0").locator(".first").fill("0.4")
    heard = tab.evaluate("heard.map((list) => list.map((state) => [state.rho, state.start[0]]))")
    assert heard == [[[1, 0.4]], []]
    tab.evaluate("two[1].set({ start: [3, 0.1] })")
    assert tab.locator(".first").nth(1).input_value() == "3"
    assert tab.evaluate("document.querySelectorAll('[id]').length") == 0
    tab.evaluate("two[0].destroy()")
    context.close()


@needs_browser
def test_reduced_motion_has_no_play_and_dark_has_its_colours(chromium, path):  # noqa: F811
    with Tab(chromium, path, {}, reduced_motion="reduce", color_scheme="dark") as tab:
        assert tab.page.locator(".play").is_hidden()
        back = tab.page.locator(".page").evaluate("(at) => getComputedStyle(at).backgroundColor")
        assert back == "rgb(21, 24, 28)"
    with Tab(chromium, path, {"time": 0}) as tab:
        tab.page.locator(".play").click()
        tab.page.wait_for_timeout(500)
        assert float(tab.page.locator(".clock").input_value()) > 0
        assert tab.state()["time"] > 0


@needs_browser
def test_notebook_frame_runs_without_an_address(chromium, tmp_path):  # noqa: F811
    page = tmp_path / "frame.html"
    page.write_text(f"<title>n</title>{explore([1, 2])._repr_html_()}", encoding="utf-8")
    context = chromium.new_context()
    tab, said = context.new_page(), []
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(page.as_uri())
    frame = tab.frame_locator("iframe")
    frame.locator(".first").fill("0.4")
    tab.wait_for_timeout(400)
    assert frame.locator(".verdict").inner_text().startswith("ℓ∞-SAM collapses")
    assert said == []
    context.close()


MOVES = """async () => {
  const handle = document.querySelector('main').shadowRoot.querySelector('.handle');
  const keys = ['ArrowUp', 'ArrowRight', 'ArrowDown', 'ArrowLeft'];
  for (let k = 0; k < 160; k++) {
    handle.dispatchEvent(new KeyboardEvent('keydown', { key: keys[(k >> 3) % 4] }));
    await new Promise(requestAnimationFrame);
  }
}"""


@needs_browser
@pytest.mark.long
@pytest.mark.parametrize("name", STATES)
def test_redraw_takes_less_than_a_frame(chromium, path, name):  # noqa: F811
    """Script, style, layout and paint: 16 ms of the thread's own time a move, all in all."""
    with Tab(chromium, path, STATES[name]) as tab:
        tab.page.wait_for_timeout(3000)
        session = tab.context.new_cdp_session(tab.page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})

        def busy():
            metrics = session.send("Performance.getMetrics")["metrics"]
            return next(one["value"] for one in metrics if one["name"] == "TaskDuration")

        before = busy()
        tab.page.evaluate(MOVES)
        assert (busy() - before) / 160 <= 0.016
