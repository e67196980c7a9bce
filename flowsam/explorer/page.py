"""The page: the component and a state in one file, a frame in a notebook, or a widget."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from flowsam.archive import write_text
from flowsam.errors import MissingLibraryError
from flowsam.explorer.component import inside_script, module

_HERE = Path(__file__).parent
State = dict[str, Any]


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
        return template.substitute(module=module(), state=inside_script(self.state))

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
            from flowsam.explorer.widget import Explorer
        except ModuleNotFoundError as error:
            raise MissingLibraryError(
                f"a widget needs {error.name}, which is not installed: pip install anywidget"
            ) from None
        return Explorer(state=self.state)
