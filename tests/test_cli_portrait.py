"""flowsam portrait: planes, rules, refinement, files, progress, interrupts, bad input."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from flowsam import Flow, l2, layer_plane, linf, lp, phase_portrait, single_example, unnormalised
from flowsam.cli import main
from flowsam.portrait import load, plane_rows
from flowsam.portrait.planes import (
    BalancedPlane,
    ImbalancePlane,
    RadiusPlane,
    SegmentPlane,
    WeightPlane,
)
from tests.command_lines import amended

MINOR = ["portrait", "--mu", "1,2", "--rho", "1"]
FLOW = Flow(single_example([1, 2]), linf(1.0))
COUNTED = re.compile(rb"[1-9][\d.]*[kM]?/\d")  # "60.0/1.20M", and not "0.00/1.20M"


def answer(capsys, *arguments):
    """Exit code, standard output, standard error."""
    code = main(list(map(str, arguments)))
    return code, *capsys.readouterr()


def test_it_counts_and_draws(capsys, tmp_path):
    code, out, err = answer(
        capsys, *MINOR, "--x", "0.05,1.95", "--grid", 20, "--json", "--out", tmp_path / "plane.svg"
    )
    facts = json.loads(out)
    assert (code, err) == (0, "") and set(facts["fractions"]) == {"0", "1", "2"}
    assert b"<svg" in (tmp_path / "plane.svg").read_bytes()
    assert [entry.name for entry in tmp_path.iterdir()] == ["plane.svg"]


def test_one_feature_has_the_layer_plane(capsys, tmp_path):
    path = tmp_path / "uv.npz"
    code, _, _ = answer(
        capsys, "portrait", "--mu", 1, "--rho", 1, "--x=-3,3", "--grid", 21, "--out", path
    )
    plane, x = load(path), np.linspace(-3, 3, 21)
    direct = phase_portrait(Flow(single_example([1]), linf(1.0)), x, x, start=layer_plane)
    assert code == 0 and plane.axes[0] == "first layer u"
    np.testing.assert_array_equal(plane.labels, direct.labels)


ALPHA, BETA = np.array([[1.2, 0.7]] * 2), np.array([[0.2, 1.1]] * 2)
PLANES = {
    "balanced": ([], BalancedPlane(2)),
    "weights": (["--init", "1.2,0.7", "--weights", "1.1,2.1"], WeightPlane(ALPHA, (0, 0), (1, 0))),
    "imbalance": (["--init", "1.2,0.7"], ImbalancePlane([1.2, 0.7], 2)),
    "segment": (["--init", "1.2,0.7", "--init", "0.2,1.1"], SegmentPlane(ALPHA, BETA)),
    "radius": (["--init", "1.2,0.7"], RadiusPlane(ALPHA)),
}


@pytest.mark.parametrize("kind", PLANES)
def test_every_plane_is_the_api_s(capsys, tmp_path, kind):
    options, start = PLANES[kind]
    ends = ["--x", "0.1,1.9", "--y", "0.15,1.8", "--grid", "7,6"]
    path = tmp_path / "plane.json"
    common = MINOR[: -2 if kind == "radius" else None]  # whose y is rho
    code, _, _ = answer(capsys, *common, "--plane", kind, *options, *ends, "--out", path)
    x, y = np.linspace(0.1, 1.9, 7), np.linspace(0.15, 1.8, 6)
    found, direct = json.loads(path.read_text()), phase_portrait(FLOW, x, y, start=start)
    assert code == 0 and found["labels"] == direct.labels.tolist()
    assert found["axes"] == list(direct.axes) and found["x"] == x.tolist()
    assert [line["name"] for line in found["boundaries"]] == [n for n, _ in direct.boundaries]


def test_a_plane_s_start_may_be_a_file(capsys, tmp_path):
    np.save(tmp_path / "theta.npy", ALPHA)
    ends = ["--x", "0.1,1.9", "--grid", 5, "--plane", "radius", "--json"]
    answers = [
        json.loads(answer(capsys, *MINOR[:-2], *ends, *given)[1])["fractions"]
        for given in (["--theta", tmp_path / "theta.npy"], ["--init", "1.2,0.7"])
    ]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("norm", "rule"),
    [
        ("2", l2(1.0)),
        ("1.5", lp(1.0, p=1.5)),
        ("1", lp(1.0, p=1)),
        ("unnormalised", unnormalised(1.0)),
    ],
)
@pytest.mark.parametrize("depth", [2, 3])
def test_every_norm_and_depth_is_the_api_s(capsys, tmp_path, norm, rule, depth):
    path, x = tmp_path / "plane.npz", np.linspace(0.2, 1.7, 6)
    how = ["--norm", norm, "--depth", depth, "--x", "0.2,1.7", "--grid", 6]
    code, _, _ = answer(capsys, *MINOR, *how, "--out", path)
    direct = phase_portrait(Flow(single_example([1, 2]), rule), x, x, depth=depth)
    assert code == 0 and load(path).flow.perturbation == rule and load(path).depth == depth
    np.testing.assert_array_equal(load(path).labels, direct.labels)


def test_refinement_comes_with_its_error(capsys, tmp_path):
    path = tmp_path / "fine.npz"
    how = ["--norm", 2, "--x", "0.05,1.25", "--grid", 13, "--refine", 5, "--json", "--out", path]
    code, out, _ = answer(capsys, *MINOR, *how)
    facts, kept = json.loads(out), load(path)
    assert code == 0 and facts["refinement"]["tolerance_in_cells"] == 2**-5
    assert facts["refinement"]["evaluations"] > 0 and kept.refinement.curves
    assert max(facts["fraction_errors"].values()) < 0.01


def test_fields_are_drawn_and_rest_points_told(capsys, tmp_path):
    path = tmp_path / "uv.pdf"
    how = ["--x=-3,3", "--grid", 31, "--field", "--path", "0.5,0.7", "--json", "--out", path]
    code, out, err = answer(capsys, "portrait", "--mu", 1, "--rho", 1, *how)
    points = json.loads(out)["rest_points"]
    assert (code, err) == (0, "") and path.stat().st_size > 5000
    assert [p["kind"] for p in points] == ["saddle", "stable pseudo-node", "saddle"]
    assert points[1]["eigenvalues"] == ["-inf", "-inf"]
    assert points[2]["point"] == pytest.approx([1, 1])


def test_times_of_decision_are_a_second_picture_and_part_of_json(capsys, tmp_path):
    how = ["--x", "0.2,1.8", "--grid", 9, "--times", "--quiet"]
    assert answer(capsys, *MINOR, *how, "--out", tmp_path / "plane.png")[0] == 0
    code, _, _ = answer(capsys, *MINOR, *how, "--depth", 4, "--out", tmp_path / "plane.json")
    x = np.linspace(0.2, 1.8, 9)
    direct = phase_portrait(FLOW, x, x, depth=4).settled_at
    found = json.loads((tmp_path / "plane.json").read_text())["settled_at"]
    assert code == 0 and (tmp_path / "plane.png").stat().st_size > 5000
    np.testing.assert_array_equal(np.array(found, dtype=float), direct)


def test_the_field_reaches_the_axes_a_cell_away(capsys):
    how = ["--norm", 2, "--grid", 24, "--field", "--json"]
    _, out, _ = answer(capsys, *MINOR, *how)
    assert [0, 0] in [p["point"] for p in json.loads(out)["rest_points"]]


def test_progress_counts_finished_cells_on_stderr(capsys, monkeypatch):
    import tqdm

    bars = []

    class Bar(tqdm.tqdm):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            bars.append(self)

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    monkeypatch.setattr(plane_rows, "BLOCK", 20)
    how = ["--norm", 2, "--grid", "10,8", "--refine", 2]
    assert answer(capsys, *MINOR, *how)[2] == "" and all(bar.disable for bar in bars)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    bars.clear()
    code, out, err = answer(capsys, *MINOR, *how)
    assert code == 0 and "cells" in err and "labels" in err and "cells" not in out
    assert (bars[0].n, bars[0].total) == (80, 80) and bars[1].n > 0
    assert answer(capsys, *MINOR, *how, "--quiet") == (0, "", "")


def interrupted_after(monkeypatch, name, blocks):
    """Raise SIGINT in the middle of a later block of labels."""
    import flowsam.portrait.plane_rows as module

    limits, calls = getattr(module, name), []

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == blocks + 1:
            signal.raise_signal(signal.SIGINT)
        return limits(*arguments)

    monkeypatch.setattr(module, name, stopping)


def test_an_interrupt_keeps_finished_rows_and_says_how_to_go_on(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(plane_rows, "BLOCK", 24)
    monkeypatch.setattr(plane_rows, "SECONDS", 1e3)
    how = [*MINOR, "--norm", 1.5, "--x", "0.1,1.3", "--grid", "12,9"]
    whole, path = tmp_path / "whole.npz", tmp_path / "plane.npz"
    assert answer(capsys, *how, "--out", whole)[0] == 0
    with monkeypatch.context() as patch:
        interrupted_after(patch, "limits", 2)
        code, out, err = answer(capsys, *how, "--out", path)
    kept = tmp_path / "plane.partial.npz"
    assert (code, out) == (130, "") and not path.exists()
    assert f"4 of 9 rows are kept in {kept}" in err and f"--resume {kept}" in err
    assert err.count("\n") == 1 and load(kept).unfinished == 5
    with monkeypatch.context() as patch:  # once more, on the way to the end
        interrupted_after(patch, "limits", 1)
        assert answer(capsys, *how, "--out", path, "--resume", kept)[0] == 130
    assert load(kept).unfinished == 3
    assert answer(capsys, *how, "--out", path, "--resume", kept)[0] == 0
    np.testing.assert_array_equal(load(path).labels, load(whole).labels)
    assert load(path).unfinished == 0 and load(path).provenance() == load(whole).provenance()


def interrupted_at_work(line):
    """Send SIGINT to a command whose bar counts finished cells; its code and what it said.

    Again where the bar counts on: NumPy loses one in a hundred in a look at an enum of Python 3.11.
    """
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    terminal, stderr = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    said, counts = b"", 0
    with subprocess.Popen(line, stderr=stderr) as run, open(terminal, "rb", 0) as shown:
        os.close(stderr)
        with contextlib.suppress(OSError):  # how Linux tells the end of a terminal
            while part := shown.read(4096):
                said += part
                if COUNTED.search(part):
                    counts += 1
                    if counts % 5 == 1:
                        run.send_signal(signal.SIGINT)
    return run.returncode, said.decode()


@pytest.mark.long
def test_a_signal_to_a_slow_command_keeps_its_rows(tmp_path):
    """Of 1.2 million cells, 15 s of work, a few are decided before each signal."""
    line = [sys.executable, "-m", "flowsam", "portrait", "--mu", "1,2", "--norm", "unnormalised"]
    line += ["--rho", "8", "--depth", "4", "--x", "0.05,2", "--grid", "60,20000", "--out"]
    path, kept = tmp_path / "plane.npz", tmp_path / "plane.partial.npz"
    flow, left = Flow(single_example([1, 2]), unnormalised(8.0)), 20_000
    for more in ([], ["--resume", kept]):
        code, said = interrupted_at_work([*line, path, *more])
        assert code == 130 and said.count("\n") == 1 and f"--resume {kept}" in said
        found = load(kept)
        assert 0 < found.unfinished < left and not path.exists()
        left = found.unfinished
        done = found.y.size - left
        whole = phase_portrait(flow, found.x, found.y[:done], depth=4)
        np.testing.assert_array_equal(found.labels[:done], whole.labels)


def test_an_interrupt_of_the_refinement_keeps_all_rows(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    how = [*MINOR, "--norm", 2, "--x", "0.1,1.3", "--grid", 12, "--refine", 3]

    def stopping(*_, **__):
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr("flowsam.portrait.refine", stopping)
        code, _, err = answer(capsys, *how)
    assert code == 130 and "12 of 12 rows are kept in portrait.partial.npz" in err
    code, out, _ = answer(capsys, *how, "--resume", "portrait.partial.npz", "--json")
    assert code == 0 and json.loads(out)["refinement"]["evaluations"] > 0


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (["--norm", 2], "rule"),
        (["--mu", "1,3"], "data"),
        (["--loss", "exponential"], "loss"),
        (["--x", "0.1,2"], "same x"),
        (["--grid", "5,4"], "same y"),
        (["--depth", 3], "plane"),
    ],
)
def test_rows_of_another_portrait_are_not_continued(capsys, tmp_path, changed, named):
    path = tmp_path / "kept.npz"
    how = [*MINOR, "--x", "0.1,1.9", "--grid", 5]
    assert answer(capsys, *how, "--out", path)[0] == 0
    code, out, err = answer(capsys, *amended(how, changed), "--resume", path)
    assert (code, out) == (2, "") and err.count("\n") == 1 and named in err


BAD = {
    "grid word": (["--grid", "many"], "'many'"),
    "grid 0": (["--grid", "0"], "--grid"),
    "half a point": (["--grid", "2.5"], "'2.5'"),
    "three grids": (["--grid", "2,3,4"], "2,3,4"),
    "range": (["--x", "0"], "START,STOP,POINTS"),
    "huge": (["--grid", "100000"], "GiB"),
    "levels": (["--refine", "40"], "40"),
    "features": (["--mu", "1,2,3"], "d = 2 features, got d = 3;"),
    "layers": (["--plane", "layers"], "d = 1"),
    "plane": (["--plane", "torus"], "torus"),
    "no start": (["--plane", "imbalance"], "one start"),
    "one end": (["--plane", "segment", "--init", "1"], "two starts"),
    "a start too many": (["--init", "1"], "no start"),
    "weights of what": (["--weights", "1.1,2.1"], "--plane weights"),
    "no weights": (["--plane", "weights", "--init", "1"], "1.1,2.1"),
    "weights word": (["--plane", "weights", "--init", "1", "--weights", "a.b,1.1"], "'a.b,1.1'"),
    "far weights": (
        ["--plane", "weights", "--init", "1", "--weights", "1.1,9.1"],
        "2 layers and 2 features, counted from 1, got '1.1,9.1'",
    ),
    "zeroth": (["--plane", "weights", "--init", "1", "--weights", "0.1,2.1"], "got '0.1,2.1'"),
    "refined backwards": (["--x=2,1", "--norm", "1.5", "--refine"], "x to increase, got 2 to 1"),
    "refined point": (["--grid", "1", "--refine"], "two points of x"),
    "negative start": (["--plane", "imbalance", "--init", "-1"], "-1"),
    "negative alpha": (["--x", "-1,1"], "--init needs numbers > 0"),
    "ties of l_1": (["--norm", "1", "--field", "--json"], "l_1-SAM"),
    "plane left": (
        ["--plane", "weights", "--init", "1.5", "--weights", "1.1,2.1", "--field", "--json"],
        "leaves this plane",
    ),
    "times of what": (["--times"], "--out"),
    "path": (["--path", "1"], "X,Y"),
    "path outside": (["--path", "9,9", "--json"], "[9.0, 9.0]"),
    "no file": (["--resume", "none.npz"], "none.npz"),
    "foreign file": (["--resume", "foreign.npz"], "foreign.npz"),
    "times of labels": (["--out", "a.npy", "--times"], "streams labels alone, got --times"),
    "field of labels": (["--out", "a.npy", "--field", "--path", "1,1"], "got --field, --path"),
    "levels of labels": (["--out", "a.npy", "--refine"], "got --refine"),
    "rows of labels": (["--out", "a.npy", "--resume", "b.npz"], "the same command goes on"),
    "grid nan": (["--grid", "nan"], "'nan'"),
    "grid inf": (["--grid", "inf"], "'inf'"),
    "grid without end": (["--grid", "1e9"], "'1e9'"),
    "range nan": (["--x", "nan,1"], "finite range"),
    "options of tables": (["--label", "y"], "--label is for tables"),
    "ending": (["--out", "plane.csv"], ".json"),
    "folder": (["--out", "no/plane.png"], "no/plane.png"),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_bad_input_gets_one_line_and_code_two(capsys, tmp_path, monkeypatch, case):
    arguments, named = BAD[case]
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "foreign.npz", labels=np.zeros((2, 2)))
    code, out, err = answer(capsys, *amended(MINOR, arguments))
    assert (code, out) == (2, "") and err.startswith("flowsam: ") and err.count("\n") == 1
    assert named in err and "Traceback" not in err
    assert [entry.name for entry in tmp_path.iterdir()] == ["foreign.npz"]


def test_starts_are_two_dimensional(capsys, tmp_path):
    np.save(tmp_path / "theta.npy", np.ones((3, 2, 2)))
    how = ["--plane", "weights", "--weights", "1.1,2.1", "--theta", tmp_path / "theta.npy"]
    code, _, err = answer(capsys, *MINOR, *how)
    assert code == 2 and "(3, 2, 2)" in err and err.count("\n") == 1


def test_a_radius_that_is_an_axis_need_not_be_named(capsys, tmp_path):
    """Neither text nor JSON says rho=1."""
    how = ["portrait", "--mu", "1,2", "--plane", "radius", "--init", "1,1", "--grid", 9]
    code, out, _ = answer(capsys, *how)
    assert code == 0 and "rho=1" not in out and "y: radius rho, 0.222222 to 2" in out
    code, out, _ = answer(capsys, *how, "--json")
    assert code == 0 and json.loads(out)["rho"] == "y"
    code, out, _ = answer(capsys, *how, "--json", "--out", tmp_path / "plane.npy")
    assert code == 0 and json.loads(out)["rho"] == "y"
    code, out, err = answer(capsys, *how, "--norm", "none")
    assert code == 2 and "--plane radius needs a rule with a radius" in err
    assert answer(capsys, *how[:3], "--grid", 9)[0] == 2  # other planes need one


def test_a_radius_beside_its_own_axis_is_refused(capsys):
    how = ["portrait", "--mu", "1,2", "--plane", "radius", "--init", "1,1", "--grid", "5"]
    assert main([*how, "--rho", "1"]) == 2
    assert "rho as its --y, got --rho 1" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--x="], ["--x", " "], ["--out", ""]])
def test_an_empty_value_is_no_value(words, capsys):
    assert main(["portrait", "--mu", "1,2", "--rho", "1", "--grid", "3", *words]) == 2
    err = capsys.readouterr().err
    assert f"{words[0].rstrip('=')} needs a value" in err and err.count("\n") == 1


def test_a_foreign_file_beside_a_stream_is_kept(capsys, tmp_path):
    (tmp_path / "keep.json").write_text("mine")
    code, _, err = answer(capsys, *MINOR, "--grid", 5, "--out", tmp_path / "keep.npy")
    assert code == 2 and "keep.json" in err and (tmp_path / "keep.json").read_text() == "mine"
