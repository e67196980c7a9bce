"""A sweep of the command line, killed again and again: its parent, its workers, a cluster's."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("zarr")
pytest.importorskip("xarray")

from flowsam import sweep
from tests import sweep_cases
from tests.test_sweep_survival import CASE, ROOT, same

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="asks /proc who is alive"
)
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
KILLS = [1, pytest.param(20, marks=pytest.mark.long)]


def alive(pid):
    """Whether a process still computes: neither gone nor a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(what, seconds=60):
    """Wait until something holds; say whether it ever did."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Sweep:
    """A sweep of the command line with enough cells for so many kills, and its log of cells."""

    def __init__(self, folder, kills, *options):
        self.log = folder / "log"
        self.log.touch()
        self.store = folder / "case.zarr"
        self.said = folder / "said"
        points = 60 * (kills + 1)
        self.axes = {"rho": [0.5, 1.0], "scale": {"start": 0.5, "stop": 2.0, "points": points}}
        (folder / "case.toml").write_text(
            f"[case]\nmu = {CASE['mu']}\nalpha = {CASE['alpha']}\nmeasure = {CASE['measure']}\n"
            "[axes]\nrho = [0.5, 1.0]\n"
            f"scale = {{start = 0.5, stop = 2.0, points = {points}}}\n"
        )
        self.command = [sys.executable, "-m", "flowsam", "sweep", str(folder / "case.toml")]
        self.command += ["--resume", "--chunk", "4", "--quiet", *options]
        self.environment = os.environ | {sweep_cases.LOG: str(self.log), "PYTHONWARNINGS": "ignore"}

    def start(self):
        """Start it, or go on with it."""
        with open(self.said, "w", encoding="utf-8") as said:
            return subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, start_new_session=True, stderr=said
            )

    def gave_up(self, run):
        """Demand that a run that ended early said so in one line."""
        assert run.wait(60) in (2, 130), "it was whole before the kill: give it more cells"
        said = self.said.read_text()
        assert said.startswith("flowsam: ") and said.count("\n") == 1, said

    def workers(self, after=0):
        """Who has worked, one a cell, after so many cells."""
        lines = self.log.read_text().splitlines()[after:]
        return [int(line.split()[0]) for line in lines]

    def at_work(self, run):
        """Wait until some more cells are done; return who does them."""
        before = len(self.workers())
        until(lambda: run.poll() is not None or len(self.workers()) > before + 40)
        return [pid for pid in set(self.workers(before)) if alive(pid) and pid != run.pid]

    def check(self):
        """Finish it, and compare every bit with a sweep that nobody disturbed."""
        import xarray

        assert self.start().wait(200) == 0, self.said.read_text()
        found = xarray.open_zarr(self.store, chunks=None, consolidated=False)
        assert same(found, sweep(CASE, self.axes))
        assert not [*self.store.rglob("*.partial"), *self.store.parent.glob(".*.partial")]


@pytest.mark.parametrize("kills", KILLS)
def test_a_killed_parent_leaves_no_workers_and_loses_nothing(tmp_path, monkeypatch, kills):
    run_of, rng = Sweep(tmp_path, kills, "--jobs", "2"), random.Random(kills)
    for kill in range(kills):
        before = len(run_of.workers())
        run = run_of.start()
        run_of.at_work(run)
        time.sleep(rng.uniform(0, 0.1))
        sent = SIGNALS[kill % 3]  # Ctrl-C goes to all processes of a terminal
        (os.killpg if sent == signal.SIGINT else os.kill)(run.pid, sent)
        assert run.wait(60) != 0, "it was whole before the kill: give it more cells"
        workers = set(run_of.workers(before))
        assert until(lambda: not any(map(alive, workers)), 20), "a worker outlives its parent"  # noqa: B023
    monkeypatch.setenv(sweep_cases.LOG, os.devnull)
    run_of.check()


@pytest.mark.parametrize("kills", KILLS)
def test_killed_workers_are_replaced_or_the_sweep_goes_on_later(tmp_path, monkeypatch, kills):
    run_of, rng = Sweep(tmp_path, kills, "--jobs", "2"), random.Random(kills)
    run, done = run_of.start(), 0
    while done < kills:
        workers = run_of.at_work(run)
        if run.poll() is None and workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(rng.choice(workers), SIGNALS[done % 3])
                done += 1
        elif run.poll() is not None:
            run_of.gave_up(run)
            run = run_of.start()
    if run.wait(120):
        run_of.gave_up(run)
    monkeypatch.setenv(sweep_cases.LOG, os.devnull)
    run_of.check()
    assert until(lambda: not any(map(alive, set(run_of.workers())))), "a worker outlives its parent"


@contextlib.contextmanager
def cluster(run_of):
    """A scheduler with a worker, and what starts another one; all of them end at last."""
    distributed = pytest.importorskip("distributed")
    started = []
    with distributed.LocalCluster(n_workers=0, dashboard_address=None) as scheduler:
        address = scheduler.scheduler_address

        def worker():
            command = [sys.executable, "-m", "distributed.cli.dask_worker", address]
            command += ["--no-nanny", "--nthreads", "1", "--no-dashboard"]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            started.append(
                subprocess.Popen(command, cwd=run_of.store.parent, env=run_of.environment, **quiet)
            )

        worker()
        try:
            yield address, worker
        finally:
            for process in started:
                process.kill()
                process.wait()


@pytest.mark.parametrize("kills", [pytest.param(20, marks=pytest.mark.long)])
@pytest.mark.filterwarnings("ignore")  # what a dying cluster says
def test_killed_workers_of_a_cluster(tmp_path, monkeypatch, kills):
    run_of, rng = Sweep(tmp_path, 8), random.Random(kills)
    monkeypatch.setenv(sweep_cases.LOG, os.devnull)
    run_of.environment["PYTHONPATH"] = str(ROOT)
    with cluster(run_of) as (address, another):
        run_of.command += ["--scheduler", address]
        run, done = run_of.start(), 0
        while done < kills:
            workers = run_of.at_work(run)
            if run.poll() is not None:
                if run.returncode == 0:  # equal in spite of the kills so far: once more
                    run_of.check()
                    shutil.rmtree(run_of.store)
                else:
                    assert run_of.said.read_text().splitlines()[-1].startswith("flowsam: ")
                run = run_of.start()
            elif workers:
                assert run_of.workers().count(run.pid) <= 16, "more than the timed sample"
                another()
                os.kill(rng.choice(workers), signal.SIGKILL)
                done += 1
        assert run.wait(300) in (0, 2)
        run_of.check()


@contextlib.contextmanager
def lone_scheduler(folder, environment):
    """A scheduler that is a process of its own, with a worker; both of them end at last."""
    pytest.importorskip("distributed")
    file = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    line = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard"]
    line += ["--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file)]
    started = [subprocess.Popen(line, cwd=folder, **quiet)]
    assert until(file.exists)
    line = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file)]
    line += ["--no-nanny", "--nthreads", "1", "--no-dashboard"]
    started.append(subprocess.Popen(line, cwd=folder, **quiet))
    try:
        yield json.loads(file.read_text())["address"], started[0]
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.long
def test_a_lost_scheduler_is_one_line_and_its_sweep_goes_on(tmp_path, monkeypatch):
    run_of = Sweep(tmp_path, 3)
    run_of.environment["PYTHONPATH"] = str(ROOT)
    alone = [*run_of.command]
    with lone_scheduler(tmp_path, run_of.environment) as (address, scheduler):
        run_of.command += ["--scheduler", address]
        run = run_of.start()
        assert run_of.at_work(run)
        scheduler.kill()
        run_of.gave_up(run)
    assert f"the scheduler '{address}' did not finish (it was lost)" in run_of.said.read_text()
    run_of.command = alone
    monkeypatch.setenv(sweep_cases.LOG, os.devnull)
    run_of.check()
