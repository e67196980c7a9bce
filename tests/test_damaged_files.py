"""Files that a disk has harmed: what is read is what was written, or it is told in one line."""

import random
import shutil
from dataclasses import replace

import numpy as np
import pytest

from flowsam import Flow, balanced, linf, phase_portrait, single_example, solve
from flowsam.errors import InputError
from flowsam.ledger.kept_work import record, recorded
from flowsam.portrait import load as load_portrait
from flowsam.portrait import plane_rows, resume, stream_portrait
from flowsam.portrait.planes import BalancedPlane
from flowsam.trajectory import load as load_trajectory

FLOW = Flow(single_example([1, 2]), linf(1))
X = np.linspace(0.1, 2, 7)
NUMBERS = [12, pytest.param(300, marks=pytest.mark.long)]


class Stopped(BaseException):
    """Stands for the end of a process."""


def harmed(content, rng):
    """Bytes with one bit flipped, cut, zeroed, exchanged or added to."""
    kind = rng.choice(("flip", "flip", "cut", "zeros", "swap", "more"))
    place, other = rng.randrange(len(content)), rng.randrange(len(content))
    wrong = bytearray(content)
    if kind == "flip":
        wrong[place] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del wrong[place:]
    elif kind == "zeros":
        wrong[place : place + 16] = bytes(len(wrong[place : place + 16]))
    elif kind == "swap":
        wrong[place], wrong[other] = wrong[other], wrong[place]
    else:
        wrong.insert(place, rng.randrange(256))
    return bytes(wrong)


def refused_or(read, *right):
    """Demand that reading is refused in one line, or gives what is right."""
    try:
        found = read()
    except InputError as error:
        assert "\n" not in str(error)
        return
    for one, other in zip(found, right, strict=True):
        assert np.array_equal(one, other), (one, other)


@pytest.mark.parametrize("number", NUMBERS)
def test_trajectories(tmp_path, number):
    run = solve(FLOW, balanced([1.5, 0.6], 2), tau_end=1)
    content, rng = run.save(tmp_path / "a.npz").read_bytes(), random.Random(number)

    def read():
        found = load_trajectory(tmp_path / "a.npz")
        return found.theta, found.tau, found.message, found.data.z, found.perturbation.rho

    for _ in range(number):
        (tmp_path / "a.npz").write_bytes(harmed(content, rng))
        refused_or(read, run.theta, run.tau, run.message, [[1, 2]], 1.0)


@pytest.mark.parametrize("number", NUMBERS)
def test_partial_portraits(tmp_path, number):
    whole, rng = phase_portrait(FLOW, X, X), random.Random(number)
    content = replace(whole, unfinished=3).save(tmp_path / "a.npz").read_bytes()

    def read():
        kept = load_portrait(tmp_path / "a.npz")
        return (resume(kept, FLOW, axes=(X, X), start=BalancedPlane(2)).labels,)

    for _ in range(number):
        (tmp_path / "a.npz").write_bytes(harmed(content, rng))
        refused_or(read, whole.labels)


@pytest.mark.parametrize("number", NUMBERS)
def test_rows_of_a_stream(tmp_path, monkeypatch, number):
    monkeypatch.setattr(plane_rows, "WRITTEN", 2 * X.size)
    monkeypatch.setattr(plane_rows, "ROWS", 4)
    labels, rng, path = phase_portrait(FLOW, X, X).labels, random.Random(number), tmp_path / "a.npy"
    for _ in range(number):
        done = []

        def dying(cells, done=done):
            done.append(cells)
            if sum(done) > 20:
                raise Stopped

        with pytest.raises(Stopped):
            stream_portrait(FLOW, X, X, path=path, progress=dying)
        file = rng.choice(sorted(tmp_path.glob(".a.npy*")))
        file.write_bytes(harmed(file.read_bytes(), rng))
        assert np.array_equal(np.load(stream_portrait(FLOW, X, X, path=path).path), labels)
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.json", "a.npy"]
        path.unlink()


@pytest.mark.parametrize("number", NUMBERS)
def test_records_of_the_ledger(tmp_path, number):
    picture, rng = tmp_path / "a.png", random.Random(number)
    picture.write_bytes(bytes(range(256)))
    record(
        tmp_path / "a.json",
        {"card": {"rule": "l_2", "seconds": 1.5}, "symbolic": "pass"},
        [picture],
    )
    right, content = recorded(tmp_path / "a.json"), (tmp_path / "a.json").read_bytes()
    assert right["files"] == {"a.png": True} and right["symbolic"] == "pass"
    for _ in range(20 * number):
        (tmp_path / "a.json").write_bytes(harmed(content, rng))
        assert recorded(tmp_path / "a.json") in ({}, right)
    (tmp_path / "a.json").write_text("[" * 100_000)
    assert recorded(tmp_path / "a.json") == {}
    (tmp_path / "a.json").write_bytes(content)
    picture.write_bytes(harmed(picture.read_bytes(), random.Random(1)))
    assert recorded(tmp_path / "a.json")["files"] == {"a.png": False}


@pytest.mark.parametrize("number", NUMBERS)
def test_every_file_of_a_store(tmp_path, number):
    pytest.importorskip("zarr")
    from flowsam import sweep

    case = {"mu": [1, 2], "alpha": [1.5, 0.6], "tau_end": 1.0, "measure": ["label", "beta"]}
    axes, store = {"rho": [0.5, 1.0, 2.0], "norm": ["2", "inf"]}, tmp_path / "s"
    right = sweep(case, axes, store=store, chunk=2).load()
    shutil.copytree(store, tmp_path / "kept")
    files = [file for file in sorted(store.rglob("*")) if file.is_file() and file.stat().st_size]
    rng = random.Random(number)

    def read():
        found = sweep(case, axes, store=store, resume="unfinished").load()
        return [found[name].values for name in right.variables]

    for _ in range(number):
        file = rng.choice(files)
        file.write_bytes(harmed(file.read_bytes(), rng))
        refused_or(read, *(right[name].values for name in right.variables))
        shutil.rmtree(store)
        shutil.copytree(tmp_path / "kept", store)
