"""Fingerprints: changed by what a script imports, and by nothing else."""

from pathlib import Path

import pytest

from flowsam.ledger.kept_work import dependencies, fingerprint, record, recorded

ROOT = Path(__file__).parents[1]


def names(path):
    """What a script of this checkout depends on, as paths from its root."""
    return {p.relative_to(ROOT).as_posix() for p in dependencies([ROOT / path], ROOT)}


def test_imports_are_followed_through_lazy_names_and_functions():
    found = names("figures/fig_linf_limits.py")
    assert {"figures/style.py", "flowsam/draw/limits.py", "flowsam/portrait/labelling.py"} <= found
    assert "flowsam/exact/linf_balanced.py" in found  # imported inside a function
    assert not any(name.startswith(("flowsam/ledger", "flowsam/cli")) for name in found)


def test_a_claim_does_not_depend_on_what_it_does_not_import():
    found = names("derivations/dual_norm.py")
    assert "flowsam/symbolic.py" in found and "flowsam/solver.py" not in found


@pytest.fixture
def project(tmp_path):
    """A figure that imports one of two modules."""
    folder = tmp_path / "figures"
    folder.mkdir()
    (folder / "used.py").write_text("SIZE = 1\n")
    (folder / "unused.py").write_text("SIZE = 1\n")
    figure = folder / "fig.py"
    figure.write_text("from figures import used\ndef draw():\n    return 1\nx = used.SIZE\n")
    return tmp_path, figure


@pytest.mark.parametrize(
    ("name", "text", "computed", "drawn"),
    [
        ("used.py", "SIZE = 2\n", True, True),
        ("used.py", '"""Docs."""\nSIZE = 1  # comment\n', False, False),
        ("unused.py", "SIZE = 2\n", False, False),
        (
            "fig.py",
            "from figures import used\ndef draw():\n    return 2\nx = used.SIZE\n",
            False,
            True,
        ),
    ],
)
def test_what_changes_a_fingerprint(project, name, text, computed, drawn):
    source, figure = project

    def marks():
        return [fingerprint([figure], source, True, drawing=d) for d in (False, True)]

    before = marks()
    (source / "figures" / name).write_text(text)
    assert [a != b for a, b in zip(before, marks(), strict=True)] == [computed, drawn]
    assert fingerprint([figure], source, False) != fingerprint([figure], source, True)


def test_records_know_whether_their_files_are_the_same(tmp_path):
    path, file = tmp_path / "a.json", tmp_path / "a.npz"
    file.write_bytes(b"1")
    assert recorded(path) == {}
    record(path, {"x": 1}, [file])
    assert recorded(path) == {"x": 1, "files": {"a.npz": True}}
    file.write_bytes(b"2")
    assert recorded(path)["files"] == {"a.npz": False}
    file.unlink()
    assert recorded(path)["files"] == {"a.npz": False}
    path.write_text("{")
    assert recorded(path) == {}
