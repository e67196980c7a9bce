"""Pieces of work, the longest first in a pool, whose results are kept until something changes.

A figure is computed again, and a claim checked again, when a module that its script imports, or one
that such a module imports, changes. Comments and docstrings do not count. A result is whole or not
there, so that going on is to leave out those that are.
"""

from __future__ import annotations

import ast
import json
import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from operator import methodcaller
from pathlib import Path
from typing import Any

import flowsam
from flowsam.archive import digest, write_text
from flowsam.workers import each, processors

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
    found: set[Path] = set()
    waiting = [path.resolve() for path in paths if path.is_file()]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _needs(path, path.stat().st_mtime_ns, source.resolve())
    return tuple(sorted(found))


@cache
def _needs(path: Path, changed: int, source: Path) -> list[Path]:
    """The modules of the project that a file imports, and the packages they are in."""
    found = set()
    for name in _script(path, changed).names:
        first = name.partition(".")[0]
        if first in ("flowsam", "figures", "tests"):
            place = PACKAGE.parent if first == "flowsam" else source
            for part in name.split("."):
                place /= part
                found |= {place / "__init__.py", place.with_suffix(".py")}
    return [*filter(Path.is_file, found)]


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


def importable(source: Path) -> None:
    """Let scripts of a checkout import each other."""
    root = str(source.resolve())
    if root not in sys.path:
        sys.path.insert(0, root)


def record(path: Path, facts: dict[str, Any], files: Sequence[Path] = ()) -> None:
    """Write facts as JSON in one move, with hashes of them and of the files that belong to them."""
    hashes = {file.name: digest("", file.read_bytes()) for file in files}
    facts = json.loads(json.dumps(facts | {"files": hashes}))
    write_text(path, json.dumps(facts | {"digest": digest(facts)}, indent=1) + "\n")


def recorded(path: Path) -> dict[str, Any]:
    """Return the facts of a record and, for each of its files, whether it is still the same.

    Nothing where it is not there, or not what was written.
    """
    try:
        facts = json.loads(path.read_text("utf-8"))
        if facts.pop("digest") != digest(facts):
            return {}
        files = {
            name: path.with_name(name).is_file()
            and digest("", path.with_name(name).read_bytes()) == hashed
            for name, hashed in facts["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return facts | {"files": files}


@dataclass(frozen=True)
class Task:
    """A piece of work that stands alone."""

    name: str  # of the claim or figure
    seconds: float  # how long it took last, or is said to take
    work: Callable[[], Any]  # takes nothing; processes can exchange it
    kept: Any = None  # what it gave an earlier time, if that is still valid


def waiting(tasks: Iterable[Task]) -> list[Task]:
    """Return the tasks that are to be done, the longest first."""
    left = [task for task in tasks if task.kept is None]
    return sorted(left, key=lambda task: -task.seconds)


def perform(tasks: Sequence[Task], *, quiet: bool = False) -> dict[str, Any]:
    """Return what each task gave, by its name; tqdm or lines tell how far it is."""
    found = {task.name: task.kept for task in tasks}
    left = waiting(tasks)
    made = each(methodcaller("work"), left, unit="task", quiet=quiet)
    return found | {task.name: one for task, one in zip(left, made, strict=True)}


def expected(tasks: Sequence[Task]) -> float:
    """Return the seconds that tasks will take on the processors there are."""
    seconds = [0.0, *(task.seconds for task in tasks)]
    return max(*seconds, sum(seconds) / processors())
