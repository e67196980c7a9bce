"""What a script really depends on: the modules it imports, those they import, and so on.

A figure is computed again, and a claim checked again, when one of these files changes, and not
when another part of the package does. Comments and docstrings do not count.
"""

from __future__ import annotations

import ast
import hashlib
import platform
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

import flowsam

PACKAGE = Path(flowsam.__file__).resolve().parent


def fingerprint(
    paths: Iterable[Path],
    source: Path,
    *facts: object,
    drawing: bool = True,
) -> str:
    """Return a hash of scripts, of all they import from the project, and of further facts."""
    names = ("numpy", "scipy", "sympy", *(("matplotlib",) if drawing else ()))
    libraries = [(name, version(name)) for name in names]
    digest = hashlib.sha256(
        repr((facts, platform.python_version(), libraries)).encode()
    )
    for path in dependencies(paths, source):
        if drawing or not (path.name == "style.py" or PACKAGE / "draw" in path.parents):
            code = _code(path, path.stat().st_mtime_ns, drawing=drawing)
            digest.update(f"{path.name}\0{code}\0".encode())
    return digest.hexdigest()


def dependencies(paths: Iterable[Path], source: Path) -> tuple[Path, ...]:
    """Return scripts and the files of the project they import, directly or not."""
    found: set[Path] = set()
    waiting = [Path(path).resolve() for path in paths]
    while waiting:
        path = waiting.pop()
        if path not in found and path.is_file():
            found.add(path)
            for name in _imported(path, path.stat().st_mtime_ns):
                waiting += _files(name, source.resolve())
    return tuple(sorted(found))


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
def _imported(path: Path, _: int) -> tuple[str, ...]:
    """Dotted names a file imports anywhere; names that flowsam loads lazily by their module."""
    lazy = vars(flowsam)["_MODULE"]
    names = []
    for node in _run(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                home = lazy.get(alias.name) if node.module == "flowsam" else None
                names.append(f"{node.module}.{home or alias.name}")
    return tuple(names)


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a tree but what only type checkers see."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield from _run(node)


@cache
def _code(path: Path, _: int, *, drawing: bool) -> str:
    """The syntax tree of a file without its docstrings, as text; without `draw` where asked."""
    tree = ast.parse(path.read_bytes())
    if not drawing:
        tree.body = [node for node in tree.body if getattr(node, "name", "") != "draw"]
    for node in ast.walk(tree):
        if isinstance(
            node, (ast.Module, ast.ClassDef, ast.FunctionDef)
        ) and ast.get_docstring(node):
            node.body = node.body[1:]
    return ast.dump(tree)
