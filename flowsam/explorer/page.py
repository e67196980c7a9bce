"""The page, put together: formulas, kernel.js, view.js, a state, in one file without a network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from flowsam.draw import LIMIT_COLOURS
from flowsam.explorer.formulas import displayed, script
from flowsam.version import __version__

__all__ = ["Page", "module"]

_HERE = Path(__file__).parent
State = dict[str, Any]


@cache
def module() -> str:
    """Return the component as one ES module, which exports `mount(element, state, onState)`."""
    colours = {label: colour for label, colour in LIMIT_COLOURS.items() if label <= 8}
    facts = {"version": __version__, "formulas": displayed(), "colours": colours}
    parts = [f"const FACTS = {_inside_script(facts)};", script()]
    parts += [(_HERE / name).read_text(encoding="utf-8") for name in ("kernel.js", "view.js")]
    lines = (line.strip() for part in parts for line in part.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("// "))


def _inside_script(value: object) -> str:
    """JSON that cannot end the script it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


@dataclass(frozen=True)
class Page:
    """The explorer as a page: shows itself in a notebook, and is saved as one file.

    Parameters
    ----------
    state : dict
        What the page opens with; see `explore`.
    """

    state: State

    @property
    def html(self) -> str:
        """The page; it needs no other file and no network."""
        template = Template((_HERE / "page.html").read_text(encoding="utf-8"))
        return template.substitute(module=module(), state=_inside_script(self.state))

    def save(self, path: str | Path) -> Path:
        """Write the page, whole or not at all, and return its path."""
        path = Path(path)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(self.html, encoding="utf-8")
        return partial.replace(path)

    def _repr_html_(self) -> str:
        """Return a frame that holds the page."""
        return (
            f'<iframe title="flowsam explorer" srcdoc="{escape(self.html)}" '
            'style="width:100%;height:760px;border:0"></iframe>'
        )

    def widget(self) -> Any:
        """Return the explorer as a widget: `.state` is read and set from Python.

        Raises
        ------
        ImportError
            Where anywidget is not installed.
        """
        from flowsam.explorer.widget import Explorer

        return Explorer(state=self.state)
