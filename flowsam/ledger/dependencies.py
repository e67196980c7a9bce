"""What a script really depends on: the modules it imports, those they import, and so on.

A figure is computed again, and a claim checked again, when one of these files changes, and not
when another part of the package does. Comments and docstrings do not count.
"""

from __future__ import annotations

import ast
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import flowsam
from flowsam.archive import digest

PACKAGE = Path(flowsam.__file__).resolve().parent
_version = cache(version)


@dataclass(frozen=True)
class Script:
    """What matters of a file."""

    names: tuple[str, ...]  # dotted, of what it imports anywhere
    code: str  # hash of its syntax tree without docstrings
    undrawn: str  # the same without `draw`


def fingerprint(
    paths: Iterable[Path],
    source: Path,
    *facts: object,
    drawing: bool = True,
) -> str:
    """Return a hash of scripts, of all they import from the project, and of further facts."""
    libraries = ("numpy", "scipy", "sympy", *(("matplotlib",) if drawing else ()))
    told = [facts, platform.python_version(), [(n, _version(n)) for n in libraries]]
    for path in dependencies(paths, source):
        if drawing or not (path.name == "style.py" or PACKAGE / "draw" in path.parents):
            script = _script(path, path.stat().st_mtime_ns)
            told.append((path.name, script.code if drawing else script.undrawn))
    return digest(told)


def dependencies(paths: Iterable[Path], source: Path) -> tuple[Path, ...]:
    """Return scripts and the files of the project they import, directly or not."""
    found: dict[Path, bool] = {}
    waiting = [Path(path).resolve() for path in paths]
    source = source.resolve()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = path.is_file()
            if found[path]:
                waiting += _needs(path, path.stat().st_mtime_ns, source)
    return tuple(sorted(path for path, there in found.items() if there))


@cache
def _needs(path: Path, changed: int, source: Path) -> frozenset[Path]:
    """Where the modules that a file imports can be, and the packages they are in."""
    names = _script(path, changed).names
    return frozenset(place for name in names for place in _files(name, source))


def _files(name: str, source: Path) -> Iterator[Path]:
    """The file of a module of the project, and those of the packages it is in."""
    parts = name.split(".")
    if parts[0] not in ("flowsam", "figures", "tests"):
        return
    root = PACKAGE.parent if parts[0] == "flowsam" else source
    for k in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:k])
        yield place / "__init__.py"
        yield place.with_suffix(".py")


@cache
def _script(path: Path, _: int) -> Script:
    """Read a file, as it was changed last."""
    tree = ast.parse(path.read_bytes())
    found = list(_run(tree))
    for node in found:
        if isinstance(
            node, (ast.Module, ast.ClassDef, ast.FunctionDef)
        ) and ast.get_docstring(node):
            node.body = node.body[1:]
    names = tuple(name for node in found for name in _imported(node))
    parts = [(getattr(node, "name", ""), ast.dump(node)) for node in tree.body]
    undrawn = [part for part in parts if part[0] != "draw"]
    return Script(names, digest(parts), digest(undrawn))


def _imported(node: ast.AST) -> Iterator[str]:
    """Dotted names that a statement imports; what flowsam loads lazily by its module."""
    lazy = vars(flowsam)["_MODULE"]
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            home = lazy.get(alias.name) if node.module == "flowsam" else None
            yield f"{node.module}.{home or alias.name}"


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """All statements of a tree but what only type checkers see."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    yield node
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, (ast.stmt, ast.excepthandler, ast.match_case)):
            yield from _run(inner)
