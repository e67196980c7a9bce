"""The explorer as a Jupyter widget, where anywidget is installed."""

from __future__ import annotations

import anywidget
import traitlets

from flowsam.explorer.component import module

__all__ = ["Explorer"]

_RENDER = """
export default {
  render({ model, el }) {
    const keep = (state) => { model.set("state", state); model.save_changes(); };
    const explorer = mount(el, model.get("state"), keep);
    const follow = () => explorer.set(model.get("state"));
    model.on("change:state", follow);
    return () => { model.off("change:state", follow); explorer.destroy(); };
  },
};
"""


class Explorer(anywidget.AnyWidget):
    """The page as a widget; `state` is that of `flowsam.explore`, read and set from Python."""

    _esm = traitlets.Unicode(module() + _RENDER).tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
