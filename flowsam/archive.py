"""Results on disk and on screen: .npz files with a JSON header, and cards of facts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from flowsam.errors import InputError

__all__ = ["check_shapes", "html_card", "lock", "read", "text_card", "write"]

Built = TypeVar("Built")
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
        raise InputError(
            f"save needs a folder that can be written, got {path.parent} ({error.strerror}); "
            "make it, or choose another"
        ) from None
    return path


def read(
    path: str | os.PathLike[str],
    kind: str,
    *,
    shapes: dict[str, str],
    build: Callable[[dict[str, Any], dict[str, np.ndarray]], Built],
) -> Built:
    """Read a file of `write` and build what it holds; nothing in it is executed.

    Parameters
    ----------
    path : path
        The .npz file.
    kind : str
        The format its header must name.
    shapes : dict
        The arrays it must have, with the names of their axes, e.g. {"z": "n d"}: numbers all,
        and what has one name has one length.
    build : callable
        `(header, arrays) -> object`; whatever it raises means a foreign file.

    Returns
    -------
    object
        What `build` returned.

    Raises
    ------
    ValueError
        For an unreadable, damaged or foreign file, in one line with its path.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            header = json.loads(str(file["header"]))
            arrays = {name: np.array(file[name]) for name in file.files if name != "header"}
        if header["format"] != kind:
            raise KeyError(header["format"])
        check_shapes(arrays, shapes)
        return build(header, arrays)
    except Exception as error:  # zip, JSON, NumPy and key errors alike: the file is not ours
        reason = " ".join(str(error).split())
        raise InputError(
            f"load needs a file with a {kind}, got {path} ({type(error).__name__}: {reason}); "
            "check the path, or write the file again"
        ) from None


def check_shapes(arrays: dict[str, np.ndarray], shapes: dict[str, str]) -> None:
    """Refuse arrays that are missing, hold no numbers, or do not fit each other.

    Examples
    --------
    >>> check_shapes({"tau": np.ones(3), "theta": np.ones((2, 2))}, {"tau": "T", "theta": "T d"})
    Traceback (most recent call last):
    flowsam.errors.InputError: theta has shape (2, 2), which is not (T, d) with T = 3
    """
    sizes: dict[str, int] = {}
    for name, axes in shapes.items():
        array, letters = arrays.get(name), axes.split()
        if array is None or array.dtype.kind not in "biuf" or not array.size:
            raise InputError(f"{name} is missing, empty, or holds no numbers")
        known = [f"{k} = {sizes[k]}" for k in letters if k in sizes]
        found = dict(zip(letters, array.shape, strict=False))
        if array.ndim != len(letters) or found | sizes != sizes | found:
            axes = ", ".join(letters)
            raise InputError(
                f"{name} has shape {array.shape}, which is not ({axes})"
                + (f" with {', '.join(known)}" if known else "")
            )
        sizes |= found


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
