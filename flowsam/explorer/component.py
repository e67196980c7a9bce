"""The component: formulas, kernel.js and view.js as one ES module."""

import json
import re
from functools import cache
from pathlib import Path

from flowsam.draw import LIMIT_COLOURS
from flowsam.explorer.formulas import displayed, script
from flowsam.version import __version__

_HERE = Path(__file__).parent
_EIGHTH = "#A58BC9"  # the palette of limits has seven features
KERNEL = ("kernel.js", "planes.js")  # mathematics, no DOM
_PARTS = (
    *KERNEL,
    "state.js",
    "words.js",
    "pictures.js",
    "charts.js",
    "files.js",
    "view.js",
)


@cache
def module() -> str:
    """Return the component as one ES module, which exports `mount(element, state, onState)`."""
    colours = LIMIT_COLOURS | {8: _EIGHTH}
    facts = {"version": __version__, "formulas": displayed(), "colours": colours}
    parts = [f"const FACTS = {inside_script(facts)};", script()]
    parts += [(_HERE / name).read_text(encoding="utf-8") for name in _PARTS]
    lines = (
        re.sub(r"(^|\s+)// .*", "", line).strip()
        for part in parts
        for line in part.splitlines()
    )
    return "\n".join(filter(None, lines))


def inside_script(value: object) -> str:
    """Return JSON that cannot end the script it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("</", "<\\/")
