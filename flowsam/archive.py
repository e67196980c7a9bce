"""Results on disk and on screen: .npz files with a JSON header, and cards of facts."""

from __future__ import annotations

import json
import os
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["html_card", "lock", "read", "text_card", "write"]

Rows = list[tuple[str, str]]


def write(
    path: str | os.PathLike[str], header: dict[str, Any], arrays: dict[str, np.ndarray]
) -> Path:
    """Write arrays and a JSON header as one .npz file; no pickle, nothing half-written.

    Parameters
    ----------
    path : path
        Ending .npz, added if missing; a file that exists is replaced in one move.
    header : dict
        JSON-ready, with a "format".
    arrays : dict of ndarray
        Numbers only.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ValueError
        When the folder does not exist or cannot be written.
    """
    path = Path(path)
    path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            np.savez(file, header=np.array(json.dumps(header)), **arrays)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ValueError(
            f"save needs a folder that can be written, got {path.parent} ({error.strerror}); "
            "make it, or choose another"
        ) from None
    return path


def read(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read a file of `write`; nothing in it is executed.

    Parameters
    ----------
    path : path
        The .npz file.
    kind : str
        The format its header must name.

    Returns
    -------
    header : dict
    arrays : dict of ndarray

    Raises
    ------
    ValueError
        For an unreadable or foreign file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            header = json.loads(str(file["header"]))
            arrays = {name: np.array(file[name]) for name in file.files if name != "header"}
        if header["format"] != kind:
            raise KeyError(header["format"])
    except Exception as error:  # zip, JSON, NumPy and key errors alike: the file is not ours
        raise ValueError(
            f"load needs a file with a {kind}, got {path} ({type(error).__name__}: {error}); "
            "check the path"
        ) from None
    return header, arrays


def lock(descriptor: int, *, wait: bool) -> None:
    """Lock an open file for this process, where the system can; it lets go when the process dies.

    Raises
    ------
    BlockingIOError
        Where another process holds it and `wait` is false.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError:  # a disk without locks
        return


def text_card(title: str, rows: Rows) -> str:
    """Return facts one a line, under a title.

    Examples
    --------
    >>> print(text_card("Limit", [("label", "2")]))
    Limit
      label: 2
    """
    return title + "".join(f"\n  {name}: {text}" for name, text in rows)


def html_card(title: str, rows: Rows) -> str:
    """Return the same facts as a small table, for notebooks.

    Examples
    --------
    >>> html_card("Limit", [("rho", "<1")])[-27:]
    '<td>&lt;1</td></tr></table>'
    """
    cells = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th><td>{escape(text)}</td></tr>"
        for name, text in rows
    )
    return f"<table><caption>{escape(title)}</caption>{cells}</table>"
