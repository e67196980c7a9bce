"""The component, one ES module, and its page: a file, a frame in a notebook, or a widget."""

import json
import re
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from flowsam.archive import write_text
from flowsam.draw import LIMIT_COLOURS
from flowsam.errors import MissingLibraryError
from flowsam.explorer.formulas import displayed, script
from flowsam.version import __version__

_HERE = Path(__file__).parent
_EIGHTH = "#A58BC9"  # the palette of limits has seven features
KERNEL = ("kernel", "planes")  # mathematics, no DOM
_PARTS = (*KERNEL, "state", "words", "pictures", "charts", "files", "view")


@cache
def module() -> str:
    """Return the component as one ES module, which exports `mount(element, state, onState)`."""
    colours = LIMIT_COLOURS | {8: _EIGHTH}
    facts = {"version": __version__, "formulas": displayed(), "colours": colours}
    parts = [f"const FACTS = {inside_script(facts)};", script()]
    parts += [_text(f"{name}.js") for name in _PARTS]
    lines = (
        re.sub(r"(^|\s+)// .*", "", line).strip()
        for part in parts
        for line in part.splitlines()
    )
    return "\n".join(filter(None, lines))


def _text(name: str) -> str:
    """A file of this folder."""
    return (_HERE / name).read_text("utf-8")


def inside_script(value: object) -> str:
    """Return JSON that cannot end the script it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("</", "<\\/")


@dataclass(frozen=True)
class Page:
    """The explorer as a page: shows itself in a notebook, and is saved as one file.

    Parameters
    ----------
    state : dict
        What the page opens with; see `explore`.
    """

    state: dict[str, Any]

    @property
    def html(self) -> str:
        """The page; it needs no other file and no network."""
        parts = {"module": module(), "state": inside_script(self.state)}
        return Template(_text("page.html")).substitute(parts)

    def save(self, path: str | Path) -> Path:
        """Write the page, whole or not at all, and return its path."""
        write_text(path, self.html)
        return Path(path)

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
        MissingLibraryError
            Where anywidget is not installed.
        """
        try:
            import anywidget
            import traitlets
        except ModuleNotFoundError as error:
            raise MissingLibraryError(
                f"a widget needs {error.name}, which is not installed: pip install anywidget"
            ) from None

        class Explorer(anywidget.AnyWidget):
            """The page as a widget."""

            _esm = traitlets.Unicode(module() + _text("widget.js")).tag(sync=True)
            state = traitlets.Dict().tag(sync=True)

        return Explorer(state=self.state)
