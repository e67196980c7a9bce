"""A derivation in percent cells as a page: prose, formulas, code, result."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["cells", "markdown"]

_CELL = re.compile(r"^# %%[ ]?(.*)$", re.MULTILINE)


def cells(text: str) -> Iterator[tuple[str, str]]:
    r"""Yield the cells of a script: what is on the opening line, and what follows.

    Examples
    --------
    >>> list(cells("# %% [markdown]\n# Why.\n# %%\nx = 1\n"))
    [('[markdown]', '# Why.'), ('', 'x = 1')]
    """
    parts = _CELL.split(text)[1:]
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        yield title.strip(), body.strip("\n")


def markdown(text: str) -> str:
    r"""Return a script as Markdown; text cells become prose, the others blocks of code.

    Examples
    --------
    >>> print(markdown("# %% [markdown]\n# Why.\n# %% So\nx = 1\n"))
    Why.
    <BLANKLINE>
    ## So
    <BLANKLINE>
    ```python
    x = 1
    ```
    """
    blocks = []
    for title, body in cells(text):
        if title == "[markdown]":
            blocks.append(re.sub(r"^# ?", "", body, flags=re.MULTILINE))
        else:
            blocks += [f"## {title}"] if title else []
            blocks += [f"```python\n{body}\n```"] if body else []
    return "\n\n".join(blocks)
