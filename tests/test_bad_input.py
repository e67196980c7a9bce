"""Bad input: one line that says what was wrong, the value, and what to do; nothing half-written."""

import errno
import json
import os
import subprocess
import sys
import tracemalloc
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from flowsam import (
    Data,
    Flow,
    Perturbation,
    balanced,
    exponential,
    from_labels,
    l2,
    limit,
    limits,
    linf,
    lp,
    phase_portrait,
    single_example,
    solve,
    unnormalised,
)
from flowsam.cli import main
from flowsam.portrait import load as load_portrait
from flowsam.trajectory import load as load_trajectory

FLOW = Flow(single_example([1, 2]), linf(1))
START = balanced([1.5, 0.6], 2)
X = np.array([[1.0, 2.0], [3.0, 4.0]])

CASES = {
    "non-finite data": (lambda: Data([[1.0, np.nan]]), "nan", ValueError),
    "infinite mu": (lambda: single_example([np.inf, 1.0]), "inf", ValueError),
    "complex data": (lambda: Data(np.array([[1j, 1.0]])), "complex128", TypeError),
    "words for numbers": (lambda: single_example(["a", "b"]), "real numbers", TypeError),
    "shape of data": (lambda: Data([1.0, 2.0]), "(2,)", ValueError),
    "zero example": (lambda: Data([[1.0, 0.0], [0.0, 0.0]]), "row 1", ValueError),
    "all-zero mu": (lambda: single_example([0.0, 0.0]), "all zeros", ValueError),
    "three classes": (lambda: from_labels(np.eye(3), [0, 1, 2]), "got 3", ValueError),
    "one class": (lambda: from_labels(X, [1, 1]), "got 1", ValueError),
    "labels too few": (lambda: from_labels(X, [1]), "(1,)", ValueError),
    "negative rho": (lambda: linf(-0.5), "-0.5", ValueError),
    "rho not a number": (lambda: l2(float("nan")), "nan", ValueError),
    "infinite rho": (lambda: l2(float("inf")), "inf", ValueError),
    "p below 1": (lambda: lp(1.0, p=0.5), "0.5", ValueError),
    "p not a number": (lambda: Perturbation(float("nan"), 1.0), "nan", ValueError),
    "depth 0": (lambda: balanced([1.0], 0), "got 0", ValueError),
    "alpha not positive": (lambda: balanced([1.0, -0.3], 2), "-0.3 in coordinate 2", ValueError),
    "signs not +-1": (lambda: balanced([1.0, 1.0], 2, signs=[1, 2]), "+1 and -1", ValueError),
    "theta against z": (lambda: solve(FLOW, np.ones((2, 3)), tau_end=1), "(2, 3)", ValueError),
    "no layers": (lambda: solve(FLOW, np.ones((0, 2)), tau_end=1), "(0, 2)", ValueError),
    "non-finite theta": (lambda: limit(FLOW, [[1.0, np.inf]] * 2), "inf", ValueError),
    "a batch for solve": (lambda: solve(FLOW, np.ones((3, 2, 2)), tau_end=1), "(3, 2", ValueError),
    "a batch for limit": (lambda: limit(FLOW, np.ones((3, 2, 2))), "(3, 2, 2)", ValueError),
    "theta for limits": (lambda: limits(FLOW, np.ones(2)), "(2,)", ValueError),
    "no end": (lambda: solve(FLOW, START), "neither", ValueError),
    "two ends": (lambda: solve(FLOW, START, tau_end=1, log_t_end=1), "both", ValueError),
    "end at 0": (lambda: solve(FLOW, START, tau_end=0), "got 0", ValueError),
    "infinite end": (lambda: solve(FLOW, START, log_t_end=np.inf), "inf", ValueError),
    "rtol too small": (lambda: solve(FLOW, START, tau_end=1, rtol=1e-14), "1e-14", ValueError),
    "negative atol": (lambda: solve(FLOW, START, tau_end=1, atol=-1.0), "-1", ValueError),
    "no atol": (lambda: solve(FLOW, START, tau_end=1, atol=0.0), "got 0:", ValueError),
    "rates beyond doubles": (
        lambda: solve(Flow(single_example([1e299]), l2(1)), [[1.5]] * 2, tau_end=1, method="RK45"),
        "1e+299",
        ValueError,
    ),
    "ragged theta": (lambda: solve(FLOW, [[1, 2], [1]], tau_end=1), "one length", ValueError),
    "complex theta": (lambda: solve(FLOW, START * 1j, tau_end=1), "complex128", TypeError),
    "rows beyond memory": (
        lambda: solve(FLOW, START, tau_end=1, save_at=10**13),
        "GiB",
        ValueError,
    ),
    "unknown method": (lambda: solve(FLOW, START, tau_end=1, method="euler"), "euler", ValueError),
    "one row": (lambda: solve(FLOW, START, tau_end=1, save_at=1), "got 1", ValueError),
    "rows beyond the end": (
        lambda: solve(FLOW, START, tau_end=3, save_at=[0, 5]),
        "tau_end = 3, got 5",
        ValueError,
    ),
    "unsorted rows": (lambda: solve(FLOW, START, tau_end=1, save_at=[1, 0]), "sort", ValueError),
    "no closed form": (
        lambda: solve(Flow(FLOW.data, lp(1, p=3)), START, tau_end=1, method="exact"),
        "l_3-SAM",
        ValueError,
    ),
    "plane without two features": (
        lambda: phase_portrait(Flow(single_example([1.0]), linf(1)), [1.0], [1.0]),
        "d = 1",
        ValueError,
    ),
    "axis of a plane": (lambda: phase_portrait(FLOW, [[1.0]], [1.0]), "(1, 1)", ValueError),
    "grid too large": (
        lambda: phase_portrait(FLOW, np.ones(20_000) + 1, np.ones(20_000) + 1),
        "flowsam.portrait.stream_portrait",
        ValueError,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_line_with_the_value(name):
    call, value, error = CASES[name]
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert value in message, message
    assert "\n" not in message and len(message) < 240, message


WRONG_KINDS = {
    "solve(flow, start, tau_end=[1, 2])": "tau_end needs one real number, got [1, 2]",
    "solve(flow, start, tau_end=1, rtol='low')": "rtol needs one real number, got 'low'",
    "Flow(np.ones((1, 2)), linf(1))": "Data, got ndarray; e.g. single_example(mu)",
    "Flow(flow.data, 'linf')": "Perturbation, got str; e.g. linf(rho)",
    "Flow(flow.data, linf(1), 'logistic')": "Loss, got str; e.g. logistic",
    "solve(flow.data, start, tau_end=1)": "solve needs flow to be a Flow, got Data",
}


def test_wrong_kinds_are_named_where_no_type_checker_runs():
    lines = [
        "import numpy as np",
        "from flowsam import *",
        "flow, start = Flow(single_example([1, 2]), linf(1)), balanced([1.5, 0.6], 2)",
        f"for call in {list(WRONG_KINDS)}:",
        "    try: eval(call)",
        "    except TypeError as error: print(error)",
    ]
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    found = run.stdout.splitlines()
    assert len(found) == len(WRONG_KINDS)
    for message, expected in zip(found, WRONG_KINDS.values(), strict=True):
        assert expected in message


@pytest.mark.parametrize("load", [load_trajectory, load_portrait])
@pytest.mark.parametrize("content", [b"", b"not a zip", None])
def test_foreign_files_are_refused(tmp_path, load, content):
    path = tmp_path / "foreign.npz"
    if content is None:
        np.savez(path, header=np.array('{"format": "other"}'))
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"foreign\.npz") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def drop(name):
    return lambda header, arrays: arrays.pop(name)


def put(*path, value):
    def change(header, arrays):
        for key in path[:-1]:
            header = header[key]
        header[path[-1]] = value

    return change


def without_loss(header, arrays):
    del header["provenance"]["loss"]


def fewer_rows(header, arrays):
    arrays["theta" if "theta" in arrays else "labels"] = next(
        arrays[name][:-1] for name in ("theta", "labels") if name in arrays
    )


def words(header, arrays):
    arrays["z"] = np.array([["a", "b"]])


DAMAGES = {
    "no z": (drop("z"), "z is missing"),
    "z of words": (words, "no numbers"),
    "another loss": (put("provenance", "loss", value="hinge"), "hinge"),
    "no loss": (without_loss, "loss"),
    "fewer rows": (fewer_rows, "which is not"),
    "a negative rho": (put("provenance", "rho", value=-1.0), "-1"),
    "facts no table": (put("provenance", value=[1, 2]), "Error"),
}
ONLY_RUNS = {
    "no log_t": (drop("log_t"), "log_t is missing"),
    "a foreign event": (put("events", value=[{"foo": 1}]), "Error"),
    "no features in common": (lambda header, arrays: arrays.update(z=np.ones((1, 3))), "d = 3"),
}


@pytest.mark.parametrize(
    ("load", "name"),
    [(load_portrait, name) for name in DAMAGES]
    + [(load_trajectory, name) for name in (*DAMAGES, *ONLY_RUNS)],
)
def test_damaged_files_are_refused(tmp_path, load, name):
    x = [0.5, 1.5]
    whole = phase_portrait(FLOW, x, x) if load is load_portrait else solve(FLOW, START, tau_end=1)
    path = whole.save(tmp_path / "damaged.npz")
    with np.load(path) as file:
        arrays = dict(file)
    header = json.loads(str(arrays.pop("header")))
    change, named = (DAMAGES | ONLY_RUNS)[name]
    change(header, arrays)
    np.savez(path, header=np.array(json.dumps(header)), **arrays)
    with pytest.raises(ValueError, match=r"damaged\.npz") as caught:
        load(path)
    assert named in str(caught.value) and "\n" not in str(caught.value)


def test_missing_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"gone\.npz"):
        load_trajectory(tmp_path / "gone.npz")


def test_a_folder_that_is_missing_leaves_nothing(tmp_path):
    run = solve(FLOW, START, tau_end=1)
    with pytest.raises(ValueError, match="can be written"):
        run.save(tmp_path / "missing" / "run.npz")
    assert not list(tmp_path.iterdir())


def test_an_end_beyond_a_blow_up_is_no_error():
    run = solve(FLOW, balanced([1.5, 0.6], 3), tau_end=1e3)
    assert run.status == "escaped" and run.tau[-1] == 2.0


def test_an_ascent_step_beyond_doubles_is_said() -> None:
    """Unnormalised SAM, exponential loss, margins of -20,000: one line, no warning."""
    flow = Flow(Data([[1e3], [900.0]]), unnormalised(3.0), exponential)
    with pytest.raises(ValueError, match="ascent step .* leaves the range of doubles"):
        solve(flow, [[-20.0]], tau_end=30.0)


PORTRAIT_DAMAGES = {
    "label 99": lambda header, arrays: arrays["labels"].fill(99),
    "label -7": lambda header, arrays: arrays["labels"].fill(-7),
    "halves": lambda header, arrays: arrays.update(labels=arrays["labels"] + 0.5),
    "no numbers": lambda header, arrays: arrays.update(labels=arrays["labels"] * np.nan),
    "another label": lambda header, arrays: arrays["labels"].fill(1),
    "another version": put("provenance", "flowsam", value="0.0.1"),
    "no digest": lambda header, arrays: header.pop("digest"),
}


@pytest.mark.parametrize("name", PORTRAIT_DAMAGES)
def test_rows_of_an_interrupted_portrait_are_those_that_were_written(tmp_path, name):
    x = [0.5, 1.5]
    path = replace(phase_portrait(FLOW, x, x), unfinished=1).save(tmp_path / "rows.npz")
    assert load_portrait(path).unfinished == 1
    with np.load(path) as file:
        arrays = dict(file)
    header = json.loads(str(arrays.pop("header")))
    PORTRAIT_DAMAGES[name](header, arrays)
    np.savez(path, header=np.array(json.dumps(header)), **arrays)
    with pytest.raises(ValueError, match=r"rows\.npz"):
        load_portrait(path)


def test_a_file_that_unpacks_to_more_than_its_size_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("more.npy", bytes(2**26))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="unpacks to 67108864 bytes"):
            load_trajectory(path)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


WRITERS = {
    "limit": (["limit", "--mu", "1,2", "--rho", "1", "--init", "1"], "json"),
    "derive": (["derive"], "tex"),
    "simulate": (["simulate", "--mu", "1", "--rho", "1", "--init", "2", "--tau-end", "1"], "npz"),
    "portrait": (["portrait", "--mu", "1,2", "--rho", "1", "--grid", "3"], "json"),
    "picture": (["portrait", "--mu", "1,2", "--rho", "1", "--grid", "3"], "png"),
    "arrays": (["portrait", "--mu", "1,2", "--rho", "1", "--grid", "3"], "npz"),
    "facts": (["portrait", "--mu", "1,2", "--rho", "1", "--grid", "3"], "npy"),
    "leaders": (["amplification", "--mu", "1,2", "--rho", "1", "--init", "0.5"], "npz"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch, capsys, name):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    command, suffix = WRITERS[name]
    old = tmp_path / f"old.{suffix}"
    old.write_text("kept")
    monkeypatch.setattr(os, "fsync", full)
    assert main([*command, "--out", str(old)]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and "No space left" in said.err and not said.out
    assert old.read_text() == "kept"
    left = {entry.name for entry in tmp_path.iterdir()} - {old.name}
    assert all(name.startswith(".old.npy.") for name in left), "rows that resume goes on with"
