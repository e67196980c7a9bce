"""Results on disk: files replaced in one move, .npz with a header."""

import hashlib
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np

from flowsam.errors import InputError, InputTypeError, MissingLibraryError
from flowsam.inputs import shown

Built = TypeVar("Built")


def path_of(path: Any) -> Path:
    """Return a path, or say what is none."""
    try:
        found = Path(os.fspath(path))
    except TypeError:
        raise InputTypeError(
            f"a file needs a path, got {shown(path)}; pass a str or a Path"
        ) from None
    if "\0" in str(found):
        raise InputError(f"a path has no character 0, got {shown(path)}")
    return found


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of `path` in one move, once it is whole."""
    path = path_of(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    _tidy(path)
    try:
        with open(partial, "wb") as file:
            lock(file.fileno(), wait=False)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise InputError(
            f"a file needs a folder that can be written, got {path.parent} ({error.strerror}); "
            "make it, make room in it, or choose another"
        ) from None
    finally:
        partial.unlink(missing_ok=True)


def _tidy(path: Path) -> None:
    """Remove what processes that are gone left of a file, unless one elsewhere holds it."""
    begun = re.compile(re.escape(f".{path.name}.") + r"(\d+)\.partial")
    for stale in path.parent.glob(".*.partial"):
        named = begun.fullmatch(stale.name)
        if named and _gone(int(named[1])):
            with suppress(OSError), open(stale, "rb+") as file:
                lock(file.fileno(), wait=False)
                stale.unlink()


def _gone(process: int) -> bool:
    """Whether no process of this machine has that number; where asking is harmless."""
    if os.name != "posix":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file in one move; a ValueError where that cannot be."""
    with replacing(path) as file:
        file.write(text.encode())


def write(
    path: str | os.PathLike[str],
    header: dict[str, Any],
    arrays: dict[str, np.ndarray],
) -> Path:
    """Write arrays and a JSON header with a digest of them as one .npz file; no pickle."""
    path = path_of(path)
    path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    text = np.array(json.dumps(header | {"digest": _digest(arrays)}))
    parts: dict[str, Any] = {"header": text, **arrays}
    with replacing(path) as file:
        np.savez(file, **parts)
    return path


def digest(facts: Any, *content: bytes) -> str:
    """Return what tells one thing that was asked for, or kept, from another."""
    text = json.dumps(facts, sort_keys=True).encode()
    return hashlib.sha256(b"".join((text, *content))).hexdigest()


def difference(then: Any, now: Any, name: str = "") -> tuple[str, str, str] | None:
    """Return the first thing in which two descriptions differ, and what it is in each."""
    if isinstance(now, dict) and isinstance(then, dict):
        keys = dict.fromkeys([*then, *now])
        pairs = ((then.get(k), now.get(k), f"{name}.{k}".strip(".")) for k in keys)
        return next(filter(None, (difference(*pair) for pair in pairs)), None)
    return None if now == then else (name, _short(then), _short(now))


def _short(value: object) -> str:
    """A value for a message."""
    text = str(value)
    return text if len(text) <= 80 else f"{text[:60]} ... {text[-15:]}"


def _digest(arrays: dict[str, np.ndarray]) -> str:
    """Hash of names, types, shapes and numbers."""
    whole = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        array = np.ascontiguousarray(array)
        whole.update(f"{name} {array.dtype.str} {array.shape}".encode())
        whole.update(array.data)
    return whole.hexdigest()


def read(
    path: str | os.PathLike[str],
    kind: str,
    *,
    shapes: dict[str, str],
    build: Callable[[dict[str, Any], dict[str, np.ndarray]], Built],
) -> Built:
    """Build what a file of `write` holds; a foreign or damaged one is an InputError with its path.

    `shapes` names the arrays it must have by the names of their axes, e.g. {"z": "n d"}.
    """
    try:
        _check_stored(path_of(path))
        with np.load(path, allow_pickle=False) as file:
            header = json.loads(str(file["header"]))
            arrays = {
                name: np.array(file[name]) for name in file.files if name != "header"
            }
        if header["format"] != kind:
            raise KeyError(header["format"])
        check_shapes(arrays, shapes)
        built = build(header, arrays)
        if header.get("digest") not in (None, _digest(arrays)):
            raise InputError("its numbers are not those that were written")
        return built
    except (
        Exception
    ) as error:  # zip, JSON, NumPy and key errors alike: the file is not ours
        reason = " ".join(str(error).split())
        raise InputError(
            f"load needs a file with a {kind}, got {path} ({type(error).__name__}: {reason}); "
            "check the path, or write the file again"
        ) from None


def _check_stored(path: Path) -> None:
    """Refuse a file that unpacks to more than its size; ours are not compressed."""
    with zipfile.ZipFile(path) as file:
        packed = any(
            part.compress_type != zipfile.ZIP_STORED for part in file.infolist()
        )
        size = sum(part.file_size for part in file.infolist())
    if packed or size > path.stat().st_size:
        raise InputError(f"it unpacks to {size} bytes")


def check_shapes(arrays: dict[str, np.ndarray], shapes: dict[str, str]) -> None:
    """Refuse arrays that are missing, hold no numbers, or do not fit each other."""
    sizes: dict[str, int] = {}
    for name, axes in shapes.items():
        array = arrays.get(name)
        letters = axes.split()
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
    """Lock an open file where the system can, for this process, or raise BlockingIOError."""
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


def dataset(
    variables: dict[str, Any],
    coords: dict[str, Any],
    *,
    facts: dict[str, Any],
) -> Any:
    """Return an `xarray.Dataset` with facts as attributes; without xarray, say how to get it."""
    try:
        import xarray
    except ImportError:
        needed = "to_xarray needs xarray; pip install 'flowsam[sweep]'"
        raise MissingLibraryError(needed) from None
    return xarray.Dataset(
        variables, coords, {key: str(value) for key, value in facts.items()}
    )
