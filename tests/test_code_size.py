"""Budgets of the package: docstrings of internal names, width of a line, and forks of a block."""

import ast

import pytest

from tests.code_size import PACKAGE, package_size

FORKS = 12  # of one block


def forks(block):
    """One, and one for each way a block can go on: radon's cyclomatic complexity."""
    found = 1
    for node in ast.walk(block):
        if isinstance(node, ast.BoolOp):
            found += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            found += 1 + len(node.ifs)
        elif isinstance(node, ast.For | ast.While | ast.Try):
            handlers = getattr(node, "handlers", ())
            found += len(handlers) + bool(node.orelse) + (not isinstance(node, ast.Try))
        elif isinstance(node, ast.If | ast.IfExp | ast.Assert | ast.match_case):
            found += 1
    return found


def hard(path):
    """Functions of a file with more forks than the budget."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {block.name: forks(block) for block in blocks if forks(block) > FORKS}


SOURCES = [
    path
    for folder in (PACKAGE, PACKAGE.parent / "figures", PACKAGE.parent / "derivations")
    for path in sorted(folder.rglob("*.py"))
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_blocks_have_few_forks(path):
    for name, count in hard(path).items():
        pytest.fail(f"{path}: {name} has {count} forks, more than {FORKS}")


def test_forks_are_counted():
    text = "def f(x):\n    if x and x > 1:\n        return [y for y in x if y]\n    return 0"
    assert forks(ast.parse(text).body[0]) == 5


def test_internal_docstrings_are_short_and_lines_narrow():
    size = package_size()
    assert size.internal_docstring_lines <= 3000
    assert size.average_line < 36


def packed(path):
    """Functions of a file with a parameter that is a tuple of unlike things."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef):
            continue
        for argument in (*node.args.args, *node.args.kwonlyargs):
            kind = argument.annotation
            named = isinstance(kind, ast.Subscript) and ast.unparse(kind.value) == "tuple"
            if named and isinstance(kind.slice, ast.Tuple):
                parts = {ast.unparse(part) for part in kind.slice.elts}
                if len(parts) > 1 and "..." not in parts:
                    yield node.name


def test_what_travels_together_has_a_name():
    found = {name for path in PACKAGE.rglob("*.py") for name in packed(path)}
    assert not found, found


def unpacked(tree):
    """Lines that give several names a value each, `a, b = x, y`, but for a swap."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Tuple):
            continue
        targets = [ast.unparse(target) for target in getattr(node.targets[0], "elts", ())]
        values = {ast.unparse(part) for part in node.value.elts}
        if targets and not set(targets) & values:
            yield node.lineno


def test_a_line_says_one_thing():
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")]
    assert not [list(unpacked(tree)) for tree in trees if list(unpacked(tree))]
