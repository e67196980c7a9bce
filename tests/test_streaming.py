"""A portrait on disk, row by row: equal to the one in memory, and resumed after a death."""

import json

import numpy as np
import pytest

from flowsam import Flow, l2, linf, phase_portrait, single_example
from flowsam.cli import main
from flowsam.portrait import layer_plane, plane_rows, stream_portrait

FLOW = Flow(single_example([1.0, 2.0]), linf(1.0))
X, Y = np.linspace(0.1, 2, 37), np.linspace(0.05, 1.9, 53)


@pytest.fixture
def small(monkeypatch):
    """Blocks of a few rows."""
    monkeypatch.setattr(plane_rows, "BLOCK", 5 * X.size)
    monkeypatch.setattr(plane_rows, "WRITTEN", 5 * X.size)
    monkeypatch.setattr(plane_rows, "ROWS", 12)


@pytest.mark.parametrize(("flow", "plane", "depth"), [
    (FLOW, None, 3), (Flow(single_example([1.0]), linf(1.0)), layer_plane, 2),
    (Flow(FLOW.data, l2(1.0)), None, 2), (FLOW, None, 2),
])  # fmt: skip
def test_it_is_the_portrait(tmp_path, small, flow, plane, depth):
    told = []
    found = stream_portrait(
        flow, X, Y, path=tmp_path / "p.npy", depth=depth, start=plane, progress=told.append
    )
    whole = phase_portrait(flow, X, Y, depth=depth, start=plane)
    labels = np.load(found.path, mmap_mode="r")
    assert labels.dtype == np.int16 and np.array_equal(labels, whole.labels)
    assert sum(told) == labels.size
    assert found.fractions == {k: (labels == k).mean() for k in np.unique(labels)}
    assert json.loads((tmp_path / "p.json").read_text())["grid"] == [53, 37]
    assert {entry.name for entry in tmp_path.iterdir()} == {"p.npy", "p.json"}


def test_it_goes_on_after_a_death_and_cuts_off_a_torn_row(tmp_path, small):
    def dying(cells):
        done.append(cells)
        if sum(done) > 20 * X.size:
            raise KeyboardInterrupt

    done, told = [], []
    with pytest.raises(KeyboardInterrupt):
        stream_portrait(FLOW, X, Y, path=tmp_path / "p.npy", progress=dying)
    (partial,) = tmp_path.glob(".*.partial")
    with open(partial, "ab") as file:
        file.write(b"torn!")
    found = stream_portrait(FLOW, X, Y, path=tmp_path / "p.npy", progress=told.append)
    assert told[0] == sum(done) == 22 * X.size and sum(told) == X.size * Y.size
    labels = phase_portrait(FLOW, X, Y).labels
    assert np.array_equal(np.load(found.path), labels)
    assert found.fractions == {k: (labels == k).mean() for k in np.unique(labels)}


@pytest.mark.parametrize(
    ("harm", "pieces"),
    [("zeros", 0), ("flipped", -1), ("more", None), ("no digests", 0), ("log", -1)],
)
def test_rows_are_taken_as_far_as_their_digests_vouch_for_them(tmp_path, small, harm, pieces):
    def dying(cells):
        done.append(cells)
        if sum(done) > 20 * X.size:
            raise KeyboardInterrupt

    done, told = [], []
    with pytest.raises(KeyboardInterrupt):
        stream_portrait(FLOW, X, Y, path=tmp_path / "p.npy", progress=dying)
    (partial,) = tmp_path.glob(".*.partial")
    (log,) = tmp_path.glob(".*.digests")
    head, body = partial.read_bytes()[:128], bytearray(partial.read_bytes()[128:])
    if harm == "zeros":
        body = bytes(len(body))
    if harm == "flipped":
        body[-7] ^= 1
    if harm == "more":
        body += body[: 2 * X.size]
    partial.write_bytes(head + bytes(body))
    if harm == "no digests":
        log.unlink()
    if harm == "log":
        log.write_bytes(log.read_bytes()[:-9] + b"\xff\n")
    found = stream_portrait(FLOW, X, Y, path=tmp_path / "p.npy", progress=told.append)
    assert told[0] == sum(done[1:][:pieces])
    assert np.array_equal(np.load(found.path), phase_portrait(FLOW, X, Y).labels)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["p.json", "p.npy"]


def test_another_grid_or_writer_is_not_mixed_in(tmp_path, small):
    def dying(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stream_portrait(FLOW, X, Y, path=tmp_path / "p.npy", progress=dying)
    told = []
    stream_portrait(FLOW, X, Y + 0.01, path=tmp_path / "p.npy", progress=told.append)
    assert told[0] == 0
    fcntl = pytest.importorskip("fcntl")
    (partial,) = (entry for entry in tmp_path.iterdir() if entry.suffix == ".partial")
    with open(partial, "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match="another process is writing"):
            stream_portrait(FLOW, X, Y, path=tmp_path / "p.npy")


def test_bad_input_is_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"name ending in \.npy, got .*p\.txt"):
        stream_portrait(FLOW, X, Y, path=tmp_path / "p.txt")
    with pytest.raises(ValueError, match="a folder that can be written"):
        stream_portrait(FLOW, X, Y, path=tmp_path / "none" / "p.npy")


def test_the_command_line_streams_to_npy(tmp_path, capsys):
    path = tmp_path / "p.npy"
    grid = ["--x", "0.05,1.95,20", "--out", str(path), "--json"]
    assert main(["portrait", "--mu", "1,2", "--rho", "1", *grid]) == 0
    assert json.loads(capsys.readouterr().out)["fractions"] == {"0": 0.25, "1": 0.25, "2": 0.5}
    assert np.load(path).shape == (20, 20)


@pytest.mark.parametrize("text", ['{"mine": 1}', "no JSON", "[1, 2]"])
def test_a_foreign_file_beside_the_labels_is_not_replaced(tmp_path, text):
    flow, x = Flow(single_example([1, 2]), linf(1)), [0.5, 1.5]
    beside = tmp_path / "keep.json"
    beside.write_text(text)
    with pytest.raises(ValueError, match=r"keep\.json, which is not its own; move it"):
        stream_portrait(flow, x, x, path=tmp_path / "keep.npy")
    assert beside.read_text() == text and [*tmp_path.iterdir()] == [beside]
    beside.unlink()
    for _ in range(2):  # its own is replaced
        stream_portrait(flow, x, x, path=tmp_path / "keep.npy")
