"""What a sweep's store survives: kills at any moment, two processes at once, dying workers."""

import errno
import os
import random
import signal
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("zarr")
pytest.importorskip("xarray")

from flowsam import sweep
from flowsam.cli import main
from flowsam.errors import InputError
from flowsam.sweeps.conduct import _opened
from flowsam.sweeps.problem import checked
from flowsam.sweeps.store import Store
from tests import sweep_cases

ROOT = Path(__file__).parents[1]
CASE = {"mu": [1, 2], "alpha": [1.5, 0.6], "measure": ["label", "tests.sweep_cases:noted"]}
forks = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")


class Killed(BaseException):
    """Stands for a death at a chosen place."""


@pytest.fixture
def log(tmp_path, monkeypatch):
    """The file in which every call of `noted` leaves a line."""
    monkeypatch.setenv(sweep_cases.LOG, str(tmp_path / "log"))
    return tmp_path / "log"


def axes(cells):
    """Axes of so many cells."""
    return {"rho": [0.5, 1.0], "scale": {"start": 0.5, "stop": 2.0, "points": cells // 2}}


def same(found, reference):
    """Whether two results agree in every bit of every array."""
    return set(found.variables) == set(reference.variables) and all(
        found[name].values.tobytes() == reference[name].values.tobytes()
        for name in reference.variables
        if name not in ("error", "norm")
    )


def right_where_finished(store, reference):
    """The number of finished cells of a store that may have been torn; all of them are right."""
    import xarray

    found = xarray.open_zarr(store, chunks=None, consolidated=False)
    done = found.state.values == 1
    for name in ("label", "noted"):
        assert found[name].values[done].tobytes() == reference[name].values[done].tobytes()
    return int(done.sum())


def in_child(work, delay=None):
    """Run work in a forked process; kill it after `delay` seconds; return its exit code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork beside Zarr's idle thread
        child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    if delay is not None:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    return child


def code_of(child):
    """Wait for a child."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_and_resume(store, number, chunks, seed):
    """Kill a sweep of one-cell chunks at random moments, resume it, and count the real kills."""
    reference = sweep(CASE, axes(chunks), chunk=1)
    rng, kills, done = random.Random(seed), 0, 0

    def go():
        sweep(CASE, axes(chunks), store=store, chunk=1, resume="unfinished")

    while kills < number:
        code = code_of(in_child(go, rng.uniform(0.0, 0.3)))
        kills += code == -signal.SIGKILL
        assert code in (0, -signal.SIGKILL)
        if store.exists():
            now = right_where_finished(store, reference)
            assert now >= done, "a finished chunk was lost"
            done = now
        if done == chunks:  # sweeps faster than the kills: begin again elsewhere
            store, done = store.with_name(f"{store.name}x"), 0
    found = sweep(CASE, axes(chunks), store=store, resume="unfinished", chunk=1)
    assert same(found, reference)
    return store


@forks
def test_kills_lose_nothing_that_is_finished(tmp_path, log):
    store = kill_and_resume(tmp_path / "s", 3, 20, seed=1)
    assert not list(store.rglob("*.partial"))


@pytest.mark.long
@forks
def test_fifty_kills_of_two_hundred_chunks(tmp_path, log):
    kill_and_resume(tmp_path / "s", 50, 200, seed=2)


def test_a_death_between_any_two_writes_reads_right(tmp_path, log, monkeypatch):
    reference, small = sweep(CASE, axes(4)), tmp_path / "s"
    put, calls = Store._put, []

    def dying(self, *file):
        put(self, *file)
        calls.append(file)
        if len(calls) == last:
            raise Killed

    for last in (1, 3, 4, 6, 8):  # two blocks, each of label, noted, error and state
        calls.clear()
        monkeypatch.setattr(Store, "_put", dying)
        with pytest.raises(Killed):
            sweep(CASE, axes(4), store=small, chunk=2)
        monkeypatch.setattr(Store, "_put", put)
        assert right_where_finished(small, reference) == 2 * (last // 4)
        assert same(sweep(CASE, axes(4), store=small, resume="unfinished"), reference)
        small = small.with_name(f"s{last}")


def test_states_torn_by_a_power_cut_are_done_again(tmp_path, log):
    store = tmp_path / "s"
    reference = sweep(CASE, axes(8), store=store, chunk=2).load()
    first, second, *_ = sorted(
        file for file in (store / "state" / "c").rglob("*") if file.is_file()
    )
    first.write_bytes(b"")
    second.write_bytes(second.read_bytes()[:-3])
    assert same(sweep(CASE, axes(8), store=store, resume="unfinished"), reference)


@pytest.mark.parametrize("name", ["label", "noted", "error", "state"])
@pytest.mark.parametrize("harm", ["gone", "empty", "short", "changed", "no numbers"])
def test_what_a_finished_chunk_lost_is_done_again(tmp_path, log, name, harm):
    store, case = tmp_path / "s", CASE | {"alpha": [0.1, 0.1]}
    reference = sweep(case, axes(8), store=store, chunk=2).load()  # labels of 0 are the fill value
    log.unlink()
    file = sorted(file for file in (store / name / "c").rglob("*") if file.is_file())[1]
    bytes_ = file.read_bytes()
    middle = len(bytes_) // 2
    changed = bytes_[:middle] + bytes([bytes_[middle] ^ 255]) + bytes_[middle + 1 :]
    file.write_bytes(
        {"short": bytes_[:-3], "changed": changed, "no numbers": b"x" * 99}.get(harm, b"")
    )
    if harm == "gone":
        file.unlink()
    assert same(sweep(case, axes(8), store=store, resume="unfinished"), reference)
    assert len(log.read_text().splitlines()) == 2, "one chunk and no other"
    assert same(sweep(case, axes(8), store=store, resume="unfinished"), reference)


def test_every_flipped_bit_of_an_axis_is_told(tmp_path):
    problem = checked(CASE | {"measure": ["label"]}, axes(4) | {"norm": ["inf", "2"]})
    store = tmp_path / "s"
    _opened(problem, store, None, 4)
    files = [store / name / "c" / "0" for name in ("rho", "scale", "norm")]
    for file in (*files, store / "rho" / "zarr.json"):
        right = file.read_bytes()
        bits = range(0, 8 * len(right), 1 if file.name == "0" else 101)
        for bit in bits:
            wrong = bytearray(right)
            wrong[bit // 8] ^= 1 << bit % 8
            file.write_bytes(wrong)
            with pytest.raises(InputError, match="a store of its own|is damaged") as caught:
                _opened(problem, store, "unfinished", None)
            assert "\n" not in str(caught.value)
        file.unlink()
        with pytest.raises(InputError):
            _opened(problem, store, "unfinished", None)
        file.write_bytes(right)
    _opened(problem, store, "unfinished", None)


def test_a_store_that_cannot_be_written_is_one_line(tmp_path, log, monkeypatch, capsys):
    def read_only(what, **_):
        if not (isinstance(what, Path) and what.is_dir()):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    put, calls, store = Store._put, [], tmp_path / "case.zarr"

    def dying(self, *file):
        calls.append(file)
        if len(calls) == 5:
            raise Killed
        put(self, *file)

    (tmp_path / "case.toml").write_text(
        "[case]\nmu = [1, 2]\nalpha = [1.5, 0.6]\n[axes]\nrho = [0.5, 1.0, 1.7]\n"
    )
    command = ["sweep", str(tmp_path / "case.toml"), "--chunk", "1", "--resume"]
    monkeypatch.setattr(Store, "_put", dying)
    with pytest.raises(Killed):
        main(command)
    before = sorted((str(file), file.stat().st_mtime_ns) for file in store.rglob("*"))
    monkeypatch.setattr(Store, "_put", put)
    monkeypatch.setattr(Path, "mkdir", read_only)
    monkeypatch.setattr("flowsam.archive.lock", read_only)
    assert main(command) == 2
    out, err = capsys.readouterr()
    assert not out and err.count("\n") == 1 and "Read-only file system" in err and str(store) in err
    assert sorted((str(file), file.stat().st_mtime_ns) for file in store.rglob("*")) == before
    monkeypatch.undo()
    assert main(command) == 0
    monkeypatch.setattr(Path, "mkdir", read_only)
    monkeypatch.setattr("flowsam.archive.lock", read_only)
    assert main(command) == 0, "a finished store is only read"


def test_a_store_is_of_axes_in_one_order(tmp_path):
    """The cells of another order are others: their places alone would be the same."""
    over = {"rho": [0.5, 1.0], "scale": [0.5, 2.0]}
    case = CASE | {"measure": ["label"]}
    sweep(case, over, store=tmp_path / "s")
    with pytest.raises(InputError, match=r"axes is \['rho', 'scale'\] there and \['scale', 'rho'"):
        sweep(case, dict(reversed(over.items())), store=tmp_path / "s", resume="unfinished")


@forks
def test_two_processes_share_one_store_and_no_cell_is_done_twice(tmp_path, log):
    store = tmp_path / "s"

    def go():
        sweep(CASE, axes(20), store=store, chunk=1, resume="unfinished")

    sweep(CASE, axes(2), store=tmp_path / "warm")  # everything is imported before the forks
    log.unlink()
    children = [in_child(go) for _ in range(2)]
    assert [code_of(child) for child in children] == [0, 0]
    lines = [line.split() for line in log.read_text().splitlines()]
    assert len({pid for pid, *_ in lines}) == 2
    samples = 2 * 16  # each process may time a sample before it finds or makes the store
    assert 20 <= len(lines) <= 20 + samples
    import xarray

    found = xarray.open_zarr(store, chunks=None, consolidated=False)
    assert same(found, sweep(CASE, axes(20)))


@forks
def test_a_claim_dies_with_its_process(tmp_path, log):
    store = tmp_path / "s"
    sweep(CASE, axes(2), store=store, chunk=1)

    def hold():
        from flowsam.sweeps.store import open_store

        with open_store(store).claim((0, 0), wait=True):
            (tmp_path / "held").touch()
            time.sleep(60)

    from flowsam.sweeps.store import open_store

    child = in_child(hold)
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    with pytest.raises(BlockingIOError), open_store(store).claim((0, 0), wait=False):
        pass
    os.kill(child, signal.SIGKILL)
    code_of(child)
    with open_store(store).claim((0, 0), wait=False):
        pass


@pytest.mark.long
def test_serial_and_parallel_are_equal_though_a_worker_is_killed(tmp_path, log, monkeypatch):
    broken = tmp_path / "broken"
    monkeypatch.setenv(sweep_cases.BROKEN, str(broken))
    case = CASE | {"measure": ["label", "tests.sweep_cases:mortal"]}
    reference = sweep(case, axes(40), chunk=1)
    assert same(sweep(case, axes(40), chunk=2, jobs=2), reference)
    store = tmp_path / "s"
    store_made = sweep(case, {"rho": [0.5]}, store=tmp_path / "other")
    assert (store_made.state == 1).all()
    broken.touch()
    found = sweep_without_sample(monkeypatch, case, axes(40), store=store, jobs=2)
    assert not broken.exists(), "the worker that was to die did"
    assert same(found, reference)


def sweep_without_sample(monkeypatch, case, over, **options):
    """A sweep whose timed sample, taken in this process, does not meet the killer."""
    from flowsam.sweeps import conduct

    flag = Path(os.environ[sweep_cases.BROKEN])
    sampled = conduct.sampled

    def careful(problem):
        flag.unlink()
        try:
            return sampled(problem)
        finally:
            flag.touch()

    monkeypatch.setattr(conduct, "sampled", careful)
    return sweep(case, over, chunk=1, **options)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # what a dying cluster says
def test_a_cluster_loses_a_worker_and_nothing_else(tmp_path, log, monkeypatch):
    distributed = pytest.importorskip("distributed")
    broken = tmp_path / "broken"
    monkeypatch.setenv(sweep_cases.BROKEN, str(broken))
    case = CASE | {"measure": ["label", "tests.sweep_cases:mortal"]}
    reference = sweep(case, axes(60), chunk=1)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
    ) as cluster:
        address = cluster.scheduler_address
        assert same(sweep(case, axes(60), chunk=1, scheduler=address), reference)
        broken.touch()
        found = sweep_without_sample(
            monkeypatch, case, axes(60), store=tmp_path / "s", scheduler=address
        )
        assert not broken.exists(), "the worker that was to die did"
    assert same(found, reference) and np.all(found.state == 1)
