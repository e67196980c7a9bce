"""The explorer as a Jupyter widget, where anywidget is installed."""

from pathlib import Path

import anywidget
import traitlets

from flowsam.explorer.component import module

_RENDER = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


class Explorer(anywidget.AnyWidget):
    """The page as a widget; `state` is that of `flowsam.explore`, read and set from Python."""

    _esm = traitlets.Unicode(module() + _RENDER).tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
