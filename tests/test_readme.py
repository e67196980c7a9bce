"""The README does what it says: code, shell commands, links, and the table of claims."""

import contextlib
import io
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from flowsam.cli import main
from flowsam.ledger.claims import claim_names, headings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def blocks(language):
    """The code blocks of a language."""
    return [text for name, text in BLOCKS if name == language]


def test_python_blocks_print_what_the_readme_shows():
    (code,), (shown,) = blocks("python"), blocks("text")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue() == shown
    assert len([line for line in code.splitlines() if line.strip()]) <= 12


FILES = [line for block in blocks("bash") for line in block.splitlines() if "printf" in line]
COMMANDS = [
    line
    for block in blocks("bash")
    for line in block.splitlines()
    if line.startswith("flowsam ") and "verify" not in line and " FILE" not in line
] + re.findall(r"`(flowsam portrait [^`]*)`", README)


@pytest.mark.parametrize("command", COMMANDS)
def test_shell_commands_work(command, tmp_path, monkeypatch):
    if "digits" in command:
        pytest.importorskip("sklearn")
    if "--proof" in command:
        pytest.importorskip("flint")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "figures").mkdir()
    for line in FILES:
        subprocess.run(line, shell=True, check=True)
    arguments = shlex.split(command)[1:]
    assert main(arguments) == 0
    if "--out" in arguments:
        assert Path(arguments[arguments.index("--out") + 1]).stat().st_size > 0


def test_the_two_commands_are_marked_for_machines():
    for mark in ("reproduce", "test"):
        found = re.findall(rf"^<!-- {mark} -->\n```bash\n(.+)\n```$", README, re.MULTILINE)
        assert len(found) == 1 and found[0].startswith("python3 -m venv .venv && ")
    assert "sed -n '/^<!-- test -->$/" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "derivations/README.md"])
def test_links_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("https://") or (ROOT / name).parent.joinpath(target).exists(), (
            target
        )


def test_every_claim_has_a_row_and_every_row_a_claim():
    rows = re.findall(r"^\| (\w+) \|.*\[proof\]", README, re.MULTILINE)
    assert sorted(rows) == list(claim_names(ROOT))
    for name in rows:
        line = next(line for line in README.splitlines() if line.startswith(f"| {name} |"))
        assert f"derivations/{name}.py" in line and f"tests/theorems/test_{name}.py" in line
        verdict = "proved, checked"
        if "choices" in headings(ROOT / "derivations" / f"{name}.py"):
            verdict += ", re-created with own choices"
        assert f" | {verdict} | " in line
        assert "UNDECIDED" not in (ROOT / f"derivations/{name}.py").read_text(encoding="utf-8")


def test_versions_agree():
    import flowsam

    for name in ("CITATION.cff", "CHANGELOG.md"):
        assert flowsam.__version__ in (ROOT / name).read_text(encoding="utf-8")
