"""What installs, and what tools see: bounds, types, systems, the sdist's files."""

import ast
import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import flowsam
from flowsam import archive, workers

ROOT = Path(__file__).parents[1]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")
REQUIREMENTS = [
    line.strip()
    for text in (SETUP["options"]["install_requires"], *SETUP["options.extras_require"].values())
    for line in text.splitlines()
    if line.strip()
]
FIRST_SOLVE = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)


def mypy(folder):
    """What mypy says about the files of a folder, from outside the checkout."""
    pytest.importorskip("mypy")
    cache = ROOT / ".mypy_cache" / "users"
    command = [sys.executable, "-m", "mypy", "--config-file=", f"--cache-dir={cache}", "."]
    # an editable install is found by an import hook, which mypy does not run
    found = os.environ | {"MYPYPATH": str(ROOT)}
    run = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=found, check=False
    )
    return run.stdout


def test_a_type_checker_reads_the_first_solve_and_sees_a_misspelt_argument(tmp_path):
    code = FIRST_SOLVE[1]
    assert "tau_end=3" in code
    (tmp_path / "good.py").write_text(f"{code}\nreveal_type(run)\n")
    (tmp_path / "bad.py").write_text(code.replace("tau_end=3", "tau_ende=3"))
    said = mypy(tmp_path)
    assert "good.py" in said and '"flowsam.trajectory.Trajectory"' in said
    assert re.findall(r"^(\w+)\.py:\d+: error: (.*?);", said, re.MULTILINE) == [
        ("bad", 'Unexpected keyword argument "tau_ende" for "solve"')
    ]


def test_type_checkers_see_the_public_names_and_no_others():
    tree = ast.parse((ROOT / "flowsam" / "__init__.py").read_text(encoding="utf-8"))
    guard = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname: node.module for node in guard.body for alias in node.names if alias.asname
    }
    assert seen == {name: f"flowsam.{home}" for name, home in flowsam._MODULE.items()}
    assert (ROOT / "flowsam" / "py.typed").exists()
    assert "py.typed" in SETUP["options.package_data"]["flowsam"]


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_every_requirement_has_the_bound_that_a_run_has_shown(requirement):
    assert re.match(r"[a-z0-9-]+(\[[a-z]+\])?(>=|==)[0-9.]+(; .*)?$", requirement)


def test_no_affinity_no_locks(monkeypatch, tmp_path):
    """As on macOS and Windows."""
    assert workers.processors() >= 1
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert workers.processors() == os.cpu_count()
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with open(tmp_path / "file", "w") as file:
        archive.lock(file.fileno(), wait=False)


def test_the_sdist_takes_what_its_tests_read():
    listed = (ROOT / "MANIFEST.in").read_text(encoding="utf-8").split()
    for name in ("tests", "derivations", "figures", ".ci", "CHANGELOG.md", "CONTRIBUTING.md"):
        assert name in listed and (ROOT / name).exists()


def test_systems_pythons_and_floors_are_in_the_workflow():
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    for name in ("ubuntu", "macos", "windows", ".ci/floors", ".ci/run", ".ci/sdist"):
        assert name in text
    for line in SETUP["metadata"]["classifiers"].splitlines():
        version = re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line.strip())
        assert not version or f'"{version[1]}"' in text


def test_checks_of_repositories_pass_or_have_their_reason():
    processor = pytest.importorskip("repo_review.processor")
    pytest.importorskip("sp_repo_review")
    failed = [found.name for found in processor.process(ROOT).results if found.result is False]
    reasons = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [name for name in failed if name not in reasons] == []
