"""The shape of the package: imports one way, short files and functions, documented names."""

import ast
import graphlib
import inspect
import subprocess
import sys
from pathlib import Path

import jaxtyping
import numpy as np
import pytest

import flowsam
from flowsam.ledger.claims import headings

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "flowsam"
SOURCES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}
LAYERS = [
    "version shapes captions cards errors archive workers labels endings events inputs signatures "
    "class_labels data network",
    "losses perturbations own_rule symbolic",
    "flow trajectory",
    "exact margin certify",
    "columns falls regimes",
    "engines one_example many_examples ensemble discrete rates",
    "solver",
    "outcomes amplification regions real_data parameters",
    "portrait sweeps",
    "draw explorer",
    "ledger",
    "website",
    "cli",
]
LAYER = {name: level for level, names in enumerate(LAYERS) for name in names.split()}
ONLY_IN = {
    "matplotlib": (
        *(n for n in SOURCES if n.startswith("draw.")),
        "cli.writing",
    ),
    "sympy": (
        "regions.conditions",
        *("symbolic", "regions.inequalities"),
        "explorer.formulas",
    ),
    "sklearn": ("real_data.tables",),
}


def imported(tree):
    """Dotted names a module imports anywhere, except for type checkers."""
    skipped = {
        id(node)
        for guard in ast.walk(tree)
        if isinstance(guard, ast.If) and "TYPE_CHECKING" in ast.dump(guard.test)
        for node in ast.walk(guard)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inner(tree):
    """Modules of the package that a module imports: the most exact name that is one."""
    names = {n.removeprefix("flowsam.") for n in imported(tree) if n.startswith("flowsam.")}
    found = names & set(SOURCES)
    return {n for n in found if not any(m.startswith(f"{n}.") and m in found for m in names)}


GRAPH = {name: inner(tree) - {name} for name, tree in TREES.items()}


REACHABLE = {}
for _name in graphlib.TopologicalSorter(GRAPH).static_order():  # a cycle is an error here
    REACHABLE[_name] = GRAPH[_name].union(*(REACHABLE[other] for other in GRAPH[_name]))


@pytest.mark.parametrize("name", sorted(GRAPH))
def test_imports_go_one_way(name):
    level = LAYER.get(name.split(".")[0])
    for other in REACHABLE[name]:
        below = LAYER.get(other.split(".")[0])
        assert level is None or below is None or below <= level, f"{name} imports {other}"


FOLDERS = ("flowsam", "figures", "derivations")  # each may import those before it
OUTSIDE = {
    f"{folder}.{path.stem}": path
    for folder in FOLDERS[1:]
    for path in sorted((ROOT / folder).glob("*.py"))
}


def outer(path):
    """Modules outside the package, and folders, that a file imports."""
    names = set(imported(ast.parse(path.read_text(encoding="utf-8"))))
    return names & set(OUTSIDE), {name.split(".")[0] for name in names}


def test_figures_draw_and_derivations_prove():
    """Neither imports the other or tests; no figure imports another; no import goes in a circle."""
    graph = {}
    for name, path in OUTSIDE.items():
        modules, roots = outer(path)
        folder = name.split(".")[0]
        graph[name] = modules - {name}
        assert not roots & ({"tests", *FOLDERS[1:]} - {folder}), name
        if folder == "figures":
            assert not [other for other in graph[name] if ".fig_" in other], name
    list(graphlib.TopologicalSorter(graph).static_order())  # a cycle is an error here
    for name, tree in TREES.items():
        found = {other.split(".")[0] for other in imported(tree)}
        assert not found & {"tests", *FOLDERS[1:]}, name


@pytest.mark.parametrize("library", ONLY_IN)
def test_heavy_libraries_have_one_home(library):
    users = {
        n for n, tree in TREES.items() if any(i.split(".")[0] == library for i in imported(tree))
    }
    assert users <= set(ONLY_IN[library])


def test_public_verbs_have_annotations_that_are_text():
    """`public` reads them: evaluated, it would take them for none that it checks."""
    for name, path in SOURCES.items():
        text = path.read_text(encoding="utf-8")
        if "\n@public\n" in text or "\n    @public\n" in text:
            assert "from __future__ import annotations" in text, name


def test_modules_are_nouns():
    vague = {"utils", "util", "helpers", "common", "base", "core", "config", "misc"}
    assert not vague & {part for name in SOURCES for part in name.split(".")}
    functions = {n for n in flowsam.__all__ if inspect.isfunction(getattr(flowsam, n, None))}
    assert not functions & set(SOURCES), "a module of that name would shadow the function"


def functions_of(tree):
    """Functions with the number of lines of their bodies, docstrings apart."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            yield node.name, body[-1].end_lineno - body[0].lineno + 1 if body else 0


def docstring_lines(tree):
    """Lines of all docstrings of a module."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    with_docs = (n for n in ast.walk(tree) if isinstance(n, kinds) and ast.get_docstring(n))
    return sum(n.body[0].end_lineno - n.body[0].lineno + 1 for n in with_docs)


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_files_and_functions_are_short(name):
    lines = len(SOURCES[name].read_text(encoding="utf-8").splitlines())
    assert lines <= 400
    long = {function: size for function, size in functions_of(TREES[name]) if size > 50}
    assert not long


def test_refusals_are_told_from_bugs():
    """Bad input is an error of `flowsam.errors`: the command line says that in one line."""
    plain = {"ValueError", "TypeError", "ImportError", "OSError", "FileNotFoundError"}
    for name, tree in TREES.items():
        raised = {
            node.exc.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Raise)
            and isinstance(node.exc, ast.Call)
            and isinstance(node.exc.func, ast.Name)
        }
        assert not raised & plain, f"{name} raises {raised & plain}; see flowsam/errors.py"


def test_most_functions_are_very_short(capsys):
    sizes = [size for tree in TREES.values() for _, size in functions_of(tree)]
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES.values())
    share = sum(map(docstring_lines, TREES.values())) / lines
    with capsys.disabled():
        print(
            f"\n{len(SOURCES)} modules, {lines} lines, docstrings {share:.0%}; "
            f"{len(sizes)} functions, body p90 {np.percentile(sizes, 90):.0f}, max {max(sizes)} "
        )
    assert np.percentile(sizes, 90) <= 25
    assert share <= 0.5


@pytest.mark.parametrize("name", [n for n in flowsam.__all__ if not n.startswith("_")])
def test_public_names_are_documented_and_annotated(name):
    thing = getattr(flowsam, name)
    text = inspect.getdoc(thing) or ""
    assert text, f"{name} has no docstring"
    if not inspect.isfunction(thing):
        return
    signature = inspect.signature(thing)
    assert ">>>" in text and "Returns" in text
    assert signature.return_annotation is not inspect.Signature.empty
    positional = [p for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
    assert len(positional) <= 3
    for parameter in signature.parameters.values():
        assert parameter.annotation is not parameter.empty
        assert parameter.name in text, f"{name} does not document {parameter.name}"


def code_lines(path):
    """Lines of a file that are neither blank nor in its docstring."""
    text = path.read_text(encoding="utf-8")
    body = ast.parse(text).body
    start = body[0].end_lineno if ast.get_docstring(ast.parse(text)) else 0
    return sum(bool(line.strip()) for line in text.splitlines()[start:])


@pytest.mark.parametrize("path", sorted((ROOT / "figures").glob("fig_*.py")), ids=lambda p: p.stem)
def test_figures_are_short(path):
    assert code_lines(path) <= 90


@pytest.mark.parametrize("path", sorted((ROOT / "derivations").glob("*.py")), ids=lambda p: p.stem)
def test_derivations_are_short_and_headed(path):
    assert 30 <= len(path.read_text(encoding="utf-8").splitlines()) <= 110
    assert {"claim", "formula", "assumes", "used by", "source"} <= set(headings(path))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests/theorems").glob("test_*.py")), ids=lambda p: p.stem
)
def test_theorem_tests_run_without_pytest(path):
    """flowsam verify runs them where only the package is installed."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    roots = {name.split(".")[0] for name in imported(tree)}
    allowed = {"flowsam", "numpy", "scipy", "sympy", "mpmath", "tests"} | sys.stdlib_module_names
    names = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    if "NEEDS" in names:  # an extra that draws: skipped, with its reason, without it
        allowed |= {"figures", ast.literal_eval(names["NEEDS"])}
    assert roots <= allowed
    claim = ast.literal_eval(names["CLAIM"])
    assert claim == path.stem.removeprefix("test_")


def test_shapes_in_annotations_are_executed():
    with pytest.raises(jaxtyping.TypeCheckError, match="log_mean_exp|softmax"):
        flowsam.losses.softmax(np.array([1, 2]))  # int64 where floats are promised
    with pytest.raises(jaxtyping.TypeCheckError):
        flowsam.network.other_products(np.zeros(3))  # no layer axis


def test_the_top_level_holds_what_the_design_names():
    if not (ROOT / ".git").exists():
        pytest.skip("no checkout")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    known = "flowsam tests derivations figures setup.cfg setup.py README.md LICENSE CITATION.cff"
    known += " CHANGELOG.md CONTRIBUTING.md MANIFEST.in"
    top = {name.split("/")[0] for name in listed}
    assert {name for name in top if not name.startswith(".")} == set(known.split())
