"""A real browser for tests of pages: the system's Chromium through playwright, or a skip."""

import importlib.util
import shutil
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
HAS_PLAYWRIGHT = importlib.util.find_spec("playwright") is not None
needs_browser = pytest.mark.skipif(
    CHROMIUM is None or not HAS_PLAYWRIGHT,
    reason="needs Chromium of the system and playwright (the [browser] extra)",
)
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


def axe():
    """The text of axe-core, where npm or axe-core-python has put it."""
    folders = [
        Path("node_modules"),
        Path("/usr/local/lib/node_modules"),
        Path("/usr/lib/node_modules"),
    ]
    packed = importlib.util.find_spec("axe_core_python")
    found = [folder / "axe-core" / "axe.min.js" for folder in folders]
    found += [Path(packed.origin).parent / "axe.min.js"] if packed else []
    path = next((path for path in found if path.is_file()), None)
    if path is None:
        pytest.skip("axe-core is not installed (npm install axe-core)")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
