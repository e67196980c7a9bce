"""How large the package is: characters of code, docstring lines of internal names, longest blocks.

`python -m tests.code_size` prints the table; docstrings, comments, blank lines and indentation do
not count as code, so that neither dense lines nor long explanations win anything.
"""

from __future__ import annotations

import ast
import io
import pathlib
import sys
import tokenize
from dataclasses import dataclass

PACKAGE = pathlib.Path(__file__).parent.parent / "flowsam"


@dataclass(frozen=True)
class Size:
    """Counts of one file, or of several together."""

    characters: int
    lines: int
    internal_docstring_lines: int

    def __add__(self, other: Size) -> Size:
        """Return the counts of both."""
        return Size(
            self.characters + other.characters,
            self.lines + other.lines,
            self.internal_docstring_lines + other.internal_docstring_lines,
        )

    @property
    def average_line(self) -> float:
        """Characters of an average line of code, its end among them."""
        return self.characters / max(self.lines, 1)


def docstrings(tree: ast.Module, public: set[str]) -> dict[tuple[int, int], bool]:
    """Return the spans of lines of all docstrings, and whether a user reaches what each is of."""
    found = {}

    def visit(node: ast.AST, reached: bool) -> None:
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                method = reached and not inner.name.startswith("_")
                note(inner, method or inner.name in public)
            else:
                visit(inner, reached)

    def note(node: ast.Module | ast.ClassDef | ast.FunctionDef, reached: bool) -> None:
        if ast.get_docstring(node, clean=False) is not None:
            text = node.body[0]
            found[text.lineno, text.end_lineno] = reached
        visit(node, reached and isinstance(node, ast.ClassDef))

    note(tree, False)
    return found


def exported() -> set[str]:
    """Return the names that a user reaches: those that an `__init__` or the contract exports."""
    names = {"command"}  # of the command line: what --help says
    for path in PACKAGE.rglob("__init__.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)
            if isinstance(node, ast.alias):
                names.add(node.asname or node.name)
    return names


def measure(path: pathlib.Path, public: set[str]) -> Size:
    """Return the counts of one file."""
    text = path.read_text()
    spans = docstrings(ast.parse(text), public)
    skipped = {line for first, last in spans for line in range(first, last + 1)}
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    code = [line.strip() for row, line in enumerate(lines, 1) if row not in skipped]
    code = [line for line in code if line]
    internal = sum(last - first + 1 for (first, last), known in spans.items() if not known)
    return Size(sum(map(len, code)) + len(code), len(code), internal)


def package_size() -> Size:
    """Return the counts of the whole package."""
    public = exported()
    return sum((measure(path, public) for path in PACKAGE.rglob("*.py")), Size(0, 0, 0))


def main() -> None:
    """Print the counts of every folder and of the whole."""
    public = exported()
    folders: dict[str, Size] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).parts
        folder = place[0] if len(place) > 1 else "(nouns and verbs)"
        folders[folder] = folders.get(folder, Size(0, 0, 0)) + measure(path, public)
    row = "{:24}{:>12}{:>9}{:>9.1f}{:>12}\n"
    heading = f"{'folder':24}{'characters':>12}{'lines':>9}{'a line':>9}{'docstrings':>12}\n"
    sys.stdout.write(heading)
    whole = sum(folders.values(), Size(0, 0, 0))
    for name, size in [*sorted(folders.items()), ("all", whole)]:
        counts = (size.characters, size.lines, size.average_line, size.internal_docstring_lines)
        sys.stdout.write(row.format(name, *counts))


if __name__ == "__main__":
    main()
