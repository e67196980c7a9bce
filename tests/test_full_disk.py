"""A disk that fills up while a command writes: the old file stays, nothing is left, one line."""

import os
import shutil
import subprocess
import sys

import pytest

from flowsam.archive import write_text
from flowsam.cli import main

# a zip file that cannot be finished complains once more where it is collected
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

resource = pytest.importorskip("resource")

FLOW = "--mu 1,2 --rho 1"
TABLE = "--csv table.csv --label y --rho 0.1 --splits 1 --factors 1.5 --log-t-end 1"
WRITERS = {
    f"simulate {FLOW} --init 1.5,0.6 --tau-end 1 --rows 50": ("npz", "csv", "png", "pdf", "svg"),
    f"limit {FLOW} --init 1.5,0.6": ("json",),
    f"portrait {FLOW} --grid 40": ("npz", "json", "png", "pdf", "svg"),
    "explore": ("html",),
    "amplification --mu 1,2 --rho 1 --init 0.3,0.3 --alpha 0.1,1,9 --tau 0.1,1,9": ("npz", "png"),
    f"features {TABLE}": ("npz", "png"),
    "derive --depth 4": ("txt", "tex", "json"),
}
LEAST = 150  # bytes: less than any of these files has


@pytest.fixture
def full(tmp_path, monkeypatch):
    """A folder with a table in which no file may grow beyond a few bytes."""
    rows = "\n".join(f"{k},{(k * 7) % 5},{int(k > 5)}" for k in range(12))
    (tmp_path / "table.csv").write_text(f"a,b,y\n{rows}\n")
    monkeypatch.chdir(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LEAST, hard))
    yield tmp_path
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("line", WRITERS)
def test_the_old_file_stays(line, full, capsys):
    for ending in WRITERS[line]:
        old = full / f"kept.{ending}"
        old.write_text("what was there")
        before = sorted(full.rglob("*"))
        code = main([*line.split(), "--out", old.name])
        out, err = capsys.readouterr()
        assert code == 2 and not out and err.count("\n") == 1, (ending, code, out, err)
        assert "File too large" in err and len(err) < 330, err
        assert old.read_text() == "what was there", ending
        assert sorted(full.rglob("*")) == before, ending


def test_proofs_stay(full, capsys):
    pytest.importorskip("flint")
    old = full / "proof.json"
    old.write_text("what was there")
    line = f"limit {FLOW} --init 1.5,0.6 --proof proof.json"
    assert main(line.split()) == 2 and capsys.readouterr().err.count("\n") == 1
    assert old.read_text() == "what was there"
    assert {path.name for path in full.iterdir()} == {"table.csv", "proof.json"}


def test_a_stream_goes_on_when_there_is_room_again(full, capsys):
    line = f"portrait {FLOW} --grid 40 --out kept.npy"
    (full / "kept.npy").write_bytes(b"what was there")
    assert main(line.split()) == 2 and capsys.readouterr().err.count("\n") == 1
    assert (full / "kept.npy").read_bytes() == b"what was there"
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert main(line.split()) == 0
    assert {path.name for path in full.iterdir()} == {"table.csv", "kept.npy", "kept.json"}


def test_a_sweep_that_cannot_make_its_store_leaves_none(full, capsys):
    pytest.importorskip("zarr")
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    case = "[case]\nmu = [1, 2]\nalpha = [1.5, 0.6]\n[axes]\nrho = [0.5, 1.0]\n"
    (full / "case.toml").write_text(case)
    assert main(["sweep", "case.toml"]) == 2
    out, err = capsys.readouterr()
    assert not out and err.count("\n") == 1 and "File too large" in err
    assert {path.name for path in full.iterdir()} == {"table.csv", "case.toml"}
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert main(["sweep", "case.toml", "--quiet"]) == 0
    shutil.rmtree("case.zarr")


def test_what_a_killed_writer_left_is_removed_and_no_other(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    first, second = (subprocess.Popen([sys.executable, "-c", ""]) for _ in range(2))
    assert first.wait() == second.wait() == 0
    names = (f"a.txt.{first.pid}", f"a.txt.{second.pid}", f"a.txt.{os.getppid()}", f"b.{first.pid}")
    left, held, *others = (tmp_path / f".{name}.partial" for name in names)
    for path in (left, held, *others):
        path.write_text("half")
    with open(held, "rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write_text(tmp_path / "a.txt", "whole")
    assert {path.name for path in tmp_path.iterdir()} == {
        "a.txt",
        held.name,
        *(path.name for path in others),
    }
